"""Time-to-event endpoints: events and censoring, Kaplan-Meier, median, landmark survival, restricted mean.

References: Kaplan & Meier, J Am Stat Assoc 1958;53:457-81. Brookmeyer & Crowley, Biometrics 1982;38:29-41 (interval of
the median). Log-log interval: Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, 2nd ed.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from trialsim.endpoints.estimate import Estimate
from trialsim.endpoints.recist import Response, first_progression_day

METHOD = "Kaplan-Meier, log-log interval"
TIE = 1e-12
"""Two survival probabilities closer than this are equal: products of fractions miss 0.5 by rounding."""


class EventTime(NamedTuple):
    """Times to an event, with right censoring.

    Attributes:
        time: days, (patients,).
        event: True: the event happened at `time`; False: censored there, (patients,).
    """

    time: np.ndarray
    event: np.ndarray


def progression_free_survival(
    scan_day: np.ndarray,
    response: np.ndarray,
    death_day: np.ndarray,
    observed_until: np.ndarray,
    *,
    maximum_gap_days: float | None = None,
) -> EventTime:
    """Progression-free survival from day 0, the first dose.

    Event: the first visit with PD, or death from any cause, whichever is earlier. Censored: at the last readable scan
    (any response but NE) not later than `observed_until`; at day 0 if there is none. Progression or death after
    `observed_until` is not known.

    Args:
        scan_day, response: (patients, scans); day NaN where there is no scan; codes of `recist.Response`.
        death_day: (patients,), days; inf or NaN if alive at the end.
        observed_until: (patients,), days: earlier of withdrawal of consent and data cut-off.
        maximum_gap_days: if given, an event more than this many days after the last readable scan is censored at that
            scan (day 0 if none). FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics
            (guidance, 2018), has such a rule for two or more missed visits; two missed scans in a row make the gap
            three scan intervals.
    """
    observed_until = np.asarray(observed_until, float)
    scan_day = np.asarray(scan_day, float)
    scan_day = np.where(scan_day <= observed_until[:, None], scan_day, np.nan)
    death = _known(death_day, observed_until)
    happens = np.minimum(first_progression_day(scan_day, response), death)
    readable = (np.asarray(response) != Response.NE) & (scan_day < happens[:, None])
    last_readable = np.max(np.where(readable, scan_day, 0.0), axis=1, initial=0.0)
    event = np.isfinite(happens)
    if maximum_gap_days is not None:
        event &= happens - last_readable <= maximum_gap_days
    return EventTime(np.where(event, happens, last_readable), event)


def progression_interval(
    scan_day: np.ndarray, response: np.ndarray, death_day: np.ndarray, observed_until: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is known of the time to progression or death, which scans bracket: later than ``low``, no later than ``high``.

    Progression falls between the last readable scan without it and the scan that shows it; death is known to the day unless
    progression was; a patient without either is beyond the last readable scan (``high`` inf). Arguments as in
    `progression_free_survival`, which dates the event at ``high``.

    Returns:
        low, high: (patients,), days.
    """
    pfs = progression_free_survival(scan_day, response, death_day, observed_until)
    scan_day = np.asarray(scan_day, float)
    readable = (np.asarray(response) != Response.NE) & (scan_day < pfs.time[:, None])
    before = np.max(np.where(readable, scan_day, 0.0), axis=1, initial=0.0)
    death = pfs.event & (pfs.time == _known(death_day, np.asarray(observed_until, float)))
    low = np.where(pfs.event & ~death, before, pfs.time)
    return low, np.where(pfs.event, pfs.time, np.inf)


def overall_survival(death_day: np.ndarray, observed_until: np.ndarray) -> EventTime:
    """Overall survival from day 0: death, or censored when last known alive.

    Args:
        death_day: (patients,), days; inf or NaN if alive at the end.
        observed_until: (patients,), last day on which the patient's vital status is known, days.
    """
    observed_until = np.asarray(observed_until, float)
    death = _known(death_day, observed_until)
    return EventTime(np.minimum(death, observed_until), np.isfinite(death))


