"""The same patients under none, one or both of two drugs, at any dose and on any days, with the same chances each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from trialsim import simulation
from trialsim.conduct.inputs import follow_up_horizon, make_schedule, make_subjects, start_dose_mg
from trialsim.conduct.kernel import Course
from trialsim.conduct.simulate import simulate_courses
from trialsim.conduct.tables import Tables, make_tables
from trialsim.mechanism import growth
from trialsim.schema.analysis.combination import Given
from trialsim.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.regimen import Prescription
    from trialsim.schema.study import StudyConfig

OUTCOMES = (
    "best_sld_change_percent", "responder", "disease_control", "pfs_days", "pfs_event", "os_days", "os_event", "dlt",
    "dlt_evaluable", "days_on_treatment", "off_treatment_reason", "relative_dose_intensity", "integration_ok",
)  # fmt: skip
SEVERE = 3  # CTCAE grade
COURSE_WEEKS = 4  # between two sizes that are kept


class Arm(NamedTuple):
    """What one arm is given.

    Attributes:
        rapalog: dose as a factor of ``regimen.dose``, and days; None: not given.
        partners: the same of each partner drug by name; those not named are not given.
    """

    rapalog: Given | None
    partners: dict[str, Given]


def config_of(config: StudyConfig, arm: Arm) -> StudyConfig:
    """The study with this arm's drugs. Partner drugs that are not given are left out with their rules and interactions; the rapalog
    stays, at dose 0, as a study is one of a rapalog."""
    partners = {
        name: config.partner[name].model_copy(update={"regimen": prescribed(config.partner[name].regimen, given)})
        for name, given in arm.partners.items()
    }
    rapalog = config.regimen.model_copy(update={"dose": 0.0}) if arm.rapalog is None else prescribed(config.regimen, arm.rapalog)
    changed = config.model_copy(update={"partner": partners, "regimen": rapalog})
    # a rule about a toxicity that only an absent drug has
    dlt = config.design.dlt
    known = {term: grade for term, grade in dlt.min_grade.items() if term in changed.terms}
    design = config.design.model_copy(update={"dlt": dlt.model_copy(update={"min_grade": known})})
    return changed.model_copy(update={"design": design})


def prescribed(regimen: Prescription, given: Given) -> Prescription:
    """A regimen with another dose or other days; what ``given`` leaves open stays as prescribed."""
    days = {name: value for name, value in given.model_dump(exclude={"dose_factor"}).items() if value is not None}
    return regimen.model_copy(update={"dose": regimen.dose * given.dose_factor, **days})


def patients_of(config: StudyConfig) -> pd.DataFrame:
    """Everybody in the study, enrolled."""
    return simulation.enrol(config, simulation.Block(0, config.cohort.size)).patients


def simulate_arm(config: StudyConfig, enrolled: pd.DataFrame, arm: Arm, week: int) -> dict[str, pd.DataFrame]:
    """One arm.

    Args:
        config: of the study, with all its partners. enrolled: from `patients_of`, or some of them with other genotypes.
        week: of treatment, at whose end the tumour's volume is compared between arms.

    Returns:
        ``patients``: one row a patient in the order given: patient_id, log_volume (ln of the volume of target lesions at the end of
        the week over that at first dose, in truth), `OUTCOMES`, severe (an adverse event of grade 3 or 4), intensity_<partner>
        (relative dose intensity), week_<n> (sum of target diameters over that at first dose, in truth, every 4 weeks).
    """
    given = config_of(config, arm)
    level = np.full(len(enrolled), given.regimen.dose)
    enrolled = enrolled.assign(dose_level=level, start_dose_mg=start_dose_mg(given, enrolled, level))
    chunks = []
    for part, course in simulate_courses(given, enrolled, level, follow_up_horizon(given)):
        chunk = enrolled.iloc[part]
        ids = chunk["patient_id"].to_numpy()
        follow_up = chunk["follow_up_days"].to_numpy(float)
        tables = make_tables(given, course, make_schedule(given, ids), chunk.drop(columns="follow_up_days"), follow_up)
        chunks.append(_kept(given, tables, dict(_sizes(given, chunk, level[part], course, week))))
    return {"patients": pd.concat(chunks, ignore_index=True)}


def _kept(config: StudyConfig, tables: Tables, sizes: dict[str, np.ndarray]) -> pd.DataFrame:
    patients, events = tables.patients, tables.adverse_events
    severe = patients["patient_id"].isin(events.loc[events["grade"] >= SEVERE, "patient_id"])
    intensity = {f"intensity_{name}": patients[f"relative_dose_intensity_{name}"] for name in config.partner}
    return patients[["patient_id", *OUTCOMES]].assign(severe=severe, **intensity, **sizes)


def _sizes(config: StudyConfig, covariates: pd.DataFrame, level: np.ndarray, course: Course, week: int) -> Iterator:
    """True sizes of the target lesions, by column."""
    subjects = make_subjects(config, covariates, level)
    start = np.asarray(subjects.lesions_mm, float)

    def at(day: int) -> np.ndarray:
        I_s, I_r = (np.asarray(value, float)[:, day - 1] for value in (course.days.I_sensitive, course.days.I_resistant))
        return np.asarray(growth.diameters(start, subjects.lesion_growth, subjects.lesion_resistant, I_s, I_r), float)

    days, a_week = course.days.I_sensitive.shape[1], int(DAYS_PER_WEEK)
    yield "log_volume", np.log(np.nansum(at(week * a_week) ** 3, axis=1) / np.nansum(start**3, axis=1))
    for n in range(COURSE_WEEKS, days // a_week + 1, COURSE_WEEKS):
        yield f"week_{n}", np.nansum(at(n * a_week), axis=1) / np.nansum(start, axis=1)
