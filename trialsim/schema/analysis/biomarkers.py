"""Settings of the biomarker analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError, Settings, Sourced
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


FEWEST = 50


class CallSettings(Sourced):
    """An assay that says yes or no."""

    sensitivity: float = Field(gt=0, le=1, description="share of altered tumours that are called altered")
    specificity: float = Field(gt=0, le=1, description="share of unaltered tumours that are called unaltered")
    failure: float = Field(ge=0, lt=1, description="share of samples without a result")


class LevelSettings(Sourced):
    """An assay that measures a level."""

    cv: float = Field(ge=0, le=2, description="CV of one measurement around the truth, sampling and reading together, fraction")
    failure: float = Field(ge=0, lt=1, description="share of samples without a result")


class AssaySettings(Settings):
    """What the laboratory can do."""

    ngs: CallSettings = Field(description="mutations by next-generation sequencing of a tumour sample")
    pten: CallSettings = Field(description="loss of PTEN protein by immunohistochemistry")
    tissue: LevelSettings = Field(description="phosphoproteins in a tumour biopsy")
    blood: LevelSettings = Field(description="phosphoproteins in blood cells (PBMC)")
    concentration: LevelSettings = Field(description="drug in whole blood")


class BiomarkerSettings(AnalysisSettings):
    """How well markers tell who benefits, and what a trial gains by them."""

    kind: Literal["biomarkers"] = Field(description=KIND)
    registered_types: tuple[str, ...] = Field(description="tumour types in which a rapalog is registered")
    biopsy_week: int = Field(ge=1, le=12, description="week of treatment at whose end tumour and blood cells are taken again")
    horizon_weeks: float = Field(
        ge=4, le=100, description="time from the first dose at which freedom from progression is asked, weeks"
    )
    benefit_weeks: float = Field(gt=0, le=52, description="delay of progression or death that counts as a true benefit, weeks")
    trial_size: int | None = Field(ge=50, description="patients of the randomised trial, both arms; null: the whole cohort")
    stratified: bool = Field(description="Cox models stratified by tumour type")
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        min_length=1, max_length=9, description="shares of patients that a rule on a level keeps"
    )
    alpha: float = Field(gt=0, lt=0.5, description="one-sided type I error of a trial")
    power: float = Field(gt=0.5, lt=1, description="power of a trial")
    screening_cost: float = Field(ge=0, le=10, description="cost of screening one patient over that of one randomised")
    confidence: float = Field(gt=0.5, lt=1, description="share of resamples that must agree before a marker is recommended")
    resamples: int = Field(ge=50, le=10000, description="bootstrap resamples of the patients")
    folds: int = Field(ge=2, le=20, description="folds of cross-validation")
    assays: AssaySettings

    @property
    def benefit_days(self) -> float:
        return self.benefit_weeks * DAYS_PER_WEEK

    @property
    def horizon_days(self) -> float:
        return self.horizon_weeks * DAYS_PER_WEEK

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found = []
        if study.design.kind != "single_arm":
            found.append(ConfigError("design.kind", study.design.kind, "single_arm: every patient is simulated at regimen.dose"))
        if study.cohort.size < FEWEST:
            found.append(
                ConfigError(
                    "cohort.size", study.cohort.size, f"at least {FEWEST} patients, to compare those with and without a marker"
                )
            )
        longest = study.design.max_follow_up_months * DAYS_PER_MONTH
        for name, days in (("horizon_weeks", self.horizon_days), ("biopsy_week", self.biopsy_week * DAYS_PER_WEEK)):
            if days >= longest:
                allowed = f"less than design.max_follow_up_months, {longest / DAYS_PER_WEEK:.0f} weeks"
                found.append(ConfigError(f"analysis.{name}", getattr(self, name), allowed))
        interval, jitter = study.endpoint.scan_interval_weeks * DAYS_PER_WEEK, study.endpoint.scan_jitter_days
        off = abs(self.horizon_days - round(self.horizon_days / interval) * interval)
        if off <= jitter:
            allowed = f"more than endpoint.scan_jitter_days = {jitter} off a planned scan, every {interval / DAYS_PER_WEEK:g} weeks"
            found.append(ConfigError("analysis.horizon_weeks", self.horizon_weeks, allowed))
        if self.horizon_days <= interval + jitter or self.horizon_days <= self.biopsy_week * DAYS_PER_WEEK:
            allowed = "later than the first scan and the biopsy, whose markers it judges"
            found.append(ConfigError("analysis.horizon_weeks", self.horizon_weeks, allowed))
        return found
