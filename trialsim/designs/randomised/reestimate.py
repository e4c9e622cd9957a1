"""Sample-size re-estimation at an interim look, for many trials at once.

Blinded: the event rate of both arms together tells how many patients bring the planned events by the planned day. The events, and
with them the test, stay as they were (Friede & Schmidli, Methods Inf Med 2010;49:618-24).

Promising zone: where the conditional power under the current trend is promising but short of its target, the events are raised
(Mehta & Pocock, Stat Med 2011;30:3267-84). The type I error is kept by weighting the looks' increments as planned, whatever their
information became (Cui, Hung & Wang, Biometrics 1999;55:853-7; the inverse-normal combination):

    Z*_k = sum over i <= k of sqrt( (t_i - t_(i-1)) / t_k )  (S_i - S_(i-1)) / sqrt(V_i - V_(i-1))

t: planned share of the information; S, V: log-rank score and its variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special


class Blinded(NamedTuple):
    """look: index of the interim look at which the rate is estimated. day: calendar day by which the planned events are wanted.
    most: patients that may be randomised in all.
    """

    look: int
    day: float
    most: int


class PromisingZone(NamedTuple):
    """look: index of the interim look. lowest: conditional power from which a trial is promising. target: power to be reached.
    most: largest factor on the planned events.
    """

    look: int
    lowest: float
    target: float
    most: float


def weighted_by_plan(score: np.ndarray, variance: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Z* of each look, (..., looks). A look without new information adds 0.

    Args:
        score, variance: S and V at each look, (..., looks). fraction: planned, (looks,).
    """
    step = np.diff(variance, axis=-1, prepend=0.0)
    added = np.diff(score, axis=-1, prepend=0.0)
    own = np.divide(added, np.sqrt(np.maximum(step, 0.0)), out=np.zeros_like(added), where=step > 0)
    return np.cumsum(np.sqrt(np.diff(fraction, prepend=0.0)) * own, axis=-1) / np.sqrt(fraction)


def conditional_power(
    z: np.ndarray, now: float, rest: np.ndarray | float, bound: float, trend: np.ndarray | None = None
) -> np.ndarray:
    """Probability that the last look crosses its bound, given Z at an interim one, with the weights as planned.

    Args:
        z: at the interim look, (...). now: its share of the planned information. bound: of the last look.
        rest: information still to come, as a share of the plan's whole; 1 - now as planned, more if raised, (...).
        trend: drift theta sqrt(I_max); None: what the data so far suggest, z / sqrt(now).
    """
    drift = z / np.sqrt(now) if trend is None else trend
    return special.ndtr(drift * np.sqrt(rest) - _needed(z, now, bound))


def promising(zone: PromisingZone, z: np.ndarray, now: float, bound: float) -> np.ndarray:
    """Factor on the planned events of each trial, 1 or more, (...); arguments as in `conditional_power`."""
    drift = np.maximum(z, 1e-6) / np.sqrt(now)
    as_planned = conditional_power(z, now, 1.0 - now, bound)
    rest = ((_needed(z, now, bound) + special.ndtri(zone.target)) / drift) ** 2  # gives the target
    zone_holds = (as_planned >= zone.lowest) & (as_planned < zone.target)
    return np.where(zone_holds, np.clip(now + rest, 1.0, zone.most), 1.0)


def _needed(z: np.ndarray, now: float, bound: float) -> np.ndarray:
    """What the standardised rest of the data must exceed."""
    return (bound - z * np.sqrt(now)) / np.sqrt(1.0 - now)


def more_patients(
    plan: Blinded,
    day: np.ndarray,
    wanted: float,
    seen: np.ndarray,
    lost: np.ndarray,
    exposure: np.ndarray,
    at_risk: np.ndarray,
    arrival: np.ndarray,
    enters: np.ndarray,
) -> np.ndarray:
    """Patients to add so that the wanted events are expected by the plan's day, 0 or more, (trials,).

    At the pooled rates so far of events l and losses g, a patient followed for t has an event with l / (l + g) (1 - e^-(l + g) t).

    Args:
        day: of the look. seen, lost: events and losses by then. exposure: days at risk. at_risk: patients in view then. (trials,).
        arrival: of every candidate, taken as known. enters: whether it is to be randomised as planned. (trials, patients).
    """
    known = exposure > 0
    rate, loss = (np.divide(x, exposure, out=np.zeros(len(exposure)), where=known)[:, None] for x in (seen, lost))
    both = np.maximum(rate + loss, 1e-12)
    chance = lambda days: rate / both * -np.expm1(-both * np.maximum(days, 0.0))
    future = arrival > day[:, None]
    each = np.where(future, chance(plan.day - arrival), 0.0)
    sure = seen + at_risk * chance(plan.day - day[:, None])[:, 0] + np.sum(each, axis=1, where=enters)
    with_more = sure[:, None] + np.cumsum(np.where(enters, 0.0, each), axis=1)
    number = np.cumsum(future & ~enters, axis=1)
    enough = with_more >= wanted
    first = np.take_along_axis(number, np.argmax(enough, axis=1)[:, None], 1)[:, 0]
    added = np.where(sure >= wanted, 0, np.where(enough.any(axis=1), first, number[:, -1]))
    return np.minimum(added, np.maximum(plan.most - enters.sum(axis=1), 0))
