"""Exact intervals of proportions and of event rates. Scalars and arrays alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from trialsim.endpoints.estimate import Estimate


def clopper_pearson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Estimate:
    """Exact binomial interval (Clopper & Pearson, Biometrika 1934;26:404-13).

    Args:
        successes: patients with the outcome, any shape.
        n: patients, broadcast against `successes`; n = 0 gives NaN with the interval 0 to 1.
        level: coverage.
    """
    k, n = _counts(successes, n)
    tail = (1.0 - level) / 2.0
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(k > 0, stats.beta.ppf(tail, k, n - k + 1), 0.0)
        high = np.where(k < n, stats.beta.ppf(1.0 - tail, k + 1, n - k), 1.0)
        return _estimate(k / n, low, high, n, "Clopper-Pearson")


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Estimate:
    """Score interval (Wilson, J Am Stat Assoc 1927;22:209-12): near-nominal coverage on average, not guaranteed. Args
    as above.
    """
    k, n = _counts(successes, n)
    z = stats.norm.ppf(0.5 + level / 2.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        low = np.where(k > 0, centre - half, 0.0)
        high = np.where(k < n, centre + half, 1.0)
    return _estimate(p, np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0), n, "Wilson")


def share(outcome: np.ndarray, level: float = 0.95) -> Estimate:
    """Share of patients with an outcome, with exact interval. `outcome`: (patients,), bool."""
    outcome = np.asarray(outcome, bool)
    return clopper_pearson(int(outcome.sum()), outcome.size, level)


def event_rate(events: ArrayLike, exposure: ArrayLike, level: float = 0.95) -> Estimate:
    """Events per unit of time with exact Poisson interval (Garwood, Biometrika 1936;28:437-42).

    Args:
        events: count, any shape. exposure: patient-time at risk, e.g. patient-months, > 0.

    Returns:
        rate per unit of `exposure`; `n` is the number of events.
    """
    events, exposure = np.broadcast_arrays(np.asarray(events), np.asarray(exposure, float))
    if np.any(events < 0) or np.any(exposure <= 0):
        raise ValueError("events must not be negative and exposure must be positive")
    tail = (1.0 - level) / 2.0
    with np.errstate(invalid="ignore"):
        low = np.where(events > 0, stats.chi2.ppf(tail, 2 * events) / 2.0, 0.0) / exposure
    high = stats.chi2.ppf(1.0 - tail, 2 * events + 2) / 2.0 / exposure
    return _estimate(events / exposure, low, high, events, "exact Poisson")


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    k, n = np.broadcast_arrays(np.asarray(successes), np.asarray(n))
    if np.any(k < 0) or np.any(k > n):
        raise ValueError(f"successes must lie between 0 and n, got {k.tolist()} of {n.tolist()}")
    return k.astype(float), n.astype(float)


def _estimate(value: np.ndarray, low: np.ndarray, high: np.ndarray, n: np.ndarray, method: str) -> Estimate:
    """Plain floats for scalars, arrays otherwise."""
    if np.ndim(value) == 0:
        return Estimate(float(value), float(low), float(high), int(n), method)
    return Estimate(np.asarray(value), np.asarray(low), np.asarray(high), np.asarray(n).astype(int), method)
