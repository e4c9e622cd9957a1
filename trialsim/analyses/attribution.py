"""What each of several factors contributes to an outcome that is known for every combination of them.

A combination is a number: bit i set, factor i is in it. Arrays over combinations have 2^k entries along their last axis, in that
order. Nothing here knows what the factors are.
"""

from __future__ import annotations

from math import factorial

import numpy as np


def members(count: int) -> np.ndarray:
    """Which factors each combination holds: bool, (2^count, count)."""
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


def shapley(values: np.ndarray) -> np.ndarray:
    """Exact Shapley values (Shapley 1953): the change that a factor makes, averaged over all orders in which they can be added.

        phi_i = sum over S without i of |S|! (k-|S|-1)! / k! [v(S + i) - v(S)],   sum_i phi_i = v(all) - v(none)

    Args:
        values: v, (..., 2^k).

    Returns:
        (..., k).
    """
    values = np.asarray(values, float)
    k = int(values.shape[-1]).bit_length() - 1
    held = members(k)
    size = held.sum(axis=1)
    weight = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)])
    found = []
    for i in range(k):
        without = np.flatnonzero(~held[:, i])
        found.append((values[..., without | 1 << i] - values[..., without]) @ weight[size[without]])
    return np.stack(found, axis=-1)


def smallest(reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest combinations that reach an outcome.

    Args:
        reached: bool, (patients, 2^k).

    Returns:
        Their size, (patients,), -1 where none does; and the patient's weight on each combination, (patients, 2^k): split evenly
        between the smallest, so that the weights of a patient add up to 1 (0 where none does).
    """
    size = members(int(reached.shape[-1]).bit_length() - 1).sum(axis=1)
    least = np.where(reached, size, size.max() + 1).min(axis=1)
    chosen = reached & (size == least[:, None])
    found = chosen.any(axis=1)
    weight = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
    return np.where(found, least, -1), weight


def ratio_intervals(
    numerators: np.ndarray, denominators: np.ndarray, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap intervals of sum(numerator) / sum(denominator) over patients, all ratios on the same resamples
    (Efron & Tibshirani 1993). A resample that empties a denominator does not count for that ratio.

    Args:
        numerators, denominators: (patients, ratios).

    Returns:
        Lower and upper limits, (ratios,).
    """
    patients = len(numerators)
    ratios = np.empty((resamples, numerators.shape[1]))
    for i in range(resamples):
        weight = np.bincount(rng.integers(patients, size=patients), minlength=patients).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios[i] = (weight @ numerators) / (weight @ denominators)
    tail = (1.0 - level) / 2.0
    counted = np.isfinite(ratios).any(axis=0)
    limits = np.full((2, numerators.shape[1]), np.nan)
    limits[:, counted] = np.nanquantile(ratios[:, counted], [tail, 1.0 - tail], axis=0)
    return limits[0], limits[1]
