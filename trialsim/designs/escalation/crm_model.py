"""One-parameter models of dose and DLT of the continual reassessment method, and their posterior.

    empiric    p_j(beta) = s_j ^ exp(beta)                       s_j: skeleton, prior guess of the DLT rate of level j
    logistic   logit p_j(beta) = a + exp(beta) x_j,   x_j = logit s_j - a                        a: fixed intercept
    prior      beta ~ N(0, scale^2)
    likelihood prod_i p^y_i (1 - w_i p)^(1 - y_i)                w_i: 1 for a patient who has been judged, else share of the
                                                                 window followed (Cheung & Chappell, Biometrics 2000;56:1177-1182)

(O'Quigley, Pepe & Fisher, Biometrics 1990;46:33-48; O'Quigley & Chevret, Stat Med 1991;10:1647-64.) Both fall in beta. The
posterior is a sum over equally spaced nodes, which for a smooth density that dies out at both ends converges faster than any power
of their distance: 201 over 13 prior standard deviations are right to 8 digits while its standard deviation is 0.1 of the prior's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import logit

NODES, REACH = 201, 6.5  # nodes, and how far they reach, prior standard deviations


class Model(NamedTuple):
    """Attributes:
    skeleton: prior DLT rate of each level, rising, 0-1. kind: "empiric" or "logistic".
    scale: prior standard deviation of beta; sqrt(1.34): O'Quigley & Shen, Biometrics 1996;52:673-684.
    intercept: a of the logistic model; the skeleton must lie below expit(a).
    """

    skeleton: tuple[float, ...]
    kind: str = "empiric"
    scale: float = 1.34**0.5
    intercept: float = 3.0


class Posterior(NamedTuple):
    """Attributes, with the leading axes of the data:
    beta, variance: posterior mean and variance of beta. p: DLT rate of each level at the mean, (..., levels).
    density: probability of each node, (..., nodes).
    """

    beta: np.ndarray
    variance: np.ndarray
    p: np.ndarray
    density: np.ndarray


def nodes(model: Model) -> np.ndarray:
    """Values of beta over which the posterior is summed, (nodes,)."""
    return model.scale * np.linspace(-REACH, REACH, NODES)


def log_rates(model: Model, beta: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """log p and log(1 - p) of each level: (...,) -> (..., levels)."""
    slope = np.exp(np.asarray(beta, float))[..., None]
    skeleton = np.asarray(model.skeleton, float)
    if model.kind == "empiric":
        log_p = slope * np.log(skeleton)
        return log_p, np.log(-np.expm1(log_p))
    z = model.intercept + slope * (logit(skeleton) - model.intercept)
    return -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)


def posterior(
    model: Model, toxic: ArrayLike, free: ArrayLike, open_level: np.ndarray | None = None, weight: np.ndarray | None = None
) -> Posterior:
    """Posterior after judged patients, by level, and patients still followed.

    Args:
        toxic, free: patients judged with and without DLT, (rows, levels).
        open_level: level of each patient still followed, -1 for none; weight: w of them, (rows, patients).
    """
    beta = nodes(model)
    log_p, log_q = log_rates(model, beta)
    log_density = np.asarray(toxic, float) @ log_p.T + np.asarray(free, float) @ log_q.T - 0.5 * (beta / model.scale) ** 2
    if open_level is not None and weight is not None:
        row, patient = np.nonzero((open_level >= 0) & (weight > 0))
        if row.size:
            free_so_far = 1.0 - weight[row, patient, None] * np.exp(log_p).T[open_level[row, patient]]
            first = np.flatnonzero(np.diff(row, prepend=-1))
            log_density[row[first]] += np.log(np.multiply.reduceat(free_so_far, first))
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    mean = density @ beta
    variance = density @ beta**2 - mean**2
    return Posterior(mean, variance, np.exp(log_rates(model, mean)[0]), density)


def chance_below(model: Model, edges: ArrayLike) -> np.ndarray:
    """What each node counts for P(beta < edge): 1 below it, 0 above, its share at it: (edges,) -> (nodes, edges)."""
    beta = nodes(model)
    return np.clip((np.asarray(edges, float) - beta[:, None]) / (beta[1] - beta[0]) + 0.5, 0.0, 1.0)


def edges_of_mtd(model: Model, target: float) -> np.ndarray:
    """Values of beta between which each level's rate is nearest the target: p_j + p_(j+1) = 2 target, (levels - 1,)."""
    apart = lambda beta, j: np.exp(log_rates(model, beta)[0])[j : j + 2].sum() - 2.0 * target
    return np.array([brentq(apart, -20.0, 20.0, args=(j,), xtol=1e-12) for j in range(len(model.skeleton) - 1)])


def edge_of_toxicity(model: Model, target: float) -> float:
    """beta below which even the lowest level's rate is above the target."""
    return brentq(lambda beta: np.exp(log_rates(model, beta)[0])[0] - target, -20.0, 20.0, xtol=1e-12)
