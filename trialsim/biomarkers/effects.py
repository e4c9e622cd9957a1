"""Predictive or prognostic: the drug's effect on progression-free survival by marker, and the marker's own without the drug.

    log h = log h0(stratum) + b1 drug + b2 marker + b3 drug x marker

exp(b1 + b3), exp(b1): hazard ratio of the drug in marker-positive and -negative patients. exp(b3): their ratio, which is what
"predictive" means. exp(b2): the marker's effect in the control arm, "prognostic". A marker can be both, and a marker that is seen
in treated patients only can not be told to be either.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.multitest import multipletests

from trialsim.biomarkers.twins import ARMS
from trialsim.endpoints.hazards import log_hazard_ratio
from trialsim.streams import uniforms

FEWEST = 5  # events in each arm, with and without the marker, below which nothing is told: assumed
COLUMNS = ("hr_positive", "hr_negative", "interaction", "prognostic")
DRUG, MARKER, BOTH = 0, 1, 2  # coefficients of the model


def randomised(pairs: pd.DataFrame, size: int | None, seed: int) -> pd.DataFrame:
    """The first patients of the cohort as a trial has them, each in one arm only, 1:1 by a coin of the patient's own.

    Returns:
        Columns of ``pairs`` with ``drug`` (bool), ``time``, ``event`` of the arm that the patient is in.
    """
    trial = pairs.head(size) if size else pairs
    drug = uniforms(seed, "biomarker_arm", trial["patient_id"].to_numpy())[:, 0] < 0.5
    of = lambda what: np.where(drug, trial[f"pfs_{what}_treated"], trial[f"pfs_{what}_control"])
    return trial.assign(drug=drug, time=of("days").astype(float), event=of("event").astype(bool))


def resamples(patients: int, number: int, seed: int) -> np.ndarray:
    """Bootstrap over patients: how often each is drawn, (number, patients); the first row holds every patient once."""
    drawn = np.random.default_rng(seed).multinomial(patients, np.full(patients, 1.0 / patients), size=number)
    return np.concatenate([np.ones((1, patients), int), drawn])


def strata_for(positive: np.ndarray, stratum: np.ndarray | None) -> np.ndarray | None:
    """The strata, unless the marker is the same throughout each of them, and so is what they stand for."""
    if stratum is None:
        return None
    known = np.isfinite(positive)
    mixed = pd.Series(positive[known]).groupby(stratum[known]).nunique().max() if known.any() else 0
    return stratum if mixed > 1 else None


def in_trial(trial: pd.DataFrame, positive: np.ndarray, stratum: np.ndarray | None) -> dict[str, Any]:
    """What a randomised trial says of one marker, 95 % intervals by Wald.

    Args:
        trial: from `randomised`. positive: 1, 0, NaN where not measured. stratum: labels, or None.

    Returns:
        n, n_positive, events, and estimate, ``_low``, ``_high`` of each of `COLUMNS`; ``p`` of the interaction. NaN with few
        events.
    """
    known = np.isfinite(positive)
    drug, marker = trial["drug"].to_numpy(bool)[known], positive[known] == 1.0
    event, time = trial["event"].to_numpy(bool)[known], trial["time"].to_numpy(float)[known]
    found: dict[str, Any] = {"n": int(known.sum()), "n_positive": int(marker.sum()), "events": int(event.sum())}
    nothing = {f"{name}{end}": np.nan for name in COLUMNS for end in ("", "_low", "_high")} | {"p": np.nan}
    if min(event[(drug == a) & (marker == m)].sum() for a in (True, False) for m in (True, False)) < FEWEST:
        return found | nothing
    design = np.column_stack([drug, marker, drug & marker]).astype(float)
    stratum = strata_for(positive, stratum)
    model = PHReg(
        time, design, event.astype(int), ties="efron", strata=None if stratum is None else pd.factorize(stratum[known])[0]
    )
    fitted = model.fit()
    contrasts = dict(zip(COLUMNS, ([DRUG, BOTH], [DRUG], [BOTH], [MARKER]), strict=True))
    for name, terms in contrasts.items():
        along = np.isin([DRUG, MARKER, BOTH], terms).astype(float)
        centre, se = along @ fitted.params, np.sqrt(along @ fitted.cov_params() @ along)
        limits = np.exp(centre + stats.norm.ppf(0.975) * se * np.array([0.0, -1.0, 1.0]))
        found |= dict(zip((name, f"{name}_low", f"{name}_high"), map(float, limits), strict=True))
    return found | {"p": float(fitted.pvalues[BOTH])}


def in_twins(pairs: pd.DataFrame, positive: np.ndarray, weight: np.ndarray, stratum: np.ndarray | None) -> dict[str, Any]:
    """The same of all patients in both arms: what is true in silico, 95 % percentile intervals over resampled patients.

    Args:
        weight: from `resamples`.
    """
    event = [pairs[f"pfs_event_{arm}"].to_numpy(bool) for arm in ARMS]
    known = np.isfinite(positive)
    sides = {"positive": positive == 1.0, "negative": positive == 0.0}
    stratum = strata_for(positive, stratum)
    found: dict[str, Any] = {
        "n": int(known.sum()), "n_positive": int(sides["positive"].sum()), "events": int(sum(e[known].sum() for e in event)),
    }  # fmt: skip
    few = min(e[side].sum() for e in event for side in sides.values()) < FEWEST
    logs = {name: np.full(len(weight), np.nan) for name in COLUMNS}
    if not few:
        for side, rows in sides.items():
            logs[f"hr_{side}"] = drug_effect(pairs, rows, weight, stratum)
        logs["interaction"] = logs["hr_positive"] - logs["hr_negative"]
        time = pairs["pfs_days_control"].to_numpy(float)[known]
        logs["prognostic"] = log_hazard_ratio(
            time, event[1][known], sides["positive"][known], weight[:, known], None if stratum is None else stratum[known]
        )
    for name, value in logs.items():
        low, high = np.nanquantile(value, (0.025, 0.975)) if np.isfinite(value).any() else (np.nan, np.nan)
        found |= {name: float(np.exp(value[0])), f"{name}_low": float(np.exp(low)), f"{name}_high": float(np.exp(high))}
    return found | {"p": np.nan}


def drug_effect(pairs: pd.DataFrame, rows: np.ndarray, weight: np.ndarray, stratum: np.ndarray | None) -> np.ndarray:
    """Log hazard ratio of drug over control among ``rows`` (bool), both arms of every patient, (resamples,)."""
    both = pairs[rows]
    time, event = (np.concatenate([both[f"pfs_{what}_{arm}"] for arm in ARMS]) for what in ("days", "event"))
    drug = np.repeat([True, False], len(both))
    twice = np.concatenate([weight[:, rows], weight[:, rows]], axis=1)
    return log_hazard_ratio(time, event, drug, twice, None if stratum is None else np.tile(stratum[rows], 2))


def adjusted(p: pd.Series) -> np.ndarray:
    """P values after Holm's correction for the number of markers tested; NaN stays."""
    value, known = p.to_numpy(float, copy=True), p.notna().to_numpy()
    if known.any():
        value[known] = multipletests(value[known], method="holm")[1]
    return value
