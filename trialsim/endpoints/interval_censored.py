"""Time to an event known only to lie between two visits: Turnbull's estimate of its distribution, and a Weibull fit.

Kaplan-Meier dates a progression at the scan that shows it, hence too late, by half a scan interval or so (Panageas, J Natl Cancer
Inst 2007;99:428-32). Here an observation is what is known: later than ``low``, not later than ``high``. ``low == high``: exact (a
death); ``low`` 0: found at the first visit; ``high`` inf: not yet. As in Kaplan-Meier, censoring at t comes after an event at t.

A death without observed progression is an exact event, as in progression-free survival; that the patient may have progressed
unseen between the last scan and death is left aside (an illness-death model would tell: Joly, Biostatistics 2002;3:433-43).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from trialsim.endpoints.estimate import Estimate
from trialsim.endpoints.survival import TIE

TOLERANCE = 1e-9
"""Largest excess of a Kuhn-Tucker ratio over 1; n times this bounds what the log-likelihood could still gain."""
MAX_STEPS = 5000
SHAPES = (0.02, 50.0)
"""Weibull shapes that are searched. Where an end of the range does as well as any shape, no finite maximum exists."""
DAY_0 = 0.5
"""A Weibull time is positive: an event on day 0 counts as one at this day."""


class Turnbull(NamedTuple):
    """Non-parametric maximum likelihood estimate: how much probability lies in each innermost interval.

    Where within the interval it lies the data do not tell.

    Attributes:
        low, high: the intervals (low, high], or the point low == high, ascending; the last ``high`` may be inf, days, (intervals,).
        probability: of each, sums to 1, (intervals,).
        n: patients.
        excess: largest Kuhn-Tucker ratio less 1, see `turnbull`; at most `TOLERANCE` if converged.
    """

    low: np.ndarray
    high: np.ndarray
    probability: np.ndarray
    n: int
    excess: float


class Weibull(NamedTuple):
    """Survival S(t) = exp(-(t / scale)^shape), fitted by maximum likelihood; NaN where no finite maximum exists.

    Attributes:
        shape: > 1: the hazard rises. scale: days.
        log_likelihood: at the maximum.
        median: days, with the likelihood-ratio interval.
    """

    shape: float
    scale: float
    log_likelihood: float
    median: Estimate


def turnbull(low: np.ndarray, high: np.ndarray) -> Turnbull:
    """Non-parametric maximum likelihood estimate from interval-censored times.

    The probability p lies in the innermost intervals, those from a left end to the next right end with no other end between
    (Turnbull, J R Stat Soc B 1976;38:290-5). With A_ij = 1 if interval j lies in observation i,

        log L = sum_i log q_i,   q_i = sum_j A_ij p_j;    r_j = sum_i A_ij / q_i / n

    p is the maximum if and only if r_j <= 1 everywhere and r_j = 1 where p_j > 0 (Gentleman & Geyer, Biometrika 1994;81:618-23).
    Each round takes a self-consistency (EM) step p_j r_j and a step of the iterative convex minorant (Wellner & Zhan, J Am Stat
    Assoc 1997;92:945-59; damped as by Jongbloed, J Comput Graph Stat 1998;7:310-21), until every r_j <= 1 + `TOLERANCE`.

    Args:
        low, high: days, 0 <= low <= high, low finite, (patients,), at least one.
    """
    low, high, count = _distinct(low, high)
    left, right = _innermost(low, high)
    # each observation covers intervals first..last: A never has to be written down
    first = np.where(low == high, np.searchsorted(right, low, side="left"), np.searchsorted(right, low, side="right"))
    last = np.searchsorted(right, high, side="right") - 1
    weight, size = count / count.sum(), len(left)
    p = np.full(size, 1.0 / size)
    for _ in range(MAX_STEPS):
        r = _ratios(p, first, last, weight)
        if np.max(r) <= 1.0 + TOLERANCE:
            break
        p = _convex_minorant_step(p * r, first, last, weight)
    kept = p > TOLERANCE
    return Turnbull(left[kept], right[kept], p[kept] / p[kept].sum(), int(count.sum()), float(np.max(r) - 1.0))


def survival_at(fit: Turnbull, day: np.ndarray) -> np.ndarray:
    """Probability of being free of the event at each day, evenly spread within an innermost interval; NaN in the last, open one."""
    day = np.asarray(day, float)[..., None]
    width = np.where(np.isfinite(fit.high), fit.high - fit.low, np.inf)
    inside = np.where(width > 0, (day - fit.low) / np.where(width > 0, width, 1.0), day >= fit.high)
    survival = 1.0 - np.sum(fit.probability * np.clip(inside, 0.0, 1.0), axis=-1)
    return np.where(np.any(np.isinf(fit.high) & (day > fit.low), axis=-1), np.nan, survival)


def median(fit: Turnbull) -> Estimate:
    """Median time, days: linear within the innermost interval that it falls in; NaN if not reached.

    No interval: the estimate converges at rate n^(1/3) where visits are spread over days, and then the bootstrap is not valid
    (Abrevaya & Huang, Econometrica 2005;73:1175-204). `weibull` has one.
    """
    after = np.cumsum(fit.probability)
    j = int(np.argmax(after >= 0.5 - TIE))
    share = (0.5 - (after[j] - fit.probability[j])) / fit.probability[j]
    found = fit.low[j] + min(share, 1.0) * (fit.high[j] - fit.low[j]) if np.isfinite(fit.high[j]) else np.nan
    return Estimate(float(found), np.nan, np.nan, fit.n, "Turnbull, linear between scans")


def detection_delay(fit: Turnbull, low: np.ndarray, high: np.ndarray) -> Estimate:
    """How long after it happened an event was found, days: mean of high - E[T | low < T <= high] over those not seen to the day.

    T is distributed as fitted to the same data, evenly within an innermost interval. ``n`` counts the events; NaN if there is none.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    found = (low < high) & np.isfinite(high)
    if not found.any():
        return Estimate(np.nan, np.nan, np.nan, 0, "Turnbull, mean")
    middle = np.where(np.isfinite(fit.high), 0.5 * (fit.low + fit.high), 0.0)
    span = np.searchsorted(fit.high, low[found], side="right"), np.searchsorted(fit.high, high[found], side="right") - 1
    mean = _observed(fit.probability * middle, *span) / _observed(fit.probability, *span)
    return Estimate(float(np.mean(high[found] - mean)), np.nan, np.nan, int(found.sum()), "Turnbull, mean")


