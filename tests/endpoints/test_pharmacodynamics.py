"""Folds, their summaries over time, shares of patients, and exposure summaries against exact values."""

import numpy as np
import pytest

from trialsim.endpoints import pharmacodynamics as pd


def test_fold_of_own_baseline():
    fold = pd.fold_of_baseline(np.array([[2.0, 4.0], [3.0, 1.0]]), np.array([2.0, 0.0]))
    np.testing.assert_array_equal(fold, [[1.0, 2.0], [np.nan, np.nan]])


def test_time_course_counts_only_who_was_measured():
    values = np.array([[1.0, 5.0, np.nan], [2.0, np.nan, np.nan], [9.0, 7.0, np.nan]])
    found = pd.time_course(values, (0.0, 1.0))
    np.testing.assert_array_equal(found.median, [2.0, 6.0, np.nan])
    np.testing.assert_array_equal(found.quantiles, [[1.0, 5.0, np.nan], [9.0, 7.0, np.nan]])
    assert found.n.tolist() == [3, 2, 0]


def test_responder_share():
    values = np.array([1.3, 1.2, 0.9, np.nan])
    up = pd.responder_share(values, 1.2)
    assert (up.estimate, up.n) == (pytest.approx(1 / 3), 3)
    assert pd.responder_share(values, 1.25, above=False).estimate == pytest.approx(2 / 3)


def test_trough_peak_and_area_of_an_exponential():
    time = np.linspace(0, 24, 2401)
    concentration = 60 * np.exp(-np.log(2) / 30 * time)[None] * np.array([[1.0], [2.0]])
    assert pd.peak(concentration).tolist() == [60.0, 120.0]
    np.testing.assert_allclose(pd.trough(concentration), 60 * 2 ** (-24 / 30) * np.array([1, 2]))
    exact = 60 * 30 / np.log(2) * (1 - 2 ** (-24 / 30))
    np.testing.assert_allclose(pd.area_under_curve(time, concentration), exact * np.array([1, 2]), rtol=1e-6)


def test_geometric_summary():
    mean, cv, n = pd.geometric_summary(np.array([1.0, 100.0, np.nan, 0.0]))
    assert (mean, n) == (pytest.approx(10.0), 2)
    assert cv == pytest.approx(np.sqrt(np.exp(np.log(100) ** 2 / 2) - 1))
    assert np.isnan(pd.geometric_summary(np.array([np.nan]))[0])
