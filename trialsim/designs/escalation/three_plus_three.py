"""3+3 dose escalation (Storer, Biometrics 1989;45:925-937), with and without de-escalation.

Three patients a level; none with a DLT: up; one: three more, and up if it stays at one of six; two or more: the level is too
toxic. With de-escalation the level below is then filled up to six, and the MTD is the highest level with at most one DLT in six
patients. Without, the level below is the MTD as it stands, and so is the highest level once it is passed. (A level below that
nobody was treated at, under a start above the lowest level, is tried in either case.) Patients who cannot be judged for DLT are
replaced. The decision falls on the day on which the last patient of a cohort is judged. Patients of backfilling do not count:
the rule has no place for them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.escalation.conduct import Choice, Conduct, Seen, conduct
from trialsim.designs.escalation.played import Played
from trialsim.designs.escalation.queue import Queue

FULL = 6  # evaluable patients that settle a level
TOO_TOXIC = 2  # DLTs at a level that end its use


class ThreePlusThree(NamedTuple):
    """Attributes:
    deescalate: the level below one that is too toxic is filled up to six. cohort: patients a step.
    how: start, accrual, backfilling, expansion; patients who cannot be judged are replaced whatever it says.
    """

    deescalate: bool = True
    cohort: int = 3
    how: Conduct = Conduct()


def play(queue: Queue, rule: ThreePlusThree) -> Played:
    """All replicates of a queue."""
    return conduct(queue, always_replacing(rule.how), lambda seen: choose(seen, rule), rule.cohort)


def always_replacing(how: Conduct) -> Conduct:
    """The conduct of a rule for evaluable patients of the escalation only."""
    return how._replace(replace=True, backfill=how.backfill and how.backfill._replace(counts=False))


def choose(seen: Seen, rule: ThreePlusThree) -> Choice:
    """The next cohort, once all of the last one have been judged."""
    judged, toxic = seen.here(seen.judged), seen.here(seen.toxic)
    too_toxic = toxic >= TOO_TOXIC
    passed = ~too_toxic & ((judged >= FULL) | (toxic == 0))
    ceiling = np.where(too_toxic, seen.level, seen.ceiling)
    up = passed & (seen.level + 1 < ceiling)
    level = np.where(too_toxic, seen.level - 1, np.where(up, seen.level + 1, seen.level))
    enough = seen.here(seen.judged, level) >= (FULL if rule.deescalate else 1)
    stop = (too_toxic & ((level < 0) | enough)) | (passed & ~up & enough)
    places = np.minimum(rule.cohort, FULL - seen.here(seen.judged, level))
    return Choice(np.zeros_like(stop), stop, level, places, ceiling)


def probability_of_escalation(rate: float) -> float:
    """Exact probability that a level with DLT rate ``rate`` is passed: 0/3, or 1/3 then 0/3."""
    return (1.0 - rate) ** 3 + 3.0 * rate * (1.0 - rate) ** 5


def mtd_probabilities(rates: np.ndarray) -> np.ndarray:
    """Exact distribution of the MTD without de-escalation, escalating from the lowest level: none, level 1, ..., (levels + 1,).

    P(MTD = k) = product of the probabilities of passing levels 1 to k, times that of not passing the next (Storer 1989).
    """
    passed = np.array([probability_of_escalation(rate) for rate in rates])
    return np.cumprod([1.0, *passed]) * np.append(1.0 - passed, 1.0)
