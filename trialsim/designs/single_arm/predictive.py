"""Bayesian monitoring of one arm by predictive probability (Lee & Liu, Clin Trials 2008;5:93-106).

The response rate has a beta prior. After n of N patients with x responders, PP is the probability that the trial, run to its
end, will convince:

    PP = sum_y P(Y = y | x) 1{P(p > p0 | x + y of N) > theta_T},    Y ~ beta-binomial(N - n, a + x, b + n - x)

The trial stops as negative if PP < theta_L and as positive if PP > theta_U (theta_U = 1: never); at N it is positive if the
posterior probability exceeds theta_T. As PP grows with x, these are bounds on x, and the error rates follow exactly.

theta_T acts only through s, the fewest responders of N that convince. The search therefore tries every s instead of a grid of
theta_T, and every N; what it returns has the least N at which both error rates hold and, of those, the greatest power, as in the
paper; then the least expected size at p0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from trialsim.designs.single_arm.binomial import Looks, looks, positive_probability, stops

ROUNDING = 1e-12  # of a sum of probabilities that is 1


class Prior(NamedTuple):
    """Beta prior of the response rate; a + b is what it weighs, in patients."""

    a: float
    b: float


class Predictive(NamedTuple):
    """A design by predictive probability.

    Attributes:
    looks: its bounds. needed: s, fewest responders of all N that convince.
    theta_t: lowest and highest threshold of the posterior probability that give this s (from, including; to, excluding).
    theta_l, theta_u: thresholds of PP.
    type1, power, expected_n: exact; the expected size under p0.
    """

    looks: Looks
    needed: int
    theta_t: tuple[float, float]
    theta_l: float
    theta_u: float
    type1: float
    power: float
    expected_n: float


def posterior_exceeds(x: np.ndarray | int, n: int, p0: float, prior: Prior) -> np.ndarray:
    """P(p > p0 | x responders of n)."""
    return stats.beta.sf(p0, prior.a + np.asarray(x), prior.b + n - np.asarray(x))


def responders_needed(n: int, p0: float, prior: Prior, theta_t: float) -> int:
    """s: fewest responders of n with P(p > p0 | data) > theta_t; n + 1 if not even n are enough."""
    return int((posterior_exceeds(np.arange(n + 1), n, p0, prior) <= theta_t).sum())


def predictive_probabilities(total: int, needed: int, prior: Prior) -> list[np.ndarray]:
    """PP after n = 0 .. total patients with x = 0 .. n responders: entry n is (n + 1,).

    Backwards from the end, each patient responding with the mean of the posterior, (a + x) / (a + b + n): the beta-binomial
    probability, patient by patient.

    Args:
        total: N. needed: s.
    """
    table = [(np.arange(total + 1) >= needed).astype(float)]
    for n in range(total - 1, -1, -1):
        next_responds = (prior.a + np.arange(n + 1)) / (prior.a + prior.b + n)
        table.append(next_responds * table[-1][1:] + (1.0 - next_responds) * table[-1][:-1])
    return table[::-1]


def predictive_looks(sizes: Sequence[int], needed: int, prior: Prior, theta_l: float, theta_u: float = 1.0) -> Looks:
    """Bounds of a design.

    Args:
        sizes: patients known at each look; the last is N. needed: s. theta_l, theta_u: thresholds of PP.
    """
    table = predictive_probabilities(sizes[-1], needed, prior)
    futility = [int((table[n] < theta_l).sum()) - 1 for n in sizes[:-1]]
    efficacy = [int((table[n] <= theta_u + ROUNDING).sum()) for n in sizes[:-1]]
    return looks(list(sizes), [*futility, needed - 1], [*efficacy, needed])


def look_sizes(first: int, every: int, total: int) -> tuple[int, ...]:
    """Patients at the looks: `first`, then every so many, and at the end; `every` = 1: after each patient."""
    return (*range(first, total, every), total)


def design_of(
    sizes: Sequence[int], needed: int, p0: float, p1: float, prior: Prior, theta_l: float, theta_u: float = 1.0
) -> Predictive:
    """A design and what it does; arguments as in `predictive_looks`, `search`."""
    made = predictive_looks(sizes, needed, prior, theta_l, theta_u)
    below, at = posterior_exceeds(np.array([needed - 1, needed]), sizes[-1], p0, prior)
    null = stops(made, p0)
    power = positive_probability(made, p1)
    thresholds = (float(below), float(at))
    return Predictive(made, needed, thresholds, theta_l, theta_u, float(null.positive.sum()), power, null.expected_n)


def search(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    prior: Prior,
    sizes: Sequence[int],
    first: int = 10,
    every: int = 1,
    theta_l: Sequence[float] = (0.001, 0.01, 0.02, 0.05, 0.1),
    theta_u: float = 1.0,
) -> Predictive | None:
    """The design of least N that keeps both error rates, None if there is none.

    Args:
        p0: highest uninteresting response rate. p1: promising rate, > p0. alpha, beta: limits of type I and type II error.
        sizes: N to try, in this order. first: patients known at the first look. every: patients between looks.
        theta_l: thresholds of PP to try. theta_u: threshold of PP for stopping as positive; 1: never.
    """
    for total in sizes:
        found: list[Predictive] = []
        most = total if theta_u < 1.0 else int((stats.binom.sf(np.arange(total), total, p1) >= 1.0 - beta).sum())
        for low in theta_l:
            for needed in range(most, 0, -1):  # fewer responders needed: both the type I error and the power grow
                design = design_of(look_sizes(first, every, total), needed, p0, p1, prior, low, theta_u)
                if design.type1 > alpha:
                    break
                if design.power >= 1.0 - beta:
                    found.append(design)
        if found:
            return min(found, key=lambda design: (-round(design.power, 12), design.expected_n))
    return None
