"""Two arms, randomised: events at which the trial looks, bounds of its decisions, how it is analysed and re-estimated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.base import KIND, DesignSettings

SPENDING = ("lan_demets_obf", "lan_demets_pocock", "hwang_shih_decani", "power")
NEEDS_A_PARAMETER = ("wang_tsiatis", "hwang_shih_decani", "power")
SpendingName = Literal["lan_demets_obf", "lan_demets_pocock", "hwang_shih_decani", "power"]
Fraction = Annotated[float, Field(gt=0, le=1)]


class EfficacySettings(Settings):
    """Shape of the bound that rejects for the drug."""

    name: Literal["obrien_fleming", "pocock", "wang_tsiatis"] | SpendingName = Field(
        description="shape of the bound, or spending function of the type I error"
    )
    parameter: float | None = Field(
        ge=-40, le=40, description="delta of wang_tsiatis (to 0.5), gamma of hwang_shih_decani, exponent of power; else null"
    )


class FutilitySettings(Settings):
    """Lower bound that stops for futility, by spending the type II error."""

    name: SpendingName = Field(description="spending function of the type II error")
    parameter: float | None = Field(ge=-40, le=40, description="gamma of Hwang, Shih and DeCani, exponent of power; else null")
    binding: bool = Field(description="whether the efficacy bounds count on trials stopping here")


class BlindedSettings(Settings):
    """More patients where the pooled event rate is lower than planned."""

    kind: Literal["blinded"] = Field(description="how the size is re-estimated")
    look: int = Field(ge=1, le=100_000, description="interim look at which it is, 1 the first")
    month: float = Field(gt=0, le=180, description="month from the first patient in by which the planned events are wanted")
    most_patients: int = Field(ge=2, le=100_000, description="patients that may be randomised in all")


class PromisingZoneSettings(Settings):
    """More events (and patients) where the conditional power is promising but short of its target."""

    kind: Literal["promising_zone"] = Field(description="how the size is re-estimated")
    look: int = Field(ge=1, le=100_000, description="interim look at which it is, 1 the first")
    lowest: float = Field(gt=0, lt=1, description="conditional power from which a trial is promising, 0-1")
    target: float = Field(gt=0, lt=1, description="conditional power to be reached, 0-1")
    most: float = Field(ge=1, le=5, description="largest factor on the planned events and patients")


class RandomisedSettings(DesignSettings):
    """Two arms, fixed or group-sequential. ``replicate_size``: patients randomised. ``cutoff_months``: latest end."""

    kind: Literal["randomised"] = Field(description=KIND)
    ratio: tuple[Annotated[int, Field(ge=1, le=5)], Annotated[int, Field(ge=1, le=5)]] = Field(
        description="patients on control and on the drug, such as [1, 2]"
    )
    block_sizes: tuple[Annotated[int, Field(ge=2, le=60)], ...] = Field(
        description="sizes of permuted blocks, one drawn at random for each; empty: complete randomisation"
    )
    stratified: bool = Field(description="whether blocks and tests go by stratum")
    alpha: float = Field(gt=0, lt=0.5, description="type I error, of both sides together")
    sides: Literal[1, 2] = Field(description="sides of the test; 2: bounds symmetric about 0")
    power: float = Field(gt=0.5, lt=1, description="power wanted under hazard_ratio, 0-1")
    hazard_ratio: float = Field(gt=0, lt=1, description="planned hazard ratio, drug over control")
    look_fractions: tuple[Fraction, ...] = Field(
        min_length=1, max_length=20, description="share of the events at each look, rising to 1; [1]: no interim look"
    )
    look_months: tuple[Annotated[float, Field(gt=0, le=180)], ...] | None = Field(
        description="calendar time of each look, months from the first patient in; null: looks come with the events"
    )
    events: int | None = Field(
        ge=1, le=100_000, description="events at the last look; null: those that give the power (Schoenfeld, inflated)"
    )
    efficacy: EfficacySettings
    futility: FutilitySettings | None = Field(description="futility bound; null: none")
    rho: float = Field(ge=0, le=10, description="Fleming and Harrington's weight: power of the survival; 0: log-rank")
    gamma: float = Field(ge=0, le=10, description="Fleming and Harrington's weight: power of 1 - survival, for late effects")
    rmst_months: float | None = Field(
        gt=0, le=120, description="horizon of restricted means compared at the last look, months; null: the log-rank test decides"
    )
    crossover_probability: float = Field(ge=0, le=1, description="probability that a control patient switches at progression")
    reestimation: Annotated[BlindedSettings | PromisingZoneSettings, Field(discriminator="kind")] | None = Field(
        description="of patients or events at an interim look; null: none"
    )

    def own_faults(self) -> list[ConfigError]:
        fault = lambda key, value, allowed: ConfigError(f"design.{key}", value, allowed)
        looks, found = list(self.look_fractions), []
        if any(low >= high for low, high in zip(looks[:-1], looks[1:], strict=True)) or looks[-1] != 1:
            found.append(fault("look_fractions", looks, "strictly increasing shares that end with 1"))
        odd = [size for size in self.block_sizes if size % sum(self.ratio)]
        if odd:
            found.append(fault("block_sizes", list(self.block_sizes), f"multiples of {sum(self.ratio)}, the sum of design.ratio"))
        for key, bound in (("efficacy", self.efficacy), ("futility", self.futility)):
            if bound is not None and (bound.parameter is not None) != (bound.name in NEEDS_A_PARAMETER):
                allowed = "a number" if bound.name in NEEDS_A_PARAMETER else "null"
                found.append(fault(f"{key}.parameter", bound.parameter, f"{allowed}, as design.{key}.name is {bound.name}"))
            elif bound is not None and bound.name == "power" and (bound.parameter or 0.0) <= 0:
                found.append(fault(f"{key}.parameter", bound.parameter, "above 0"))
        if self.efficacy.name == "wang_tsiatis" and (self.efficacy.parameter or 0.0) > 0.5:
            found.append(fault("efficacy.parameter", self.efficacy.parameter, "at most 0.5, Pocock's bound"))
        if self.futility is not None and self.sides == 2:
            found.append(fault("futility", self.futility.name, "null, as design.sides is 2"))
        if self.futility is not None and self.futility.binding and self.efficacy.name not in SPENDING:
            found.append(fault("futility.binding", True, f"false, unless design.efficacy.name is one of {', '.join(SPENDING)}"))
        if self.events is not None and self.events > self.replicate_size:
            found.append(fault("events", self.events, f"at most design.replicate_size = {self.replicate_size}"))
        if self.rmst_months is not None and self.rmst_months > self.max_follow_up_months:
            allowed = f"at most design.max_follow_up_months = {self.max_follow_up_months:g}"
            found.append(fault("rmst_months", self.rmst_months, allowed))
        return found + self._look_faults(fault) + self._reestimation_faults(fault)

    def _look_faults(self, fault) -> list[ConfigError]:
        if self.look_months is None:
            return []
        months = list(self.look_months)
        rising = all(low < high for low, high in zip(months[:-1], months[1:], strict=True))
        if len(months) == len(self.look_fractions) and rising and months[-1] <= self.cutoff_months:
            return []
        allowed = f"rising months up to design.cutoff_months = {self.cutoff_months:g}, one for each of design.look_fractions"
        return [fault("look_months", months, allowed)]

    def _reestimation_faults(self, fault) -> list[ConfigError]:
        plan = self.reestimation
        found: list[ConfigError] = []
        if plan is None:
            return found
        if plan.look >= len(self.look_fractions):
            found.append(fault("reestimation.look", plan.look, f"an interim look, below {len(self.look_fractions)}"))
        if isinstance(plan, BlindedSettings) and plan.most_patients < self.replicate_size:
            allowed = f"design.replicate_size = {self.replicate_size} or more"
            found.append(fault("reestimation.most_patients", plan.most_patients, allowed))
        if isinstance(plan, PromisingZoneSettings):
            if plan.lowest >= plan.target:
                found.append(fault("reestimation.lowest", plan.lowest, f"below design.reestimation.target = {plan.target:g}"))
            if self.rmst_months is not None:
                found.append(fault("rmst_months", self.rmst_months, "null, as increments of the log-rank score are combined"))
            if self.look_months is not None:
                found.append(fault("look_months", list(self.look_months), "null, as the events are re-estimated"))
        return found
