"""Meta-analytic-predictive (MAP) prior of a rate from historical counts, by quadrature, and the beta mixture that stands for it.

    y_h ~ binomial(n_h, p_h),  logit p_h ~ N(mu, tau^2),  mu ~ N(mean, sd^2),  tau ~ half-normal(scale);
    prior of the new trial's rate: logit p* ~ N(mu, tau^2) averaged over the posterior of (mu, tau)

(Neuenschwander, Clin Trials 2010;7:5-18; Schmidli, Biometrics 2014;70:1023-32). The integrals are those of a basket trial.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from trialsim.designs.basket.hyperpriors import Exchangeable, Resolution, nodes
from trialsim.designs.basket.integrals import integrate, rule
from trialsim.designs.borrowing.mixture import BetaMixture

RESOLUTION = Resolution(80, 0.3)
POINTS = 2000  # quantiles of the predictive distribution that a mixture is fitted to
ROUNDS = 3000  # of expectation and maximisation, at most
MOST = 4  # components


class MapPrior(NamedTuple):
    """Posterior of (mu, tau) as weighted nodes, (nodes,); mu and tau in log odds."""

    mu: np.ndarray
    tau: np.ndarray
    weight: np.ndarray

    def cdf(self, p: ArrayLike) -> np.ndarray:
        """Pr(p* <= p), (points,)."""
        z = (special.logit(np.asarray(p, float))[:, None] - self.mu) / np.maximum(self.tau, 1e-9)
        return special.ndtr(z) @ self.weight

    def quantile(self, level: float) -> float:
        """Of p*."""
        return float(optimize.brentq(lambda p: self.cdf([p])[0] - level, 1e-9, 1.0 - 1e-9, xtol=1e-10))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of p*."""
        x, w = np.polynomial.hermite_e.hermegauss(60)
        p, w = special.expit(self.mu[:, None] + self.tau[:, None] * x), w / w.sum()
        mean, second = self.weight @ p @ w, self.weight @ p**2 @ w
        return float(mean), float(np.sqrt(second - mean**2))

    def tau_summary(self, levels: ArrayLike = (0.025, 0.5, 0.975)) -> tuple[float, float, np.ndarray]:
        """Mean, standard deviation and quantiles of tau."""
        tau, where = np.unique(self.tau, return_inverse=True)
        weight = np.bincount(where.reshape(-1), self.weight)
        mean = weight @ tau
        between = np.cumsum(weight) - weight / 2.0
        return float(mean), float(np.sqrt(weight @ tau**2 - mean**2)), np.interp(levels, between, tau)


def map_prior(y: ArrayLike, n: ArrayLike, prior: Exchangeable) -> MapPrior:
    """From the responders ``y`` of ``n`` patients of the historical studies, (studies,). No study: what the prior predicts."""
    y, n = np.atleast_1d(np.asarray(y, int)), np.atleast_1d(np.asarray(n, int))
    if np.any(y < 0) or np.any(y > n):
        raise ValueError("responders must lie between 0 and the patients")
    grid = nodes(prior, np.zeros(0), RESOLUTION)
    marginal = integrate(rule(grid.mu, grid.tau, 0.5), y, n).marginal
    with np.errstate(divide="ignore"):
        log_weight = np.log(grid.weight) + np.log(marginal).sum(axis=0)
    weight = special.softmax(log_weight)
    kept = weight > 1e-12
    return MapPrior(grid.mu[kept], grid.tau[kept], weight[kept] / weight[kept].sum())


def fit_mixture(
    prior: MapPrior, components: int | None = None, criterion: Literal["aic", "bic"] = "aic"
) -> BetaMixture:
    """Beta mixture nearest the MAP prior in Kullback-Leibler divergence: expectation-maximisation on equally likely points.

    Args:
        components: how many; None: the number of 1 to ``MOST`` with the smallest criterion, each point counted as one draw.

    a and b are kept at 1 or more, so that the density stays finite.
    """
    levels = (np.arange(POINTS) + 0.5) / POINTS
    grid = special.expit(np.linspace(-16.0, 16.0, 8001))
    cumulative, first = np.unique(prior.cdf(grid), return_index=True)
    points = np.clip(np.interp(levels, cumulative, grid[first]), 1e-12, 1.0 - 1e-12)
    fits = [_maximise(points, size) for size in ([components] if components else range(1, MOST + 1))]
    penalty = 2.0 if criterion == "aic" else np.log(POINTS)
    return min(fits, key=lambda fit: penalty * (3 * fit[0].weight.size - 1) - 2.0 * fit[1])[0]


def _maximise(points: np.ndarray, components: int) -> tuple[BetaMixture, float]:
    """Expectation-maximisation from the moments of equal slices of the points. Returns the mixture and its log likelihood."""
    log_p, log_q = np.log(points), np.log1p(-points)
    slices = np.array_split(points, components)
    mean, variance = (np.array([measure(part) for part in slices]) for measure in (np.mean, np.var))
    size = np.maximum(mean * (1.0 - mean) / np.maximum(variance * components, 1e-9) - 1.0, 2.0)  # wider, so that they overlap
    fit = BetaMixture(np.full(components, 1.0 / components), np.maximum(mean * size, 1.0), np.maximum((1 - mean) * size, 1.0))
    before = -np.inf
    for _ in range(ROUNDS):
        log_density = np.log(fit.weight) + stats.beta.logpdf(points[:, None], fit.a, fit.b)
        total = special.logsumexp(log_density, axis=1, keepdims=True)
        likelihood = float(total.sum())
        if likelihood - before < 1e-7 * len(points):
            break
        before = likelihood
        share = np.exp(log_density - total)
        weight = share.mean(axis=0)
        a, b = _beta_from_logs(log_p @ share / share.sum(axis=0), log_q @ share / share.sum(axis=0), fit.a, fit.b)
        fit = BetaMixture(weight, a, b)
    return fit, likelihood


def _beta_from_logs(log_p: np.ndarray, log_q: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum-likelihood a, b >= 1 with E[log p] and E[log(1 - p)] as given: Newton steps in log a, log b from a start."""
    for _ in range(8):
        both = special.digamma(a + b)
        f, g = special.digamma(a) - both - log_p, special.digamma(b) - both - log_q
        shared = special.polygamma(1, a + b)
        faa, fbb = special.polygamma(1, a) - shared, special.polygamma(1, b) - shared
        determinant = faa * fbb - shared**2
        step_a = (f * fbb + g * shared) / determinant
        step_b = (g * faa + f * shared) / determinant
        a = np.maximum(a * np.exp(np.clip(-step_a / a, -1.0, 1.0)), 1.0)
        b = np.maximum(b * np.exp(np.clip(-step_b / b, -1.0, 1.0)), 1.0)
    return a, b
