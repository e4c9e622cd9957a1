"""The patients and the reference belong together, row by row."""

import numpy as np
import pytest

from trialsim.benchmark import data
from trialsim.benchmark.peers import equations


def test_reference_starts_at_each_patients_own_tumour():
    reference = data.reference()
    assert reference.tumour_mm.shape == (1000, 25)
    assert reference.t_h[-1] == equations.DAYS * equations.INTERVAL_H
    np.testing.assert_allclose(reference.tumour_mm[:, 0], data.parameters(1000)["V0"], rtol=1e-12)


def test_parameters_hold_what_the_equations_need():
    patients = data.parameters(3)
    assert set(patients) == set(equations.PARAMETERS)
    assert all(column.shape == (3,) and column.dtype == np.float64 for column in patients.values())


def test_typical_patient_is_the_median():
    medians = np.median(equations.table(data.parameters(2000)), axis=0)
    np.testing.assert_allclose(medians, equations.TYPICAL, rtol=0.1)


@pytest.mark.parametrize("n", [0, 2001])
def test_more_patients_than_rows_is_an_error(n):
    with pytest.raises(ValueError, match="1 to 2000"):
        data.parameters(n)
