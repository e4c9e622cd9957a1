"""A dose escalation day by day: patients come, wait or start, are judged, and the design decides. All replicates at once.

Every design is a function ``choose(seen) -> Choice``. The calendar is the same for all of them:

- A cohort has places. Whoever comes while one is free starts at the cohort's level. A patient who turns out not to be evaluable
  gives the place back, if such patients are replaced, in designs that judge whole cohorts.
- With all places taken (and, in designs that judge whole cohorts, all of the cohort judged), the design is asked: wait, treat a new
  cohort at a level, or stop. It is asked whenever something becomes known and again when the next patient comes, whose dose
  therefore rests on all that is known that day.
- Waiting, the trial is closed, unless lower levels are backfilled: then whoever comes is treated at the highest open one, though
  not while a design that will stop waits for its last results. While it is closed, either accrual is suspended (its clock stands
  still: patients who come then go elsewhere, and after the reopening the next is as far away as when it closed, which for a Poisson
  stream is the same thing), or patients wait their turn.
- On the day that the design stops, the remaining patients, up to a limit, are treated at the MTD (expansion).

Backfilling: extra patients at levels that the escalation has passed, while it waits (as in Zhao et al., Clin Cancer Res
2024;30:673-679, BF-BOIN, with the DLT rate that closes a level as a number).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trialsim.designs.escalation.played import BACKFILL, ESCALATION, EXPANSION, Played
from trialsim.designs.escalation.queue import Queue

JUDGED, TOXIC, PENDING = range(3)  # what is counted of the patients at a level


class Backfill(NamedTuple):
    """Attributes:
    cap: patients at a level, all together, at which backfilling of it ends.
    max_rate: observed DLT rate of a level above which backfilling of it pauses, 0-1.
    needs_response: whether a response must have been seen at the level or below.
    counts: whether the design takes account of these patients.
    """

    cap: int
    max_rate: float
    needs_response: bool = False
    counts: bool = True


class Conduct(NamedTuple):
    """What does not depend on the design.

    Attributes:
        start: index of the first level. suspend: accrual is suspended while the trial is closed; otherwise patients wait.
        replace: patients who cannot be judged are replaced. backfill: None: no backfilling.
        expansion: patients treated at the MTD afterwards at most; None: all that are left.
    """

    start: int = 0
    suspend: bool = True
    replace: bool = True
    backfill: Backfill | None = None
    expansion: int | None = None


class Seen(NamedTuple):
    """What is known on the day of a decision, in those replicates (rows) that need one.

    Attributes:
        level: level of the last cohort. ceiling: lowest level barred as too toxic, the number of levels if none is, (rows,).
        cohort: patients of the last cohort, without those replaced. cohort_toxic: of them, with a DLT.
        used: patients of the escalation so far, without those replaced, (rows,).
        judged, toxic, pending: patients at each level who have been judged, had a DLT, are not judged yet, (rows, levels).
        open_level: level of each patient not judged yet, -1 for all others, (rows, patients).
        open_days: days since the first dose of each patient, (rows, patients).
    """

    level: np.ndarray
    ceiling: np.ndarray
    cohort: np.ndarray
    cohort_toxic: np.ndarray
    used: np.ndarray
    judged: np.ndarray
    toxic: np.ndarray
    pending: np.ndarray
    open_level: np.ndarray
    open_days: np.ndarray

    def here(self, counts: np.ndarray, level: np.ndarray | None = None) -> np.ndarray:
        """Of counts (rows, levels) those at the present level, or another; 0 below the lowest: (rows,)."""
        at = self.level if level is None else level
        return np.where(at >= 0, counts[np.arange(len(at)), np.maximum(at, 0)], 0)


class Choice(NamedTuple):
    """A decision, all (rows,).

    Attributes:
        wait: nothing can be decided yet. stop: the escalation is over.
        level: level of the next cohort, or the MTD (-1: none) on stopping. places: patients of the next cohort.
        ceiling: as in `Seen`, from now on.
    """

    wait: np.ndarray
    stop: np.ndarray
    level: np.ndarray
    places: np.ndarray
    ceiling: np.ndarray


Choose = Callable[[Seen], Choice]


class _Trials(NamedTuple):
    """State of all replicates, written in place by the functions of this module only.

    Of each replicate, (replicates,): day, delay (days that the clock of accrual has stood still), nxt (next patient), level,
    ceiling, step, places, taken (of the places), cohort_toxic, waiting, used, active. Of each level: tally[..., JUDGED etc.] of the
    patients that count, apart: of those that do not, (replicates, levels, 3); responses, (replicates, levels). Of each
    patient: given (level, -1), phase, cohort (step), start, due (day on which the judgement becomes known, inf afterwards).
    """

    day: np.ndarray
    delay: np.ndarray
    nxt: np.ndarray
    level: np.ndarray
    ceiling: np.ndarray
    step: np.ndarray
    places: np.ndarray
    taken: np.ndarray
    cohort_toxic: np.ndarray
    waiting: np.ndarray
    used: np.ndarray
    active: np.ndarray
    tally: np.ndarray
    apart: np.ndarray
    responses: np.ndarray
    given: np.ndarray
    phase: np.ndarray
    cohort: np.ndarray
    start: np.ndarray
    due: np.ndarray
    mtd: np.ndarray
    end: np.ndarray


def conduct(queue: Queue, how: Conduct, choose: Choose, first: int, whole_cohorts: bool = True) -> Played:
    """Play a design.

    Args:
        choose: the design. first: patients of the first cohort.
        whole_cohorts: the design is asked once all of a cohort have been judged, the replaced ones' places filled again.
    """
    s = _start(queue, how, first)
    while s.active.any():
        rows = np.flatnonzero(s.active)
        patient = s.due[rows].argmin(axis=1)
        due = s.due[rows, patient]
        known = due <= s.day[rows]
        _learn(s, queue, how, whole_cohorts, rows[known], patient[known])
        rows, due = rows[~known], due[~known]
        _act(s, queue, how, choose, whole_cohorts, rows, due)
    _expand(s, queue, how)
    decided = np.isfinite(s.end)
    return Played(s.given, s.phase, s.cohort, s.start, s.mtd, decided, s.end)


def _start(queue: Queue, how: Conduct, first: int) -> _Trials:
    replicates, patients, levels = queue.dlt_day.shape
    whole = lambda value: np.full(replicates, value)
    each = (replicates, patients)
    return _Trials(
        day=whole(0.0), delay=whole(0.0), nxt=whole(0), level=whole(how.start), ceiling=whole(levels), step=whole(1),
        places=whole(first), taken=whole(0), cohort_toxic=whole(0), waiting=whole(0), used=whole(0), active=whole(True),
        tally=np.zeros((replicates, levels, 3), int), apart=np.zeros((replicates, levels, 3), int),
        responses=np.zeros((replicates, levels), int), given=np.full(each, -1), phase=np.zeros(each, np.int8),
        cohort=np.zeros(each, int), start=np.full(each, np.nan), due=np.full(each, np.inf), mtd=whole(-1), end=whole(np.nan),
    )  # fmt: skip


def _learn(s: _Trials, queue: Queue, how: Conduct, whole_cohorts: bool, rows: np.ndarray, patient: np.ndarray) -> None:
    """One patient of each row is judged, or found not to be evaluable."""
    level = s.given[rows, patient]
    judged = queue.evaluable[rows, patient, level]
    toxic = judged & np.isfinite(queue.dlt_day[rows, patient, level])
    escalating = s.phase[rows, patient] == ESCALATION
    counts = escalating | (how.backfill is not None and how.backfill.counts)
    for book, these in ((s.tally, counts), (s.apart, ~counts)):
        at = rows[these], level[these]
        book[(*at, PENDING)] -= 1
        book[(*at, JUDGED)] += judged[these]
        book[(*at, TOXIC)] += toxic[these]
    if queue.response is not None:
        s.responses[rows, level] += queue.response[rows, patient, level]
    present = escalating & (s.cohort[rows, patient] == s.step[rows])
    s.waiting[rows] -= present
    s.cohort_toxic[rows] += present & toxic
    if how.replace:
        s.used[rows] -= escalating & ~judged
        if whole_cohorts:
            s.taken[rows] -= present & ~judged
    s.due[rows, patient] = np.inf


def _act(s: _Trials, queue: Queue, how: Conduct, choose: Choose, whole_cohorts: bool, rows: np.ndarray, due: np.ndarray) -> None:
    """Nothing is left to learn today: decide, treat the patient who is there, or let time pass."""
    free = s.taken[rows] < s.places[rows]
    level, asked = s.level[rows], np.flatnonzero(~free & ~(whole_cohorts & (s.waiting[rows] > 0)))
    starts, stopped, ending = np.zeros((3, len(rows)), bool)
    if asked.size:
        choice = choose(_look(s, how, rows[asked]))
        over = ~choice.wait & choice.stop
        ended = rows[asked[over]]
        s.mtd[ended], s.end[ended], s.active[ended] = choice.level[over], s.day[ended], False
        stopped[asked] = over
        ending[asked] = choice.stop
        starts[asked] = ~choice.wait & ~choice.stop
        level[asked] = choice.level
    into = np.where(free | starts, level, -1)
    if how.backfill is not None:
        into = np.where(free | starts | ending, into, _open_below(s, queue, how.backfill, rows))
    last = queue.arrival.shape[1] - 1
    come = np.where(s.nxt[rows] <= last, queue.arrival[rows, np.minimum(s.nxt[rows], last)] + s.delay[rows], np.inf)
    treat = (into >= 0) & (come <= s.day[rows]) & ~stopped
    if asked.size:
        new = treat[asked] & starts[asked]
        begun = rows[asked[new]]
        s.level[begun], s.ceiling[begun], s.places[begun] = choice.level[new], choice.ceiling[new], choice.places[new]
        s.step[begun] += 1
        s.taken[begun] = s.cohort_toxic[begun] = s.waiting[begun] = 0
    _treat(s, queue, how, rows[treat], into[treat], (free | starts)[treat])
    rest = ~treat & ~stopped
    _pass_time(s, how, rows[rest], due[rest], np.where(into >= 0, come, np.inf)[rest], (into < 0)[rest])


def _look(s: _Trials, how: Conduct, rows: np.ndarray) -> Seen:
    tally = s.tally[rows]
    counts = (s.phase[rows] == ESCALATION) | (how.backfill is not None and how.backfill.counts)
    return Seen(
        level=s.level[rows], ceiling=s.ceiling[rows], cohort=s.taken[rows], cohort_toxic=s.cohort_toxic[rows],
        used=s.used[rows],
        judged=tally[..., JUDGED], toxic=tally[..., TOXIC], pending=tally[..., PENDING],
        open_level=np.where(np.isfinite(s.due[rows]) & counts, s.given[rows], -1),
        open_days=s.day[rows, None] - s.start[rows],
    )  # fmt: skip


def _open_below(s: _Trials, queue: Queue, rule: Backfill, rows: np.ndarray) -> np.ndarray:
    """Highest level open for backfilling, -1 if none, (rows,)."""
    levels = s.tally.shape[1]
    every = s.tally[rows] + s.apart[rows]
    below = np.arange(levels) < s.level[rows, None]
    fits = (every[..., JUDGED] + every[..., PENDING] < rule.cap) & (every[..., JUDGED] > 0)
    safe = every[..., TOXIC] <= rule.max_rate * every[..., JUDGED]
    ready = below & fits & safe
    if rule.needs_response:
        if queue.response is None:
            raise ValueError("backfilling that needs a response needs a queue with responses")
        ready &= np.cumsum(s.responses[rows], axis=1) > 0
    return np.where(ready.any(axis=1), levels - 1 - ready[:, ::-1].argmax(axis=1), -1)


def _treat(s: _Trials, queue: Queue, how: Conduct, rows: np.ndarray, level: np.ndarray, escalating: np.ndarray) -> None:
    """The next patient of each row starts today."""
    patient = s.nxt[rows]
    s.given[rows, patient], s.start[rows, patient], s.cohort[rows, patient] = level, s.day[rows], s.step[rows]
    s.phase[rows, patient] = np.where(escalating, ESCALATION, BACKFILL)
    s.due[rows, patient] = s.day[rows] + queue.known_day[rows, patient, level]
    counts = escalating | (how.backfill is not None and how.backfill.counts)
    s.tally[rows, level, PENDING] += counts
    s.apart[rows, level, PENDING] += ~counts
    for total in (s.taken, s.waiting, s.used):
        total[rows] += escalating
    s.nxt[rows] += 1


def _pass_time(s: _Trials, how: Conduct, rows: np.ndarray, due: np.ndarray, come: np.ndarray, closed: np.ndarray) -> None:
    """To the next day on which something becomes known or a patient comes; a trial with neither ends undecided."""
    to = np.minimum(due, come)
    goes_on = np.isfinite(to)
    s.active[rows[~goes_on]] = False
    rows, to, closed = rows[goes_on], to[goes_on], closed[goes_on]
    if how.suspend:
        s.delay[rows] += np.where(closed, to - s.day[rows], 0.0)
    s.day[rows] = to


def _expand(s: _Trials, queue: Queue, how: Conduct) -> None:
    """Patients who are left are treated at the MTD as they come."""
    patients = queue.arrival.shape[1]
    rank = np.arange(patients) - s.nxt[:, None]
    limit = patients if how.expansion is None else how.expansion
    come = queue.arrival + s.delay[:, None]
    who = (rank >= 0) & (rank < limit) & (s.mtd >= 0)[:, None] & np.isfinite(come)
    s.given[who] = np.broadcast_to(s.mtd[:, None], who.shape)[who]
    s.phase[who] = EXPANSION
    s.cohort[who] = np.broadcast_to(s.step[:, None] + 1, who.shape)[who]
    s.start[who] = np.maximum(come, s.end[:, None])[who]
