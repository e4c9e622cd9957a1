"""Priors of the mean mu and the spread tau between baskets (or studies), turned into nodes and weights of a quadrature.

    theta_k ~ N(mu, tau^2),  mu ~ N(mean, sd^2),  tau ~ half-normal(scale), or tau^2 ~ inverse gamma(shape, rate)

Composite Gauss-Legendre in mu, Gauss-Legendre in tau (half-normal) or in log tau (inverse gamma).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import stats

TAU_RANGE = (1e-3, 50.0)  # an inverse gamma prior of tau^2 is cut here: beyond, rates are equal, or 0 or 1
SEEN = (-8.0, 6.0)  # log odds between which data of a basket can tell values of mu apart
REACH = 7.0  # standard deviations of mu, and scales of a half-normal tau over 1.4, that are covered


class HalfNormal(NamedTuple):
    """tau = |N(0, scale^2)|, log odds. Scale 1: moderate to substantial heterogeneity (Neuenschwander 2016;15:123-34)."""

    scale: float


class InverseGamma(NamedTuple):
    """tau^2 ~ inverse gamma(shape, rate), tau within ``TAU_RANGE``."""

    shape: float
    rate: float


class Fixed(NamedTuple):
    """tau known, log odds; 0: the same rate in all baskets."""

    value: float


TauPrior = HalfNormal | InverseGamma | Fixed


class Exchangeable(NamedTuple):
    """Baskets that share a distribution. mean, sd: of mu, log odds. tau: prior of the spread."""

    mean: float
    sd: float
    tau: TauPrior


class Nodes(NamedTuple):
    """mu, tau, weight: (nodes,); weights add up to 1."""

    mu: np.ndarray
    tau: np.ndarray
    weight: np.ndarray


def composite(edges: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on every panel between neighbouring edges, (panels x order,)."""
    x, w = np.polynomial.legendre.leggauss(order)
    half, middle = np.diff(edges)[:, None] / 2.0, (edges[1:] + edges[:-1])[:, None] / 2.0
    return (middle + half * x).ravel(), (half * w).ravel()


def tau_nodes(prior: TauPrior, order: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of tau, (order,)."""
    if isinstance(prior, Fixed):
        return np.array([prior.value]), np.ones(1)
    if isinstance(prior, HalfNormal):
        tau, weight = composite(np.array([0.0, REACH / 1.4 * prior.scale]), order)
        weight = weight * stats.halfnorm.pdf(tau, scale=prior.scale)
    else:
        log_tau, weight = composite(np.log(np.array(TAU_RANGE)), 2 * order)
        tau = np.exp(log_tau)
        log_density = stats.invgamma.logpdf(tau**2, prior.shape, scale=prior.rate) + 2.0 * log_tau  # of log tau
        weight = weight * np.exp(log_density - log_density.max())
    return tau, weight / weight.sum()


def nodes(prior: Exchangeable, breaks: np.ndarray, width: float = 0.6) -> Nodes:
    """Nodes of (mu, tau).

    Args:
        breaks: values of mu at which a probability jumps when tau is 0 (the log odds of a rate of interest): panels end there.
        width: of a panel where data can tell values of mu apart; about four standard errors of the pooled log odds.
    """
    low, high = prior.mean - REACH * prior.sd, prior.mean + REACH * prior.sd
    marks = np.unique([low, high, *(mark for mark in (*SEEN, *breaks) if low < mark < high)])
    edges = [low]
    for left, right in pairwise(marks):
        seen = SEEN[0] <= (left + right) / 2.0 <= SEEN[1]
        panels = int(np.ceil((right - left) / min(width if seen else 3.0, 1.5 * prior.sd)))
        edges.extend(np.linspace(left, right, panels + 1)[1:])
    mu, weight = composite(np.array(edges), 4)
    weight = weight * stats.norm.pdf(mu, prior.mean, prior.sd)
    tau, tau_weight = tau_nodes(prior.tau)
    both = np.outer(weight / weight.sum(), tau_weight)
    return Nodes(np.repeat(mu, tau.size), np.tile(tau, mu.size), both.ravel())
