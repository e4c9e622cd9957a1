"""Exact intervals of proportions, and counts recovered from a published percentage and its interval."""

from __future__ import annotations

import re

import numpy as np
from scipy import stats


def clopper_pearson(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a proportion (Clopper and Pearson, Biometrika 1934;26:404).

    Args:
        events: number of events, 0 to n.
        n: patients, at least 1.
        level: two-sided confidence level.
    """
    if not 0 <= events <= n or n < 1:
        raise ValueError(f"events must lie between 0 and n, and n be positive; got {events} of {n}")
    tail = (1.0 - level) / 2.0
    low = 0.0 if events == 0 else float(stats.beta.ppf(tail, events, n - events + 1))
    high = 1.0 if events == n else float(stats.beta.ppf(1.0 - tail, events + 1, n - events))
    return low, high


def half_unit(text: str) -> float:
    """Half a unit of the last decimal of a number as written: 0.05 for ``"1.7"``, 0.5 for ``"61"``."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def count_from_percent(percent: float, n: int, tolerance: float) -> int | None:
    """The one count of events that a rounded percentage of ``n`` stands for, or None if none or several fit.

    Args:
        percent: as published, %.
        n: denominator.
        tolerance: half a unit of its last decimal, percentage points.
    """
    events = np.arange(n + 1)
    fits = events[np.abs(100.0 * events / n - percent) <= tolerance + 1e-9]
    return int(fits[0]) if len(fits) == 1 else None


def counts_from_interval(percent: str, low: str, high: str, largest: int = 400) -> tuple[int, int] | None:
    """Events and denominator whose rate and exact 95 % interval round to the published figures, if only one pair does.

    Args:
        percent, low, high: rate and interval as printed, %; their decimals say how they were rounded.
        largest: largest denominator to try.
    """
    wanted = [(float(text), half_unit(text) + 1e-9) for text in (low, high)]
    found = []
    for n in range(1, largest + 1):
        events = count_from_percent(float(percent), n, half_unit(percent))
        if events is None:
            continue
        exact = clopper_pearson(events, n)
        if all(abs(100.0 * value - target) <= slack for value, (target, slack) in zip(exact, wanted, strict=True)):
            found.append((events, n))
    return found[0] if len(found) == 1 else None


_NUMBER = r"\d+(?:\.\d+)?"
_INTERVAL = re.compile(rf"^\s*(?P<low>{_NUMBER})\s*-\s*(?P<high>{_NUMBER}|NE)\s*(?:\((?P<remark>[^)]*)\))?\s*$")


def split_interval(text: str) -> tuple[str, str, str] | None:
    """``"3.4-28.2 (90%)"`` to ``("3.4", "28.2", "90%")``; None if it is no interval."""
    match = _INTERVAL.match(text)
    return (match["low"], match["high"], match["remark"] or "") if match else None