def time_on_treatment(stop_day: np.ndarray, observed_until: np.ndarray) -> EventTime:
    """Time on treatment: end for any reason (progression, toxicity, death, withdrawal), or censored while still
    treated.

    Args:
        stop_day: (patients,), day of the last dose or of the decision to stop; inf or NaN if ongoing.
        observed_until: (patients,), data cut-off, days.
    """
    return overall_survival(stop_day, observed_until)


class SurvivalCurve(NamedTuple):
    """Kaplan-Meier estimate: a step function that takes `survival[i]` on [time[i], time[i + 1]). All fields (steps,).

    Attributes:
        time: 0 and every distinct time in the data, ascending, days.
        survival: probability of being free of the event.
        low, high: pointwise log-log limits. Where the curve has reached 0 the upper limit has no formula and keeps its
            last value.
        at_risk: patients at risk just before `time`; events, censored: at `time`.
    """

    time: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray


def kaplan_meier(
    time: np.ndarray, event: np.ndarray, level: float = 0.95, interval: Literal["log-log", "log"] = "log-log"
) -> SurvivalCurve:
    """Kaplan-Meier curve with pointwise interval. A patient censored at t is at risk for an event at t.

    Args:
        time: (patients,), days, >= 0, at least one patient.
        event: (patients,), bool.
        level: coverage of the interval.
        interval: scale on which it is symmetric. "log" is the default of R's survival, and as there has no upper limit (NaN) where
            the curve has reached 0.
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    if time.size == 0:
        raise ValueError("a survival curve needs at least one patient")
    if not (np.all(np.isfinite(time)) and np.all(time >= 0)):
        raise ValueError("survival times must be finite and not negative")
    estimate = stats.ecdf(stats.CensoredData.right_censored(time, ~event)).sf
    with warnings.catch_warnings():  # the limits have no formula before the first event and at zero: filled in below
        warnings.simplefilter("ignore", RuntimeWarning)
        limits = estimate.confidence_interval(level, method="log-log")
    survival = estimate.probabilities
    low, high = limits.low.probabilities.copy(), limits.high.probabilities.copy()
    low[survival >= 1 - TIE], high[survival >= 1 - TIE] = 1.0, 1.0
    zero = survival <= TIE
    low[zero] = 0.0
    high[zero] = high[~zero][-1] if np.any(~zero) else 1.0
    steps = estimate.quantiles
    order = np.searchsorted(steps, time)
    events = np.bincount(order[event], minlength=len(steps))
    censored = np.bincount(order[~event], minlength=len(steps))
    curve = SurvivalCurve(steps, survival, low, high, numbers_at_risk(time, steps), events, censored)
    if interval == "log":
        half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(np.cumsum(_greenwood(curve)))
        curve = curve._replace(low=survival * np.exp(-half), high=np.where(zero, np.nan, np.minimum(1.0, survival * np.exp(half))))
    if steps[0] == 0:
        return curve
    origin = SurvivalCurve(*(np.array([value]) for value in (0.0, 1.0, 1.0, 1.0, time.size, 0, 0)))
    return SurvivalCurve(*(np.concatenate(pair) for pair in zip(origin, curve, strict=True)))


def numbers_at_risk(time: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Patients still at risk just before each time: those with an event or censoring then or later.

    Args:
        time: (patients,), days. at: (times,), days.

    Returns:
        (times,), int.
    """
    return np.asarray(time).size - np.searchsorted(np.sort(np.asarray(time, float)), at, side="left")


def quantile(curve: SurvivalCurve, probability: float = 0.5) -> Estimate:
    """Time by which a share `probability` has had the event: the first time with survival <= 1 - probability.

    The interval is that of Brookmeyer and Crowley: all times at which the interval of the curve covers 1 - probability.
    NaN: not reached.
    """
    target = 1.0 - probability
    upper = np.where((curve.survival <= TIE) & ~np.isnan(curve.high), 0.0, curve.high)
    n = int(curve.at_risk[0])
    return Estimate(
        _first(curve.time, curve.survival <= target + TIE),
        _first(curve.time, curve.low <= target + TIE),
        _first(curve.time, upper < target - TIE),
        n,
        "Kaplan-Meier, Brookmeyer-Crowley interval",
    )


