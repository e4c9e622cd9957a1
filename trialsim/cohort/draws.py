"""Inverse-CDF sampling from uniforms that belong to a patient and a named quantity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from trialsim import streams

# A patient further than this from the mean is not sampled: with ten million patients the tails of a lognormal would
# otherwise hold tumours that double in hours.
SCORE_LIMIT = 3.0


@dataclass(frozen=True)
class PatientDraws:
    """Random numbers of a set of patients.

    Attributes:
        seed: study seed.
        ids: patient_id, int, shape (patients,).
    """

    seed: int
    ids: np.ndarray

    def uniform(self, name: str) -> np.ndarray:
        """One uniform a patient for the quantity ``name``: float64, shape (patients,)."""
        return streams.uniforms(self.seed, f"cohort.{name}", self.ids)[:, 0]

    def uniforms(self, name: str, count: int) -> np.ndarray:
        """``count`` independent uniforms a patient: float64, shape (patients, count)."""
        return streams.uniforms(self.seed, f"cohort.{name}", self.ids, count)

    def score(self, name: str) -> np.ndarray:
        """Standard normal truncated to +-SCORE_LIMIT: float64, shape (patients,)."""
        return truncated_score(self.uniform(name))


def truncated_score(u: np.ndarray) -> np.ndarray:
    """Standard normal truncated to +-SCORE_LIMIT, by inversion of the uniform ``u``."""
    low, high = special.ndtr(-SCORE_LIMIT), special.ndtr(SCORE_LIMIT)
    return special.ndtri(low + u * (high - low))


def truncated_normal(u: np.ndarray, mean: np.ndarray, sd: np.ndarray, low: float, high: float) -> np.ndarray:
    """Normal(mean, sd) truncated to [low, high], by inversion of the uniform ``u``."""
    return stats.truncnorm.ppf(u, (low - mean) / sd, (high - mean) / sd, loc=mean, scale=sd)


def category(u: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Index of a category drawn with the given probabilities.

    Args:
        u: uniform, shape (patients,).
        probabilities: shape (categories,), or (patients, categories) where they differ between patients.
    """
    upper = np.cumsum(np.broadcast_to(probabilities, (len(u), np.shape(probabilities)[-1])), axis=-1)
    # Normalising by the last sum keeps a rounding error of 1e-16 from opening a category of probability zero.
    return np.sum(u[:, None] >= upper / upper[:, -1:], axis=-1)


def correlated(score: np.ndarray, own: np.ndarray, correlation: float) -> np.ndarray:
    """Normal score with the given correlation to ``score``; ``own`` is independent of it."""
    return correlation * score + np.sqrt(1.0 - correlation**2) * own


def lognormal(score: np.ndarray, median: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """exp(ln median + log_sd * score)."""
    return median * np.exp(log_sd * score)
