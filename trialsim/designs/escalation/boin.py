"""The Bayesian optimal interval design (BOIN; Liu & Yuan, J R Stat Soc C 2015;64:507-523) and TITE-BOIN.

With y of n patients at the present level having a DLT: up if y/n <= lambda_e, down if y/n >= lambda_d, else the same level. The
level and all above are barred once n >= 3 and P(p > target | y, n) exceeds a limit (uniform prior); with the lowest barred, the
trial stops without an MTD. It also stops once enough patients have been treated, or enough at the level that would come next. The
MTD is the level whose DLT rate, by isotonic regression over the levels that were tried and are not barred, is nearest the target.
The decision falls on the day on which the last patient treated has been judged, or on which the lowest level is barred.

    lambda_e = log((1 - phi1) / (1 - phi)) / log(phi (1 - phi1) / (phi1 (1 - phi)))        phi: target
    lambda_d = log((1 - phi) / (1 - phi2)) / log(phi2 (1 - phi) / (phi (1 - phi2)))        phi1, phi2: rates too low, too high

TITE-BOIN (Yuan et al., Clin Cancer Res 2018;24:4921-4930) decides on the day on which a patient comes. With c of n patients not
judged yet and S their follow-up in windows (standardised total follow-up time, STFT), the expected number of their DLTs is added,

    p_hat = (y + q / (1 - q) (c - S)) / n,    q = (y + phi / 2) / (n - c + 1)         (prior Beta(phi / 2, 1 - phi / 2))

and p_hat takes the place of y/n; up only while y/n < phi, down only once y/n >= phi. If y/n >= lambda_d already, down, whatever the
others will have, if there is a level below; else, with too many not judged (more than half, in the paper), the trial waits. For
barring a level, c count as free of DLT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from trialsim.designs.escalation.conduct import Choice, Conduct, Seen, conduct
from trialsim.designs.escalation.played import Played
from trialsim.designs.escalation.queue import Queue
from trialsim.designs.escalation.tite import TimeToEvent, must_wait, weights

ENOUGH_TO_BAR = 3  # patients at a level before it can be barred
DOWN, STAY, UP = -1, 0, 1


class BOIN(NamedTuple):
    """Attributes:
    target: DLT rate sought, phi, 0-1. low, high: phi1 and phi2 as multiples of the target.
    cohort: patients a step. max_patients: of the escalation, without those replaced.
    max_at_level: patients at the level that would come next at which the trial stops; None: no limit.
    toxic_limit: P(rate above target) above which a level is barred, 0-1.
    tite: None: all patients of a cohort are judged before the next one starts. how: start, accrual, backfilling, expansion.
    """

    target: float
    cohort: int
    max_patients: int
    max_at_level: int | None = None
    low: float = 0.6
    high: float = 1.4
    toxic_limit: float = 0.95
    tite: TimeToEvent | None = None
    how: Conduct = Conduct()


class Boundaries(NamedTuple):
    """lambda_e, lambda_d: DLT rates at which the dose goes up and down."""

    lambda_e: float
    lambda_d: float


class DecisionTable(NamedTuple):
    """Attributes, by number of patients at the level, all (rows,):
    patients. up: most DLTs with which the dose goes up. down: fewest with which it goes down. bar: fewest with which the level is
        barred, -1 if none are enough.
    """

    patients: np.ndarray
    up: np.ndarray
    down: np.ndarray
    bar: np.ndarray


class Selection(NamedTuple):
    """mtd: index of the level, -1 if none is admissible, (...,). p: isotonic estimate, NaN at levels not tried, (..., levels)."""

    mtd: np.ndarray
    p: np.ndarray


def boundaries(target: float, low: float = 0.6, high: float = 1.4) -> Boundaries:
    """lambda_e and lambda_d; arguments as in `BOIN`."""
    split = lambda a, b: np.log((1.0 - a) / (1.0 - b)) / np.log(b * (1.0 - a) / (a * (1.0 - b)))
    return Boundaries(float(split(low * target, target)), float(split(target, high * target)))


def chance_too_toxic(toxic: ArrayLike, patients: ArrayLike, target: float) -> np.ndarray:
    """P(p > target) after ``toxic`` of ``patients``, uniform prior."""
    toxic, patients = np.asarray(toxic), np.asarray(patients)
    return stats.beta.sf(target, toxic + 1.0, patients - toxic + 1.0)


def barred(toxic: ArrayLike, patients: ArrayLike, target: float, limit: float) -> np.ndarray:
    """Whether a level is too toxic to be used again."""
    return (np.asarray(patients) >= ENOUGH_TO_BAR) & (chance_too_toxic(toxic, patients, target) > limit)


def decision_table(target: float, patients: ArrayLike, low: float = 0.6, high: float = 1.4, limit: float = 0.95) -> DecisionTable:
    """The rule for every number of DLTs; other arguments as in `BOIN`."""
    n = np.asarray(patients)
    bounds = boundaries(target, low, high)
    out = [next((y for y in range(m + 1) if barred(y, m, target, limit)), -1) for m in n]
    return DecisionTable(n, np.floor(bounds.lambda_e * n).astype(int), np.ceil(bounds.lambda_d * n).astype(int), np.array(out, int))


def decide(
    toxic: ArrayLike,
    patients: ArrayLike,
    target: float,
    low: float = 0.6,
    high: float = 1.4,
    pending: ArrayLike = 0,
    stft: ArrayLike = 0.0,
) -> np.ndarray:
    """DOWN, STAY or UP at a level, barring and suspension aside; any shape.

    Args:
        patients: n, with those not judged yet. pending: c. stft: S, windows.
    """
    y, n, c = (np.asarray(count, float) for count in (toxic, patients, pending))
    bounds = boundaries(target, low, high)
    q = (y + 0.5 * target) / (n - c + 1.0)
    some = np.maximum(n, 1.0)
    expected = np.where(c > 0, q / (1.0 - q) * (c - stft), 0.0)
    rate = (y + expected) / some
    up = (rate <= bounds.lambda_e) & (y < target * some)
    down = (rate >= bounds.lambda_d) & (y >= target * some)
    return np.where(n == 0, STAY, np.where(up, UP, np.where(down, DOWN, STAY)))


def isotonic(rate: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted isotonic regression along the last axis; NaN where the weight is 0.

    max over a <= j of min over b >= j of the weighted mean of a to b (Robertson, Wright & Dykstra, Order Restricted Statistical
    Inference, 1988, section 1.4).
    """
    levels = rate.shape[-1]
    total = lambda x: np.concatenate([np.zeros((*x.shape[:-1], 1)), np.cumsum(x, axis=-1)], axis=-1)
    sums, weights_ = total(np.where(weight > 0, weight * rate, 0.0)), total(weight)
    found = np.full(rate.shape, np.nan)
    for j in range(levels):
        lowest = np.full(rate.shape[:-1], -np.inf)
        for a in range(j + 1):
            size = weights_[..., j + 1 :] - weights_[..., a, None]
            mean = (sums[..., j + 1 :] - sums[..., a, None]) / np.where(size > 0, size, 1.0)
            lowest = np.maximum(lowest, mean.min(axis=-1))
        found[..., j] = np.where(weight[..., j] > 0, lowest, np.nan)
    return found


