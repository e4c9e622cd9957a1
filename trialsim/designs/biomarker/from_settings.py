"""From the settings of a design with a marker to its play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialsim.designs.biomarker.adaptive import InterimRule, Stages, play_adaptive
from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.conduct import Played
from trialsim.designs.biomarker.fixed import play_all_comers, play_enriched, play_stratified
from trialsim.designs.biomarker.multiplicity import Fallback, FixedSequence, MarkerSequential, OverallOnly, Strategy
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.design.biomarker import AdaptiveEnrichmentSettings, BiomarkerDesign, MarkerStratifiedSettings


def play(design: BiomarkerDesign, candidates: MarkedCandidates, rng: np.random.Generator, turnaround: float = 0.0) -> Played:
    """Play every replicate as the settings have it.

    Args:
        turnaround: of the assay, days; a design that tests nobody does not wait for it.
    """
    block = (design.control_per_block, design.drug_per_block)
    last_day = design.cutoff_months * DAYS_PER_MONTH
    size = (design.replicate_size, design.events)
    if design.kind == "all_comers":
        return play_all_comers(candidates, *size, design.alpha, rng, block=block, last_day=last_day)
    tested: dict[str, Any] = {"failed": design.failed_assays, "turnaround": turnaround, "block": block, "last_day": last_day}
    if design.kind == "enriched":
        return play_enriched(candidates, *size, design.alpha, rng, **tested)
    if design.kind == "marker_stratified":
        return play_stratified(candidates, *size, strategy(design), rng, events_positive=design.events_positive, **tested)
    rule = InterimRule(design.interim.measure, design.interim.overall, design.interim.positive)
    return play_adaptive(candidates, stages(design), rule, design.alpha, rng, method=design.intersection, **tested)


def strategy(design: MarkerStratifiedSettings) -> Strategy:
    """How a marker-stratified design tests."""
    given = design.strategy
    if given.kind == "fallback":
        return Fallback(design.alpha, given.alpha_overall, given.consistency)
    if given.kind == "mast":
        return MarkerSequential(design.alpha, given.alpha_positive)
    return FixedSequence(design.alpha) if given.kind == "fixed_sequence" else OverallOnly(design.alpha)


def stages(design: AdaptiveEnrichmentSettings) -> Stages:
    """Sizes of the stages of adaptive enrichment."""
    return Stages(
        patients=design.first_patients,
        interim_events=design.interim_events,
        events=design.events,
        next_patients=design.next_patients,
        next_events=design.next_events,
        next_patients_positive=design.next_patients_positive,
        next_events_positive=design.next_events_positive,
    )
