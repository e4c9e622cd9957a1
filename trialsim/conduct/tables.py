"""From courses to tables: what the trial's database holds at the data cut-off.

Columns: the docstrings of the functions; all days count from the first dose. The reference of the site lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from trialsim.conduct.dosing_records import doses_table
from trialsim.conduct.kernel import Course
from trialsim.conduct.observe import Observed, observe, pathway
from trialsim.conduct.patients import patients_table
from trialsim.conduct.study_drugs import taken
from trialsim.endpoints import recist, toxicity
from trialsim.endpoints.recist import RESPONSE_NAMES
from trialsim.protocol.visits import ScanSchedule

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

ACTIONS = ("none", "hold", "reduce", "stop")


class Tables(NamedTuple):
    """The tables of a study (columns: see the functions below; of doses: `dosing_records.doses_table`)."""

    patients: pd.DataFrame
    visits: pd.DataFrame
    pharmacodynamics: pd.DataFrame
    adverse_events: pd.DataFrame
    doses: pd.DataFrame


def visits_table(course: Course, schedule: ScanSchedule, seen: Observed, ids: np.ndarray) -> pd.DataFrame:
    """One row a scan: patient_id, visit, day, sld_mm, sld_change_percent (from baseline), sld_nadir_mm (before this scan),
    target_volume_ml, new_lesion, nontarget_progression, on_treatment, response ("" before treatment)."""
    n, scans = seen.scan_day.shape
    baseline = course.before.sum_mm[:, 1]
    _, nadir = recist.assess_history(baseline, seen.sum_mm, seen.new_lesion, seen.nontarget_progression)
    day = np.concatenate([schedule.days[:, :2].astype(float), seen.scan_day], axis=1)
    sum_mm = np.concatenate([course.before.sum_mm, seen.sum_mm], axis=1)
    none = np.zeros((n, 2), bool)
    response = np.concatenate([np.full((n, 2), "", dtype=object), RESPONSE_NAMES[seen.response].astype(object)], axis=1)
    names = np.array(["screening", "baseline", *(f"scan_{i + 1}" for i in range(scans))], dtype=object)
    kept = np.isfinite(day) & ~np.concatenate([schedule.missed[:, :2], np.zeros((n, scans), bool)], axis=1)
    patient, scan = np.nonzero(kept)
    pick = lambda values: values[patient, scan]
    return pd.DataFrame(
        {
            "patient_id": ids[patient],
            "visit": names[scan],
            "day": pick(day).astype(int),
            "sld_mm": pick(sum_mm),
            "sld_change_percent": 100.0 * (pick(sum_mm) / baseline[patient] - 1.0),
            "sld_nadir_mm": pick(np.concatenate([np.repeat(baseline[:, None], 2, axis=1), nadir], axis=1)),
            "target_volume_ml": pick(np.concatenate([course.before.volume_ml, seen.volume_ml], axis=1)),
            "new_lesion": pick(np.concatenate([none, seen.new_lesion], axis=1)),
            "nontarget_progression": pick(np.concatenate([none, seen.nontarget_progression], axis=1)),
            "on_treatment": (pick(day) >= 0) & (pick(day) <= seen.treated_until[patient]),
            "response": pick(response),
        }
    )


def pharmacodynamics_table(config: StudyConfig, course: Course, seen: Observed, ids: np.ndarray) -> pd.DataFrame:
    """One row a patient a week while observed, on its last day, so that the concentration is a trough in every schedule:
    patient_id, day (0 = first dose), dose_mg (taken that day), on_treatment, cmin_ng_ml (end of the day); ps6_tumour,
    p4ebp1_tumour, pakt_tumour, perk_tumour, autophagy_tumour, ps6_pbmc, p4ebp1_pbmc, pakt_pbmc (folds of the patient's own
    untreated state); for each partner drug dose_mg_<name> (of each of the day's administrations) and cmin_ng_ml_<name> (plasma)."""
    total = course.days.alive.shape[1]
    weeks = np.arange(6, total, 7)
    patient, week = np.nonzero(weeks[None, :] < seen.until[:, None])
    day = weeks[week]
    return pd.DataFrame(
        {
            "patient_id": ids[patient],
            "day": day,
            "dose_mg": course.days.dose_mg[patient, day],
            "on_treatment": day < seen.treated_until[patient],
            "cmin_ng_ml": course.days.day.cmin[patient, day],
            **{name: value[patient, day] for name, value in pathway(course).items()},
            **{f"dose_mg_{name}": course.days.partner_mg[patient, day, j] for j, name in enumerate(config.partner)},
            **{f"cmin_ng_ml_{name}": course.days.day.partners.trough[patient, day, j] for j, name in enumerate(config.partner)},
        }
    )


def adverse_events_table(config: StudyConfig, course: Course, seen: Observed, ids: np.ndarray) -> pd.DataFrame:
    """One row an episode that began on treatment or within 28 days after it: patient_id, term, grade (worst), start_day, end_day
    (NaN: ongoing), action (none | hold | reduce | stop: what was done to the dose on its first day at the grade), dlt."""
    reported_until = np.minimum(seen.until, seen.treated_until + 28.0)
    found = toxicity.episodes(course.days.grades, reported_until)
    terms = np.array(list(config.terms), dtype=object)
    rules = config.rules
    may_act = np.array([term in rules.hold_at or term in rules.stop_at for term in terms])
    lowest = np.array([min(rules.hold_at.get(term, 5), rules.stop_at.get(term, 5)) for term in terms])
    acted = np.where(
        may_act[found.term] & (found.grade >= lowest[found.term]), course.days.action[found.patient, found.start_day], 0
    )
    thresholds = toxicity.dlt_thresholds(tuple(terms), config.design.dlt.min_grade)
    return pd.DataFrame(
        {
            "patient_id": ids[found.patient],
            "term": terms[found.term],
            "grade": found.grade,
            "start_day": found.start_day,
            "end_day": found.end_day,
            "action": np.array(ACTIONS, dtype=object)[acted],
            "dlt": (found.grade >= thresholds[found.term]) & (found.start_day < config.design.dlt.window_days),
        }
    )


def make_tables(
    config: StudyConfig, course: Course, schedule: ScanSchedule, covariates: pd.DataFrame, follow_up: np.ndarray
) -> Tables:
    """All tables of a chunk of patients. ``covariates`` has one row a patient, in the order of the course."""
    seen = observe(course, schedule, follow_up)
    ids = covariates["patient_id"].to_numpy()
    return Tables(
        patients=patients_table(config, course, schedule, seen, covariates),
        visits=visits_table(course, schedule, seen, ids),
        pharmacodynamics=pharmacodynamics_table(config, course, seen, ids),
        adverse_events=adverse_events_table(config, course, seen, ids),
        doses=doses_table(taken(config, course), seen.treated_until, ids),
    )


def make_patients(
    config: StudyConfig, course: Course, schedule: ScanSchedule, covariates: pd.DataFrame, follow_up: np.ndarray
) -> pd.DataFrame:
    """The table of patients alone: of the time that all tables take, a third."""
    return patients_table(config, course, schedule, observe(course, schedule, follow_up), covariates)


def make_patients_and_events(
    config: StudyConfig, course: Course, schedule: ScanSchedule, covariates: pd.DataFrame, follow_up: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of patients and of adverse events."""
    seen = observe(course, schedule, follow_up)
    events = adverse_events_table(config, course, seen, covariates["patient_id"].to_numpy())
    return patients_table(config, course, schedule, seen, covariates), events
