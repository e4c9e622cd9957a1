"""The table of patients: of each, what the trial's database holds at the data cut-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.conduct import central
from trialsim.conduct.kernel import Course
from trialsim.conduct.observe import Observed, pathway
from trialsim.conduct.study_drugs import INTERVAL_DAYS, dose_limiting, doses
from trialsim.endpoints import growth_ratio, recist, survival, toxicity
from trialsim.endpoints.recist import RESPONSE_NAMES
from trialsim.protocol.dosing import ON, STATUS
from trialsim.protocol.visits import ScanSchedule

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

PD_DAY = 28  # day on which on-treatment pathway read-outs are compared with baseline
PK_DAY = 14  # day 15, on which every schedule has a dose due; the dosing interval from there gives the exposure
COMPARED = ("ps6_tumour", "p4ebp1_tumour", "pakt_tumour", "ps6_pbmc", "p4ebp1_pbmc", "pakt_pbmc")


def _partner_columns(config: StudyConfig, course: Course, treated: np.ndarray, until: np.ndarray) -> dict[str, np.ndarray]:
    """For each partner drug: ``relative_dose_intensity_<name>``, and ``cmin_ng_ml_<name>``, in plasma at the end of day 28."""
    day, found = min(PD_DAY, course.days.alive.shape[1]) - 1, {}
    for j, name in enumerate(config.partner):
        found[f"relative_dose_intensity_{name}"] = toxicity.relative_dose_intensity(*doses(config, course)[name], treated)
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
            **{f"{name}_d28": observed(value[:, pd_day], pd_day) for name, value in pathway(course).items() if name in COMPARED},
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
