"""Randomised trials played on patients: looks when enough events have happened, a decision at each, an estimate at the end.

Patients are randomised in order of arrival until the planned number is in. A look comes on the day of the planned number of events
(or on a given calendar day), at the latest when nobody is in view any more or on the last day of the trial, and sees what had
happened by then. Z > 0 favours the drug. A look before the first event, or without information on the difference, stops no trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from trialsim.designs.randomised.bounds import Bounds
from trialsim.designs.randomised.outcomes import Candidates
from trialsim.designs.randomised.randomise import allocate
from trialsim.designs.randomised.reestimate import Blinded, PromisingZone, more_patients, promising, weighted_by_plan
from trialsim.endpoints.comparison import log_rank, restricted_mean_difference
from trialsim.endpoints.hazards import cox

TOGETHER = 400  # trials whose arrays are worked on at once: they fit the processor's cache
NODES = 64  # of the bounds of looks that came at other fractions than planned


class Decision(IntEnum):
    """What a trial ends with. HARM: two-sided designs, rejected for control."""

    NONE = 0
    EFFICACY = 1
    FUTILITY = 2
    HARM = 3


class Trial(NamedTuple):
    """How a trial is run and analysed.

    Attributes:
        bounds: of Z at each look. events: planned at each look, (looks,); whole numbers.
        patients: to randomise.
        days: calendar days of the looks, (looks,); None: looks come with the events.
        last_day: on which the trial ends at the latest.
        ratio, blocks: as in `randomise.allocate`.
        stratified: whether blocks and tests go by stratum.
        rho, gamma: Fleming and Harrington's weight of the log-rank test.
        rmst_days: horizon of a difference of restricted means that replaces the log-rank test at the last look, and is taken to go
            with the looks before as that test would; None: it does not.
        reestimation: of the number of patients or events; None: none.
    """

    bounds: Bounds
    events: np.ndarray
    patients: int
    days: np.ndarray | None = None
    last_day: float = np.inf
    ratio: Sequence[int] = (1, 1)
    blocks: Sequence[int] | None = (4,)
    stratified: bool = False
    rho: float = 0.0
    gamma: float = 0.0
    rmst_days: float | None = None
    reestimation: Blinded | PromisingZone | None = None


class Played(NamedTuple):
    """What became of each trial. (trials,) unless said; looks after the end are what they would have been.

    Attributes:
        look: index of the look at which it ended. decision: `Decision`.
        end_day: day of that look. events, enrolled: by then. log_hr, se: Cox's estimate of the data then, NaN where there is none.
        z: statistic that the bounds are held against; information: variance of the score; seen: events; day; (trials, looks).
        lower, upper: bounds used, (trials, looks).
        patients: that the trial was to randomise after any re-estimation; planned_events: at its last look.
    """

    look: np.ndarray
    decision: np.ndarray
    end_day: np.ndarray
    events: np.ndarray
    enrolled: np.ndarray
    log_hr: np.ndarray
    se: np.ndarray
    z: np.ndarray
    information: np.ndarray
    seen: np.ndarray
    day: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    patients: np.ndarray
    planned_events: np.ndarray


def play(rng: np.random.Generator, candidates: Candidates, trial: Trial) -> Played:
    """Play every replicate of a trial; see `Candidates`. More candidates than `trial.patients` leave room for re-estimation."""
    trials, number = candidates.arrival.shape
    if trial.patients > number:
        raise ValueError(f"the trial is to randomise {trial.patients} patients, there are {number} candidates")
    if trial.rmst_days is not None and isinstance(trial.reestimation, PromisingZone):
        raise ValueError("increments of the log-rank score are combined after re-estimation: restricted means have none")
    played = []
    for first in range(0, trials, TOGETHER):
        some = slice(first, first + TOGETHER)
        arrival, time, event, stratum = candidates
        part = Candidates(arrival[some], time[some], event[some], None if stratum is None else stratum[some])
        played.append(_play_some(rng, part, trial))
    return Played(*(np.concatenate(x) for x in zip(*played, strict=True)))


class _View(NamedTuple):
    """Patients of the arms they are on. (trials, patients)."""

    arrival: np.ndarray
    time: np.ndarray
    event: np.ndarray
    arm: np.ndarray
    stratum: np.ndarray | None


def _play_some(rng: np.random.Generator, candidates: Candidates, trial: Trial) -> Played:
    trials, number = candidates.arrival.shape
    stratum = candidates.stratum if trial.stratified else None
    arm = allocate(rng, trials, number, trial.ratio, trial.blocks, stratum)
    own = lambda x: np.take_along_axis(x, arm[..., None], axis=2)[..., 0]
    all_data = _View(candidates.arrival, own(candidates.time), own(candidates.event), arm > 0, stratum)

    looks = len(trial.events)
    wanted = np.tile(np.asarray(trial.events, float), (trials, 1))
    enters = np.tile(np.arange(number) < trial.patients, (trials, 1))
    z, score, information, seen, day = (np.zeros((trials, looks)) for _ in range(5))
    for k in range(looks):
        day[:, k] = _day_of_look(all_data, enters, wanted[:, k], trial, k)
        data, included = _seen_by(all_data, enters, day[:, k])
        test = log_rank(data.time, data.event, data.arm, stratum, included, rho=trial.rho, gamma=trial.gamma)
        z[:, k], score[:, k], information[:, k] = -test.z, test.expected - test.observed, test.variance
        seen[:, k] = data.event.sum(axis=1)
        if k == looks - 1 and trial.rmst_days is not None:
            means = restricted_mean_difference(data.time, data.event, data.arm, trial.rmst_days, included)
            known = means.se > 0
            z[:, k] = np.divide(means.difference, means.se, out=np.zeros(trials), where=known)
            information[:, k] = np.divide(1.0, means.se**2, out=np.zeros(trials), where=known)
        if trial.reestimation is not None and trial.reestimation.look == k:
            plan = trial.reestimation
            wanted, enters = _reestimated(plan, trial, all_data, data, included, z[:, k], day[:, k], wanted, enters)

    if isinstance(trial.reestimation, PromisingZone):
        z = weighted_by_plan(score, information, trial.bounds.fraction)
        lower, upper = (np.broadcast_to(x, z.shape) for x in (trial.bounds.lower, trial.bounds.upper))
    else:
        lower, upper = _bounds_as_it_went(trial, seen, information)
    look, decision = _decide(z, information, lower, upper, trial.bounds.sides)
    end_day = np.take_along_axis(day, look[:, None], 1)[:, 0]
    data, included = _seen_by(all_data, enters, end_day)
    fit = cox(data.time, data.event, data.arm, stratum, included)
    return Played(
        look, decision, end_day, data.event.sum(axis=1), included.sum(axis=1), fit.log_hr, fit.se,
        z, information, seen, day, lower, upper, enters.sum(axis=1), wanted[:, -1],
    )  # fmt: skip


def _day_of_look(data: _View, enters: np.ndarray, wanted: np.ndarray, trial: Trial, look: int) -> np.ndarray:
    """Day of the wanted number of events among the patients of the trial, or of the calendar, (trials,)."""
    out = data.arrival + data.time
    latest = np.minimum(np.max(out, axis=1, where=enters, initial=0.0), trial.last_day)
    if trial.days is not None:
        return np.minimum(trial.days[look], latest)
    happens = np.sort(np.where(data.event & enters, out, np.inf), axis=1)
    number = np.clip(np.ceil(wanted - 1e-9).astype(int), 1, happens.shape[1])
    return np.minimum(np.take_along_axis(happens, number[:, None] - 1, 1)[:, 0], latest)


def _seen_by(data: _View, enters: np.ndarray, day: np.ndarray) -> tuple[_View, np.ndarray]:
    """What had happened by a day, and who had been randomised, (trials, patients)."""
    day = day[:, None]
    included = enters & (data.arrival <= day)
    event = data.event & included & (data.arrival + data.time <= day)
    return data._replace(time=np.minimum(data.time, day - data.arrival), event=event), included


def _reestimated(
    plan: Blinded | PromisingZone,
    trial: Trial,
    all_data: _View,
    data: _View,
    included: np.ndarray,
    z: np.ndarray,
    day: np.ndarray,
    wanted: np.ndarray,
    enters: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Events wanted at each look, (trials, looks), and who enters, (trials, patients), after an interim look.

    Patients who are added arrive after the look: those who came while the trial was closed are lost to it.
    """
    later = (all_data.arrival > day[:, None]) & ~enters
    if isinstance(plan, Blinded):
        in_view = included & (all_data.arrival + all_data.time > day[:, None])
        seen, lost = data.event.sum(axis=1), (included & ~in_view & ~data.event).sum(axis=1)
        exposure = np.sum(data.time, axis=1, where=included)
        more = more_patients(plan, day, wanted[0, -1], seen, lost, exposure, in_view.sum(axis=1), all_data.arrival, enters)
    else:
        factor = promising(plan, z, float(trial.bounds.fraction[plan.look]), float(trial.bounds.upper[-1]))
        now, last = wanted[:, plan.look : plan.look + 1], wanted[:, -1:]
        share = np.where(wanted > now, (wanted - now) / (last - now), 0.0)
        wanted = np.where(wanted > now, now + share * (np.ceil(factor[:, None] * last) - now), wanted)
        more = np.ceil(trial.patients * (factor - 1.0) - 1e-9)
    return wanted, enters | (later & (np.cumsum(later, axis=1) <= more[:, None]))


