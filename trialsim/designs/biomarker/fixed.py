"""Designs without a choice on the way: all comers, marker-positive patients only, everyone stratified by the marker.

Accrual goes on to the number of patients planned or to the analysis. That is due at a number of events, or on the last day.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats

from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.conduct import (
    Patients,
    Played,
    admit,
    event_day,
    first,
    known_by,
    result,
    scores,
    screening,
)
from trialsim.designs.biomarker.multiplicity import Claims, OverallOnly, Strategy

Failed = Literal["excluded", "enter"]


def play_all_comers(
    candidates: MarkedCandidates,
    patients: int,
    events: int,
    alpha: float,
    rng: np.random.Generator,
    *,
    block: tuple[int, int] = (1, 1),
    last_day: float = np.inf,
) -> Played:
    """Everyone is randomised and nobody tested; one log-rank test. The estimate in positive patients is one made afterwards.

    Args:
        patients, events: most that are randomised; events of both arms at which the analysis is due. alpha: one-sided.
        block: patients on control and on the drug in a permuted block. last_day: of the trial, whatever has happened.
    """
    admitted = admit(candidates, np.ones(candidates.arrival.shape, bool), block, 0.0, rng, stratified=False)
    population = first(admitted.enters, patients)
    day = _end(candidates, admitted, population, events, 0, 0.0, last_day)
    claims = OverallOnly(alpha).claims(scores(admitted, population, day, stratified=False))
    return result(admitted, population, claims, day, np.zeros(len(day), int), stratified=False)


def play_enriched(
    candidates: MarkedCandidates,
    patients: int,
    events: int,
    alpha: float,
    rng: np.random.Generator,
    *,
    failed: Failed = "excluded",
    turnaround: float = 0.0,
    block: tuple[int, int] = (1, 1),
    last_day: float = np.inf,
) -> Played:
    """Test-positive patients are randomised; one log-rank test, whose claim is about positive patients.

    Args:
        patients, events, alpha, block, last_day: as in `play_all_comers`. failed: whether patients without a result are left out
            or enter as positive ones do, in a stratum of their own. turnaround: days from arrival to the result.
    """
    eligible = candidates.marker == 1.0
    if failed == "enter":
        eligible |= np.isnan(candidates.marker)
    admitted = admit(candidates, eligible, block, turnaround, rng)
    population = first(admitted.enters, patients)
    day = _end(candidates, admitted, population, events, 0, turnaround, last_day)
    significant = scores(admitted, population, day).overall >= stats.norm.isf(alpha)
    claims = Claims(np.zeros_like(significant), significant, np.zeros_like(significant))
    return result(admitted, population, claims, day, screening(candidates, population, patients, day))


def play_stratified(
    candidates: MarkedCandidates,
    patients: int,
    events: int,
    strategy: Strategy,
    rng: np.random.Generator,
    *,
    events_positive: int = 0,
    failed: Failed = "excluded",
    turnaround: float = 0.0,
    block: tuple[int, int] = (1, 1),
    last_day: float = np.inf,
) -> Played:
    """Everyone is tested and randomised within strata of the marker; claims as the strategy has them.

    Args:
        patients, turnaround, block, last_day: as in `play_enriched`. events, events_positive: of all and of positive patients; the
            analysis is due when both are reached. failed: whether patients without a result are left out, or enter and count
            among all.
    """
    eligible = np.full(candidates.marker.shape, True) if failed == "enter" else ~np.isnan(candidates.marker)
    admitted = admit(candidates, eligible, block, turnaround, rng)
    population = first(admitted.enters, patients)
    day = _end(candidates, admitted, population, events, events_positive, turnaround, last_day)
    claims = strategy.claims(scores(admitted, population, day))
    return result(admitted, population, claims, day, screening(candidates, population, patients, day))


def _end(
    candidates: MarkedCandidates,
    admitted: Patients,
    population: np.ndarray,
    events: int,
    events_positive: int,
    turnaround: float,
    last_day: float,
) -> np.ndarray:
    """Day of the analysis."""
    due = np.maximum(
        event_day(admitted, population, events), event_day(admitted, population & admitted.positive, events_positive)
    )
    return np.minimum(np.where(population.any(axis=1), due, known_by(candidates, turnaround)), last_day)
