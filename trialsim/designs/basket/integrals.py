"""The likelihood of one basket, averaged over its own log odds theta ~ N(centre, spread^2), with rate p = 1 / (1 + exp(-theta)):

    marginal = E[p^y (1 - p)^(n - y)],   upper = E[p^y (1 - p)^(n - y); p > rate],   first = E[p^(y + 1) (1 - p)^(n - y)]

Gauss-Legendre on panels of theta that end at the rate, narrow against the smallest spread treated so. Below that spread the
likelihood is expanded about the centre to second order, with the moments of the truncated normal (the error is of fourth order in
spread over the likelihood's width). Beyond ``ENDS`` the rate is 0 or 1. All cells (y, n) and nodes at once, as matrix products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from trialsim.designs.basket.hyperpriors import composite

ENDS = 14.0  # log odds beyond which a rate is 0 or 1, to 1e-6
NARROW = 0.05  # spread below which the likelihood is expanded
PANEL = 0.15  # width of a panel of theta


class Integrals(NamedTuple):
    """marginal, upper, first: (cells, nodes), without the binomial coefficient."""

    marginal: np.ndarray
    upper: np.ndarray
    first: np.ndarray


class Rule(NamedTuple):
    """What the integrals need besides the data. Attributes:
    cut: log odds of the rate of interest. centre, spread: (nodes,). narrow: which nodes are expanded, (nodes,).
    theta: nodes of theta. weight: density of each other node times quadrature weight, (theta, nodes not narrow).
    below, above: share of each node beyond the ends, (nodes not narrow,).
    """

    cut: float
    centre: np.ndarray
    spread: np.ndarray
    narrow: np.ndarray
    theta: np.ndarray
    weight: np.ndarray
    below: np.ndarray
    above: np.ndarray


def rule(centre: np.ndarray, spread: np.ndarray, rate: float) -> Rule:
    """Quadrature for the nodes (centre, spread) and the event p > rate, 0 < rate < 1."""
    cut = float(special.logit(rate))
    sides = [(-ENDS, cut), (cut, ENDS)]
    theta, step = (
        np.concatenate(part)
        for part in zip(*(composite(np.linspace(a, b, int(np.ceil((b - a) / PANEL)) + 1), 4) for a, b in sides), strict=True)
    )
    narrow = spread < NARROW
    wide_centre, wide_spread = centre[~narrow], spread[~narrow]
    z = (theta[:, None] - wide_centre) / wide_spread
    weight = step[:, None] * np.exp(-0.5 * z * z) / (np.sqrt(2.0 * np.pi) * wide_spread)
    below, above = special.ndtr((-ENDS - wide_centre) / wide_spread), special.ndtr((wide_centre - ENDS) / wide_spread)
    return Rule(cut, centre, spread, narrow, theta, weight, below, above)


def integrate(given: Rule, y: np.ndarray, n: np.ndarray) -> Integrals:
    """Integrals for responders ``y`` of ``n`` patients, (cells,)."""
    parts = [np.empty((y.size, given.centre.size)) for _ in range(3)]
    for events, patients, wanted in ((y, n, (0, 1)), (y + 1, n + 1, (2,))):
        for into, values in zip(wanted, _wide(given, events, patients), strict=False):
            parts[into][:, ~given.narrow] = values
        for into, values in zip(wanted, _narrow(given, events, patients), strict=False):
            parts[into][:, given.narrow] = values
    return Integrals(*parts)


def likelihood(theta: np.ndarray, y: np.ndarray, n: np.ndarray) -> np.ndarray:
    """p^y (1 - p)^(n - y), (cells, theta)."""
    return np.exp(y[:, None] * special.log_expit(theta) + (n - y)[:, None] * special.log_expit(-theta))


def _wide(given: Rule, y: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen, high = likelihood(given.theta, y, n), given.theta > given.cut
    beyond = (y == n)[:, None] * given.above
    upper = seen[:, high] @ given.weight[high] + beyond
    return upper + seen[:, ~high] @ given.weight[~high] + (y == 0)[:, None] * given.below, upper


def _narrow(given: Rule, y: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre, spread = given.centre[given.narrow], np.maximum(given.spread[given.narrow], 1e-9)
    p = special.expit(centre)
    slope = y[:, None] - n[:, None] * p  # first and second derivative of the likelihood, relative to it
    bend = slope**2 - n[:, None] * p * (1.0 - p)
    z = (given.cut - centre) / spread
    density, tail = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi), special.ndtr(-z)
    seen, half = likelihood(centre, y, n), spread**2 / 2.0
    upper = tail + spread * density * slope + half * bend * (tail + z * density)
    return seen * np.maximum(1.0 + half * bend, 0.0), seen * np.maximum(upper, 0.0)
