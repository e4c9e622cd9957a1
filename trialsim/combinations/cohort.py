"""The pair in a cohort whose patients were all simulated under every dose of both drugs, with the same chances.

The effect on a patient's tumour is the share of its untreated net growth that the drugs take away,

    e = 1 - ln(V / V_0) / ln(V_none / V_0)        0 none, 1 no growth, above 1 shrinkage

in which independent action on cells adds up (`surfaces.bliss_of_rates`). Of responses and times to progression, the null is
independent action of drugs: each patient has the better of what the two drugs do alone, so that a combination helps by giving each
patient two chances (Palmer & Sorger, Cell 2017;171:1678-91). How far the two go together is that of these patients, not assumed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from trialsim.combinations import ranking, surfaces
from trialsim.endpoints import hazards, survival
from trialsim.units import DAYS_PER_MONTH

NONE = 0.0  # factor of a drug that is not given
SHARES = ("responder", "disease_control", "dlt", "severe")


class Cell(NamedTuple):
    """A pair of dose factors; `NONE`: not given."""

    rapalog: float
    partner: float


def growth_effect(log_volume: np.ndarray, untreated: np.ndarray) -> np.ndarray:
    """Share of the untreated net growth that is gone, (patients,)."""
    return 1.0 - np.asarray(log_volume, float) / np.asarray(untreated, float)


def best_of(time_a: np.ndarray, event_a: np.ndarray, time_b: np.ndarray, event_b: np.ndarray) -> survival.EventTime:
    """The later of two times of each patient; known where both are, else at least the later of the two."""
    return survival.EventTime(np.maximum(time_a, time_b), np.asarray(event_a, bool) & np.asarray(event_b, bool))


def effects(arms: dict[Cell, pd.DataFrame]) -> pd.DataFrame:
    """One row a patient a pair of doses: patient_id, rapalog_factor, partner_factor, effect, and where both are given
    excess_bliss and excess_hsa over the same patient's effects of either alone."""
    untreated = arms[Cell(NONE, NONE)]["log_volume"].to_numpy()
    effect = {cell: growth_effect(table["log_volume"], untreated) for cell, table in arms.items()}
    rows = []
    for cell, table in arms.items():
        found = {"patient_id": table["patient_id"], "rapalog_factor": cell.rapalog, "partner_factor": cell.partner}
        alone = effect[Cell(cell.rapalog, NONE)], effect[Cell(NONE, cell.partner)]
        both = cell.rapalog > NONE and cell.partner > NONE
        nulls = {"bliss": surfaces.bliss_of_rates(*alone), "hsa": surfaces.hsa(*alone)} if both else {}
        beyond = {f"excess_{null}": effect[cell] - expected for null, expected in nulls.items()}
        rows.append(pd.DataFrame(found | {"effect": effect[cell]} | beyond))
    return pd.concat(rows, ignore_index=True)


def surface(effect: pd.DataFrame, arms: dict[Cell, pd.DataFrame], weight: np.ndarray) -> pd.DataFrame:
    """Means over patients with bootstrap intervals, one row a pair of doses a measure: rapalog_factor, partner_factor, measure, n,
    estimate, low, high.

    Measures: effect, excess_bliss, excess_hsa of growth; responder, disease_control, dlt, severe as shares of patients;
    hsa_responder (expected if each patient had the better of both drugs), bliss_responder (the same if who responds to the one were
    independent of who responds to the other), excess_hsa_responder, excess_bliss_responder.
    """
    rows = []
    for cell, table in arms.items():
        here = effect[(effect["rapalog_factor"] == cell.rapalog) & (effect["partner_factor"] == cell.partner)]
        key = {"rapalog_factor": cell.rapalog, "partner_factor": cell.partner}
        names = [name for name in ("effect", "excess_bliss", "excess_hsa") if here[name].notna().any()]
        values = {name: here[name].to_numpy(float) for name in names}
        values |= {name: _share(table, name) for name in SHARES}
        rows += [key | {"measure": name} | ranking.mean_of(value, weight) for name, value in values.items()]
        if cell.rapalog > NONE and cell.partner > NONE:
            one, other = arms[Cell(cell.rapalog, NONE)], arms[Cell(NONE, cell.partner)]
            rows += [key | row for row in _independent(table, one, other, weight)]
    return pd.DataFrame(rows)


