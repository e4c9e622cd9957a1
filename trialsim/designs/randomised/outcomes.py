"""Candidates for a trial from plain outcomes: exponential and piecewise-exponential times, and illness and death with crossover.

A patient has the same chances on every arm (virtual twins): one unit exponential deviate, which each arm's cumulative hazard turns
into a time. So arms, and trials of different design, differ by the drug alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.randomised.accrual import poisson_arrivals
from trialsim.designs.randomised.expected import Setting


class Candidates(NamedTuple):
    """Patients who could enter each trial, in order of arrival; index 0 of arms is control.

    Attributes:
        arrival: day of randomisation, from the first day of accrual, rising, (trials, patients).
        time: days from randomisation to the endpoint, or to loss of view, under each treatment, (trials, patients, arms).
        event: whether it is the endpoint, bool, (trials, patients, arms).
        stratum: label, (trials, patients); None: one stratum.
    """

    arrival: np.ndarray
    time: np.ndarray
    event: np.ndarray
    stratum: np.ndarray | None = None


def candidates(arrival: np.ndarray, time: np.ndarray, lost: np.ndarray, stratum: np.ndarray | None = None) -> Candidates:
    """Candidates of given times to the endpoint.

    Args:
        arrival: days, (trials, patients). time: to the endpoint on each arm, (trials, patients, arms).
        lost: days from randomisation to loss of view, the same on every arm, (trials, patients).
    """
    return Candidates(arrival, np.minimum(time, lost[..., None]), time <= lost[..., None], stratum)


def plain_candidates(rng: np.random.Generator, trials: int, patients: int, setting: Setting) -> Candidates:
    """Candidates with the (piecewise) exponential hazards, drop-out and accrual rates of a setting, whose unit of time is a day.

    Args:
        patients: arriving in each trial, at least as many as it may enrol: the setting's accrual goes on until they are there.
    """
    shape = (trials, patients)
    share = np.array([stratum.share for stratum in setting.strata])
    label = np.searchsorted(np.cumsum(share)[:-1], rng.random(shape), side="right")
    deviate, leaving = rng.exponential(size=shape), rng.exponential(size=shape)
    time = np.zeros((*shape, 2))
    for number, stratum in enumerate(setting.strata):
        here = label == number
        time[here] = np.stack([hazard.inverse(deviate[here]) for hazard in (stratum.control, stratum.drug)], axis=-1)
    lost = np.stack([rate.inverse(leaving) for rate in setting.drop_out], axis=-1)
    arrival = poisson_arrivals(rng, trials, patients, setting.accrual)
    return Candidates(arrival, np.minimum(time, lost), time <= lost, label if len(share) > 1 else None)


class IllnessDeath(NamedTuple):
    """Constant hazards, per day. Pairs: on control and on the drug.

    Attributes:
        progression: of progression. death: of death without progression. death_after: of death after progression.
        death_after_crossover: of death after progression on control, for those who then switch to the drug.
        crossover: probability of switching at progression on control.
    """

    progression: tuple[float, float]
    death: tuple[float, float]
    death_after: tuple[float, float]
    death_after_crossover: float
    crossover: float


class Courses(NamedTuple):
    """Days from randomisation on control and on the drug, (trials, patients, 2).

    Attributes:
        progression_free: to progression or death. overall: to death, where nobody switches.
        overall_crossover: to death, where some of those who progress on control switch.
        switched: who does, bool, (trials, patients).
    """

    progression_free: np.ndarray
    overall: np.ndarray
    overall_crossover: np.ndarray
    switched: np.ndarray


def illness_death(rng: np.random.Generator, trials: int, patients: int, model: IllnessDeath) -> Courses:
    """Progression and death of virtual twins, with and without crossover."""
    shape = (trials, patients)
    deviate, kind, after, choice = rng.exponential(size=shape), rng.random(shape), rng.exponential(size=shape), rng.random(shape)
    progression, death, death_after = (np.asarray(x) for x in (model.progression, model.death, model.death_after))
    first = deviate[..., None] / (progression + death)
    progressed = kind[..., None] < progression / (progression + death)
    overall = first + np.where(progressed, after[..., None] / death_after, 0.0)
    switched = progressed[..., 0] & (choice < model.crossover)
    with_drug = overall.copy()
    with_drug[..., 0] = np.where(switched, first[..., 0] + after / model.death_after_crossover, overall[..., 0])
    return Courses(first, overall, with_drug, switched)


