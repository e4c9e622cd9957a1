"""Several arms and one control: shares that adapt, arms that are dropped, a winner that is selected."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError
from trialsim.schema.design.base import KIND
from trialsim.schema.design.responders import ResponderSettings


class MultiArmSettings(ResponderSettings):
    """What the designs with several arms share."""

    arm_doses: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        min_length=2, max_length=8, description="dose of each arm in regimen.unit, the control first (0: placebo)"
    )
    alpha: float = Field(gt=0, lt=0.5, description="familywise type I error, one-sided: some arm found better where none is")

    def own_faults(self) -> list[ConfigError]:
        faults, doses = super().own_faults(), list(self.arm_doses)
        if len(set(doses)) < len(doses):
            faults.append(ConfigError("design.arm_doses", doses, "different doses, one for each arm"))
        return faults


class AdaptiveRandomisationSettings(MultiArmSettings):
    """Response-adaptive randomisation (Thall & Wathen 2007) and arm dropping, with ``replicate_size`` patients."""

    kind: Literal["adaptive_randomisation"] = Field(description=KIND)
    burn_in: int = Field(ge=2, le=100_000, description="patients randomised equally at first, a multiple of the arms")
    block: int = Field(ge=1, le=100_000, description="patients between two updates of the shares")
    power: float | None = Field(
        ge=0, le=5, description="exponent of the probability of being best; 0: equal shares; null: n / (2 N) after n of N patients"
    )
    lowest_share: float = Field(ge=0, lt=1, description="least share of an open arm that adapts, 0-1")
    highest_share: float = Field(gt=0, le=1, description="largest share of an arm that adapts, 0-1")
    control_share: float | None = Field(gt=0, lt=1, description="fixed share of the control, 0-1; null: it adapts as the others")
    drop: Literal["none", "posterior", "predictive", "loser"] = Field(
        description="arms dropped at drop_looks: none; if the probability of being better than the control, or of success at the "
        "end, is below drop_below; or the worst of those open"
    )
    drop_below: float = Field(ge=0, le=1, description="probability below which an arm is dropped, for posterior and predictive")
    drop_looks: tuple[Annotated[int, Field(ge=1)], ...] = Field(description="patients enrolled when arms may be dropped")
    final: Literal["posterior", "test"] = Field(
        description="final comparison with the control: posterior probability of being better, or z test of proportions"
    )
    threshold: float | None = Field(
        gt=0,
        description="that the final probability, or z, must exceed; null: for posterior, calibrated to alpha by simulation at "
        "null_rate; for test, Dunnett's critical value",
    )
    null_rate: float = Field(gt=0, lt=1, description="rate of responders in all arms for which the threshold is calibrated, 0-1")
    drift: float = Field(
        ge=-5, le=5, description="change of the log-odds of response from the first to the last patient in the calibration; 0: none"
    )
    calibration_replicates: int = Field(ge=1000, le=200_000, description="virtual trials of the calibration")
    prior_a: float = Field(gt=0, le=100, description="beta prior of each rate, responders it weighs")
    prior_b: float = Field(gt=0, le=100, description="beta prior of each rate, non-responders it weighs")

    def own_faults(self) -> list[ConfigError]:
        faults, arms = super().own_faults(), len(self.arm_doses)
        adapting = arms - (self.control_share is not None)
        shared = 1.0 - (self.control_share or 0.0)
        if self.burn_in % arms or self.burn_in >= self.replicate_size:
            allowed = f"a multiple of the {arms} arms, less than design.replicate_size = {self.replicate_size}"
            faults.append(ConfigError("design.burn_in", self.burn_in, allowed))
        if self.lowest_share * adapting > shared + 1e-9:
            allowed = f"at most {shared / adapting:.3g}, as {adapting} arms share {shared:g}"
            faults.append(ConfigError("design.lowest_share", self.lowest_share, allowed))
        if self.highest_share * adapting < shared - 1e-9:
            allowed = f"at least {shared / adapting:.3g}, as {adapting} arms share {shared:g}"
            faults.append(ConfigError("design.highest_share", self.highest_share, allowed))
        updates = range(self.burn_in, self.replicate_size, self.block)
        if self.drop != "none" and not set(self.drop_looks) <= set(updates):
            allowed = f"updates of the shares: {self.burn_in}, then every {self.block} below {self.replicate_size}"
            faults.append(ConfigError("design.drop_looks", list(self.drop_looks), allowed))
        if self.final == "posterior" and self.threshold is not None and self.threshold >= 1:
            faults.append(ConfigError("design.threshold", self.threshold, "a probability below 1, as design.final is posterior"))
        return faults


class SelectTheWinnerSettings(MultiArmSettings):
    """The best arm at the first look goes on against the control (Stallard & Todd, Stat Med 2003)."""

    kind: Literal["select_the_winner"] = Field(description=KIND)
    patients_per_arm: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        min_length=1, max_length=10, description="patients of the control, and of the arm that goes on, at each look"
    )
    boundary_shape: float = Field(ge=0, le=0.5, description="shape of the efficacy bounds; 0: O'Brien-Fleming, 0.5: Pocock")
    futility_z: tuple[float, ...] | None = Field(
        description="z at or below which the trial ends, at each look but the last, binding; null: never"
    )

    def own_faults(self) -> list[ConfigError]:
        faults, sizes = super().own_faults(), list(self.patients_per_arm)
        if any(low >= high for low, high in zip(sizes[:-1], sizes[1:], strict=True)):
            return [*faults, ConfigError("design.patients_per_arm", sizes, "strictly increasing numbers")]
        needed = len(self.arm_doses) * sizes[0] + 2 * (sizes[-1] - sizes[0])
        if needed > self.replicate_size:
            allowed = f"fewer: with {len(self.arm_doses)} arms they take {needed} of design.replicate_size = {self.replicate_size}"
            faults.append(ConfigError("design.patients_per_arm", sizes, allowed))
        if self.futility_z is not None and len(self.futility_z) != len(sizes) - 1:
            allowed = f"{len(sizes) - 1} numbers, one for each look but the last"
            faults.append(ConfigError("design.futility_z", list(self.futility_z), allowed))
        return faults
