"""What every sampling step may look at: the settings, the patients' random numbers, the columns known so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from trialsim.cohort.draws import SCORE_LIMIT, PatientDraws, truncated_score
from trialsim.schema.cohort import PopulationSettings, TumourSettings

# Columns known so far, each of shape (patients,) (lesion diameters: (patients, 5)). Steps read it and never write it.
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Context:
    """Settings and random numbers of one cohort."""

    population: PopulationSettings
    tumours: Mapping[str, TumourSettings]
    draws: PatientDraws

    @property
    def types(self) -> list[str]:
        """Described tumour types in alphabetical order; ``tumour_index`` counts along this list."""
        return sorted(self.tumours)

    def of_tumour(self, columns: Columns, value: Callable[[TumourSettings], object]) -> np.ndarray:
        """A setting of each patient's own tumour type, shape (patients,) or (patients, length of the setting)."""
        return np.array([value(self.tumours[kind]) for kind in self.types])[columns["tumour_index"]]


def conditional_score(own: np.ndarray, evidence: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """Normal score given correlated normal scores that are independent of one another once this one is known.

    With evidence (s_k, rho_k):  precision = 1 + sum rho_k^2/(1-rho_k^2),  mean = sum rho_k s_k/(1-rho_k^2) / precision.
    One piece of evidence gives the familiar rho s + sqrt(1-rho^2) own; none gives ``own``.

    Args:
        own: independent standard normal scores, shape (patients,).
        evidence: known scores, shape (patients,), each with its correlation to the wanted one.
    """
    precision = 1.0 + sum(rho**2 / (1.0 - rho**2) for _, rho in evidence)
    pull = sum((rho / (1.0 - rho**2) * score for score, rho in evidence), np.zeros_like(own))
    return pull / precision + own / np.sqrt(precision)


def score_within(index: np.ndarray, probabilities: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Normal score of a patient whose category is known: uniform within the category's slice of the distribution.

    Args:
        index: category, shape (patients,).
        probabilities: shape (categories,), or (patients, categories). A category beyond the last counts as the last.
        u: uniform, shape (patients,).
    """
    table = np.broadcast_to(probabilities, (len(index), np.shape(probabilities)[-1]))
    upper = np.cumsum(table, axis=1)
    rows = np.arange(len(index))
    place = np.minimum(index, table.shape[1] - 1)
    high = upper[rows, place]
    return truncated_score(np.clip(high - (1.0 - u) * table[rows, place], 0.0, 1.0))


def standardised(value: np.ndarray, median: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """Normal score of a lognormal value, held within +-SCORE_LIMIT; the median where ``log_sd`` is zero."""
    spread = np.where(log_sd > 0, log_sd, 1.0)
    score = np.where(log_sd > 0, np.log(value / median) / spread, 0.0)
    return np.clip(score, -SCORE_LIMIT, SCORE_LIMIT)


def uniform_of(score: np.ndarray) -> np.ndarray:
    """Normal distribution function: a score becomes a uniform."""
    return special.ndtr(score)
