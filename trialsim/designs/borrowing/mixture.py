"""Mixtures of beta distributions: priors of a rate p that stay conjugate to binomial data.

    f(p) = sum_c w_c beta(p; a_c, b_c);   after y of n:  a_c + y, b_c + n - y, and w_c times B(a_c + y, b_c + n - y) / B(a_c, b_c)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from trialsim.designs.basket.hyperpriors import composite

FLATTENED = 100.0  # the vague prior of Morita's effective size is worth one patient in so many


class BetaMixture(NamedTuple):
    """weight, a, b: (..., components); weights add up to 1 over the components."""

    weight: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def mean(self) -> np.ndarray:
        return np.sum(self.weight * self.a / (self.a + self.b), axis=-1)

    def variance(self) -> np.ndarray:
        size, share = self.a + self.b, self.a / (self.a + self.b)
        second = share * (1.0 - share) / (size + 1.0) + share**2
        return np.sum(self.weight * second, axis=-1) - self.mean() ** 2

    def density(self, p: ArrayLike) -> np.ndarray:
        """(..., points)"""
        parts = stats.beta.pdf(np.asarray(p)[:, None], self.a[..., None, :], self.b[..., None, :])
        return np.sum(self.weight[..., None, :] * parts, axis=-1)

    def cdf(self, p: ArrayLike) -> np.ndarray:
        """(..., points)"""
        parts = special.betainc(self.a[..., None, :], self.b[..., None, :], np.asarray(p)[:, None])
        return np.sum(self.weight[..., None, :] * parts, axis=-1)


def beta_mixture(*components: tuple[float, float, float]) -> BetaMixture:
    """From (weight, a, b) of each component."""
    weight, a, b = np.array(components, float).T
    if not np.isclose(weight.sum(), 1.0, atol=1e-5) or np.any(weight < 0) or np.any(a <= 0) or np.any(b <= 0):
        raise ValueError("weights must be at least 0 and add up to 1, and a, b must be positive")
    return BetaMixture(weight / weight.sum(), a, b)


def update(prior: BetaMixture, y: ArrayLike, n: ArrayLike) -> BetaMixture:
    """Posterior after ``y`` responders of ``n``, any shape; the components come last."""
    y, n = np.asarray(y)[..., None], np.asarray(n)[..., None]
    a, b = prior.a + y, prior.b + n - y
    with np.errstate(divide="ignore"):
        log_weight = np.log(prior.weight) + special.betaln(a, b) - special.betaln(prior.a, prior.b)
    return BetaMixture(special.softmax(log_weight, axis=-1), a, b)


def robustify(prior: BetaMixture, weight: float, mean: float = 0.5, size: float = 1.0) -> BetaMixture:
    """Add a vague component, beta with this mean and worth ``size`` patients more than none (Schmidli, Biometrics 2014;70:1023-32).

    Args:
        weight: of the vague component: the chance given beforehand that the historical data do not apply.
        size: 1 with mean 0.5 is the uniform distribution.
    """
    return BetaMixture(
        np.append((1.0 - weight) * prior.weight, weight),
        np.append(prior.a, mean * (size + 1.0)),
        np.append(prior.b, (1.0 - mean) * (size + 1.0)),
    )


def size_moments(prior: BetaMixture) -> float:
    """Patients that the beta distribution with the same mean and variance is worth: m (1 - m) / v - 1."""
    mean = prior.mean()
    return float(mean * (1.0 - mean) / prior.variance() - 1.0)


def size_elir(prior: BetaMixture) -> float:
    """Expected local information ratio, E[-(log f)''(p) p (1 - p)] (Neuenschwander, Biometrics 2020;76:578-87).

    Raises:
        ValueError: a or b below 1, where the expectation diverges.
    """
    if np.any(prior.a < 1) or np.any(prior.b < 1):
        raise ValueError("the expected local information ratio needs a and b of at least 1")
    x, w = composite(np.linspace(0.0, np.pi / 2.0, 401), 4)
    p, w = np.sin(x) ** 2, w * np.sin(2.0 * x)
    return float(np.sum(w * prior.density(p) * _information(prior, p) * p * (1.0 - p)))


def size_morita(prior: BetaMixture) -> float:
    """Information of the prior at its mode, less that of a vague one, over that of one patient drawn from the prior's predictive
    distribution (Morita, Biometrics 2008;64:595-602, at the mode and without a search over whole numbers as in Neuenschwander 2020,
    equation 9).
    """
    grid = np.linspace(1e-4, 1.0 - 1e-4, 2000)
    best = grid[np.argmax(prior.density(grid))]
    found = optimize.minimize_scalar(
        lambda p: -prior.density([p])[0], bounds=(max(best - 1e-3, 1e-9), min(best + 1e-3, 1.0 - 1e-9)), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    mode = float(found.x)
    vague = BetaMixture(np.ones(1), np.array([mode / FLATTENED]), np.array([(1.0 - mode) / FLATTENED]))
    at = np.array([mode])
    patient = prior.mean() / mode**2 + (1.0 - prior.mean()) / (1.0 - mode) ** 2
    return float((_information(prior, at)[0] - _information(vague, at)[0]) / patient)


def _information(prior: BetaMixture, p: np.ndarray) -> np.ndarray:
    """-(log f)''(p) = (f'/f)^2 - f''/f, with the components weighted by their share of the density at p, (points,)."""
    p = p[:, None]
    share = prior.weight * stats.beta.pdf(p, prior.a, prior.b)
    share = share / share.sum(axis=1, keepdims=True)
    slope = (prior.a - 1.0) / p - (prior.b - 1.0) / (1.0 - p)
    bend = slope**2 - (prior.a - 1.0) / p**2 - (prior.b - 1.0) / (1.0 - p) ** 2
    return np.sum(share * slope, axis=1) ** 2 - np.sum(share * bend, axis=1)
