"""From candidates to randomised patients, and from those to what is seen on a day: what every design with a marker shares.

A candidate whose marker must be known is randomised the assay's turnaround after arrival, anyone else on arrival. Arms are dealt in
permuted blocks within each stratum. Analyses are due at a number of events; patients not yet randomised on that day do not count.
All replicates are played at once.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.multiplicity import Claims, Scores, interaction
from trialsim.designs.randomised.randomise import allocate
from trialsim.endpoints.comparison import log_rank
from trialsim.endpoints.hazards import cox

NEGATIVE, POSITIVE, UNKNOWN = 0, 1, 2  # strata of the marker


class Choice(IntEnum):
    """Whom the second stage of an adaptive design is about."""

    NONE = -1  # the trial had no such look
    STOP = 0
    ALL = 1
    POSITIVE = 2
    BOTH = 3


class Patients(NamedTuple):
    """Those of the candidates who may be randomised, all (replicates, candidates).

    Attributes:
        enters: is randomised if the trial is still open. entry: day of randomisation, inf where never.
        arm: True for the drug. time, event: from randomisation, under that arm, were follow-up not cut.
        stratum: `NEGATIVE`, `POSITIVE` or `UNKNOWN` as measured.
    """

    enters: np.ndarray
    entry: np.ndarray
    arm: np.ndarray
    time: np.ndarray
    event: np.ndarray
    stratum: np.ndarray

    @property
    def positive(self) -> np.ndarray:
        return self.stratum == POSITIVE


class Played(NamedTuple):
    """What became of each trial, all (replicates,).

    Attributes:
        declared_overall, declared_positive, declared_negative: claims in all patients, in positive ones, in negative ones.
        events, events_positive: in the final analysis, both arms, of all and of test-positive patients.
        randomised, randomised_positive: patients. screened: samples sent to the assay; 0 in a design without it.
        end_day: day of the last analysis, since the trial opened.
        log_hr, log_hr_se, log_hr_positive, log_hr_positive_se: Cox's estimates with standard errors in all randomised patients,
            stratified by the marker, and in test-positive ones; NaN where there is none. Not corrected for a choice at a look.
        interaction: score, positive where the hazard ratio is lower in positive than in negative patients.
        choice: a `Choice`.
    """

    declared_overall: np.ndarray
    declared_positive: np.ndarray
    declared_negative: np.ndarray
    events: np.ndarray
    events_positive: np.ndarray
    randomised: np.ndarray
    randomised_positive: np.ndarray
    screened: np.ndarray
    end_day: np.ndarray
    log_hr: np.ndarray
    log_hr_se: np.ndarray
    log_hr_positive: np.ndarray
    log_hr_positive_se: np.ndarray
    interaction: np.ndarray
    choice: np.ndarray

    @property
    def treats_positive(self) -> np.ndarray:
        """Whether positive patients are treated after the trial: by a claim of their own or of all."""
        return self.declared_positive | self.declared_overall

    @property
    def treats_negative(self) -> np.ndarray:
        """Whether negative patients are."""
        return self.declared_negative | self.declared_overall


def strata(marker: np.ndarray) -> np.ndarray:
    """Stratum of each result: `NEGATIVE`, `POSITIVE` or `UNKNOWN`."""
    return np.where(np.isnan(marker), UNKNOWN, np.where(marker > 0.0, POSITIVE, NEGATIVE))


def admit(
    candidates: MarkedCandidates,
    eligible: np.ndarray,
    block: tuple[int, int],
    turnaround: float,
    rng: np.random.Generator,
    stratified: bool = True,
) -> Patients:
    """All eligible candidates, each with an arm.

    Args:
        eligible: bool, (replicates, candidates). block: patients on control and on the drug in a permuted block.
        turnaround: days from arrival to randomisation. stratified: blocks by marker.
    """
    enters = eligible & np.isfinite(candidates.arrival)
    stratum = strata(candidates.marker)
    lists = np.where(enters, stratum if stratified else 0, -1)  # each label has blocks of its own
    replicates, most = lists.shape
    arm = allocate(rng, replicates, most, block, [sum(block)], lists) == 1
    time, event = (np.where(arm, x[..., 1], x[..., 0]) for x in (candidates.time, candidates.event))
    return Patients(enters, np.where(enters, candidates.arrival + turnaround, np.inf), arm, time, event, stratum)


def first(enters: np.ndarray, most: int) -> np.ndarray:
    """The first ``most`` of those who enter, by replicate."""
    return enters & (np.cumsum(enters, axis=1) <= most)


def event_day(patients: Patients, population: np.ndarray, events: int) -> np.ndarray:
    """Day of the events-th event in a population; where fewer happen, the day on which its last patient leaves view.

    -inf where the population is empty, or no event is asked for.
    """
    leaves = np.where(population, patients.entry + patients.time, -np.inf)
    if events == 0:
        return np.full(len(leaves), -np.inf)
    last = leaves.max(axis=1, initial=-np.inf)
    if events > leaves.shape[1]:
        return last
    days = np.where(population & patients.event, leaves, np.inf)
    return np.minimum(np.partition(days, events - 1, axis=1)[:, events - 1], last)


def known_by(candidates: MarkedCandidates, turnaround: float) -> np.ndarray:
    """Day on which the last candidate's result is known, (replicates,): when a trial that found nobody is given up."""
    came = np.isfinite(candidates.arrival)
    return np.where(came, candidates.arrival + turnaround, 0.0).max(axis=1, initial=0.0)


