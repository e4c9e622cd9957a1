"""One arm, one dose: all patients followed to the end, or a trial that decides from who responds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.base import KIND, DesignSettings
from trialsim.schema.design.responders import ResponderSettings


class SingleArmSettings(DesignSettings):
    """All patients at ``regimen.dose``, no decision before the end."""

    kind: Literal["single_arm"] = Field(description=KIND)


class ResponseRateSettings(ResponderSettings):
    """What the designs share that test a rate of responders in one arm, at ``regimen.dose``."""

    p0: float = Field(gt=0, lt=1, description="highest rate of responders that is not worth pursuing, 0-1")
    p1: float = Field(gt=0, lt=1, description="promising rate of responders, 0-1, above p0")
    alpha: float = Field(gt=0, lt=0.5, description="limit of the type I error, one-sided: a positive trial at p0")
    beta: float = Field(gt=0, lt=0.5, description="limit of the type II error: a negative trial at p1")
    max_patients: int = Field(ge=2, le=300, description="largest trial that the search of a design may propose, patients")
    halt_accrual: bool = Field(description="accrual halts at a look until all responses that it needs are known")
    replace_inevaluable: bool = Field(description="others replace patients who cannot be judged; else these are no responders")

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.p1 <= self.p0:
            faults.append(ConfigError("design.p1", self.p1, f"more than design.p0 = {self.p0:g}"))
        if self.max_patients > self.replicate_size:
            allowed = f"at most design.replicate_size = {self.replicate_size}, the patients of one virtual study"
            faults.append(ConfigError("design.max_patients", self.max_patients, allowed))
        return faults


class SingleStageSettings(ResponseRateSettings):
    """Exact binomial test without a look (A'Hern, Stat Med 2001)."""

    kind: Literal["single_stage"] = Field(description=KIND)


class GivenStages(Settings):
    """A two-stage design that somebody chose."""

    r1: int = Field(ge=0, le=100_000, description="negative after stage 1 if this many or fewer respond")
    n1: int = Field(ge=1, le=100_000, description="patients of stage 1")
    r: int = Field(ge=0, le=100_000, description="negative at the end if this many or fewer respond")
    n: int = Field(ge=2, le=100_000, description="patients of both stages")


class TwoStageSettings(ResponseRateSettings):
    """Two stages, futility after the first (Simon, Control Clin Trials 1989; Jung et al., Stat Med 2004)."""

    kind: Literal["two_stage"] = Field(description=KIND)
    criterion: Literal["optimal", "minimax", "admissible"] = Field(
        description="least expected size under p0, least maximal size, or least weighted sum of both"
    )
    size_weight: float = Field(ge=0, le=1, description="weight of the maximal size in that sum, 0-1; for admissible only")
    given: GivenStages | None = Field(description="a design to use as it is; null: search by criterion")

    def own_faults(self) -> list[ConfigError]:
        faults, given = super().own_faults(), self.given
        if given is None:
            return faults
        if given.r1 >= given.n1:
            faults.append(ConfigError("design.given.r1", given.r1, f"less than design.given.n1 = {given.n1}"))
        if given.n1 >= given.n:
            faults.append(ConfigError("design.given.n1", given.n1, f"less than design.given.n = {given.n}"))
        if not given.r1 <= given.r < given.n:
            allowed = f"from design.given.r1 = {given.r1} to less than design.given.n = {given.n}"
            faults.append(ConfigError("design.given.r", given.r, allowed))
        if given.n > self.replicate_size:
            allowed = f"at most design.replicate_size = {self.replicate_size}, the patients of one virtual study"
            faults.append(ConfigError("design.given.n", given.n, allowed))
        return faults


class PredictiveProbabilitySettings(ResponseRateSettings):
    """Bayesian predictive probability (Lee & Liu, Clin Trials 2008)."""

    kind: Literal["predictive_probability"] = Field(description=KIND)
    prior_a: float = Field(gt=0, le=100, description="beta prior of the rate, responders it weighs")
    prior_b: float = Field(gt=0, le=100, description="beta prior of the rate, non-responders it weighs")
    first_look: int = Field(ge=1, le=100_000, description="patients whose response is known at the first look")
    look_every: int = Field(ge=1, le=100_000, description="patients between looks; 1: after each patient")
    min_patients: int = Field(ge=2, le=100_000, description="smallest trial that the search may propose, patients")
    theta_t: float | None = Field(
        ge=0.5, lt=1, description="posterior probability of a rate above p0 that convinces at the end; null: searched"
    )
    theta_l: float = Field(ge=0, lt=0.5, description="predictive probability of success below which the trial stops as negative")
    theta_u: float = Field(gt=0.5, le=1, description="predictive probability above which it stops as positive; 1: never")

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.min_patients > self.max_patients:
            allowed = f"at most design.max_patients = {self.max_patients}"
            faults.append(ConfigError("design.min_patients", self.min_patients, allowed))
        if self.first_look >= self.min_patients:
            allowed = f"less than design.min_patients = {self.min_patients}"
            faults.append(ConfigError("design.first_look", self.first_look, allowed))
        return faults