def weibull(low: np.ndarray, high: np.ndarray, level: float = 0.95) -> Weibull:
    """Maximum likelihood Weibull fit to interval-censored times, with the likelihood-ratio interval of its median m.

        H(t) = ln 2 (t / m)^k;   log L = sum_exact [log k + log H(t) - log t - H(t)] + sum_others log(exp(-H(low)) - exp(-H(high)))

    The log-likelihood is concave in (k, k log m) (Burridge, J R Stat Soc B 1981;43:41-5), so what the simplex finds is the maximum.
    The interval holds the medians with 2 (max log L - max_k log L(m, k)) <= the chi-squared quantile (Meeker & Escobar, Statistical
    Methods for Reliability Data, 1998, section 8.3); an end beyond 100 times the estimate, or below a hundredth, counts as not
    reached: NaN. All is NaN where no finite maximum exists: no event, or events that a single point explains, or a share of
    patients who never progress; for example when all progress between the same two visits.

    `scipy.stats.weibull_min.fit` has the same likelihood. It is not used because it takes no weights, which a cohort of a million
    needs, and where there is no maximum it gives an arbitrary answer.

    Args:
        low, high: days, 0 <= low <= high, low finite, (patients,), at least one. level: coverage of the interval.
    """
    low, high, count = _distinct(low, high)
    n, method = int(count.sum()), "Weibull, likelihood-ratio interval"
    nothing = Weibull(np.nan, np.nan, np.nan, Estimate(np.nan, np.nan, np.nan, n, method))
    some = np.isfinite(high)
    if not some.any():
        return nothing
    start = np.log(np.average(np.maximum(np.where(some, 0.5 * (low + high), low), DAY_0), weights=count))
    shapes = np.log(SHAPES)

    def cost(log_m: float, log_k: float) -> float:
        return -_log_likelihood(log_m, np.exp(log_k), low, high, count)

    options = dict(xatol=1e-8, fatol=1e-10, maxiter=2000, maxfev=2000)
    space = (None, None), shapes
    simplex = optimize.minimize(lambda x: cost(*x), (start, 0.0), method="Nelder-Mead", bounds=space, options=options)
    (log_m, log_k), lowest = simplex.x, simplex.fun

    def excess(shift: float) -> float:
        return _lowest(lambda log_k: cost(log_m + shift, log_k), shapes) - lowest - 0.5 * stats.chi2.ppf(level, 1)

    at_an_end = [_lowest(lambda x, at=at: cost(x, at), (start - 200 / np.exp(at), start + 200 / np.exp(at))) for at in shapes]
    if not simplex.success or min(at_an_end) < lowest + 1e-6:
        return nothing

    def limit(side: float) -> float:
        far = side * 0.05
        while excess(far) < 0:
            far *= 2.0
            if abs(far) > np.log(100.0):
                return np.nan
        return float(np.exp(log_m + optimize.brentq(excess, 0.0, far, xtol=1e-6)))

    shape, middle = float(np.exp(log_k)), float(np.exp(log_m))
    estimate = Estimate(middle, limit(-1.0), limit(1.0), n, method)
    return Weibull(shape, float(middle * np.log(2.0) ** (-1.0 / shape)), float(-lowest), estimate)


