"""Dose escalation: the dose of the next patients follows from the DLTs of the earlier ones (``trialsim.designs.escalation``)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError
from trialsim.schema.design.base import KIND, DesignSettings


class EscalationSettings(DesignSettings):
    """What all escalations share. They start at ``regimen.dose``, one of the levels."""

    dose_levels: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="doses of the escalation in regimen.unit, from low to high"
    )
    suspend_accrual: bool = Field(
        description="true: while nobody can be treated, patients who come go elsewhere; false: they wait for their turn"
    )
    backfill_cap: int | None = Field(
        ge=1,
        le=100,
        description="patients at a level up to which those who come while the next cohort waits are treated at levels that the "
        "escalation has passed; null: no backfilling",
    )
    backfill_max_dlt_rate: float = Field(
        ge=0, le=1, description="observed DLT rate of a level above which it is not backfilled, 0-1"
    )
    expansion_patients: int | None = Field(
        ge=0, le=1000, description="patients treated at the MTD afterwards at most; null: all that are left of the study"
    )

    @property
    def escalates(self) -> bool:
        return True

    @property
    def levels(self) -> tuple[float, ...]:
        return self.dose_levels

    def own_faults(self) -> list[ConfigError]:
        levels = list(self.dose_levels)
        if any(low >= high for low, high in zip(levels[:-1], levels[1:], strict=True)):
            return [ConfigError("design.dose_levels", levels, "strictly increasing doses")]
        return []


class ThreePlusThreeSettings(EscalationSettings):
    """3+3 (Storer, Biometrics 1989)."""

    kind: Literal["three_plus_three"] = Field(description=KIND)
    cohort_size: int = Field(ge=1, le=12, description="patients per escalation step")
    deescalate: bool = Field(
        description="true: the level below one that is too toxic is filled up to six patients; false: it is the MTD as it stands"
    )

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.cohort_size != 3:
            faults.append(ConfigError("design.cohort_size", self.cohort_size, "3, as design.kind is three_plus_three"))
        return faults


class RollingSixSettings(EscalationSettings):
    """Rolling six (Skolnik et al., J Clin Oncol 2008)."""

    kind: Literal["rolling_six"] = Field(description=KIND)


class TargetSettings(EscalationSettings):
    """What the designs share that aim at a DLT rate."""

    target_rate: float = Field(ge=0.05, le=0.6, description="DLT rate sought, 0-1")
    cohort_size: int = Field(ge=1, le=12, description="patients per escalation step")
    max_patients: int = Field(ge=1, le=500, description="patients of the escalation at most, backfilling and expansion apart")
    max_at_level: int | None = Field(
        ge=1, le=500, description="patients at the level due next at which the escalation ends; null: no limit"
    )
    replace_unevaluable: bool = Field(description="patients who cannot be judged for DLT do not count towards cohort and maximum")
    toxic_probability: float = Field(
        ge=0.5, lt=1, description="probability that a level is more toxic than the target, above which it is given up, 0-1"
    )
    time_to_event: bool = Field(
        description="true (TITE): patients still in their DLT window count with the share of it that they have passed; false: a "
        "cohort waits until all of the one before have been judged"
    )
    max_pending_fraction: float = Field(
        ge=0, le=1, description="TITE: share of the patients at the present level not judged yet, above which accrual waits, 0-1"
    )
    min_judged_to_escalate: int = Field(
        ge=0, le=12, description="TITE: patients judged at the present level before the next one is opened"
    )

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.max_patients > self.replicate_size:
            allowed = f"at most design.replicate_size = {self.replicate_size}, the patients of a virtual study"
            faults.append(ConfigError("design.max_patients", self.max_patients, allowed))
        return faults


class CRMSettings(TargetSettings):
    """Continual reassessment method (O'Quigley et al., Biometrics 1990), also TITE-CRM (Cheung & Chappell, Biometrics 2000)."""

    kind: Literal["crm"] = Field(description=KIND)
    model: Literal["empiric", "logistic"] = Field(description="one-parameter model of the DLT rate")
    logistic_intercept: float = Field(ge=0, le=10, description="fixed intercept of the logistic model")
    prior_sd: float = Field(gt=0, le=5, description="prior standard deviation of the model's parameter, of mean 0")
    prior_mtd: float = Field(gt=0, description="dose taken for the MTD before the trial, one of design.dose_levels")
    skeleton_halfwidth: float = Field(
        gt=0, lt=0.3, description="half-width of the indifference intervals, from which the prior DLT rates follow, 0-1"
    )
    skip_levels: bool = Field(description="whether levels may be skipped on the way up")
    stop_confidence: float | None = Field(
        gt=0, lt=1, description="probability of being the MTD at which the level due next is declared, 0-1; null: never"
    )

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.prior_mtd not in self.dose_levels:
            allowed = f"one of design.dose_levels: {', '.join(f'{level:g}' for level in self.dose_levels)}"
            faults.append(ConfigError("design.prior_mtd", self.prior_mtd, allowed))
        ceiling = 1.0 if self.model == "empiric" else 1.0 / (1.0 + math.exp(-self.logistic_intercept))
        widest = min(self.target_rate, ceiling - self.target_rate)
        if self.skeleton_halfwidth >= widest:
            allowed = f"less than {widest:.3g}, so that design.target_rate +- it stays above 0 and within the model"
            faults.append(ConfigError("design.skeleton_halfwidth", self.skeleton_halfwidth, allowed))
        return faults


class BOINSettings(TargetSettings):
    """Bayesian optimal interval design (Liu & Yuan, J R Stat Soc C 2015), also TITE-BOIN (Yuan et al., Clin Cancer Res 2018)."""

    kind: Literal["boin"] = Field(description=KIND)
    low_fraction: float = Field(gt=0, lt=1, description="DLT rate that is too low, as a multiple of design.target_rate")
    high_fraction: float = Field(gt=1, lt=3, description="DLT rate that is too high, as a multiple of design.target_rate")

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.high_fraction * self.target_rate >= 1:
            allowed = f"less than 1 / design.target_rate = {1 / self.target_rate:g}"
            faults.append(ConfigError("design.high_fraction", self.high_fraction, allowed))
        return faults