def screening(candidates: MarkedCandidates, entered: np.ndarray, most: int | np.ndarray, day: np.ndarray) -> np.ndarray:
    """Candidates who had come when the last of ``most`` patients had, or by ``day`` if that is earlier or there are fewer."""
    full = entered.sum(axis=1) >= most
    last = np.where(entered, candidates.arrival, -np.inf).max(axis=1, initial=-np.inf)
    return (candidates.arrival <= np.minimum(np.where(full, last, np.inf), day)[:, None]).sum(axis=1)


class Seen(NamedTuple):
    """A population on a day. Attributes: time, event: as followed; included: bool; all (replicates, candidates)."""

    time: np.ndarray
    event: np.ndarray
    included: np.ndarray


def seen(patients: Patients, population: np.ndarray, day: np.ndarray) -> Seen:
    """Follow-up of a population until ``day``, (replicates,)."""
    included = population & (patients.entry <= day[:, None])
    over = patients.entry + patients.time <= day[:, None]  # the very sum that `event_day` compares
    time = np.where(over, patients.time, np.where(included, day[:, None] - patients.entry, 0.0))
    return Seen(time, patients.event & over, included)


def scores(patients: Patients, population: np.ndarray, day: np.ndarray, stratified: bool = True) -> Scores:
    """Log-rank scores of a population on a day, the overall one stratified by the marker unless told otherwise."""
    data = seen(patients, population, day)
    test = lambda group, strata=None: log_rank(data.time, data.event, patients.arm, strata, data.included & group)
    overall = test(True, patients.stratum if stratified else None)
    positive, negative = test(patients.positive), test(patients.stratum == NEGATIVE)
    fraction = np.divide(positive.variance, overall.variance, out=np.zeros_like(overall.variance), where=overall.variance > 0)
    return Scores(-overall.z, -positive.z, -negative.z, np.clip(fraction, 0.0, 1.0))


def result(
    patients: Patients,
    population: np.ndarray,
    claims: Claims,
    end_day: np.ndarray,
    screened: np.ndarray,
    choice: np.ndarray | None = None,
    stratified: bool = True,
) -> Played:
    """The trial as it stood at its last analysis; arguments as in `scores` and `Played`."""
    data = seen(patients, population, end_day)
    fit = lambda group, strata=None: cox(data.time, data.event, patients.arm, strata, data.included & group)
    overall = fit(True, patients.stratum if stratified else None)
    positive, negative = fit(patients.positive), fit(patients.stratum == NEGATIVE)
    count = lambda which: (data.included & which).sum(axis=1)
    return Played(
        *claims,
        events=count(data.event),
        events_positive=count(data.event & patients.positive),
        randomised=count(True),
        randomised_positive=count(patients.positive),
        screened=screened,
        end_day=end_day,
        log_hr=overall.log_hr,
        log_hr_se=overall.se,
        log_hr_positive=positive.log_hr,
        log_hr_positive_se=positive.se,
        interaction=interaction((positive.log_hr, negative.log_hr), (positive.se, negative.se)),
        choice=np.full(len(end_day), int(Choice.NONE)) if choice is None else choice,
    )
