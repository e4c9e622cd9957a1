"""From courses to tables: what the trial's database holds at the data cut-off. Nothing later than that is visible.

Columns: the docstrings of the functions; all days count from the first dose. The reference of the site lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from trialsim.conduct import central
from trialsim.conduct.dosing_records import Taken, doses_table
from trialsim.conduct.kernel import Course
from trialsim.endpoints import growth_ratio, recist, survival, toxicity
from trialsim.endpoints.recist import RESPONSE_NAMES
from trialsim.protocol.dosing import DEATH, ON, STATUS, WITHDRAWAL
from trialsim.protocol.visits import ScanSchedule

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

PD_DAY = 28  # day on which on-treatment pathway read-outs are compared with baseline
INTERVAL_DAYS = {"daily": 1, "alternate_day": 2, "weekly": 7, "five_days_a_week": 1}
PK_DAY = 14  # day 15, on which every schedule has a dose due; the dosing interval from there gives the exposure
ACTIONS = ("none", "hold", "reduce", "stop")
PD_COLUMNS = (
    "ps6_tumour",
    "p4ebp1_tumour",
    "pakt_tumour",
    "perk_tumour",
    "autophagy_tumour",
    "ps6_pbmc",
    "p4ebp1_pbmc",
    "pakt_pbmc",
)


class Tables(NamedTuple):
    """The tables of a study (columns: see the functions below; of doses: `dosing_records.doses_table`)."""

    patients: pd.DataFrame
    visits: pd.DataFrame
    pharmacodynamics: pd.DataFrame
    adverse_events: pd.DataFrame
    doses: pd.DataFrame


class Observed(NamedTuple):
    """What was seen of each patient. Shapes (patients,) unless said.

    Attributes:
        follow_up: days to the data cut-off. off_study: day of death or withdrawal, inf if neither was seen.
        death: day of death, inf if not seen. until: last day under observation, days.
        treated_until: number of days of treatment, days; ended: treatment ended while observed.
        scan_day: day of each scan on study, NaN if not done or after the end of observation, (patients, scans).
        scan: fields of ``kernel.Scan`` at those scans, (patients, scans).
    """

    follow_up: np.ndarray
    off_study: np.ndarray
    death: np.ndarray
    until: np.ndarray
    treated_until: np.ndarray
    ended: np.ndarray
    scan_day: np.ndarray
    sum_mm: np.ndarray
    volume_ml: np.ndarray
    new_lesion: np.ndarray
    nontarget_progression: np.ndarray
    response: np.ndarray


def _first(happened: np.ndarray) -> np.ndarray:
    """Index of the first True along days, inf if none: (patients, days) -> (patients,)."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1), np.inf)


def observe(course: Course, schedule: ScanSchedule, follow_up: np.ndarray) -> Observed:
    """Cut each course at death, withdrawal or data cut-off."""
    days = course.days
    total = days.alive.shape[1]
    follow_up = np.minimum(follow_up, total)
    death = _first(~days.alive)
    off_study = _first(~days.on_study)
    seen_off = off_study < follow_up
    until = np.where(seen_off, off_study, follow_up)
    stopped = _first(days.status != ON)
    ended = stopped < np.minimum(until + 1, follow_up)
    # death and withdrawal come at the end of a day whose dose was taken; progression and toxicity are seen before the dose
    at_stop = days.status[np.arange(len(stopped)), np.where(np.isfinite(stopped), stopped, 0).astype(int)]
    last_dose_taken = np.isin(at_stop, (DEATH, WITHDRAWAL))
    on_study = schedule.days[:, 2:]
    rows = np.arange(len(on_study))[:, None]
    inside = np.clip(on_study, 0, total - 1)
    done = days.scanned[rows, inside] & (on_study < total) & (on_study <= until[:, None])
    at = lambda field: np.where(done, field[rows, inside], np.nan)
    flag = lambda field: done & field[rows, inside]
    return Observed(
        follow_up=follow_up,
        off_study=np.where(seen_off, off_study, np.inf),
        death=np.where(seen_off & (death <= off_study), death, np.inf),
        until=until,
        treated_until=np.where(ended, np.minimum(stopped + last_dose_taken, until + last_dose_taken), until),
        ended=ended,
        scan_day=np.where(done, on_study, np.nan),
        sum_mm=at(days.scan.sum_mm),
        volume_ml=at(days.scan.volume_ml),
        new_lesion=flag(days.scan.new_lesion),
        nontarget_progression=flag(days.scan.nontarget_progression),
        response=np.where(done, days.scan.response[rows, inside], 0).astype(int),
    )