def median(time: np.ndarray, event: np.ndarray, level: float = 0.95) -> Estimate:
    """Median time with Brookmeyer-Crowley interval, days; arguments as in `kaplan_meier`, result as in `quantile`."""
    return quantile(kaplan_meier(time, event, level), 0.5)


def median_follow_up(time: np.ndarray, event: np.ndarray, level: float = 0.95) -> Estimate:
    """Median follow-up by the reverse Kaplan-Meier method (events and censoring change places), days."""
    return median(time, ~np.asarray(event, bool), level)


def survival_at(curve: SurvivalCurve, day: float) -> Estimate:
    """Landmark survival: the probability of being free of the event at `day`, with log-log limits.

    NaN beyond the last observation, unless the curve has reached zero by then.
    """
    n = int(curve.at_risk[0])
    if day > curve.time[-1] and curve.survival[-1] > TIE:
        return Estimate(np.nan, np.nan, np.nan, n, METHOD)
    step = np.searchsorted(curve.time, day, side="right") - 1
    return Estimate(float(curve.survival[step]), float(curve.low[step]), float(curve.high[step]), n, METHOD)


def restricted_mean(curve: SurvivalCurve, horizon_days: float, level: float = 0.95) -> Estimate:
    """Mean time without the event up to `horizon_days`, with a normal interval; see `area_under`."""
    mean, variance = (float(x) for x in area_under(curve.time, curve.survival, _greenwood(curve), horizon_days))
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
    low, high = np.maximum(0.0, mean - half), np.minimum(horizon_days, mean + half)
    return Estimate(mean, float(low), float(high), int(curve.at_risk[0]), "restricted mean, normal interval")


def _greenwood(curve: SurvivalCurve) -> np.ndarray:
    """d / (n (n - d)) of each step, 0 where nobody is left: their sum is the variance of log survival, (steps,)."""
    left = curve.at_risk - curve.events
    return np.divide(curve.events, curve.at_risk * left, out=np.zeros(len(left)), where=left > 0)


def area_under(
    time: np.ndarray, survival: np.ndarray, greenwood: np.ndarray, horizon_days: float
) -> tuple[np.ndarray, np.ndarray]:
    """Restricted mean survival time, the area under each curve up to the horizon, and its variance, (...).

        Var = sum over event times t_i <= horizon of (area from t_i to horizon)^2 d_i / (n_i (n_i - d_i))

    NaN if the curve does not reach the horizon. Reference: Klein & Moeschberger, Survival Analysis, 2nd ed., section 4.5.

    Args:
        time: start of each step, rising from 0, days; survival: on that step; (..., steps).
        greenwood: d / (n (n - d)) at the start of the step, 0 where nobody is left, (..., steps).
    """
    start = np.minimum(time, horizon_days)
    area = survival * np.diff(start, axis=-1, append=horizon_days)
    later = np.flip(np.cumsum(np.flip(area, -1), axis=-1), -1)  # from each time to the horizon
    reached = (time[..., -1] >= horizon_days) | (survival[..., -1] <= TIE)
    variance = np.sum(later**2 * greenwood, axis=-1, where=time <= horizon_days)
    return np.where(reached, later[..., 0], np.nan), np.where(reached, variance, np.nan)


def _known(day: np.ndarray, observed_until: np.ndarray) -> np.ndarray:
    """`day` where it was observed, inf elsewhere."""
    day = np.asarray(day, float)
    return np.where(day <= observed_until, day, np.inf)


def _first(time: np.ndarray, reached: np.ndarray) -> float:
    """First time at which the condition holds; NaN if it never does."""
    return float(time[np.argmax(reached)]) if np.any(reached) else np.nan
