"""Designs that use a marker. Which marker, and how well it is measured, belongs to the analysis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.base import KIND, DesignSettings

ORDER = "in whom the drug is tested, in which order"  # description of every kind of strategy


class MarkerDesignSettings(DesignSettings):
    """What randomised trials with a marker share. At most ``replicate_size`` patients are randomised, over
    ``accrual_months`` if they come evenly; the last analysis is no later than ``cutoff_months``."""

    alpha: float = Field(gt=0, lt=0.5, description="one-sided family-wise error of the trial's claims")
    events: int = Field(ge=1, le=100_000, description="events of both arms at which the (first stage's) final analysis is due")
    drug_per_block: int = Field(ge=1, le=6, description="patients on the drug in a permuted block")
    control_per_block: int = Field(ge=1, le=6, description="patients on control in a permuted block")

    def own_faults(self) -> list[ConfigError]:
        if self.events > self.replicate_size:
            allowed = f"at most design.replicate_size = {self.replicate_size}, the patients randomised"
            return [ConfigError("design.events", self.events, allowed)]
        return []


class AllComersSettings(MarkerDesignSettings):
    """Everyone is randomised, nobody is tested."""

    kind: Literal["all_comers"] = Field(description=KIND)


class TestedSettings(MarkerDesignSettings):
    """What designs share that test the marker before randomisation."""

    failed_assays: Literal["excluded", "enter"] = Field(description="patients without a result: excluded, or enter")


class EnrichedSettings(TestedSettings):
    """Marker-positive patients only."""

    kind: Literal["enriched"] = Field(description=KIND)


class OverallOnlySettings(Settings):
    """One test, of all patients."""

    kind: Literal["overall"] = Field(description=ORDER)


class FixedSequenceSettings(Settings):
    """Positive patients first, then all."""

    kind: Literal["fixed_sequence"] = Field(description=ORDER)


class FallbackSettings(Settings):
    """All patients at part of alpha, positive ones at what remains given the correlation."""

    kind: Literal["fallback"] = Field(description=ORDER)
    alpha_overall: float = Field(gt=0, lt=0.5, description="one-sided level of the test of all patients, below alpha")
    consistency: float = Field(
        gt=0, le=1, description="one-sided p of all patients above which positive ones are not looked at; 1: always looked at"
    )


class MarkerSequentialSettings(Settings):
    """Positive patients; then negative ones if significant, all if not (MaST)."""

    kind: Literal["mast"] = Field(description=ORDER)
    alpha_positive: float = Field(gt=0, lt=0.5, description="one-sided level of the test of positive patients, below alpha")


StrategySettings = Annotated[
    OverallOnlySettings | FixedSequenceSettings | FallbackSettings | MarkerSequentialSettings, Field(discriminator="kind")
]


class MarkerStratifiedSettings(TestedSettings):
    """Everyone is randomised, stratified by the marker."""

    kind: Literal["marker_stratified"] = Field(description=KIND)
    events_positive: int = Field(
        ge=0, le=100_000, description="events of positive patients that the analysis also waits for; 0: it does not"
    )
    strategy: StrategySettings

    def own_faults(self) -> list[ConfigError]:
        faults, s = super().own_faults(), self.strategy
        if self.events_positive > self.events:
            allowed = f"at most design.events = {self.events}, of which they are part"
            faults.append(ConfigError("design.events_positive", self.events_positive, allowed))
        parts = {name: getattr(s, name) for name in ("alpha_overall", "alpha_positive") if hasattr(s, name)}
        for name, part in parts.items():
            if part >= self.alpha:
                faults.append(ConfigError(f"design.strategy.{name}", part, f"less than design.alpha = {self.alpha:g}"))
        if isinstance(s, FallbackSettings) and s.consistency <= self.alpha:
            faults.append(ConfigError("design.strategy.consistency", s.consistency, f"more than design.alpha = {self.alpha:g}"))
        return faults


class InterimSettings(Settings):
    """The choice of the second stage's population. What does not promise enough is dropped; if nothing does, the trial stops."""

    measure: Literal["hazard_ratio", "conditional_power", "predictive_power"] = Field(description="what is looked at")
    overall: float = Field(gt=0, lt=2, description="highest hazard ratio, or least power, with which all patients go on")
    positive: float = Field(gt=0, lt=2, description="highest hazard ratio, or least power, with which positive patients go on")


class AdaptiveEnrichmentSettings(TestedSettings):
    """Two stages; an interim look chooses the population of the second. ``events`` are those of the first."""

    kind: Literal["adaptive_enrichment"] = Field(description=KIND)
    first_patients: int = Field(ge=2, le=100_000, description="patients randomised in the first stage")
    interim_events: int = Field(
        ge=0, le=100_000, description="events among them at which the choice is due; 0: once the last of them is in"
    )
    next_events: int = Field(ge=1, le=100_000, description="events of the second stage if all patients go on")
    next_patients_positive: int = Field(
        ge=2, le=100_000, description="patients randomised in the second stage if only positive ones go on"
    )
    next_events_positive: int = Field(ge=1, le=100_000, description="events of the second stage if only positive patients go on")
    intersection: Literal["simes", "correlated"] = Field(description="test of both hypotheses together within a stage")
    interim: InterimSettings

    @property
    def next_patients(self) -> int:
        """Patients randomised in the second stage if all go on."""
        return self.replicate_size - self.first_patients

    def own_faults(self) -> list[ConfigError]:
        most = {
            "first_patients": (self.replicate_size - 1, "one less than design.replicate_size"),
            "events": (self.first_patients, "design.first_patients"),
            "interim_events": (self.events, "design.events, those at which the first stage is analysed"),
            "next_events": (self.next_patients, "design.replicate_size - design.first_patients"),
            "next_patients_positive": (self.next_patients, "design.replicate_size - design.first_patients"),
            "next_events_positive": (self.next_patients_positive, "design.next_patients_positive"),
        }
        faults = [
            ConfigError(f"design.{name}", getattr(self, name), f"at most {limit}: {what}")
            for name, (limit, what) in most.items()
            if getattr(self, name) > limit
        ]
        for name in ("overall", "positive"):
            value = getattr(self.interim, name)
            if self.interim.measure != "hazard_ratio" and value >= 1:
                faults.append(ConfigError(f"design.interim.{name}", value, "less than 1, as it is a power"))
        return faults


BiomarkerDesign = AllComersSettings | EnrichedSettings | MarkerStratifiedSettings | AdaptiveEnrichmentSettings
