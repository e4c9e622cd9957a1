"""Two-stage designs: optimal, minimax (Simon, Control Clin Trials 1989;10:1-10), admissible (Jung et al., Stat Med 2004;23:561-9).

Stage 1 treats n1 patients and ends as negative if r1 or fewer respond; else n patients in all are treated, and the trial is
positive if more than r respond. Among all designs with type I error <= alpha at p0 and power >= 1 - beta at p1,

    EN0 = n1 + (1 - PET0) (n - n1),    PET0 = P(X1 <= r1 | p0)

optimal has the least EN0; minimax the least n, and of those the least EN0; admissible minimises q n + (1 - q) EN0 for some
weight q in [0, 1]: the corners of the lower convex hull of (n, EN0), from minimax (q = 1) to optimal (q = 0).

The search visits n upwards and keeps a design only if its EN0 beats that of every smaller n: no other can be any of the three.
It is exhaustive; three facts save work. A single test of n patients at level alpha, randomised on its boundary, has the most
power of all tests (Neyman & Pearson), so that an n is skipped where even this is too little. P(X1 <= r1 | p1) <= beta limits r1.
EN0 does not depend on r, so that (n1, r1) with too large an EN0 are skipped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special, stats

from trialsim.designs.single_arm.binomial import Looks, looks, stops


class TwoStage(NamedTuple):
    """Futility if <= `r1` of `n1` respond, positive if > `r` of `n`. en0, pet0: under p0; type1, power: attained, exact."""

    r1: int
    n1: int
    r: int
    n: int
    en0: float
    pet0: float
    type1: float
    power: float

    @property
    def looks(self) -> Looks:
        return two_stage_looks(self.r1, self.n1, self.r, self.n)


class Admissible(NamedTuple):
    """A two-stage design and the weights q of the maximal size, from `low` to `high`, for which it is best."""

    design: TwoStage
    low: float
    high: float


def two_stage_looks(r1: int, n1: int, r: int, n: int) -> Looks:
    """A two-stage design as looks: no stop for efficacy at the first."""
    return looks([n1, n], [r1, r], [n1 + 1, r + 1])


def two_stage(r1: int, n1: int, r: int, n: int, p0: float, p1: float) -> TwoStage:
    """What a given design does at two response rates."""
    null, hope = stops(two_stage_looks(r1, n1, r, n), p0), stops(two_stage_looks(r1, n1, r, n), p1)
    return TwoStage(r1, n1, r, n, null.expected_n, float(null.negative[0]), float(null.positive[1]), float(hope.positive[1]))


def frontier(p0: float, p1: float, alpha: float, beta: float, max_patients: int = 120) -> list[TwoStage]:
    """The design of least EN0 for each n that improves on every smaller n: minimax first, optimal last. Empty if there is none.

    Args:
        p0: highest uninteresting response rate. p1: promising rate, > p0. alpha, beta: limits of type I and type II error.
        max_patients: largest n searched.
    """
    null, hope = _table(p0, max_patients), _table(p1, max_patients)
    sizes = np.arange(max_patients + 1)
    largest_r1 = (hope.cdf <= beta).sum(axis=1) - 1  # by n1; -1: even no responder at all is too likely under p1
    found: list[TwoStage] = []
    for n in range(2, max_patients + 1):
        r_power = int((hope.sf[n] >= 1.0 - beta).sum()) - 1  # larger r has too little power, whatever happens at stage 1
        if r_power < 0 or _best_power(n, p0, p1, alpha) < 1.0 - beta:
            continue
        best = found[-1].en0 if found else np.inf
        r1s = np.arange(largest_r1.max() + 1)
        expected = sizes[1:n, None] + (1.0 - null.cdf[1:n, : len(r1s)]) * (n - sizes[1:n, None])  # (n1, r1)
        worth = (r1s <= largest_r1[1:n, None]) & (expected < best)
        design = None
        for n1 in (np.flatnonzero(worth.any(axis=1)) + 1).tolist():
            candidates = r1s[worth[n1 - 1] & (expected[n1 - 1] < best)]
            if len(candidates) == 0:
                continue
            error = null.passes(n1, n, r_power)[candidates]  # (r1, r)
            power = hope.passes(n1, n, r_power)[candidates]
            r = np.argmax(error <= alpha, axis=1)  # the smallest has the most power
            row = np.arange(len(candidates))
            good = np.flatnonzero((error[row, r] <= alpha) & (power[row, r] >= 1.0 - beta))
            if len(good):
                i = good[np.argmin(expected[n1 - 1, candidates[good]])]
                best = float(expected[n1 - 1, candidates[i]])
                pet = float(null.cdf[n1, candidates[i]])
                r1, final = int(candidates[i]), int(max(r[i], candidates[i]))
                design = TwoStage(r1, n1, final, n, best, pet, float(error[i, r[i]]), float(power[i, r[i]]))
        if design is not None:
            found.append(design)
    return found


def minimax(p0: float, p1: float, alpha: float, beta: float, max_patients: int = 120) -> TwoStage | None:
    """Simon's minimax design, None if there is none of at most `max_patients`; arguments as in `frontier`."""
    return next(iter(frontier(p0, p1, alpha, beta, max_patients)), None)