def select_mtd(toxic: ArrayLike, patients: ArrayLike, target: float, limit: float = 0.95) -> Selection:
    """The MTD from all patients judged.

    Rates (y + 0.05) / (n + 0.1), weighted by the inverse variance of Beta(y + 0.05, n - y + 0.05), made to rise with the level.
    Of two levels equally near the target, the higher one if they lie below it, the lower one if above.

    Args:
        toxic, patients: at each level, (..., levels). limit: as ``toxic_limit`` of `BOIN`.
    """
    y, n = np.asarray(toxic, float), np.asarray(patients, float)
    levels = np.arange(n.shape[-1])
    tried = (n > 0) & ~np.maximum.accumulate(barred(y, n, target, limit), axis=-1)
    a, b = y + 0.05, n - y + 0.05
    p = isotonic(a / (a + b), np.where(n > 0, (a + b) ** 2 * (a + b + 1.0) / (a * b), 0.0))
    away = np.where(tried, np.abs(p + 1e-10 * levels - target), np.inf)
    return Selection(np.where(tried.any(axis=-1), away.argmin(axis=-1), -1), p)


def choose(seen: Seen, rule: BOIN) -> Choice:
    """The next cohort."""
    judged, toxic, pending = (seen.here(counts) for counts in (seen.judged, seen.toxic, seen.pending))
    patients = judged + pending
    stft, certain = np.zeros(len(judged)), np.zeros(len(judged), bool)
    if rule.tite is None:
        patients, pending = judged, np.zeros_like(judged)
    else:
        stft = np.where(seen.open_level == seen.level[:, None], weights(seen, rule.tite), 0.0).sum(axis=1)
        certain = (seen.level > 0) & (toxic >= boundaries(rule.target, rule.low, rule.high).lambda_d * np.maximum(patients, 1))
    out = barred(seen.toxic, seen.judged + (0 if rule.tite is None else seen.pending), rule.target, rule.toxic_limit)
    ceiling = np.minimum(seen.ceiling, np.where(out.any(axis=1), out.argmax(axis=1), out.shape[1]))
    move = decide(toxic, patients, rule.target, rule.low, rule.high, pending, stft)
    if rule.tite is not None:
        move = np.where((move == UP) & (judged < rule.tite.min_judged), STAY, move)
    none = ceiling == 0
    level = np.clip(seen.level + move, 0, np.maximum(ceiling - 1, 0))
    last = seen.used >= rule.max_patients
    if rule.max_at_level is not None:
        last |= seen.here(seen.judged, level) + seen.here(seen.pending, level) >= rule.max_at_level
    mtd = np.where(none, -1, select_mtd(seen.toxic, seen.judged, rule.target, rule.toxic_limit).mtd)
    stop = none | last
    waits = must_wait(seen, rule.tite, last)
    wait = np.where(last, waits, waits & ~certain) & ~(none & (rule.tite is not None))
    places = np.maximum(np.minimum(rule.cohort, rule.max_patients - seen.used), 1)
    return Choice(wait, stop, np.where(stop, mtd, level), places, ceiling)


def play(queue: Queue, rule: BOIN) -> Played:
    """All replicates of a queue."""
    first = min(rule.cohort, rule.max_patients)
    return conduct(queue, rule.how, lambda seen: choose(seen, rule), first, whole_cohorts=rule.tite is None)
