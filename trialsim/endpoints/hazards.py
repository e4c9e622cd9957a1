"""Hazard ratio of two arms by Cox's partial likelihood, for many resamples of the patients at once.

    l(b) = sum over events i, l = 0 ... k-1 of their ties:  b z_i - log( R_1 e^b + R_0 - l/k (E_1 e^b + E_0) )

R_z, E_z: weight of the patients of arm z at risk, and of those with an event at that time (Efron B, J Am Stat Assoc 1977;72:557-65,
for ties). Strata have risk sets of their own. A resample is a weight for each patient, so that a bootstrap needs no loop; a single
fit is better taken from statsmodels' ``PHReg``, with which a test compares this one.
"""

from __future__ import annotations

import numpy as np

STEPS = 20  # of Newton's method; five do
LARGEST = 10.0  # |log hazard ratio| at which an arm without events is left


def log_hazard_ratio(
    time: np.ndarray, event: np.ndarray, arm: np.ndarray, weight: np.ndarray, stratum: np.ndarray | None = None
) -> np.ndarray:
    """Log hazard ratio of arm 1 over arm 0, (resamples,); NaN where an arm has no event.

    Args:
        time: (patients,), any unit. event, arm: (patients,), bool.
        weight: (resamples, patients), how often each patient is in a resample.
        stratum: (patients,), label; default: one stratum.
    """
    stratum = np.zeros(len(time), int) if stratum is None else np.unique(stratum, return_inverse=True)[1]
    order = np.lexsort([-np.asarray(time, float), stratum])
    t, s, z = np.asarray(time, float)[order], stratum[order], np.asarray(arm, bool)[order].astype(float)
    d, w = np.asarray(event, bool)[order], np.atleast_2d(np.asarray(weight, float))[:, order]
    # groups of equal time within a stratum, times falling
    new = np.concatenate([[True], (np.diff(t) != 0) | (np.diff(s) != 0)])
    group = np.cumsum(new) - 1
    first_of_stratum = np.flatnonzero(np.concatenate([[True], np.diff(s) != 0]))
    at_risk = [_from_stratum_start(w * side, np.flatnonzero(new), first_of_stratum, group, s) for side in (1.0 - z, z)]
    dying = [_sums(w * side * d, np.flatnonzero(new)) for side in (1.0 - z, z)]

    rows = np.flatnonzero(d)
    g = group[rows]
    ties = np.bincount(g, minlength=group[-1] + 1 if len(group) else 0)
    # events stand group by group, so that an event's rank within its group is its place less that of the group's first
    rank = np.arange(len(rows)) - (np.cumsum(ties) - ties)[g]
    share = rank / ties[g]
    # Efron's terms of a group share its deaths' mean weight
    mean = (dying[0] + dying[1])[:, g] / ties[g]
    denominator = [at_risk[side][:, g] - share * dying[side][:, g] for side in (0, 1)]
    deaths = [part.sum(axis=1) for part in dying]
    b = np.zeros(len(w))
    for _ in range(STEPS):
        up = denominator[1] * np.exp(b)[:, None]
        total = up + denominator[0]
        p = np.divide(up, total, out=np.zeros_like(up), where=total > 0)
        score, information = deaths[1] - (mean * p).sum(axis=1), (mean * p * (1.0 - p)).sum(axis=1)
        step = np.divide(score, information, out=np.zeros_like(b), where=information > 0)
        b = np.clip(b + np.clip(step, -2.0, 2.0), -LARGEST, LARGEST)
        if np.max(np.abs(step), initial=0.0) < 1e-9:
            break
    return np.where((deaths[0] > 0) & (deaths[1] > 0) & (np.abs(b) < LARGEST), b, np.nan)


def _sums(value: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum over each group of equal times: (resamples, patients) -> (resamples, groups)."""
    return np.add.reduceat(value, starts, axis=1)


def _from_stratum_start(
    value: np.ndarray, starts: np.ndarray, first_of_stratum: np.ndarray, group: np.ndarray, stratum: np.ndarray
) -> np.ndarray:
    """Sum from the start of the stratum (its latest time) to the end of each group: those at risk, (resamples, groups)."""
    running = np.cumsum(_sums(value, starts), axis=1)
    before = np.concatenate([np.zeros((len(value), 1)), running], axis=1)[:, group[first_of_stratum]]
    return running - before[:, stratum[starts]]
