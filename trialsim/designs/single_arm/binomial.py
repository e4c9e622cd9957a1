"""Exact binomial trials with one or more looks: a recursion over the responders seen at each.

A look after n_k patients stops for futility if x <= r_k and for efficacy if x >= b_k. With f_k(x) the probability of reaching
look k with x responders (Schultz, Nichol, Elfring & Weed, Biometrics 1973;29:293-300),

    f_1(x) = b(x; n_1, p),    f_k(x) = sum_{r_{k-1} < y < b_{k-1}} f_{k-1}(y) b(x - y; n_k - n_{k-1}, p)

b: binomial probability; p: response rate. At the last look the trial is positive if x >= b and negative otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats


class Looks(NamedTuple):
    """When a trial looks at its responses, and what it does then; arrays of whole numbers, (looks,).

    Attributes:
    n: patients whose response is known, increasing.
    futility: stop as negative if responders <= it; -1: never.
    efficacy: stop as positive if responders >= it; n + 1: never.
    """

    n: np.ndarray
    futility: np.ndarray
    efficacy: np.ndarray


class Stops(NamedTuple):
    """Probabilities of stopping at each look, (looks,), and the expected number of patients.

    What `negative` and `positive` leave of 1 ends at the last look between its bounds, without a claim.
    """

    negative: np.ndarray
    positive: np.ndarray
    expected_n: float


class SingleStage(NamedTuple):
    """A trial without a look: positive if more than `r` of `n` respond. type1, power: exact."""

    n: int
    r: int
    type1: float
    power: float

    @property
    def looks(self) -> Looks:
        return looks([self.n], [self.r], [self.r + 1])


def looks(n: list[int], futility: list[int], efficacy: list[int]) -> Looks:
    """`Looks` from lists, checked."""
    made = Looks(*(np.asarray(values, int) for values in (n, futility, efficacy)))
    if not len(made.n) == len(made.futility) == len(made.efficacy) or len(made.n) == 0:
        raise ValueError("n, futility and efficacy must have one entry a look")
    if made.n[0] < 1 or np.any(np.diff(made.n) < 1):
        raise ValueError(f"patients must increase from look to look, got {made.n.tolist()}")
    if np.any(made.futility >= made.efficacy):
        raise ValueError(f"futility must lie below efficacy, got {made.futility.tolist()} and {made.efficacy.tolist()}")
    return made


def reached(design: Looks, rate: float, first: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """f_k(x) of each look in turn, (n_k + 1,).

    Args:
        rate: response rate. first: what to start from instead of the binomial probabilities at the first look, (n_1 + 1,);
            the recursion is linear in it.
    """
    here = stats.binom.pmf(np.arange(design.n[0] + 1), design.n[0], rate) if first is None else first
    for k, n in enumerate(design.n):
        yield here
        if k + 1 < len(design.n):
            more = design.n[k + 1] - n
            here = np.convolve(np.where(_stays(design, k), here, 0.0), stats.binom.pmf(np.arange(more + 1), more, rate))


def _stays(design: Looks, k: int) -> np.ndarray:
    x = np.arange(design.n[k] + 1)
    return (x > design.futility[k]) & (x < design.efficacy[k])


def stops(design: Looks, rate: float) -> Stops:
    """Where a trial ends when the response rate is `rate`."""
    negative, positive = [], []
    for k, here in enumerate(reached(design, rate)):
        negative.append(here[: design.futility[k] + 1].sum())
        positive.append(here[design.efficacy[k] :].sum())
    ended = np.add(negative, positive)
    ended[-1] = 1.0 - ended[:-1].sum()
    return Stops(np.array(negative), np.array(positive), float(ended @ design.n))


def positive_probability(design: Looks, rate: float) -> float:
    """Probability of a positive trial: the type I error at an uninteresting rate, the power at a promising one."""
    return float(stops(design, rate).positive.sum())


def critical_value(n: int, p0: float, alpha: float) -> int:
    """Fewest responders of n that are significant: the smallest b with P(X >= b | p0) <= alpha, one-sided; n + 1 if none is."""
    tail = stats.binom.sf(np.arange(-1, n + 1), n, p0)
    return int(np.argmax(tail <= alpha))


def exact_power(n: int, p0: float, p1: float, alpha: float) -> float:
    """Power of the exact one-sided binomial test of p0 with n patients, if the rate is p1."""
    return float(stats.binom.sf(critical_value(n, p0, alpha) - 1, n, p1))


def single_stage(p0: float, p1: float, alpha: float, beta: float, options: int = 1, max_patients: int = 500) -> list[SingleStage]:
    """The smallest trials without a look that keep both error rates (A'Hern, Stat Med 2001;20:859-66).

    Power does not grow steadily with n, so that the sizes found need not follow each other.

    Args:
        p0: highest uninteresting response rate. p1: promising rate, > p0. alpha, beta: limits of type I and type II error.
        options: how many to return, smallest first. max_patients: largest n tried.
    """
    found: list[SingleStage] = []
    for n in range(1, max_patients + 1):
        r = critical_value(n, p0, alpha) - 1
        if r < n and (power := float(stats.binom.sf(r, n, p1))) >= 1.0 - beta:
            found.append(SingleStage(n, r, float(stats.binom.sf(r, n, p0)), power))
            if len(found) == options:
                break
    return found
