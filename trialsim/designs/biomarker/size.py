"""What a randomised trial takes, in all comers or in marker-positive patients only.

    events      D = (1 + r)^2 / r  (z_{1-a} + z_{1-b})^2 / (log HR)^2                     (Schoenfeld D, Biometrics 1983;39:499-503)
    randomised  N = D / P(event during the planned follow-up)
    screened    S = N / ((1 - assay failure) x share positive);  nobody is screened for a trial in all comers

r: patients on the drug for one on control. The interaction of drug and marker takes, with a share q of the events in
marker-positive patients (variance of the difference of two log hazard ratios),

    D = (1 + r)^2 / r  (z_{1-a} + z_{1-b})^2 / (q (1 - q) (log HR+ - log HR-)^2)

A hazard ratio of 1 or more takes infinitely many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Size(NamedTuple):
    """A trial's size, whole numbers as floats so that inf can stand: events, randomised, screened; of any shape."""

    events: np.ndarray
    randomised: np.ndarray
    screened: np.ndarray


def events_needed(log_hr: ArrayLike, alpha: float, power: float, allocation: float = 1.0) -> np.ndarray:
    """Events of both arms together (not rounded); inf where the drug does not lower the hazard, NaN where unknown.

    Args:
        log_hr: log hazard ratio, drug over control. alpha: one-sided. power: 0-1. allocation: r.
    """
    effect = -np.asarray(log_hr, float)
    z = stats.norm.ppf(1.0 - alpha) + stats.norm.ppf(power)
    with np.errstate(divide="ignore"):
        found = (1.0 + allocation) ** 2 / allocation * z**2 / effect**2
    return np.where(np.isnan(effect), np.nan, np.where(effect > 0, found, np.inf))


def interaction_events(log_ratio: ArrayLike, share: ArrayLike, alpha: float, power: float, allocation: float = 1.0) -> np.ndarray:
    """Events to show, one-sided, that the hazard ratio is lower with the marker; arguments as in `events_needed`.

    Args:
        log_ratio: log HR+ - log HR-. share: q.
    """
    q = np.asarray(share, float)
    return events_needed(log_ratio, alpha, power, allocation) / (q * (1.0 - q))


def interaction_power(
    log_ratio: ArrayLike, share: ArrayLike, events: ArrayLike, alpha: float, allocation: float = 1.0
) -> np.ndarray:
    """Power to show, one-sided, that the hazard ratio is lower with the marker; arguments as in `interaction_events`."""
    q = np.asarray(share, float)
    information = allocation / (1.0 + allocation) ** 2 * np.asarray(events, float) * q * (1.0 - q)
    return stats.norm.cdf(-np.asarray(log_ratio, float) * np.sqrt(information) - stats.norm.ppf(1.0 - alpha))


def size(log_hr: ArrayLike, event_share: ArrayLike, eligible: ArrayLike, alpha: float, power: float) -> Size:
    """Size of a 1:1 trial.

    Args:
        log_hr: expected log hazard ratio of those randomised. event_share: of them, with an event by the end of follow-up.
        eligible: share of the screened who are randomised.
    """
    events = np.ceil(events_needed(log_hr, alpha, power))
    with np.errstate(divide="ignore", invalid="ignore"):
        randomised = np.ceil(events / np.asarray(event_share, float))
        return Size(events, randomised, np.ceil(randomised / np.asarray(eligible, float)))