def dose_limiting(config: StudyConfig, course: Course, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DLT by term (patients, terms) and whether each patient could be judged for DLT (patients,)."""
    dlt = config.design.dlt
    thresholds = toxicity.dlt_thresholds(tuple(config.terms), dlt.min_grade)
    by_term = toxicity.dose_limiting(course.days.grades, thresholds, dlt.window_days, until)
    judged = lambda taken, planned: toxicity.dlt_evaluable(
        by_term.any(axis=1), taken, planned, dlt.window_days, until, dlt.min_dose_fraction
    )
    # enough of each study drug that was planned for the window
    drugs = list(_doses(config, course).values())
    due = np.stack([planned[:, : dlt.window_days].sum(axis=1) > 0 for _, planned in drugs])
    enough = np.stack([judged(*doses) for doses in drugs])
    return by_term, np.all(enough | ~due, axis=0) & due.any(axis=0)


def dlt_day(config: StudyConfig, course: Course, until: np.ndarray) -> np.ndarray:
    """Days from first dose to the DLT, inf if there is none, (patients,); ``until`` as in `dose_limiting`."""
    dlt = config.design.dlt
    thresholds = toxicity.dlt_thresholds(tuple(config.terms), dlt.min_grade)
    return toxicity.first_dose_limiting(course.days.grades, thresholds, dlt.window_days, until)


def _doses(config: StudyConfig, course: Course) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """mg of each administration taken and planned by study drug, (patients, days); the rapalog first."""
    days = course.days
    partners = {name: (days.partner_mg[..., j], days.partner_planned_mg[..., j]) for j, name in enumerate(config.partner)}
    return {config.drug.name: (days.dose_mg, days.planned_mg)} | partners


def _taken(config: StudyConfig, course: Course) -> list[Taken]:
    """Doses taken of each study drug, the rapalog first."""
    doses = {name: taken for name, (taken, _) in _doses(config, course).items()}
    regimens = {name: (partner.regimen.schedule, partner.regimen.doses_a_day) for name, partner in config.partner.items()}
    regimens[config.drug.name] = (config.regimen.schedule, 1)
    return [Taken(name, mg, INTERVAL_DAYS[regimens[name][0]], regimens[name][1]) for name, mg in doses.items()]


def _partner_columns(config: StudyConfig, course: Course, treated: np.ndarray, until: np.ndarray) -> dict[str, np.ndarray]:
    """For each partner drug: ``relative_dose_intensity_<name>``, and ``cmin_ng_ml_<name>``, in plasma at the end of day 28."""
    day, found = min(PD_DAY, course.days.alive.shape[1]) - 1, {}
    for j, name in enumerate(config.partner):
        found[f"relative_dose_intensity_{name}"] = toxicity.relative_dose_intensity(*_doses(config, course)[name], treated)
        found[f"cmin_ng_ml_{name}"] = np.where(until > day, course.days.day.partners.trough[:, day, j], np.nan)
    return found


def _clinical_benefit(config: StudyConfig, course: Course, schedule: ScanSchedule, seen: Observed, best: np.ndarray):
    """TTP ratio of each patient (NaN without a pre-treatment scan) and clinical benefit as the study defines it."""
    rule = config.endpoint.clinical_benefit
    before_ml, baseline_ml = course.before.volume_ml[:, 0], course.before.volume_ml[:, 1]
    baseline_day = schedule.days[:, 1]
    if config.endpoint.pre_treatment_scan_weeks is None:
        ratio = np.full(len(best), np.nan)
        benefit = np.zeros(len(best), bool)
    else:
        interval = (baseline_day - schedule.days[:, 0]).astype(float)
        before = growth_ratio.time_before(before_ml, baseline_ml, interval, volume_increase=rule.volume_increase)
        on, progressed = growth_ratio.time_on(
            baseline_ml, baseline_day, seen.scan_day, seen.volume_ml, seen.new_lesion, seen.death, rule.volume_increase,
            rule.interpolate,
        )  # fmt: skip
        found = growth_ratio.ttp_ratio(before, on, progressed, rule.threshold)
        ratio, benefit = found.ratio, found.benefit
    if rule.kind == "disease_control":
        benefit = recist.has_lasting_control(best, seen.scan_day, seen.response, rule.days, seen.until)
    return ratio, benefit


def patients_table(
    config: StudyConfig, course: Course, schedule: ScanSchedule, seen: Observed, covariates: pd.DataFrame
) -> pd.DataFrame:
    """One row a patient: the cohort's columns, then what the study saw (column meanings: docs in the README)."""
    e, days = config.endpoint, course.days
    baseline = course.before.sum_mm[:, 1]
    common = dict(sd_minimum_days=e.sd_minimum_days, last_day=seen.until)
    unconfirmed = recist.best_overall_response(seen.scan_day, seen.response, **common)
    best = recist.best_overall_response(seen.scan_day, seen.response, confirmation_days=e.confirmation_days, **common)
    pfs = survival.progression_free_survival(
        seen.scan_day, seen.response, seen.death, seen.until, maximum_gap_days=e.maximum_gap_days
    )
    interval = survival.progression_interval(seen.scan_day, seen.response, seen.death, seen.until)
    os = survival.overall_survival(seen.death, seen.until)
    ratio, benefit = _clinical_benefit(config, course, schedule, seen, best)
    by_term, evaluable = dose_limiting(config, course, seen.until)
    terms = np.array(list(config.terms))
    row = np.arange(len(covariates))
    last = np.clip(seen.until.astype(int), 0, days.status.shape[1] - 1)
    status = np.where(seen.ended, days.status[row, last], ON)
    treated = seen.treated_until
    observed = lambda value, day: np.where(seen.until > day, value, np.nan)
    pd_day = min(PD_DAY, days.alive.shape[1]) - 1
    found = pd.DataFrame(
        {
            "follow_up_days": seen.follow_up,
            "days_on_treatment": treated,
            "off_treatment_reason": np.array(STATUS, dtype=object)[status],
            "best_response": RESPONSE_NAMES[best],
            "best_response_unconfirmed": RESPONSE_NAMES[unconfirmed],
            "best_sld_change_percent": recist.best_change_percent(baseline, seen.sum_mm, seen.scan_day, seen.response),
            "responder": recist.is_responder(best),
            "response_day": recist.first_response_day(seen.scan_day, seen.response, seen.until),
            "disease_control": recist.has_disease_control(best),
            "clinical_benefit": benefit,
            "ttp_ratio": ratio,
            "pfs_days": pfs.time,
            "pfs_event": pfs.event,
            "progression_after_days": interval[0],
            "progression_by_days": interval[1],
            **(_central_columns(config, course, schedule, seen, covariates) if e.central_review else {}),
            "os_days": os.time,
            "os_event": os.event,
            "dlt": by_term.any(axis=1),
            "dlt_evaluable": evaluable,
            "dlt_terms": [" ".join(terms[which]) for which in by_term],
            "relative_dose_intensity": toxicity.relative_dose_intensity(days.dose_mg, days.planned_mg, treated),
            "n_holds": days.n_holds[row, last],
            "n_reductions": days.n_reductions[row, last],
            **exposure(course, config.regimen.start_day + PK_DAY, INTERVAL_DAYS[config.regimen.schedule], seen.until),
            **_partner_columns(config, course, treated, seen.until),
            **{f"{name}_d28": observed(value[:, pd_day], pd_day) for name, value in _pathway(course).items() if name in _D28},
            "integration_ok": course.ok,
        },
        index=covariates.index,
    )
    return pd.concat([covariates, found], axis=1)


def _central_columns(
    config: StudyConfig, course: Course, schedule: ScanSchedule, seen: Observed, covariates: pd.DataFrame
) -> dict[str, np.ndarray]:
    """The central reader's response and progression-free survival: ``<column>_central``."""
    e, read = config.endpoint, central.review(config, course, schedule, seen, covariates)
    common = dict(sd_minimum_days=e.sd_minimum_days, last_day=seen.until)
    unconfirmed = recist.best_overall_response(seen.scan_day, read.response, **common)
    best = recist.best_overall_response(seen.scan_day, read.response, confirmation_days=e.confirmation_days, **common)
    pfs = survival.progression_free_survival(
        seen.scan_day, read.response, seen.death, seen.until, maximum_gap_days=e.maximum_gap_days
    )
    return {
        "best_response_central": RESPONSE_NAMES[best],
        "best_response_unconfirmed_central": RESPONSE_NAMES[unconfirmed],
        "responder_central": recist.is_responder(best),
        "response_day_central": recist.first_response_day(seen.scan_day, read.response, seen.until),
        "disease_control_central": recist.has_disease_control(best),
        "pfs_days_central": pfs.time,
        "pfs_event_central": pfs.event,
    }


def exposure(course: Course, day: int, interval: int, until: np.ndarray) -> dict[str, np.ndarray]:
    """Whole-blood exposure, of drug and active metabolite together, over the dosing interval that starts on day 15 of the rapalog,
    in patients at full dose.

    NaN for whoever is no longer observed, has no dose due that day, or missed or held one in the week up to then: as in a
    pharmacokinetic study, the values are those of the prescribed dose. ``cmin_ng_ml``: just before the next dose;
    ``cmax_ng_ml``: highest; ``auc24_ng_h_ml``: mean of 24 h. Each (patients,).

    Args:
        day: that day. interval: days between doses. until: last day under observation.
    """
    days = course.days
    end = day + interval
    if days.dose_mg.shape[1] < end:
        return dict.fromkeys(("cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml"), np.full(len(until), np.nan))
    week = slice(day - 6, day + 1)
    full = np.all(days.dose_mg[:, week] == days.planned_mg[:, week], axis=1) & (days.planned_mg[:, day] > 0) & (until > end)
    value = lambda x: np.where(full, x, np.nan)
    return {
        "cmin_ng_ml": value(days.day.cmin[:, end - 1]),
        "cmax_ng_ml": value(days.day.cmax[:, day:end].max(axis=1)),
        "auc24_ng_h_ml": value(days.day.auc24[:, day:end].mean(axis=1)),
    }


_D28 = ("ps6_tumour", "p4ebp1_tumour", "pakt_tumour", "ps6_pbmc", "p4ebp1_pbmc", "pakt_pbmc")


def _pathway(course: Course) -> dict[str, np.ndarray]:
    """Pathway read-outs by name, folds of the patient's own untreated state, (patients, days)."""
    day = course.days.day
    return {
        "ps6_tumour": day.ps6[..., 0],
        "p4ebp1_tumour": day.p4ebp1[..., 0],
        "pakt_tumour": day.pakt[..., 0],
        "perk_tumour": day.perk,
        "autophagy_tumour": day.autophagy,
        "ps6_pbmc": day.ps6[..., 1],
        "p4ebp1_pbmc": day.p4ebp1[..., 1],
        "pakt_pbmc": day.pakt[..., 1],
    }


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
    patient_id, day (0 = first dose), dose_mg (taken that day), on_treatment, cmin_ng_ml (end of the day), PD_COLUMNS; for each
    partner drug dose_mg_<name> (of each of the day's administrations) and cmin_ng_ml_<name> (plasma)."""
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
            **{name: value[patient, day] for name, value in _pathway(course).items()},
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
        doses=doses_table(_taken(config, course), seen.treated_until, ids),
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
