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
REACH = 6.0  # standard deviations of mu that are covered
LARGEST = 5.0  # scales of a half-normal tau that are covered


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


class Resolution(NamedTuple):
    """tau: nodes of tau (twice as many for an inverse gamma). width: of a panel of mu where data can tell, log odds."""

    tau: int
    width: float


FAST = Resolution(14, 0.6)  # probabilities to 5e-4 with 30 patients in each of 5 baskets (inverse gamma: 3e-3 at worst)
COARSE = Resolution(10, 0.8)  # two exchangeable distributions, whose nodes count twice: to 3e-4 with 30 patients
FINE = Resolution(28, 0.3)  # to 1e-4 with 120

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


def tau_nodes(prior: TauPrior, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of tau: in the 2/3 power of tau, denser near 0, or in its logarithm."""
    if isinstance(prior, Fixed):
        return np.array([prior.value]), np.ones(1)
    if isinstance(prior, HalfNormal):
        x, weight = composite(np.array([0.0, 1.0]), order)
        tau = LARGEST * prior.scale * x**1.5
        weight = weight * np.sqrt(x) * stats.halfnorm.pdf(tau, scale=prior.scale)
    else:
        log_tau, weight = composite(np.log(np.array(TAU_RANGE)), 2 * order)
        tau = np.exp(log_tau)
        log_density = stats.invgamma.logpdf(tau**2, prior.shape, scale=prior.rate) + 2.0 * log_tau  # of log tau
        weight = weight * np.exp(log_density - log_density.max())
    return tau, weight / weight.sum()


def nodes(prior: Exchangeable, breaks: np.ndarray, resolution: Resolution = FAST) -> Nodes:
    """Nodes of (mu, tau).

    Args:
        breaks: values of mu at which a probability jumps when tau is 0 (the log odds of a rate of interest): panels end there.
    """
    low, high = prior.mean - REACH * prior.sd, prior.mean + REACH * prior.sd
    widest = 1.5 * prior.sd
    middle = np.clip(SEEN, low, high)
    marks = np.unique([*middle, *(mark for mark in breaks if middle[0] < mark < middle[1])])
    within = [np.linspace(a, b, int(np.ceil((b - a) / min(resolution.width, widest))) + 1) for a, b in pairwise(marks)]
    steps = np.cumsum(np.minimum(2.0 ** np.arange(60), widest))  # outside, panels grow with the distance
    left, right = middle[0] - steps, middle[1] + steps
    edges = np.unique(np.concatenate([[low], left[left > low], middle, *within, right[right < high], [high]]))
    mu, weight = composite(edges, 4)
    weight = weight * stats.norm.pdf(mu, prior.mean, prior.sd)
    tau, tau_weight = tau_nodes(prior.tau, resolution.tau)
    both = np.outer(weight / weight.sum(), tau_weight)
    return Nodes(np.repeat(mu, tau.size), np.tile(tau, mu.size), both.ravel())
