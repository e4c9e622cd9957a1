"""When scans happen: on a schedule, with the jitter of real clinics, and sometimes not at all; when patients come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.streams import uniforms
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

NO_SCAN = 10**6  # a day that never comes


class ScanSchedule(NamedTuple):
    """Scans of each patient. Column 0: pre-treatment scan, 1: baseline, 2...: on study.

    Attributes:
        days: int32, days from first dose, ascending from column 1 on, (patients, scans).
        missed: bool, (patients, scans).
    """

    days: np.ndarray
    missed: np.ndarray


def scan_schedule(
    seed: int,
    ids: np.ndarray,
    horizon_days: int,
    interval_weeks: float,
    jitter_days: int,
    baseline_window_days: int,
    pre_treatment_weeks: float | None,
    missed_fraction: float,
) -> ScanSchedule:
    """Scan days and missed scans of each patient.

    Args:
        seed, ids: of the study and of the patients.
        horizon_days: longest follow-up.
        interval_weeks: planned time between scans, counted from the first dose.
        jitter_days: largest deviation from the plan either way (uniform, whole days).
        baseline_window_days: the baseline scan is 1 to this many days before the first dose.
        pre_treatment_weeks: time from the pre-treatment scan to the baseline; None if the study has none.
        missed_fraction: probability that a scan on study does not take place or cannot be read.
    """
    planned = np.arange(1, int(horizon_days // (interval_weeks * DAYS_PER_WEEK)) + 1) * interval_weeks * DAYS_PER_WEEK
    u = uniforms(seed, "scan_jitter", ids, len(planned) + 2)
    baseline = -(1 + np.floor(u[:, 1] * baseline_window_days))
    # real pre-treatment intervals vary widely: half to one and a half times the plan (assumed)
    before = baseline - (
        NO_SCAN if pre_treatment_weeks is None else np.round(pre_treatment_weeks * DAYS_PER_WEEK * (0.5 + u[:, 0]))
    )
    on_study = np.round(planned + (2.0 * u[:, 2:] - 1.0) * jitter_days)
    days = np.concatenate([before[:, None], baseline[:, None], on_study], axis=1).astype(np.int32)
    missed = np.zeros(days.shape, bool)
    missed[:, 0] = pre_treatment_weeks is None
    missed[:, 2:] = uniforms(seed, "scan_missed", ids, len(planned)) < missed_fraction
    return ScanSchedule(days, missed)


def arrival_days(seed: int, ids: np.ndarray, replicate_size: int, accrual_months: float) -> np.ndarray:
    """Day on which each patient could start, from the first patient in of its study, (patients,).

    Patients come at a steady rate with exponential gaps.

    Args:
        ids: consecutive patients, in order of enrolment. Virtual study k begins with patient k replicate_size.
        replicate_size: patients a study. accrual_months: time in which that many come.
    """
    before = int(ids[0] % replicate_size)  # days add up from the first patient of a study: look back to it
    every = np.concatenate([np.arange(ids[0] - before, ids[0]), ids])
    gap = np.zeros(-(-len(every) // replicate_size) * replicate_size)
    gap[: len(every)] = -np.log(uniforms(seed, "enrolment", every)[:, 0]) * accrual_months * DAYS_PER_MONTH / replicate_size
    by_study = gap.reshape(-1, replicate_size)
    by_study[:, 0] = 0.0
    return np.cumsum(by_study, axis=1).reshape(-1)[before : len(every)]
