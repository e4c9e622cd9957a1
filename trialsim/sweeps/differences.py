"""How a run differs from a reference run: each result's difference with a 95 % interval.

Runs of one seed have the same patients with the same chances. Their difference is then taken patient by patient, which leaves out
what the patients have in common and makes the interval narrow:

- 0/1 outcomes: difference of the shares of n pairs, of which b have the outcome only in the run and c only in the reference,
  (b - c) / n, with the adjusted Wald interval: 1/2 added to each of the four cells of the paired table
  (Agresti & Min, Stat Med 2005;24:729-40).
- medians, Kaplan-Meier rates, and shares of patients who are not the same in both runs (who can be judged for a DLT differs with
  the dose): percentile bootstrap over patients, both runs on the same resampled ones (Efron & Tibshirani, An Introduction to the
  Bootstrap, 1993, chapters 6 and 13).

Otherwise the runs count as independent, and the interval is recovered from the two of the results (MOVER; Zou & Donner, Stat Med
2008;27:1693-702), with d = x - y,

    low = d - sqrt((x - l_x)^2 + (u_y - y)^2),   high = d + sqrt((u_x - x)^2 + (y - l_y)^2).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.sweeps.runs import DLT, Result, Run, Runs, outcomes, same_patients
from trialsim.units import DAYS_PER_MONTH

RESAMPLES = 1000
SEED = 20  # of the bootstrap: the same runs give the same intervals
CELLS = 4_000_000  # patients x resamples held at a time
LEVEL = 0.95

BINARY = {"orr": "responder", "dcr": "disease_control", "clinical_benefit_rate": "clinical_benefit", DLT: "dlt"}

PAIRED_SHARE = "same patients: paired shares, Agresti-Min"
PAIRED_BOOTSTRAP = f"same patients: paired bootstrap, {RESAMPLES} resamples"
INDEPENDENT = "independent runs: MOVER"


class Difference(NamedTuple):
    """A result of a run less that of the reference.

    Attributes:
        run, reference: names of the runs. result: name. unit: of the result.
        value, reference_value: of both.
        difference, low, high: None where not reached.
        paired: whether patient by patient. n: patients or pairs. method: of the interval.
    """

    run: str
    reference: str
    result: str
    unit: str
    value: float | None
    reference_value: float | None
    difference: float | None
    low: float | None
    high: float | None
    paired: bool
    n: int | None
    method: str


def differences(runs: Runs, reference: Run) -> list[Difference]:
    """Of every complete run to the reference, in every result that both have."""
    patients = outcomes(reference)
    found = []
    for run in runs.complete:
        if run.name == reference.name:
            continue
        own = outcomes(run) if patients is not None else None
        pair = (own, patients) if own is not None and patients is not None and same_patients(own, patients) else None
        found += [_difference(run, reference, name, pair) for name in run.results if name in reference.results]
    return found


def _difference(run: Run, reference: Run, name: str, pair: tuple[pd.DataFrame, pd.DataFrame] | None) -> Difference:
    x, y = run.results[name], reference.results[name]
    value = x.estimate - y.estimate if x.estimate is not None and y.estimate is not None else None
    made = _paired(name, *pair) if pair is not None else None
    low, high, n, method = made if made is not None else (*mover(x, y), None, INDEPENDENT)
    limits = (low, high) if value is not None else (None, None)
    return Difference(run.name, reference.name, name, x.unit, x.estimate, y.estimate, value, *limits, made is not None, n, method)


Paired = tuple[float | None, float | None, int, str]  # interval, pairs, method


def mover(x: Result, y: Result) -> tuple[float | None, float | None]:
    """Interval of x - y from those of x and y, independent."""
    if x.estimate is None or y.estimate is None:
        return None, None
    d = x.estimate - y.estimate
    below = None if x.low is None or y.high is None else d - float(np.hypot(x.estimate - x.low, y.high - y.estimate))
    above = None if x.high is None or y.low is None else d + float(np.hypot(x.high - x.estimate, y.estimate - y.low))
    return below, above


# ---- patient by patient


def _paired(name: str, run: pd.DataFrame, reference: pd.DataFrame) -> Paired | None:
    """Interval, pairs and method; None if the result is not one of patients' outcomes."""
    everybody = run.index.union(reference.index)
    if name in BINARY:
        outcome, counted = zip(*(_outcome(table, name, everybody) for table in (run, reference)), strict=True)
        if np.array_equal(*counted):
            limits = paired_share(outcome[0][counted[0]], outcome[1][counted[0]])
            return *limits, int(counted[0].sum()), PAIRED_SHARE
        rate = lambda part, weights: (weights @ (outcome[part] & counted[part])) / np.maximum(weights @ counted[part], 1)
        return *paired_bootstrap(rate, len(everybody)), len(everybody), PAIRED_BOOTSTRAP
    asked = _survival_question(name)
    if asked is None:
        return None
    what, at, scale = asked
    parts = [_times(table, what, everybody) for table in (run, reference)]
    low, high = paired_bootstrap(lambda part, weights: scale * weighted_kaplan_meier(*parts[part], weights, at), len(everybody))
    return low, high, len(everybody), PAIRED_BOOTSTRAP


