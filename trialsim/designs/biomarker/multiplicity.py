"""Claims in all patients, in marker-positive and in marker-negative ones, from the log-rank scores of one trial.

Of two independent groups with scores Z+, Z- and the share f of the information (log-rank variance) in the positive one,

    Z = sqrt(f) Z+ + sqrt(1 - f) Z-,      corr(Z, Z+) = sqrt(f)

as between an interim and a final look (Spiessens & Debois, Contemp Clin Trials 2010;31:647-56); exact for a log-rank test that is
stratified by the marker. H: no effect in all; H+: none in positive patients. By closed testing (Marcus, Peritz & Gabriel,
Biometrika 1976;63:655-60) H or H+ is rejected if its own test and one of both together (no effect in all and none in positive
patients) are significant at one-sided alpha: the family-wise error is at most alpha whichever of the two is true.

All functions work on arrays; positive scores favour the drug. Without any information a score is 0, and nothing is claimed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats
from scipy.optimize import elementwise

Intersection = Literal["simes", "correlated"]
FAR = 38.0  # a standard normal is never beyond


class Scores(NamedTuple):
    """Standardised log-rank scores, all (...), and the share of the overall information that is in positive patients."""

    overall: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    fraction: np.ndarray


class Claims(NamedTuple):
    """Where the drug is claimed to work, bool, all (...): in all patients taken together, in positive ones, in negative ones."""

    overall: np.ndarray
    positive: np.ndarray
    negative: np.ndarray


class OverallOnly(NamedTuple):
    """One test, of all patients."""

    alpha: float

    def claims(self, z: Scores) -> Claims:
        return _claims(z.overall >= stats.norm.isf(self.alpha))


class FixedSequence(NamedTuple):
    """Positive patients first; if that is significant, all (Westfall & Krishen, J Stat Plan Inference 2001;99:25-40)."""

    alpha: float

    def claims(self, z: Scores) -> Claims:
        c = stats.norm.isf(self.alpha)
        positive = z.positive >= c
        return _claims(positive & (z.overall >= c), positive)


class Fallback(NamedTuple):
    """All patients at part of alpha; positive ones at what then remains, given the correlation.

    Both together are rejected if p <= alpha_overall, or p <= consistency and p+ <= alpha+, with alpha+ from

        alpha_overall + P(alpha_overall < p <= consistency, p+ <= alpha+) = alpha        where there is no effect

    (Song & Chi, Stat Med 2007;26:3535-49; without a condition of consistency Spiessens & Debois 2010). By closed testing, whatever
    is significant then counts at the whole alpha.

    Attributes:
        alpha_overall: below alpha. consistency: one-sided p of all patients above which a subgroup is not looked at, between alpha
        and 1; 1: no such condition.
    """

    alpha: float
    alpha_overall: float
    consistency: float = 1.0

    def critical(self, fraction: ArrayLike) -> np.ndarray:
        """Score of positive patients at alpha+, by the share of the information in them."""
        c, start = stats.norm.isf([self.alpha_overall, self.consistency])

        def excess(k: np.ndarray, rho: np.ndarray) -> np.ndarray:
            below = stats.norm.cdf(c) - stats.norm.cdf(start) - bivariate_normal(c, k, rho) + bivariate_normal(start, k, rho)
            return self.alpha_overall + below - self.alpha

        distinct, place = np.unique(fraction, return_inverse=True)
        bounds = np.full(len(distinct), -FAR), np.full(len(distinct), FAR)
        return elementwise.find_root(excess, bounds, args=(np.sqrt(distinct),)).x[place].reshape(np.shape(fraction))

    def claims(self, z: Scores) -> Claims:
        c, first, start = stats.norm.isf([self.alpha, self.alpha_overall, self.consistency])
        both = (z.overall >= first) | ((z.overall >= start) & (z.positive >= self.critical(z.fraction)))
        return _claims(both & (z.overall >= c), both & (z.positive >= c))


class MarkerSequential(NamedTuple):
    """MaST: positive patients at alpha_positive; if significant, negative ones at alpha; if not, all at the rest of alpha.

    Controls the error of a claim where the drug does nothing, and that of a claim that reaches negative patients where it works in
    positive ones only. That it works in negative but not in positive patients is taken to be out of the question. 0.022 of a
    one-sided 0.025 (Freidlin, Korn & Gray, Clin Trials 2014;11:19-27).
    """

    alpha: float
    alpha_positive: float

    def claims(self, z: Scores) -> Claims:
        positive = z.positive >= stats.norm.isf(self.alpha_positive)
        negative = positive & (z.negative >= stats.norm.isf(self.alpha))
        return _claims(~positive & (z.overall >= stats.norm.isf(self.alpha - self.alpha_positive)), positive, negative)


Strategy = OverallOnly | FixedSequence | Fallback | MarkerSequential


def intersection(z: Scores, method: Intersection) -> np.ndarray:
    """Score of the test of no effect in all and none in positive patients, from both scores.

    Where there is no information on positive patients, or none on others, it is the score of all.

    Args:
        method: ``simes``: p = min(2 p_(1), p_(2)) (Simes, Biometrika 1986;73:751-4); ``correlated``: p = P(max(Z, Z+) >= the larger
            observed score) with the correlation sqrt(f) (Spiessens & Debois 2010).
    """
    one = (z.fraction <= 0.0) | (z.fraction >= 1.0)
    if method == "simes":
        p = np.sort(stats.norm.sf(np.stack([z.overall, z.positive])), axis=0)
        joint = np.minimum(2.0 * p[0], p[1])
    else:
        larger = np.maximum(z.overall, z.positive)
        rho = np.sqrt(np.clip(z.fraction, 0.0, 1.0))
        # P(either above) without the cancellation of 1 - P(both below)
        joint = 2.0 * stats.norm.sf(larger) - bivariate_normal(-larger, -larger, rho)
    return np.where(one, z.overall, stats.norm.isf(joint))


def interaction(log_hr: tuple[ArrayLike, ArrayLike], se: tuple[ArrayLike, ArrayLike]) -> np.ndarray:
    """Score of the treatment-by-marker interaction: positive where the hazard ratio is lower in positive patients; 0 where unknown.

    Args:
        log_hr, se: log hazard ratio and its standard error in positive and in negative patients.
    """
    difference = np.asarray(log_hr[1], float) - np.asarray(log_hr[0], float)
    return np.nan_to_num(difference / np.hypot(*se))


def bivariate_normal(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> np.ndarray:
    """P(X <= h, Y <= k) of standard normals with correlation ``rho``, by Owen's T (Owen, Ann Math Stat 1956;27:1075-90)."""
    h, k, rho = np.broadcast_arrays(*(np.asarray(x, float) for x in (h, k, rho)))
    h, k = (np.where(x == 0.0, np.finfo(float).tiny, np.clip(x, -FAR, FAR)) for x in (h, k))
    root = np.sqrt(np.maximum(1.0 - rho**2, 1e-24))
    with np.errstate(over="ignore"):
        parts = [0.5 * special.ndtr(x) - special.owens_t(x, (y - rho * x) / root / x) for x, y in ((h, k), (k, h))]
    return sum(parts) - 0.5 * (np.sign(h) != np.sign(k))


def _claims(overall: np.ndarray, positive: np.ndarray | None = None, negative: np.ndarray | None = None) -> Claims:
    nowhere = np.zeros_like(overall)
    return Claims(overall, nowhere if positive is None else positive, nowhere if negative is None else negative)
