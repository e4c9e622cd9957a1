"""Adverse events by CTCAE grade, dose-limiting toxicity, dose intensity: from daily records to what a trial reports.

Grades are 0 (none) to 4, by day (day 0 = first dose); 5, death, is not graded by term.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trialsim.endpoints.estimate import Estimate
from trialsim.endpoints.proportions import clopper_pearson
from trialsim.schema import ConfigError

GRADES = (1, 2, 3, 4)
NEVER = np.iinfo(np.int32).max


class Episodes(NamedTuple):
    """One entry an episode, ordered by patient, term, start. All fields (episodes,).

    Attributes:
        patient: row of the patient. term: column of the term.
        start_day: first day at the asked grade or more.
        end_day: first day back below it; NaN if it was still there on the last observed day.
        grade: worst grade of the episode.
    """

    patient: np.ndarray
    term: np.ndarray
    start_day: np.ndarray
    end_day: np.ndarray
    grade: np.ndarray


def episodes(grades: np.ndarray, observed_days: np.ndarray | None = None, min_grade: int = 1) -> Episodes:
    """Unbroken runs of days with an adverse event.

    Args:
        grades: (patients, days, terms), int.
        observed_days: (patients,), number of days from day 0 on which the patient was observed; default: all.
        min_grade: lowest grade that counts.
    """
    grades = _observed(grades, observed_days)
    days = grades.shape[1]
    last = np.full(len(grades), days) if observed_days is None else np.minimum(observed_days, days)
    present = np.moveaxis(grades >= min_grade, 1, 2)  # (patients, terms, days)
    edge = np.diff(
        np.pad(present, ((0, 0), (0, 0), (1, 1))).astype(np.int8), axis=2
    )  # +1 at the first day, -1 after the last
    patient, term, start = np.nonzero(edge == 1)
    end = np.nonzero(edge == -1)[2]  # nonzero runs in the same order, and every start has its end
    worst = np.zeros(len(start), int)
    by_day = np.moveaxis(grades, 1, 2)
    # maximum over each run: reduceat over the flat array with run starts and ends as alternate boundaries
    if len(start):
        flat = by_day.reshape(-1)
        offset = (patient * by_day.shape[1] + term) * days
        bounds = np.column_stack([offset + start, offset + end]).reshape(-1)
        worst = np.maximum.reduceat(np.append(flat, 0), bounds)[::2].astype(int)
    end_day = np.where(end >= last[patient], np.nan, end.astype(float))
    return Episodes(patient, term, start, end_day, worst)


def worst_grades(grades: np.ndarray, observed_days: np.ndarray | None = None) -> np.ndarray:
    """Worst grade of each patient and term: (patients, days, terms) -> (patients, terms), int."""
    return np.max(_observed(grades, observed_days), axis=1, initial=0).astype(int)


def incidence(worst: np.ndarray, min_grade: int = 1, max_grade: int = 4, level: float = 0.95) -> Estimate:
    """Share of patients whose worst grade lies in [min_grade, max_grade], with exact interval.

    Args:
        worst: (patients, terms) or (patients,), from `worst_grades`.

    Returns:
        Estimate with fields of shape (terms,), or floats.
    """
    worst = np.asarray(worst)
    inside = (worst >= min_grade) & (worst <= max_grade)
    return clopper_pearson(inside.sum(axis=0), len(worst), level)


def grade_counts(worst: np.ndarray) -> np.ndarray:
    """Number of patients by worst grade: (patients, terms) -> (terms, 5), columns grade 0 to 4."""
    return np.stack([np.sum(np.asarray(worst) == grade, axis=0) for grade in (0, *GRADES)], axis=-1)


def dlt_thresholds(terms: Sequence[str], min_grade: Mapping[str, int]) -> np.ndarray:
    """Lowest dose-limiting grade of each term, (terms,), int; terms without a rule get a grade that never happens.

    Raises:
        ConfigError: a rule names a term that is not simulated, or a grade outside 1 to 4.
    """
    for term, grade in min_grade.items():
        if term not in terms:
            raise ConfigError(
                f"design.dlt.min_grade.{term}", grade, f"an adverse event of the drug: {', '.join(terms)}"
            )
        if grade not in GRADES:
            raise ConfigError(f"design.dlt.min_grade.{term}", grade, "a CTCAE grade from 1 to 4")
    return np.array([min_grade.get(term, NEVER) for term in terms])


def dose_limiting(
    grades: np.ndarray, thresholds: np.ndarray, window_days: int, observed_days: np.ndarray | None = None
) -> np.ndarray:
    """Which terms were dose-limiting within the window, days 0 to window_days - 1.

    Args:
        grades: (patients, days, terms), int. thresholds: (terms,), from `dlt_thresholds`.
        observed_days: as in `episodes`.

    Returns:
        (patients, terms), bool; a patient has a DLT if any is True.
    """
    return np.any(_observed(grades, observed_days)[:, :window_days] >= np.asarray(thresholds), axis=1)


def first_dose_limiting(
    grades: np.ndarray, thresholds: np.ndarray, window_days: int, observed_days: np.ndarray | None = None
) -> np.ndarray:
    """Day of the first dose-limiting toxicity, of whatever term, inf if there is none; arguments as in `dose_limiting`.

    Returns:
        (patients,), days from first dose.
    """
    toxic = np.any(_observed(grades, observed_days)[:, :window_days] >= np.asarray(thresholds), axis=2)
    return np.where(toxic.any(axis=1), toxic.argmax(axis=1), np.inf)


def dlt_evaluable(
    dlt: np.ndarray,
    taken: np.ndarray,
    planned: np.ndarray,
    window_days: int,
    observed_days: np.ndarray,
    min_dose_fraction: float = 0.75,
) -> np.ndarray:
    """Whether a patient can be judged for DLT: had one, or was observed for the whole window and took enough of the
    planned dose.

    Args:
        dlt: (patients,), bool.
        taken, planned: dose by day, (patients, days), any common unit; `planned` is the full schedule of the dose
            level, so that doses held or missed count as not taken.
        window_days: days. observed_days: (patients,), days.
        min_dose_fraction: share of the planned dose that is enough; 0.75 is a usual phase I rule (assumed).

    Returns:
        (patients,), bool.
    """
    complete = np.asarray(observed_days) >= window_days
    fraction = relative_dose_intensity(np.asarray(taken)[:, :window_days], np.asarray(planned)[:, :window_days])
    # 21 of 28 doses must pass 0.75 whatever the rounding of their sums
    return np.asarray(dlt, bool) | (complete & (np.nan_to_num(fraction) >= min_dose_fraction - 1e-6))


def relative_dose_intensity(taken: np.ndarray, planned: np.ndarray, until_day: np.ndarray | None = None) -> np.ndarray:
    """Dose taken over dose planned while on treatment (Hryniuk & Bush, J Clin Oncol 1984;2:1281-8), fraction.

    Args:
        taken, planned: dose by day, (patients, days), any common unit; `planned` at full dose, without holds and
            reductions.
        until_day: (patients,), number of days of treatment counted from day 0; default: all.

    Returns:
        (patients,); NaN if nothing was planned.
    """
    taken, planned = np.asarray(taken, float), np.asarray(planned, float)
    if until_day is not None:
        counts = np.arange(taken.shape[1]) < np.asarray(until_day)[:, None]
        taken, planned = np.where(counts, taken, 0.0), np.where(counts, planned, 0.0)
    total = planned.sum(axis=1)
    return np.where(total > 0, taken.sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)


class DoseChanges(NamedTuple):
    """Changes of the dose of each patient, (patients,), int.

    Attributes:
        holds: number of interruptions.
        reductions: number of steps to a lower dose.
    """

    holds: np.ndarray
    reductions: np.ndarray


def dose_changes(prescribed: np.ndarray, until_day: np.ndarray | None = None) -> DoseChanges:
    """Count holds and reductions in the prescribed dose.

    Args:
        prescribed: dose in force on each day, (patients, days), any unit; 0 while held. It is the prescription, not the
            intake: days between weekly doses, and missed doses, carry the prescribed dose.
        until_day: (patients,), number of days of treatment from day 0; default: all.
    """
    prescribed = np.asarray(prescribed, float)
    patients, days = prescribed.shape
    until = np.full(patients, days) if until_day is None else np.asarray(until_day)
    holds, reductions = np.zeros(patients, int), np.zeros(patients, int)
    held, level = np.zeros(patients, bool), np.full(patients, -np.inf)
    for day in range(days):
        on, dose = day < until, prescribed[:, day]
        given = dose > 0
        holds += on & ~given & ~held & (day > 0)
        reductions += on & given & (dose < level * (1 - 1e-6))
        held = ~given
        level = np.where(given, dose, level)
    return DoseChanges(holds, reductions)


def _observed(grades: np.ndarray, observed_days: np.ndarray | None) -> np.ndarray:
    """Grades with the days after the end of observation set to 0."""
    grades = np.asarray(grades)
    if observed_days is None:
        return grades
    return np.where((np.arange(grades.shape[1]) < np.asarray(observed_days)[:, None])[:, :, None], grades, 0)