def _bounds_as_it_went(trial: Trial, seen: np.ndarray, information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds at what the looks found, (trials, looks).

    Errors are spent by the share of the planned events. The information of a log-rank test goes with its events; that of a weighted
    one does not, and is taken from its variance.
    """
    share = seen / float(trial.events[-1])
    rows, which = np.unique(share, axis=0, return_inverse=True)
    planned = rows == np.asarray(trial.events, float) / float(trial.events[-1])
    if trial.rho or trial.gamma:
        last = information[:, -1:]
        rows, which = np.divide(information, last, out=np.zeros_like(share), where=last > 0), np.arange(len(share))
        planned = np.zeros(share.shape, bool)
    lower, upper = (np.tile(x, (len(rows), 1)) for x in (trial.bounds.lower, trial.bounds.upper))
    other = np.flatnonzero(~planned.all(axis=1))
    spent = share if trial.rho or trial.gamma else rows
    for some in np.array_split(other, len(other) // TOGETHER + 1):
        if len(some):
            time = np.concatenate([spent[some, :-1], np.ones((len(some), 1))], axis=1)
            lower[some], upper[some] = trial.bounds.at(rows[some], time, nodes=NODES)
    return lower[which.ravel()], upper[which.ravel()]


def _decide(
    z: np.ndarray, information: np.ndarray, lower: np.ndarray, upper: np.ndarray, sides: int
) -> tuple[np.ndarray, np.ndarray]:
    """Look of the end, and decision, (trials,)."""
    up, down = (z >= upper) & (information > 0), (z <= lower) & (information > 0)
    ends = up | down
    look = np.where(ends.any(axis=1), np.argmax(ends, axis=1), z.shape[1] - 1)
    at = lambda x: np.take_along_axis(x, look[:, None], 1)[:, 0]
    below = Decision.HARM if sides == 2 else Decision.FUTILITY
    return look, np.where(at(up), Decision.EFFICACY, np.where(at(down), below, Decision.NONE))
