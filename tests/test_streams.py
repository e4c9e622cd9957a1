"""Random numbers that belong to the patient."""

import numpy as np
from scipy import stats

from trialsim.streams import normals, uniforms


def test_a_patient_has_the_same_numbers_in_any_company():
    many = uniforms(7, "age", np.arange(3000), 3)
    few = uniforms(7, "age", np.array([2999, 17, 0]), 3)
    assert np.array_equal(few, many[[2999, 17, 0]])


def test_more_numbers_begin_with_the_same_ones():
    assert np.array_equal(uniforms(7, "iov", np.arange(50), 9)[:, :4], uniforms(7, "iov", np.arange(50), 4))


def test_quantities_seeds_and_patients_are_independent():
    a, b, c = (
        uniforms(7, "age", np.arange(5000))[:, 0],
        uniforms(7, "sex", np.arange(5000))[:, 0],
        uniforms(8, "age", np.arange(5000))[:, 0],
    )
    for x, y in ((a, b), (a, c), (a[:-1], a[1:])):
        assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(5000)  # four standard errors: false alarm 6e-5 each


def test_uniform_and_normal_distribution():
    """Kolmogorov-Smirnov at level 1e-4, seed 7."""
    assert stats.kstest(uniforms(7, "x", np.arange(20000))[:, 0], "uniform").pvalue > 1e-4
    z = normals(7, "x", np.arange(20000))
    assert stats.kstest(z[:, 0], "norm").pvalue > 1e-4 and np.isfinite(z).all()
