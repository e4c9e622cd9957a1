"""What every patient would do in every arm: potential outcomes, so that designs are compared on the same patients (twins).

Arm 0 is the control. A time trend moves all arms together: patients who come later respond more, or less, whatever they get.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from trialsim.units import DAYS_PER_MONTH


class Outcomes(NamedTuple):
    """Patients of many virtual trials in order of arrival.

    Attributes:
    arrival: days since the trial opened, non-decreasing, (replicates, patients).
    response: would the patient respond in each arm, bool, (replicates, patients, arms).
    known_day: days from first dose until that is known, (replicates, patients, arms).
    """

    arrival: np.ndarray
    response: np.ndarray
    known_day: np.ndarray


def plain_outcomes(
    rates: tuple[float, ...],
    replicates: int,
    patients: int,
    per_month: float,
    rng: np.random.Generator,
    known_day: float = 112.0,
    drift: float = 0.0,
) -> Outcomes:
    """Patients with a latent readiness to respond, the same in all arms: who responds at a low rate does so at a higher one too.

    Args:
        rates: response rate of each arm, the control first. per_month: patients accrued a month, a Poisson process.
        known_day: days until a response is known, the same for all.
        drift: change of the log-odds of response of all arms from the first to the last patient, centred on `rates`; 0: none.
    """
    time = np.linspace(-0.5, 0.5, patients)
    chance = special.expit(special.logit(np.asarray(rates)) + drift * time[:, None])  # (patients, arms)
    arrival = np.cumsum(rng.exponential(DAYS_PER_MONTH / per_month, (replicates, patients)), axis=1)
    response = rng.random((replicates, patients))[..., None] < chance
    return Outcomes(arrival, response, np.full(response.shape, known_day))