def _outcome(table: pd.DataFrame, name: str, everybody: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Outcome, and whether the patient counts for it, (everybody,)."""
    counted = table["dlt_evaluable"].to_numpy(bool) if name == DLT else np.ones(len(table), bool)
    both = pd.DataFrame({"outcome": table[BINARY[name]].to_numpy(bool), "counted": counted}, index=table.index)
    both = both.reindex(everybody, fill_value=False)
    return both["outcome"].to_numpy(bool), both["counted"].to_numpy(bool)


def _survival_question(name: str) -> tuple[str, float | None, float] | None:
    """``median_pfs_months``: (pfs, None: the median, months a day); ``os_12_months``: (os, day, 1)."""
    median = re.fullmatch(r"median_(pfs|os|time_on_treatment)_months", name)
    if median:
        return median[1], None, 1.0 / DAYS_PER_MONTH
    if name == "median_relative_dose_intensity":
        return "relative_dose_intensity", None, 1.0
    landmark = re.fullmatch(r"(pfs|os)_(\d+)_months", name)
    return (landmark[1], int(landmark[2]) * DAYS_PER_MONTH, 1.0) if landmark else None


def _times(table: pd.DataFrame, what: str, everybody: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Time, NaN of those who do not count, and whether the event happened, (everybody,)."""
    if what == "relative_dose_intensity":
        time, event = table[what], pd.Series(True, index=table.index)
    elif what == "time_on_treatment":
        time, event = table["days_on_treatment"], table["off_treatment_reason"] != "ongoing"
    else:
        time, event = table[f"{what}_days"], table[f"{what}_event"]
    return time.reindex(everybody).to_numpy(float), event.reindex(everybody, fill_value=False).to_numpy(bool)


def paired_share(run: np.ndarray, reference: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Interval of the difference of two shares in the same patients (Agresti & Min 2005).

    Args:
        run, reference: outcome of each patient under both, (patients,), bool.
    """
    n = len(run) + 2.0
    b, c = float(np.sum(run & ~reference)) + 0.5, float(np.sum(~run & reference)) + 0.5
    d = (b - c) / n
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt((b + c) - (b - c) ** 2 / n) / n
    return max(-1.0, float(d - half)), min(1.0, float(d + half))


def paired_bootstrap(
    statistic: Callable[[int, np.ndarray], np.ndarray], n: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[float | None, float | None]:
    """Percentile interval of the difference of a statistic between two runs of the same patients.

    Args:
        statistic: of run 0 or 1 and how often each patient counts, (resamples, n), to its value in each resample, (resamples,);
            inf: not reached. n: patients.

    Returns:
        low, high; None where the limit is not reached.
    """
    rng = np.random.default_rng(SEED)
    batch, found = max(1, CELLS // n), []
    for start in range(0, resamples, batch):
        weights = rng.multinomial(n, np.full(n, 1.0 / n), size=min(batch, resamples - start))
        found.append([statistic(part, weights) for part in (0, 1)])
    x, y = np.concatenate(found, axis=1)
    with np.errstate(invalid="ignore"):
        d = x - y
    if np.isnan(d).any():  # neither is reached
        return None, None
    tail = (1.0 - level) / 2.0
    limits = np.quantile(d, (tail, 1.0 - tail), method="inverted_cdf")
    return tuple(float(limit) if np.isfinite(limit) else None for limit in limits)  # type: ignore[return-value]


def weighted_kaplan_meier(time: np.ndarray, event: np.ndarray, weights: np.ndarray, at: float | None) -> np.ndarray:
    """Median (inf if not reached), or survival at a day, of patients that count several times each.

    Args:
        time, event: (patients,); NaN: does not count. weights: (resamples, patients). at: day, or None for the median.

    Returns:
        (resamples,).
    """
    known = np.flatnonzero(np.isfinite(time))
    time, event, weights = time[known], event[known], weights[:, known]
    order = np.lexsort((~event, time))  # censored at t: still at risk for an event at t
    t, e, w = time[order], event[order], weights[:, order].astype(float)
    risk = np.cumsum(w[:, ::-1], axis=1)[:, ::-1]
    # events of one time one after the other: the product is the curve's value at its last
    survival = np.cumprod(1.0 - np.divide(w * e, risk, out=np.zeros_like(w), where=risk > 0), axis=1)
    if at is not None:
        before = np.searchsorted(t, at, side="right")
        return survival[:, before - 1] if before else np.ones(len(w))
    reached = survival <= 0.5 + 1e-9
    first = np.argmax(reached, axis=1)
    return np.where(reached.any(axis=1), t[first], np.inf)