def _share(table: pd.DataFrame, name: str) -> np.ndarray:
    """An outcome of each patient, 0 or 1; NaN for a DLT of who cannot be judged for it."""
    value = table[name].to_numpy(float)
    return np.where(table["dlt_evaluable"].to_numpy(bool), value, np.nan) if name == "dlt" else value


def _independent(table: pd.DataFrame, one: pd.DataFrame, other: pd.DataFrame, weight: np.ndarray) -> list[dict]:
    """Response expected of drugs that act independently."""
    a, b, ab = (arm["responder"].to_numpy(float) for arm in (one, other, table))
    better = np.maximum(a, b)
    rows = [
        {"measure": "hsa_responder"} | ranking.mean_of(better, weight),
        {"measure": "excess_hsa_responder"} | ranking.mean_of(ab - better, weight),
    ]
    product = lambda w: surfaces.bliss(ranking.means(a, w), ranking.means(b, w))
    everyone = np.ones((1, len(a)))
    for measure, of in (("bliss", product), ("excess_bliss", lambda w: ranking.means(ab, w) - product(w))):
        low, high = ranking.interval(of(weight))
        row = {"n": len(a), "estimate": float(of(everyone)[0]), "low": float(low), "high": float(high)}
        rows.append({"measure": f"{measure}_responder"} | row)
    return rows


# ---- time to progression


class Times(NamedTuple):
    """Of one arm, (patients,), months."""

    time: np.ndarray
    event: np.ndarray


def times_of(table: pd.DataFrame) -> Times:
    return Times(table["pfs_days"].to_numpy(float) / DAYS_PER_MONTH, table["pfs_event"].to_numpy(bool))


def curves(arms: dict[str, Times]) -> pd.DataFrame:
    """Kaplan-Meier curves: arm, months, survival, low, high, at_risk."""
    found = []
    for name, (time, event) in arms.items():
        curve = survival.kaplan_meier(time, event)
        table = {"arm": name, "months": curve.time, "survival": curve.survival, "low": curve.low, "high": curve.high}
        table |= {"at_risk": curve.at_risk}
        found.append(pd.DataFrame(table))
    return pd.concat(found, ignore_index=True)


def hazard_ratio(arm: Times, control: Times, weight: np.ndarray) -> dict[str, float]:
    """Hazard ratio of progression or death, arm over control, with a bootstrap interval. A patient is in both arms and is drawn
    into
    both together."""
    n = len(arm.time)
    joined = lambda i: np.concatenate([arm[i], control[i]])
    is_arm = np.repeat([True, False], n)
    log = lambda w: hazards.log_hazard_ratio(joined(0), joined(1), is_arm, np.hstack([w, w]))
    low, high = ranking.interval(log(weight))
    estimate = log(np.ones((1, n)))[0]
    return {"n": n, "estimate": float(np.exp(estimate)), "low": float(np.exp(low)), "high": float(np.exp(high))}


def restricted_means(times: Times, horizon: float, weight: np.ndarray) -> np.ndarray:
    """Mean time free of the event up to a horizon in each resample, months, (resamples,): area under the Kaplan-Meier curve."""
    order = np.argsort(times.time, kind="stable")
    time, event, w = np.minimum(times.time[order], horizon), times.event[order] & (times.time[order] <= horizon), weight[:, order]
    steps, first = np.unique(time, return_index=True)
    died = np.add.reduceat(w * event, first, axis=1)
    at_risk = np.cumsum(np.add.reduceat(w, first, axis=1)[:, ::-1], axis=1)[:, ::-1]
    alive = np.cumprod(1.0 - np.divide(died, at_risk, out=np.zeros_like(died), where=at_risk > 0), axis=1)
    edges = np.append(steps, horizon)
    return steps[0] + alive @ np.diff(edges)
