"""What data tell about parameters, in the linear Gaussian approximation about the present values.

Parameters are counted in prior standard deviations, facts in their own tolerance: with S the slopes of the facts so scaled and w
their weights, the Fisher information is F = S' diag(w) S, the posterior covariance C = (1 + F)^-1, and

    shrinkage_j = sqrt(C_jj)                          posterior over prior standard deviation: 1 if nobody informs j
    alone_ij    = w_i S_ij^2 / (1 + w_i |S_i|^2)      share of j's prior variance that fact i takes away by itself
    apart_ij    = (C S_i)_j^2 w_i / (1 - w_i S_i' C S_i)  by how much j's posterior variance rises without fact i

Eigenvectors of F are the combinations of parameters that the facts see; those of an eigenvalue above 1 are known better from the
facts than beforehand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm


class Information(NamedTuple):
    """Attributes: shrinkage: (parameters,). covariance: posterior, prior standard deviations, (parameters, parameters).
    alone, apart: (facts, parameters). eigenvalues: of the Fisher information, largest first, (parameters,); directions: columns."""

    shrinkage: np.ndarray
    covariance: np.ndarray
    alone: np.ndarray
    apart: np.ndarray
    eigenvalues: np.ndarray
    directions: np.ndarray

    @property
    def known(self) -> float:
        """How many parameters' worth the facts tell: the trace of F (1 + F)^-1."""
        return float(np.sum(self.eigenvalues / (1.0 + self.eigenvalues)))


def information(slopes: np.ndarray, weights: np.ndarray | None = None) -> Information:
    """``slopes``: (facts, parameters), tolerances of the fact per prior standard deviation. ``weights``: (facts,), 1 if None."""
    facts, parameters = slopes.shape
    w = np.ones(facts) if weights is None else np.asarray(weights, float)
    S = slopes * np.sqrt(w)[:, None]
    values, vectors = np.linalg.eigh(S.T @ S)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    C = (vectors / (1.0 + values)) @ vectors.T
    seen = S @ C
    left = 1.0 - np.einsum("ij,ij->i", seen, S)
    return Information(
        shrinkage=np.sqrt(np.diag(C)),
        covariance=C,
        alone=S**2 / (1.0 + np.sum(S**2, axis=1, keepdims=True)),
        apart=seen**2 / np.maximum(left, 1e-12)[:, None],
        eigenvalues=values,
        directions=vectors,
    )


def tolerance(low: float, high: float) -> float:
    """What a fact is uncertain by: half the width of its band; of a one-sided band a quarter of its limit, at least 0.05."""
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (high - low)
    return 0.25 * max(abs(low if np.isfinite(low) else high), 0.2)


def weight(value: float, low: float, high: float) -> float:
    """Information of a fact relative to a measurement of its tolerance as standard error. A limit on one side is the observation
    that value + error lies on that side: -d2/dt2 log Phi(t) with t tolerances within the limit, 0.64 at it, nothing far within."""
    if np.isfinite(low) and np.isfinite(high):
        return 1.0
    t = (value - low if np.isfinite(low) else high - value) / tolerance(low, high)
    ratio = float(np.exp(norm.logpdf(t) - norm.logcdf(t)))
    return float(np.clip(ratio * (ratio + t), 0.0, 1.0))
