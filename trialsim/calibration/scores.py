"""How well predictive draws met what was published: interval coverage and CRPS.

    CRPS(F, y) = E|X - y| - E|X - X'|/2       Gneiting & Raftery, J Am Stat Assoc 2007;102:359

Rates are scored as fractions, times and hazard ratios on the log scale, so that a factor of two counts the same at 2 and at 10
months.
"""

from __future__ import annotations

import numpy as np

RELIABLE = 0.7  # Pareto k up to which importance weights stand for a fit without the study; Vehtari, Gelman & Gabry 2017
LEVELS = (50, 80, 90)
LOGARITHMIC = ("median_pfs", "median_os", "pfs_hr")


def crps(draws: np.ndarray, value: float) -> float:
    """Of an empirical distribution, (draws,)."""
    x = np.sort(np.asarray(draws, float))
    n = len(x)
    weights = (2.0 * np.arange(1, n + 1) - n - 1) / n**2
    return float(np.mean(np.abs(x - value)) - np.sum(weights * x))


def scored(draws: np.ndarray, value: float, endpoint: str) -> float:
    """CRPS on the endpoint's scale."""
    return crps(np.log(draws), np.log(value)) if endpoint in LOGARITHMIC else crps(draws, value)


def rank(draws: np.ndarray, value: float, half: float, rng: np.random.Generator) -> float:
    """Share of draws below the value, ties (within ``half``, the rounding of the publication) broken at random, 0-1."""
    below, same = np.mean(draws < value - half), np.mean(np.abs(draws - value) <= half)
    return float(below + rng.uniform() * same)


def inside(draws: np.ndarray, value: float, level: float, half: float) -> bool:
    """Whether the central interval of a level holds the value, as far as its rounding tells."""
    low, high = np.quantile(draws, [0.5 - level / 200, 0.5 + level / 200], method="inverted_cdf")
    return bool(low - half <= value <= high + half)
