"""A single-arm trial on the calendar: who is enrolled, when each look can be taken, and what it decides.

Look k needs the responses of the first n_k analysed patients and is taken on the day that the last of them is known. Until then
accrual halts, or goes on: then patients enter whom the look no longer needs (overrun), which costs patients and saves time. A
halt moves all later arrivals by its length. Patients who cannot be evaluated count as non-responders, or others take their place;
that a patient will not be evaluable is taken as known when the next one comes (assumed: the replacement does not wait for it).

All replicates are played at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.single_arm.binomial import Looks
from trialsim.designs.single_arm.estimate import umvue
from trialsim.units import DAYS_PER_MONTH


class Responses(NamedTuple):
    """Patients of many virtual trials in order of arrival, all (replicates, patients).

    Attributes:
    arrival: days since the trial opened, non-decreasing.
    response: whether the patient responds.
    known_day: days from first dose until response or its absence is known.
    evaluable: whether it can be judged.
    """

    arrival: np.ndarray
    response: np.ndarray
    known_day: np.ndarray
    evaluable: np.ndarray


class Played(NamedTuple):
    """What became of each trial, all (replicates,).

    Attributes:
    enrolled: patients treated, those beyond the last look taken and those replaced included.
    analysed: patients that the decision rests on; responders: of them.
    look: at which it ended, 0 the first. decision: positive. stopped_early: before the last look.
    end_day: day of the decision, since the trial opened.
    estimate: responders / analysed. umvue: unbiased estimate.
    """

    enrolled: np.ndarray
    analysed: np.ndarray
    responders: np.ndarray
    look: np.ndarray
    decision: np.ndarray
    stopped_early: np.ndarray
    end_day: np.ndarray
    estimate: np.ndarray
    umvue: np.ndarray


def plain_responses(
    rate: float,
    replicates: int,
    patients: int,
    per_month: float,
    rng: np.random.Generator,
    known_day: float = 112.0,
    evaluable: float = 1.0,
) -> Responses:
    """Patients who respond independently with one probability, arriving as a Poisson process.

    Args:
        rate: response rate. per_month: patients accrued a month. known_day: days until a response is known, the same for all.
        evaluable: share of patients who can be judged.
    """
    shape = (replicates, patients)
    arrival = np.cumsum(rng.exponential(DAYS_PER_MONTH / per_month, shape), axis=1)
    response, judged = rng.random(shape) < rate, rng.random(shape) < evaluable
    return Responses(arrival, response, np.full(shape, known_day), judged)


def play(design: Looks, patients: Responses, halt: bool, replace: bool) -> Played:
    """Play every replicate.

    Args:
        halt: accrual halts until the responses that a look needs are known; otherwise it goes on.
        replace: others take the place of patients who are not evaluable; otherwise these count as non-responders.

    Raises:
        ValueError: a replicate has fewer patients than the last look may need.
    """
    queue = _queue(patients, int(design.n[-1]), replace)  # position in order of arrival of each analysed patient
    arrival, response, wait = (np.take_along_axis(values, queue, axis=1) for values in patients[:3])
    evaluable = np.take_along_axis(patients.evaluable, queue, axis=1)
    responders = np.cumsum(response & evaluable, axis=1)[:, design.n - 1]  # (replicates, looks)
    positive = responders >= design.efficacy
    ends = positive | (responders <= design.futility)
    ends[:, -1] = True
    look = ends.argmax(axis=1)
    at = lambda values: np.take_along_axis(values, look[:, None], axis=1)[:, 0]
    days = _look_days(design.n, arrival, wait, halt)
    end_day, analysed = at(days), design.n[look]
    needed = np.take_along_axis(queue, (analysed - 1)[:, None], axis=1)[:, 0] + 1
    enrolled = needed
    if not halt:
        came = (patients.arrival <= end_day[:, None]).sum(axis=1)
        enrolled = np.clip(came, needed, queue[:, -1] + 1)
    found = at(responders)
    estimate = umvue(design)[look, found]
    early = look + 1 < len(design.n)
    return Played(enrolled, analysed, found, look, at(positive), early, end_day, found / analysed, estimate)


def _queue(patients: Responses, needed: int, replace: bool) -> np.ndarray:
    """Places in order of arrival of the patients to analyse, (replicates, needed)."""
    replicates, available = patients.response.shape
    enough = patients.evaluable.sum(axis=1) if replace else np.full(replicates, available)
    if np.any(enough < needed):
        short = int((enough < needed).sum())
        raise ValueError(f"{short} of {replicates} replicates have fewer patients to analyse than the {needed} of the last look")
    if not replace:
        return np.broadcast_to(np.arange(needed), (replicates, needed))
    return np.argsort(~patients.evaluable, axis=1, kind="stable")[:, :needed]


def _look_days(n: np.ndarray, arrival: np.ndarray, wait: np.ndarray, halt: bool) -> np.ndarray:
    """The day on which each look can be taken, (replicates, looks)."""
    if not halt:
        return np.maximum.accumulate(arrival + wait, axis=1)[:, n - 1]
    days = np.empty((len(arrival), len(n)))
    shift, known = np.zeros(len(arrival)), np.zeros(len(arrival))
    for k, (start, stop) in enumerate(zip(np.r_[0, n[:-1]], n, strict=True)):
        enrolled = arrival[:, start:stop] + shift[:, None]
        known = np.maximum(known, (enrolled + wait[:, start:stop]).max(axis=1))
        days[:, k] = known
        shift += known - enrolled[:, -1]
    return days
