"""Assurance: the chance that a trial of a given size succeeds, over the worlds and over who comes into it.

Log-rank, 1:1 (Schoenfeld D, Biometrika 1981;68:316-9): in a world with log hazard ratio b and D events expected,

    power = Phi( -b sqrt(D) / 2 - z_alpha )

and, where the hazard ratio that the trial finds differs from the model's by N(0, tau^2) beyond chance, as those of published trials
do (`calibration`), that is the numerator over sqrt(1 + tau^2 D / 4). One arm: exact binomial test of the response rate.
Assurance is the mean of the power over the worlds (O'Hagan A et al., Pharm Stat 2005;4:187-201). As trials grow, it tends to the
share of worlds in which the option is truly better.
"""

from __future__ import annotations

import numpy as np
from scipy import stats


def power_log_rank(
    log_hr: np.ndarray, events: np.ndarray, patients: np.ndarray, alpha: float, misfit: np.ndarray | float = 0.0
) -> np.ndarray:
    """Power in each world, (sizes, worlds).

    Args:
        log_hr: (worlds,). events: sum of both arms' chances that a patient's event is seen, (worlds,).
        patients: an arm, (sizes,). alpha: one-sided. misfit: SD of the trial's log hazard ratio beyond chance, (worlds,).
    """
    seen = np.asarray(patients, float)[:, None] * events
    drift = -log_hr * np.sqrt(seen) / 2.0 - stats.norm.isf(alpha)
    return stats.norm.cdf(drift / np.sqrt(1.0 + np.square(misfit) * seen / 4.0))


def power_response(rate: np.ndarray, null: float, patients: np.ndarray, alpha: float) -> np.ndarray:
    """Chance that the exact one-sided test rejects the null rate, (sizes, worlds)."""
    n = np.asarray(patients)[:, None]
    needed = stats.binom.isf(alpha, n, null) + 1  # fewest responders r with P(X >= r | null) <= alpha
    return stats.binom.sf(needed - 1, n, np.clip(rate, 0.0, 1.0))


def smallest(patients: np.ndarray, assurance: np.ndarray, asked: float) -> int | None:
    """The smallest size that has the assurance asked for; None: none has."""
    reached = np.flatnonzero(assurance >= asked)
    return int(patients[reached[0]]) if len(reached) else None
