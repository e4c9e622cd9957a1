"""Which of several is best, and how sure that is: bootstrap over patients who all were given each of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Ranking(NamedTuple):
    """Of each candidate, (candidates,).

    Attributes:
        mean, low, high: mean over patients and its 95 % percentile interval.
        best: share of resamples in which it has the highest mean, ties shared.
        rank: by the mean of all patients, 1 the best. rank_low, rank_high: 95 % of the resamples.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    best: np.ndarray
    rank: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray


def resampled(patients: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is in each resample, (resamples, patients)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(patients, np.full(patients, 1.0 / patients), size=resamples).astype(float)


def means(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Means in each resample of those patients that have a value, (resamples, ...).

    Args:
        values: (patients, ...), NaN where there is none. weight: (resamples, patients).
    """
    there = np.isfinite(values)
    total = np.tensordot(weight, np.where(there, values, 0.0), axes=1)
    count = np.tensordot(weight, there.astype(float), axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / count


def interval(resamples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile interval along the first axis; NaN where no resample has a value."""
    known = np.isfinite(resamples)
    found = np.nanquantile(np.where(known.any(axis=0), resamples, 0.0), [0.025, 0.975], axis=0)
    return tuple(np.where(known.any(axis=0), limit, np.nan) for limit in found)


def mean_of(value: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Mean over the patients that have a value: n, estimate, low, high."""
    there = np.isfinite(value)
    if not there.any():
        return {"n": 0, "estimate": np.nan, "low": np.nan, "high": np.nan}
    low, high = interval(means(value, weight))
    return {"n": int(there.sum()), "estimate": float(value[there].mean()), "low": float(low), "high": float(high)}


def rank(values: np.ndarray, weight: np.ndarray) -> Ranking:
    """Candidates by the mean of what patients gain from each; the same resample for all.

    Args:
        values: gain, more is better, (patients, candidates). weight: (resamples, patients), from `resampled`.
    """
    return rank_resampled(np.nanmean(values, axis=0), means(values, weight))


def rank_resampled(estimate: np.ndarray, drawn: np.ndarray) -> Ranking:
    """The same from an estimate of each candidate and its value in each resample, (candidates,) and (resamples, candidates)."""
    top = drawn == drawn.max(axis=1, keepdims=True)
    low, high = interval(drawn)
    rank_low, rank_high = np.quantile(_ranks(drawn), [0.025, 0.975], axis=0, method="nearest")
    best = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    return Ranking(estimate, low, high, best, _ranks(estimate[None])[0], rank_low, rank_high)


def _ranks(values: np.ndarray) -> np.ndarray:
    """1 + how many are better, along the last axis."""
    return 1 + (values[:, None, :] > values[:, :, None]).sum(axis=-1)
