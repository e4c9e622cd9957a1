"""Schedules with jitter; accrual."""

import numpy as np

from trialsim.protocol.visits import arrival_days, scan_schedule

SETTINGS = dict(
    horizon_days=731, interval_weeks=8, jitter_days=5, baseline_window_days=14, pre_treatment_weeks=8.0, missed_fraction=0.05
)


def test_scans_stay_within_the_jitter_and_in_order():
    s = scan_schedule(3, np.arange(500), **SETTINGS)
    planned = 56 * np.arange(1, 14)
    assert np.abs(s.days[:, 2:] - planned).max() == 5
    assert np.all(np.diff(s.days, axis=1) > 0)
    assert s.days[:, 1].min() == -14 and s.days[:, 1].max() == -1


def test_missed_fraction_within_four_standard_errors():
    s = scan_schedule(3, np.arange(2000), **SETTINGS)
    n = s.missed[:, 2:].size
    assert abs(s.missed[:, 2:].mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / n)
    assert not s.missed[:, :2].any()


def test_study_without_pre_treatment_scan():
    s = scan_schedule(3, np.arange(5), **(SETTINGS | {"pre_treatment_weeks": None}))
    assert s.missed[:, 0].all()


def test_schedule_of_a_patient_does_not_depend_on_the_others():
    all_, one = scan_schedule(3, np.arange(100), **SETTINGS), scan_schedule(3, np.array([42]), **SETTINGS)
    assert np.array_equal(all_.days[42], one.days[0])


def test_accrual_is_steady_and_starts_with_the_first_patient():
    """1,000 studies of 59: the last patient comes after 24 months x 58/59 on average, within four standard errors."""
    ids = np.arange(59_000)
    day = arrival_days(1, ids, 59, 24.0).reshape(1000, 59)
    assert np.all(day[:, 0] == 0) and np.all(np.diff(day, axis=1) >= 0)
    gap = 24 * 30.4375 / 59
    assert abs(day[:, -1].mean() - 58 * gap) < 4 * gap * np.sqrt(58 / 1000)


def test_arrival_does_not_depend_on_where_a_block_begins():
    assert np.array_equal(arrival_days(1, np.arange(200), 59, 24.0)[100:], arrival_days(1, np.arange(100, 200), 59, 24.0))