def _distinct(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct observations, checked, and how many patients share each."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    if low.size == 0:
        raise ValueError("an interval-censored estimate needs at least one patient")
    if not (np.all(np.isfinite(low)) and np.all(low >= 0) and np.all(low <= high)):
        raise ValueError("interval-censored times must be 0 <= low <= high, with low finite")
    pairs, count = np.unique(np.column_stack([low, high]), axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], count


def _innermost(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Innermost intervals, ascending: a left end directly followed by a right end.

    At one day the order is: left end of an exact time, right ends, left ends of intervals, which exclude that day.
    """
    day = np.concatenate([low, high])
    rank = np.concatenate([np.where(low == high, 0, 2), np.ones(len(high), int)])
    order = np.lexsort((rank, day))
    day, is_right = day[order], rank[order] == 1
    j = np.flatnonzero(~is_right[:-1] & is_right[1:])
    return day[j], day[j + 1]


def _observed(p: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Sum of p over the intervals first..last of each observation: its probability q."""
    upto = np.concatenate([[0.0], np.cumsum(p)])
    return upto[last + 1] - upto[first]


def _ratios(p: np.ndarray, first: np.ndarray, last: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Kuhn-Tucker ratio r of each innermost interval; weight: share of the patients with each observation."""
    v, size = weight / _observed(p, first, last), len(p) + 1
    return np.cumsum(np.bincount(first, v, size) - np.bincount(last + 1, v, size))[:-1]


def _convex_minorant_step(p: np.ndarray, first: np.ndarray, last: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """One step of the iterative convex minorant on the cumulative probabilities, halved until the likelihood does not fall."""
    size = len(p)
    q = _observed(p, first, last)
    at = lambda end, v: np.bincount(end, v, size + 1)[1:size]  # only the inner cumulative probabilities are free
    slope = at(last + 1, weight / q) - at(first, weight / q)
    curvature = at(last + 1, weight / q**2) + at(first, weight / q**2)
    now = np.cumsum(p)[:-1]
    target = now + slope / curvature
    aim = np.clip(optimize.isotonic_regression(target, weights=curvature).x, 0.0, 1.0) if size > 1 else now
    move = np.diff(aim - now, prepend=0.0, append=0.0)
    value, step = weight @ np.log(q), 1.0
    while step > 1e-6:
        moved = np.maximum(p + step * move, 0.0)
        seen = _observed(moved, first, last)
        if np.all(seen > 0) and weight @ np.log(seen) >= value:
            return moved / moved.sum()
        step *= 0.5
    return p


def _lowest(cost: Callable[[float], float], bounds: tuple[float, float]) -> float:
    """Least value of a function with one minimum."""
    return optimize.minimize_scalar(cost, bounds=bounds, method="bounded", options=dict(xatol=1e-6)).fun


def _log_likelihood(log_m: float, k: float, low: np.ndarray, high: np.ndarray, count: np.ndarray) -> float:
    """Weibull log-likelihood at shape k and the logarithm of the median m; see `weibull`."""
    exact = low == high
    with np.errstate(divide="ignore"):  # log 0 at day 0: no hazard yet; an impossible interval: minus infinity
        z = lambda day: k * (np.log(day) - log_m)
        hazard = lambda day: np.log(2.0) * np.exp(np.minimum(z(day), 700.0))  # cumulative; capped short of overflow
        day, before = np.maximum(low[exact], DAY_0), hazard(low[~exact])
        by = np.where(np.isinf(high[~exact]), np.inf, hazard(high[~exact]))
        density = np.log(k * np.log(2.0) / day) + z(day) - hazard(day)
        return float(count[exact] @ density + count[~exact] @ (np.log(-np.expm1(before - by)) - before))
