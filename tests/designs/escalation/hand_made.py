"""Queues written by hand, and the exact distribution of the MTD of designs that go cohort by cohort."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from scipy import stats

from trialsim.designs.escalation.queue import Queue

WINDOW = 28.0


def queue(dlt, gap: float = 1.0, evaluable=None, dlt_day: float = 14.0, leave_day: float = 7.0, response=None) -> Queue:
    """Patients ``gap`` days apart, DLTs on one day. ``dlt``, ``evaluable``, ``response``: (patients, levels) or with replicates."""
    dlt = np.array(dlt, bool)
    dlt = dlt[None] if dlt.ndim == 2 else dlt
    judged = np.ones_like(dlt) if evaluable is None else np.broadcast_to(np.array(evaluable, bool), dlt.shape)
    arrival = np.broadcast_to(gap * np.arange(dlt.shape[1]), dlt.shape[:2])
    day = np.where(dlt & judged, dlt_day, np.inf)
    known = np.where(judged, np.minimum(day, WINDOW), leave_day)
    return Queue(arrival, day, judged, known, None if response is None else np.broadcast_to(np.array(response, bool), dlt.shape))


def always(patients: int, first_toxic_level: int, levels: int = 4) -> np.ndarray:
    """DLTs of everybody from a level on."""
    return np.broadcast_to(np.arange(levels) >= first_toxic_level, (patients, levels))


# level of the last cohort, lowest barred level, patients and DLTs by level, DLTs and patients of the last cohort
State = tuple[int, int, tuple[int, ...], tuple[int, ...], int, int]
# ("treat", level, patients, barred) or ("stop", MTD)
Rule = Callable[[State], tuple]


def exact_mtd(rates, first: int, rule: Rule, start: int = 0) -> np.ndarray:
    """Probability of each MTD: none, level 0, 1, ... Every path of every trial is followed."""
    levels = len(rates)
    found = np.zeros(levels + 1)
    waiting = {(start, levels, (0,) * levels, (0,) * levels, first): 1.0}  # a cohort about to be treated
    while waiting:
        reached: dict = defaultdict(float)
        for (level, barred, n, y, size), chance in waiting.items():
            for toxic in range(size + 1):
                here = chance * stats.binom.pmf(toxic, size, rates[level])
                add = lambda counts, more: (*counts[:level], counts[level] + more, *counts[level + 1 :])  # noqa: B023
                decision = rule((level, barred, add(n, size), add(y, toxic), toxic, size))
                if decision[0] == "stop":
                    found[decision[1] + 1] += here
                else:
                    reached[(decision[1], decision[3], add(n, size), add(y, toxic), decision[2])] += here
        waiting = reached
    return found


def assert_distributed(mtd: np.ndarray, exact: np.ndarray, false_alarm: float = 1e-4) -> None:
    """Chi-square test of simulated MTDs (-1: none) against exact probabilities; cells that expect fewer than five are joined."""
    seen = np.bincount(mtd + 1, minlength=len(exact)).astype(float)
    assert not seen[exact == 0].any()
    few = exact * len(mtd) < 5
    join = lambda x: np.append(x[~few], x[few].sum())
    observed, expected = join(seen), join(exact * len(mtd))
    keep = expected > 0
    statistic = np.sum((observed[keep] - expected[keep]) ** 2 / expected[keep])
    assert statistic < stats.chi2.isf(false_alarm, keep.sum() - 1), (seen / len(mtd), exact)
