"""Events and patients that a trial of two arms needs.

    Schoenfeld       D = (1 + r)^2 / r  (z_(1-a) + z_(1-b))^2 / (log HR)^2                            Biometrika 1981;68:316-9
    Freedman         D = (1 + r HR)^2 / r  (z_(1-a) + z_(1-b))^2 / (1 - HR)^2                          Stat Med 1982;1:121-9
    Lachin-Foulkes   N (log HR)^2 = ( z_(1-a) sqrt( 1 / (p_0 p_1 e) ) + z_(1-b) sqrt( 1 / (p_0 e_0) + 1 / (p_1 e_1) ) )^2
                                                                                                      Biometrics 1986;42:507-19

r: patients on the drug for one on control, p_j: share of patients on arm j, e_j: probability of an event during the trial, e: the same at
the mean hazard p_0 l_0 + p_1 l_1, on both arms. All one-sided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from trialsim.designs.randomised.bounds import Bounds
from trialsim.designs.randomised.expected import Setting, Stratum, expected
from trialsim.designs.randomised.piecewise import Piecewise, piecewise

LONGEST = 1e4  # units of time within which a day is searched


def schoenfeld_events(log_hr: ArrayLike, alpha: float, power: float, ratio: float = 1.0) -> np.ndarray:
    """Events of both arms together (not rounded); inf where the drug does not lower the hazard, NaN where unknown.

    Args:
        log_hr: log hazard ratio, drug over control. alpha: one-sided. power: 0-1. ratio: r.
    """
    effect = -np.asarray(log_hr, float)
    z = stats.norm.isf(alpha) + stats.norm.ppf(power)
    with np.errstate(divide="ignore"):
        found = (1.0 + ratio) ** 2 / ratio * z**2 / effect**2
    return np.where(np.isnan(effect), np.nan, np.where(effect > 0, found, np.inf))


def schoenfeld_power(log_hr: ArrayLike, events: ArrayLike, alpha: float, ratio: float = 1.0) -> np.ndarray:
    """Power of the log-rank test with so many events; arguments as in `schoenfeld_events`."""
    drift = -np.asarray(log_hr, float) * np.sqrt(np.asarray(events, float) * ratio) / (1.0 + ratio)
    return stats.norm.sf(stats.norm.isf(alpha) - drift)


def freedman_events(log_hr: ArrayLike, alpha: float, power: float, ratio: float = 1.0) -> np.ndarray:
    """Events of both arms together, not rounded; arguments as in `schoenfeld_events`."""
    hr = np.exp(np.asarray(log_hr, float))
    z = stats.norm.isf(alpha) + stats.norm.ppf(power)
    with np.errstate(divide="ignore"):
        found = (1.0 + ratio * hr) ** 2 / ratio * z**2 / (1.0 - hr) ** 2
    return np.where(np.isnan(hr), np.nan, np.where(hr < 1, found, np.inf))


class Size(NamedTuple):
    """patients, events: of both arms together, not rounded."""

    patients: float
    events: float


def lachin_foulkes(setting: Setting, time: float, alpha: float, power: float) -> Size:
    """Size of a trial of one stratum whose hazards are constant; only the shape of the setting's accrual counts.

    Args:
        time: calendar time of the analysis, from the first day of accrual. alpha: one-sided.
    """
    (stratum,) = setting.strata
    control, drug = (float(h.rate[0]) for h in (stratum.control, stratum.drug))
    p = np.array([1.0, setting.ratio]) / (1.0 + setting.ratio)
    mean = piecewise(p @ [control, drug])
    alike = setting._replace(strata=(stratum._replace(control=mean, drug=mean),))
    null, found = expected(alike, time), expected(setting, time)
    pooled, by_arm = null.events.sum() / null.patients, found.events / found.patients  # by_arm: p_j e_j
    root = stats.norm.isf(alpha) * np.sqrt(1.0 / (p[0] * p[1] * pooled)) + stats.norm.ppf(power) * np.sqrt(np.sum(1.0 / by_arm))
    patients = (root / np.log(drug / control)) ** 2
    return Size(float(patients), float(patients * by_arm.sum()))


def time_of_events(setting: Setting, events: float) -> float:
    """Calendar time by which so many events are expected; inf where never."""
    excess = lambda time: expected(setting, time).events.sum() - events
    return float(optimize.brentq(excess, 0.0, LONGEST, xtol=1e-9)) if excess(LONGEST) > 0 else np.inf


def with_rate(setting: Setting, time: float, events: float) -> Setting:
    """The accrual faster or slower throughout, so that `events` are expected by `time`."""
    return setting._replace(accrual=setting.accrual.scaled(events / expected(setting, time).events.sum()))


def with_accrual_duration(setting: Setting, follow_up: float, target: Callable[[Setting, float], float]) -> Setting:
    """The accrual longer or shorter, so that the target is 0 with a given follow-up after the last patient.

    Args:
        follow_up: from the last patient in to the analysis.
        target: of the setting and the calendar time of the analysis, rising with either; e.g. expected events less those needed.
    """

    def excess(duration: float) -> float:
        return target(setting._replace(accrual_duration=duration), duration + follow_up)

    return setting._replace(accrual_duration=_root(excess, "accrual duration"))


def with_follow_up(setting: Setting, target: Callable[[Setting, float], float]) -> float:
    """Time from the last patient in to the analysis with which the target is 0; arguments as in `with_accrual_duration`."""
    return _root(lambda follow_up: target(setting, setting.accrual_duration + follow_up), "follow-up")


def enough_events(events: float) -> Callable[[Setting, float], float]:
    """Target of the searches above: expected events less `events`."""
    return lambda setting, time: float(expected(setting, time).events.sum() - events)


def _root(excess: Callable[[float], float], what: str) -> float:
    """Where a rising function is 0, sought between nothing and ever longer times."""
    low, high = 1e-6, 1.0
    if excess(low) > 0:
        raise ValueError(f"no {what} is short enough: even without any, there is more than needed")
    while excess(high) < 0:
        low, high = high, 2.0 * high
        if high > LONGEST:
            raise ValueError(f"no {what} is long enough")
    return float(optimize.brentq(excess, low, high, xtol=1e-10))


def rounded(setting: Setting, follow_up: float, faster: bool = False) -> tuple[Setting, float]:
    """A plan in whole numbers: patients rounded up, by a longer (or faster) accrual, then events, by a longer follow-up.

    Returns:
        The setting and the follow-up after its last patient.
    """
    needed = np.ceil(expected(setting, setting.accrual_duration + follow_up).events.sum() - 1e-9)
    now = setting.patients(np.inf)
    patients = np.ceil(now - 1e-9)
    if faster:
        whole = setting._replace(accrual=setting.accrual.scaled(patients / now))
    else:
        whole = setting._replace(accrual_duration=float(setting.accrual.inverse(patients)))
    return whole, with_follow_up(whole, enough_events(needed))


class Plan(NamedTuple):
    """A group-sequential trial with a time-to-event endpoint, under proportional hazards.

    Attributes:
        bounds: its bounds. events: at each look, not rounded, (looks,).
        time: at which they are expected, (looks,). patients: randomised by then, (looks,).
        hr_at_bound: hazard ratio that just reaches the upper bound, (looks,).
        crossed: probability of having crossed the upper bound by each look, under the planned hazard ratio, (looks,).
    """

    bounds: Bounds
    events: np.ndarray
    time: np.ndarray
    patients: np.ndarray
    hr_at_bound: np.ndarray
    crossed: np.ndarray


def group_sequential_plan(setting: Setting, bounds: Bounds, log_hr: float) -> Plan:
    """Events, times and patients at each look of a group-sequential design with a power; see `bounds.group_sequential`."""
    r = setting.ratio
    events = bounds.fraction * (1.0 + r) ** 2 / r * (bounds.drift / log_hr) ** 2
    time = np.array([time_of_events(setting, d) for d in events])
    patients = np.array([setting.patients(t) for t in time])
    hr = np.exp(-bounds.upper * (1.0 + r) / np.sqrt(r * events))
    return Plan(bounds, events, time, patients, hr, np.cumsum(bounds.crossing(bounds.drift).upper))


def one_stratum(
    control: float, hr: float, rate: float, accrual_duration: float, ratio: float = 1.0, drop_out: float = 0.0
) -> Setting:
    """A setting of constant rates: hazard on control, hazard ratio, patients per unit of time, rate of loss of view."""
    return strata_of([1.0], [piecewise(control)], [piecewise(control * hr)], piecewise(rate), accrual_duration, ratio, drop_out)


def strata_of(
    share: Sequence[float],
    control: Sequence[Piecewise],
    drug: Sequence[Piecewise],
    accrual: Piecewise,
    accrual_duration: float,
    ratio: float = 1.0,
    drop_out: float = 0.0,
) -> Setting:
    """A setting from a list for each field of its strata, with one rate of drop-out."""
    strata = tuple(Stratum(*each) for each in zip(share, control, drug, strict=True))
    return Setting(accrual, accrual_duration, strata, ratio, (piecewise(drop_out), piecewise(drop_out)))