def optimal(p0: float, p1: float, alpha: float, beta: float, max_patients: int = 120) -> TwoStage | None:
    """Simon's optimal design, None if there is none of at most `max_patients`; arguments as in `frontier`."""
    return next(reversed(frontier(p0, p1, alpha, beta, max_patients)), None)


def admissible(p0: float, p1: float, alpha: float, beta: float, max_patients: int = 120) -> list[Admissible]:
    """All admissible designs with their weights, minimax first and optimal last; arguments as in `frontier`."""
    hull: list[TwoStage] = []
    for design in frontier(p0, p1, alpha, beta, max_patients):
        while len(hull) > 1 and _weight(hull[-1], design) >= _weight(hull[-2], hull[-1]):
            hull.pop()
        hull.append(design)
    if not hull:
        return []
    change = [_weight(small, large) for small, large in zip(hull[:-1], hull[1:], strict=True)]
    return [Admissible(*triple) for triple in zip(hull, [*change, 0.0], [1.0, *change], strict=True)]


def _weight(small: TwoStage, large: TwoStage) -> float:
    """The q at which two designs are equally good: below it, the one with the larger n and smaller EN0 is better."""
    saved = small.en0 - large.en0
    return saved / (saved + large.n - small.n)


def _best_power(n: int, p0: float, p1: float, alpha: float) -> float:
    """Power of the most powerful test of n patients at level alpha, randomised at its boundary."""
    x = np.arange(n + 1)
    tail = stats.binom.sf(x, n, p0)
    r = int(np.argmax(tail <= alpha))
    share = (alpha - tail[r]) / stats.binom.pmf(r, n, p0)
    return float(stats.binom.sf(r, n, p1) + share * stats.binom.pmf(r, n, p1))


class _Table(NamedTuple):
    """Binomial probabilities of one rate for all sizes: pmf, cdf = P(X <= x), sf = P(X > x), each (size + 1, size + 1)."""

    pmf: np.ndarray
    cdf: np.ndarray
    sf: np.ndarray

    def passes(self, n1: int, n: int, r_max: int) -> np.ndarray:
        """P(X1 > r1, X > r) for r1 = 0 .. n1 and r = 0 .. r_max."""
        n2 = n - n1
        padded = np.concatenate([np.ones(n1), self.sf[n2, : n2 + 1], np.zeros(max(0, r_max - n2))])
        later = np.lib.stride_tricks.sliding_window_view(padded, r_max + 1)[: n1 + 1][::-1]  # [x1, r] = P(X2 > r - x1)
        joint = self.pmf[n1, : n1 + 1, None] * later
        return np.flip(np.cumsum(np.flip(joint, axis=0), axis=0), axis=0) - joint


def _table(rate: float, size: int) -> _Table:
    n, x = np.arange(size + 1)[:, None], np.arange(size + 1)[None, :]
    rest = np.maximum(n - x, 0)
    log = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(rest + 1) + x * np.log(rate) + rest * np.log1p(-rate)
    pmf = np.where(x <= n, np.exp(log), 0.0)
    sf = np.flip(np.cumsum(np.flip(pmf, axis=1), axis=1), axis=1) - pmf
    return _Table(pmf, np.minimum(np.cumsum(pmf, axis=1), 1.0), sf)
