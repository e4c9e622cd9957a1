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

from trialsim.designs.randomised.sizes import schoenfeld_events, schoenfeld_power


class Size(NamedTuple):
    """A trial's size, whole numbers as floats so that inf can stand: events, randomised, screened; of any shape."""

    events: np.ndarray
    randomised: np.ndarray
    screened: np.ndarray


def interaction_events(log_ratio: ArrayLike, share: ArrayLike, alpha: float, power: float, allocation: float = 1.0) -> np.ndarray:
    """Events to show, one-sided, that the hazard ratio is lower with the marker; arguments as in `schoenfeld_events`.

    Args:
        log_ratio: log HR+ - log HR-. share: q.
    """
    q = np.asarray(share, float)
    return schoenfeld_events(log_ratio, alpha, power, allocation) / (q * (1.0 - q))


def interaction_power(
    log_ratio: ArrayLike, share: ArrayLike, events: ArrayLike, alpha: float, allocation: float = 1.0
) -> np.ndarray:
    """Power to show, one-sided, that the hazard ratio is lower with the marker; arguments as in `interaction_events`."""
    q = np.asarray(share, float)
    return schoenfeld_power(log_ratio, np.asarray(events, float) * q * (1.0 - q), alpha, allocation)


def size(log_hr: ArrayLike, event_share: ArrayLike, eligible: ArrayLike, alpha: float, power: float) -> Size:
    """Size of a 1:1 trial.

    Args:
        log_hr: expected log hazard ratio of those randomised. event_share: of them, with an event by the end of follow-up.
        eligible: share of the screened who are randomised.
    """
    events = np.ceil(schoenfeld_events(log_hr, alpha, power))
    with np.errstate(divide="ignore", invalid="ignore"):
        randomised = np.ceil(events / np.asarray(event_share, float))
        return Size(events, randomised, np.ceil(randomised / np.asarray(eligible, float)))
