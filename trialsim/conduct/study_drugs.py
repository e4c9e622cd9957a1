"""Doses of the rapalog and its partner drugs as they were given, and whether what followed was dose-limiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialsim.conduct.dosing_records import Taken
from trialsim.conduct.kernel import Course
from trialsim.endpoints import toxicity

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

INTERVAL_DAYS = {"daily": 1, "alternate_day": 2, "weekly": 7, "five_days_a_week": 1}


def doses(config: StudyConfig, course: Course) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """mg of each administration taken and planned by study drug, (patients, days); the rapalog first."""
    days = course.days
    partners = {name: (days.partner_mg[..., j], days.partner_planned_mg[..., j]) for j, name in enumerate(config.partner)}
    return {config.drug.name: (days.dose_mg, days.planned_mg)} | partners


def taken(config: StudyConfig, course: Course) -> list[Taken]:
    """Doses taken of each study drug, the rapalog first."""
    given = {name: mg for name, (mg, _) in doses(config, course).items()}
    regimens = {name: (partner.regimen.schedule, partner.regimen.doses_a_day) for name, partner in config.partner.items()}
    regimens[config.drug.name] = (config.regimen.schedule, 1)
    return [Taken(name, mg, INTERVAL_DAYS[regimens[name][0]], regimens[name][1]) for name, mg in given.items()]


def dose_limiting(config: StudyConfig, course: Course, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DLT by term (patients, terms) and whether each patient could be judged for DLT (patients,)."""
    dlt = config.design.dlt
    thresholds = toxicity.dlt_thresholds(tuple(config.terms), dlt.min_grade)
    by_term = toxicity.dose_limiting(course.days.grades, thresholds, dlt.window_days, until)
    judged = lambda taken, planned: toxicity.dlt_evaluable(
        by_term.any(axis=1), taken, planned, dlt.window_days, until, dlt.min_dose_fraction
    )
    # enough of each study drug that was planned for the window
    drugs = list(doses(config, course).values())
    due = np.stack([planned[:, : dlt.window_days].sum(axis=1) > 0 for _, planned in drugs])
    enough = np.stack([judged(*mg) for mg in drugs])
    return by_term, np.all(enough | ~due, axis=0) & due.any(axis=0)


def dlt_day(config: StudyConfig, course: Course, until: np.ndarray) -> np.ndarray:
    """Days from first dose to the DLT, inf if there is none, (patients,); ``until`` as in `dose_limiting`."""
    dlt = config.design.dlt
    thresholds = toxicity.dlt_thresholds(tuple(config.terms), dlt.min_grade)
    return toxicity.first_dose_limiting(course.days.grades, thresholds, dlt.window_days, until)
