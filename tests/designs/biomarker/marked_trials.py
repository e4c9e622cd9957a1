"""Trials and truths that the tests here share, and how far a Monte Carlo share may be off.

A limit of four standard errors raises a false alarm in 3 of 100,000 comparisons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.biomarker.candidates import MarkedCandidates, plain_candidates

ALPHA = 0.025
PLAIN = {"per_month": 60.0, "median": 150.0, "prevalence": 0.4}


class Truth(NamedTuple):
    """Drifts of the scores of positive and negative patients, and which of the claims are then false."""

    positive: float
    negative: float
    false: tuple[str, ...]


def truths(fraction: float) -> dict[str, Truth]:
    """No effect at all; none in positive patients; none in all patients taken together, as positive ones gain what others lose."""
    loss = -2.0 * np.sqrt(fraction / (1.0 - fraction))
    return {
        "nobody": Truth(0.0, 0.0, ("overall", "positive", "negative")),
        "not_positive": Truth(0.0, 3.0, ("positive",)),
        "not_overall": Truth(2.0, loss, ("overall",)),
    }


def error(claims, false: tuple[str, ...]) -> np.ndarray:
    return np.any([getattr(claims, name) for name in false], axis=0)


def four_errors(p: float, n: int) -> float:
    return 4.0 * np.sqrt(p * (1.0 - p) / n)


def plain(replicates, patients, seed=0, hr=(1.0, 1.0), **other):
    given = PLAIN | {"hr_positive": hr[0], "hr_negative": hr[1]} | other
    return plain_candidates(replicates, patients, np.random.default_rng(seed), **given)


def by_hand(marker, time, event=None):
    """One trial with a patient a day from day 1, whose arm makes no difference."""
    n = len(marker)
    twin = lambda x: np.repeat(np.asarray(x)[None, :, None], 2, axis=2)
    happens = np.ones(n, bool) if event is None else event
    return MarkedCandidates(np.arange(1.0, n + 1)[None], twin(np.asarray(time, float)), twin(happens), np.array([marker], float))
