"""Are ranks uniform, and do intervals cover what they claim?

Ranks: of N repetitions, x_i have a rank below i. If ranks are uniform, x_i ~ Binomial(N, i / (L + 1)), and the statistic is the
least two-sided tail probability of them,

    gamma = min over i = 1 ... L of  2 min{ P(X_i <= x_i), P(X_i >= x_i) },

whose distribution is computed exactly: X_(i+1) - x given X_i = x is binomial of the N - x that are left, so that the chance to stay
within the limits of any gamma at every i is a product of banded matrices (Sailynoja, Burkner & Vehtari, Stat Comput 2022;32:32,
algorithm 2). The same limits are the simultaneous band of the ranks' distribution. A model fails if the p-value of any of its K
quantities is below `FALSE_ALARM` / K (Bonferroni), so that a right one fails by chance with probability `FALSE_ALARM` at most.

Coverage: the central 50, 80 and 90 % intervals are ranks 10-29, 4-35, 2-37. Quantities of one repetition hang together, so that the
unit is the repetition: its share of quantities inside, averaged over repetitions, with its own standard error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.sbc.ranks import LEVELS, RANKS

FALSE_ALARM = 0.001  # of a model that is right: of its ranks, and once more of its coverage


class Limits(NamedTuple):
    """How many ranks may lie below i = 1 ... L. low, high: (L,), both allowed."""

    low: np.ndarray
    high: np.ndarray


def limits(repetitions: int, gamma: float) -> Limits:
    """Counts whose two-sided tail probability is above `gamma`."""
    x, share = np.arange(repetitions + 1), np.arange(1, RANKS + 1)[:, None] / (RANKS + 1)
    enough = 2.0 * stats.binom.cdf(x, repetitions, share) > gamma
    not_too_many = 2.0 * stats.binom.sf(x - 1, repetitions, share) > gamma
    return Limits(enough.argmax(1), repetitions - not_too_many[:, ::-1].argmax(1))


def stays_within(repetitions: int, band: Limits) -> float:
    """Probability that uniform ranks stay within a band at every i."""
    chance, at = np.ones(1), np.zeros(1, int)
    for i, (low, high) in enumerate(zip(*band, strict=True)):
        to = np.arange(low, high + 1)
        step = stats.binom.pmf(to[:, None] - at, repetitions - at, 1.0 / (RANKS + 1 - i))
        chance, at = step @ chance, to
    return float(chance.sum())


def p_value(ranks: np.ndarray) -> float:
    """Of ranks 0 to `RANKS` being uniform, exact. ranks: (repetitions,)."""
    ranks = np.asarray(ranks, int)
    count = np.searchsorted(np.sort(ranks), np.arange(1, RANKS + 1))  # ranks below i
    share = np.arange(1, RANKS + 1) / (RANKS + 1)
    tails = np.minimum(stats.binom.cdf(count, len(ranks), share), stats.binom.sf(count - 1, len(ranks), share))
    return max(1.0 - stays_within(len(ranks), limits(len(ranks), 2.0 * float(tails.min()))), 0.0)


class Coverage(NamedTuple):
    """Of one level. covered: mean share inside. low, high: limits that it stays within unless by the false alarm."""

    covered: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.covered <= self.high


def coverage(ranks: pd.DataFrame, level: int) -> Coverage:
    """Args: ranks: (repetitions, quantities). level: per cent.

    One quantity: exact binomial limits. Several: t limits about the level with the standard error of the repetitions, which is not
    taken to be less than that of independent quantities.
    """
    edge = (RANKS + 1) * (100 - level) // 200
    inside = ranks.to_numpy()
    inside = ((inside >= edge) & (inside <= RANKS - edge)).mean(axis=1)
    N, K, p, alarm = *ranks.shape, level / 100, FALSE_ALARM / len(LEVELS)
    if K == 1:
        low, high = stats.binom.ppf([alarm / 2, 1.0 - alarm / 2], N, p) / N
    else:
        error = max(inside.std(ddof=1) / np.sqrt(N), np.sqrt(p * (1.0 - p) / (N * K)))
        low, high = p + stats.t.ppf([alarm / 2, 1.0 - alarm / 2], N - 1) * error
    return Coverage(float(inside.mean()), float(low), float(high))


class Verdict(NamedTuple):
    """Attributes: p: by quantity. limit: that none may fall below. coverage: by level, per cent."""

    p: dict[str, float]
    limit: float
    coverage: dict[int, Coverage]

    @property
    def faults(self) -> list[str]:
        """What speaks against the model, in words; empty if it is calibrated."""
        told = [f"ranks of {name}: p = {p:.2g}, below {self.limit:.2g}" for name, p in self.p.items() if p < self.limit]
        return told + [
            f"{level} % intervals cover {found.covered:.3f}, not within {found.low:.3f} to {found.high:.3f}"
            for level, found in self.coverage.items() if not found.holds
        ]  # fmt: skip


def judged(ranks: pd.DataFrame) -> Verdict:
    """Args: ranks: (repetitions, quantities), 0 to `RANKS`."""
    p = {str(name): p_value(ranks[name].to_numpy()) for name in ranks}
    return Verdict(p, FALSE_ALARM / len(p), {level: coverage(ranks, level) for level in LEVELS})
