"""Rolling six (Skolnik et al., J Clin Oncol 2008;26:190-195): up to six patients at a level without waiting for each other.

Each patient's level follows, on the day on which the patient comes, from what is known then of those at the present level:

    DLTs   free of DLT   pending      enrolled   decision
    >= 2                                         down: the level is too toxic
    0      all           0            3 to 5     up
    0      >= 5          <= 1         6          up (a sixth DLT could not make it two)
    1      5             0            6          up
    otherwise                         < 6        same level
    otherwise                         6          wait: accrual is suspended

Patients who cannot be judged drop out of the counts, so that the next ones replace them. Up is not possible from the highest
level or to a level found too toxic: then the present level is filled to six patients, or five free of DLT, and is the MTD. After
going down the level below is filled in the same way; with as many already, it is the MTD at once. The decision falls on the day on
which the last result that it needs becomes known, often before the last patient's window is over.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trialsim.designs.escalation.conduct import Choice, Conduct, Seen, conduct
from trialsim.designs.escalation.played import ESCALATION, EXPANSION, UNTREATED, Played
from trialsim.designs.escalation.queue import Queue
from trialsim.designs.escalation.three_plus_three import FULL, TOO_TOXIC, always_replacing

STAY, UP, DOWN, WAIT = range(4)
FEWEST = 3  # patients free of DLT that open the next level


class RollingSix(NamedTuple):
    """how: start, accrual, backfilling, expansion, as in `three_plus_three`."""

    how: Conduct = Conduct()


def decide(toxic: ArrayLike, free: ArrayLike, pending: ArrayLike) -> np.ndarray:
    """The table above: STAY, UP, DOWN or WAIT.

    Args:
        toxic, free, pending: patients at the level with a DLT, judged free of it, not judged yet; any shape.
    """
    toxic, free, pending = np.asarray(toxic), np.asarray(free), np.asarray(pending)
    enrolled = toxic + free + pending
    settled = free >= FULL - 1  # at most one of six has a DLT, whatever becomes of the sixth
    up = settled | ((toxic == 0) & (pending == 0) & (free >= FEWEST))
    return np.where(toxic >= TOO_TOXIC, DOWN, np.where(up, UP, np.where(enrolled < FULL, STAY, WAIT)))


def choose(seen: Seen) -> Choice:
    """The level of the patient who comes today."""
    judged, toxic, pending = (seen.here(counts) for counts in (seen.judged, seen.toxic, seen.pending))
    code = decide(toxic, judged - toxic, pending)
    ceiling = np.where(code == DOWN, seen.level, seen.ceiling)
    blocked = (code == UP) & (seen.level + 1 >= ceiling)
    level = np.where(code == DOWN, seen.level - 1, np.where((code == UP) & ~blocked, seen.level + 1, seen.level))
    free = seen.here(seen.judged, level) - seen.here(seen.toxic, level)
    full = (seen.here(seen.judged, level) + seen.here(seen.pending, level) >= FULL) | (free >= FULL - 1)
    stop = ((code == DOWN) & ((level < 0) | full)) | (blocked & full)
    return Choice(code == WAIT, stop, level, np.ones_like(level), ceiling)


def play(queue: Queue, rule: RollingSix) -> Played:
    """All replicates of a queue. A cohort (``step``) is a run of patients at one level."""
    found = conduct(queue, always_replacing(rule.how), choose, 1, whole_cohorts=False)
    step = np.zeros_like(found.step)
    run = np.zeros(len(step), int)
    last = np.full(len(step), -1)
    for patient in range(step.shape[1]):
        level, phase = found.level[:, patient], found.phase[:, patient]
        moved = (phase == ESCALATION) & (level != last)
        run += moved
        last = np.where(moved, level, last)
        step[:, patient] = np.where(phase == UNTREATED, 0, run + (phase == EXPANSION))
    return found._replace(step=step)
