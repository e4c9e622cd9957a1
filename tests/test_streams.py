"""Random numbers that belong to the patient."""

import zlib

import jax
import numpy as np
import pytest
from scipy import stats

from trialsim.streams import keys, normals, uniforms


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


@pytest.mark.parametrize("seed", [0, 7, 2**31 + 5, 2**32 - 1])
def test_the_bits_are_those_of_jax(seed):
    """More patients than are made together, and the largest number of a patient."""
    ids = np.append(np.arange(13_000), 2**32 - 1).astype(np.uint32)
    with jax.enable_x64(True):
        quantity = jax.random.fold_in(jax.random.key(seed), zlib.crc32(b"age"))
        key = jax.vmap(lambda patient: jax.random.fold_in(quantity, patient))(ids)
        bits = jax.vmap(lambda one: jax.random.bits(one, (3,), "uint32"))(key)
        assert np.array_equal(keys(seed, "age", ids), jax.random.key_data(key))
    assert np.array_equal(uniforms(seed, "age", ids, 3), (np.asarray(bits) + 0.5) / 2.0**32)
