"""What is true of an option in one world: its endpoints in many patients, and the error that their number leaves.

Every quantity is computed with a weight for each patient: once with all weights 1, and in resamples in which a patient counts as
often as a Poisson variable of mean 1 says (a bootstrap without a fixed size). The weights belong to the patient, so that the error
of a difference knows that both options had the same patients. Values are (1 + resamples,), that of all patients first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.endpoints.hazards import log_hazard_ratio
from trialsim.streams import uniforms
from trialsim.units import DAYS_PER_MONTH

LANDMARK = 6.0  # months
LARGEST_WEIGHT = 12  # of a patient in a resample: of Poisson variables of mean 1, 1e-10 are above
TOXICITY = "toxicity"
GRADE = "grade_3_4_"


class Endpoint(NamedTuple):
    """Attributes: unit. better: 1 the higher, -1 the lower, 0 neither. ratio: options are compared by their ratio, not their
    difference. fitted: whether what the posterior holds moves it (adverse events and kinetics were not fitted)."""

    unit: str
    better: int
    ratio: bool = False
    fitted: bool = True


ENDPOINTS = {
    "orr": Endpoint("fraction", 1),
    "dcr": Endpoint("fraction", 1),
    "median_pfs_months": Endpoint("months", 1),
    "pfs_6_months": Endpoint("fraction", 1),
    "severe": Endpoint("fraction", -1, fitted=False),
    "dlt_rate": Endpoint("fraction of evaluable", -1, fitted=False),
    "stopped_for_toxicity": Endpoint("fraction", -1, fitted=False),
    "median_relative_dose_intensity": Endpoint("fraction", 1, fitted=False),
    "cmin_ng_ml": Endpoint("ng/mL", 0, ratio=True, fitted=False),
    "auc24_ng_h_ml": Endpoint("ng h/mL", 0, ratio=True, fitted=False),
    "ps6_tumour_d28": Endpoint("fold of baseline", -1, ratio=True),
    "pakt_tumour_d28": Endpoint("fold of baseline", 0, ratio=True),
    "ps6_pbmc_d28": Endpoint("fold of baseline", 0, ratio=True, fitted=False),
}
HAZARD_RATIO = "pfs_hr"
COMPARED = {name: of for name, of in ENDPOINTS.items() if of.unit != "months"} | {HAZARD_RATIO: Endpoint("ratio", -1, ratio=True)}
MEDIANS = ("median_relative_dose_intensity", "cmin_ng_ml", "auc24_ng_h_ml", "ps6_tumour_d28", "pakt_tumour_d28", "ps6_pbmc_d28")
# medians over patients of columns of the same name, but for the first


def weights(seed: int, patient_ids: np.ndarray, resamples: int) -> np.ndarray:
    """How often each patient counts, (1 + resamples, patients); a patient's own, whoever the others are."""
    drawn = np.searchsorted(stats.poisson.cdf(np.arange(LARGEST_WEIGHT), 1.0), uniforms(seed, "resamples", patient_ids, resamples))
    return np.concatenate([np.ones((1, len(patient_ids))), drawn.T.astype(float)])


def share(flag: np.ndarray, weight: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Share of the patients ``among`` whom the flag holds; NaN without any."""
    judged = np.ones(len(flag), bool) if among is None else among
    total = weight @ judged
    return np.divide(weight @ (flag & judged), total, out=np.full(len(weight), np.nan), where=total > 0)


def median(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Lower median over the patients who have a value; NaN without any."""
    order = np.argsort(values)[: int(np.isfinite(values).sum())]  # NaN last
    if len(order) == 0:
        return np.full(len(weight), np.nan)
    below = np.cumsum(weight[:, order], axis=1)
    return np.where(below[:, -1] > 0, values[order][np.argmax(below >= below[:, -1:] / 2, axis=1)], np.nan)


def free(time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kaplan-Meier curves: event times (times,), and survival from each on, (1 + resamples, times)."""
    order = np.argsort(time, kind="stable")
    steps, first = np.unique(time[order], return_index=True)
    died = np.add.reduceat(weight[:, order] * event[order], first, axis=1)
    at_risk = np.cumsum(np.add.reduceat(weight[:, order], first, axis=1)[:, ::-1], axis=1)[:, ::-1]
    return steps, np.cumprod(1.0 - np.divide(died, at_risk, out=np.zeros_like(died), where=at_risk > 0), axis=1)


def endpoints(table: pd.DataFrame, weight: np.ndarray, followed_months: float) -> dict[str, np.ndarray]:
    """Every one of `ENDPOINTS`, and ``grade_3_4_<term>``, of one option's patients (`bank.studies.treated`).

    Args:
        followed_months: for how long patients were simulated; a landmark beyond it is NaN.
    """
    column = lambda name: table[name].to_numpy(float)
    flag = lambda name: table[name].to_numpy(bool)
    grades = [name for name in table.columns if name.startswith(GRADE)]
    days, curve = free(column("pfs_days"), flag("pfs_event"), weight)
    half = curve <= 0.5 + 1e-12
    before = int(np.searchsorted(days, LANDMARK * DAYS_PER_MONTH, side="right"))
    landmark = curve[:, before - 1] if before else np.ones(len(weight))
    found = {
        "orr": share(flag("responder"), weight),
        "dcr": share(flag("disease_control"), weight),
        "median_pfs_months": np.where(half.any(axis=1), days[half.argmax(axis=1)], np.inf) / DAYS_PER_MONTH,
        "pfs_6_months": landmark if followed_months >= LANDMARK else np.full(len(weight), np.nan),
        "severe": share(table[grades].to_numpy(bool).any(axis=1), weight),
        "dlt_rate": share(flag("dlt"), weight, flag("dlt_evaluable")),
        "stopped_for_toxicity": share(table["off_treatment_reason"].to_numpy() == TOXICITY, weight),
    }
    found |= {name: median(column(name.removeprefix("median_")), weight) for name in MEDIANS}
    return found | {name: share(flag(name), weight) for name in grades}


def log_ratio(one: pd.DataFrame, other: pd.DataFrame, weight: np.ndarray) -> np.ndarray:
    """Log hazard ratio of progression or death under one treatment over another, row by row in the same patients; exactly 0 where
    these have the same courses."""
    both = lambda name, kind: np.concatenate([other[name].to_numpy(kind), one[name].to_numpy(kind)])
    arm = np.repeat([False, True], len(one))
    if np.array_equal(one["pfs_days"], other["pfs_days"]) and np.array_equal(one["pfs_event"], other["pfs_event"]):
        return np.zeros(len(weight))
    return log_hazard_ratio(both("pfs_days", float), both("pfs_event", bool), arm, np.concatenate([weight, weight], axis=1))


def seen_events(table: pd.DataFrame, accrual_months: float, follow_up_months: float) -> float:
    """Chance that a trial sees a patient's event, who comes in at any time of the accrual with equal chances."""
    days = table["pfs_days"].to_numpy(float)
    late = follow_up_months * DAYS_PER_MONTH - days
    if accrual_months > 0:
        seen = np.clip(1.0 + late / (accrual_months * DAYS_PER_MONTH), 0.0, 1.0)
    else:
        seen = (late >= 0).astype(float)
    return float(np.mean(seen * table["pfs_event"].to_numpy(bool)))


def error(values: np.ndarray) -> float:
    """Standard error of the first by the spread of the others; NaN where too few are finite."""
    known = values[1:][np.isfinite(values[1:])]
    return float(np.std(known, ddof=1)) if len(known) > 2 else float("nan")
