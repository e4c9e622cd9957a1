"""Which arm is best? Posterior probabilities of independent binomial rates with beta priors, for many trials at once.

With p_k ~ Beta(a + x_k, b + n_k - x_k) of density f_k and distribution F_k,

    P(arm k is best) = int f_k(p) prod_{j != k} F_j(p) dp,    P(p_k > p_0) = int f_k(p) F_0(p) dp

by the midpoint rule over asin(sqrt(p)), on which a posterior of any n is about equally smooth (sd 1 / (2 sqrt(n))).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

NODES = 128  # error below 1e-5 up to 300 patients an arm, 1e-3 up to 1,000 or where nobody responded under a prior with a < 1/2
CHUNK = 2000  # replicates at a time: 2 MB an arm


class Prior(NamedTuple):
    """Beta prior of each arm's response rate."""

    a: float
    b: float


class Beliefs(NamedTuple):
    """Posterior probabilities, (replicates, arms). best: of being the best of the open arms, 0 for others. better: than arm 0."""

    best: np.ndarray
    better: np.ndarray


def beliefs(responders: np.ndarray, n: np.ndarray, prior: Prior, open_arms: np.ndarray | None = None) -> Beliefs:
    """Posterior probabilities after `responders` of `n`, both (replicates, arms).

    Args:
        open_arms: which arms are compared for being the best, bool, (replicates, arms); None: all.
    """
    allowed = np.ones(n.shape, bool) if open_arms is None else open_arms
    chunks = [slice(i, i + CHUNK) for i in range(0, len(n), CHUNK)]
    parts = [_beliefs(responders[chunk], n[chunk], allowed[chunk], prior) for chunk in chunks]
    return Beliefs(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _beliefs(responders: np.ndarray, n: np.ndarray, allowed: np.ndarray, prior: Prior) -> Beliefs:
    angle = (np.arange(NODES) + 0.5) * (np.pi / 2 / NODES)
    log_p, log_q = 2.0 * np.log(np.sin(angle)), 2.0 * np.log(np.cos(angle))
    a, b = prior.a + responders - 0.5, prior.b + n - responders - 0.5  # less the Jacobian
    density = a[..., None] * log_p + b[..., None] * log_q
    density = np.exp(density - density.max(axis=-1, keepdims=True))
    density /= density.sum(axis=-1, keepdims=True)
    below = np.cumsum(density, axis=-1) - 0.5 * density
    below[..., 1:-1] -= (density[..., 2:] - density[..., :-2]) / 24.0  # a cell's lower half is not half of it: Euler-Maclaurin
    better = (density * below[:, :1]).sum(axis=-1)
    better[:, 0] = 0.0
    rivals = np.where(allowed[..., None], below, 1.0)
    best = np.stack([(density[:, k] * np.delete(rivals, k, axis=1).prod(axis=1)).sum(axis=-1) for k in range(n.shape[1])], axis=1)
    best = np.where(allowed, best, 0.0)
    return Beliefs(best / best.sum(axis=1, keepdims=True), better)


def success_ahead(responders: np.ndarray, n: np.ndarray, n_end: np.ndarray, prior: Prior, threshold: float) -> np.ndarray:
    """Predictive probability that each arm will be better than arm 0 with posterior probability > threshold at the end.

    Normal approximation (Spiegelhalter, Freedman & Blackburn, Control Clin Trials 1986;7:8-17): with the posterior mean
    difference d and its variance V now and V_end at the end, d_end is N(d, V - V_end), and success is d_end > z sqrt(V_end).

    Args:
        responders, n: now, (replicates, arms). n_end: patients of each arm at the end, >= n. threshold: of the final comparison.
    """
    a, b = prior.a + responders, prior.b + n - responders
    mean, weight = a / (a + b), prior.a + prior.b + n_end
    now, end = mean * (1.0 - mean) / (a + b + 1.0), mean * (1.0 - mean) / (weight + 1.0)
    difference, variance, last = mean - mean[:, :1], now + now[:, :1], end + end[:, :1]
    ahead = np.sqrt(np.maximum(variance - last, 1e-12))
    return stats.norm.cdf((difference - stats.norm.ppf(threshold) * np.sqrt(last)) / ahead)
