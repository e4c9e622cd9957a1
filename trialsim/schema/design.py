"""How the trial runs: who is treated at which dose level, for how long patients are followed, what counts as a DLT."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.faults import raise_all
from trialsim.schema.regimen import Grade
from trialsim.units import DAYS_PER_MONTH


class DoseLimitingToxicity(Settings):
    """Definition of a dose-limiting toxicity (DLT) and of a patient who can be judged for one."""

    window_days: int = Field(ge=7, le=84, description="observation window from the first dose, days")
    min_grade: dict[str, Grade] = Field(min_length=1, description="lowest CTCAE grade that is dose-limiting, by term")
    min_dose_fraction: float = Field(
        ge=0,
        le=1,
        description="share of the planned doses of the window without which a patient free of DLT is not evaluable",
    )


class Design(Settings):
    """The trial's design. ``three_plus_three`` escalates by simulated DLTs; ``single_arm`` treats all at one dose."""

    kind: Literal["single_arm", "three_plus_three"] = Field(description="how dose levels are assigned")
    dose_levels: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        description="doses of the escalation in regimen.unit, from low to high; empty in a single-arm trial"
    )
    cohort_size: int = Field(ge=1, le=12, description="patients per escalation step")
    dlt: DoseLimitingToxicity
    replicate_size: int = Field(ge=1, description="patients in one virtual study, that of the published study")
    accrual_months: float = Field(gt=0, le=120, description="time over which patients are enrolled, months")
    cutoff_months: float = Field(gt=0, le=180, description="data cut-off, months after the first patient in")
    max_follow_up_months: float = Field(gt=0, le=24, description="longest follow-up of one patient, months")
    withdrawal_rate_per_month: float = Field(
        ge=0, le=1, description="rate of leaving for reasons not modelled, per month"
    )

    @property
    def inseparable(self) -> int:
        """Patients that can only be simulated together: those of a virtual study whose doses follow from its own outcomes."""
        return self.replicate_size if self.kind == "three_plus_three" else 1

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults: list[ConfigError] = []
        levels = list(self.dose_levels)
        if any(low >= high for low, high in zip(levels[:-1], levels[1:], strict=True)):
            faults.append(ConfigError("design.dose_levels", levels, "strictly increasing doses"))
        if self.kind == "three_plus_three" and not levels:
            faults.append(
                ConfigError("design.dose_levels", levels, "at least one dose, as design.kind is three_plus_three")
            )
        if self.kind == "three_plus_three" and self.cohort_size != 3:
            faults.append(ConfigError("design.cohort_size", self.cohort_size, "3, as design.kind is three_plus_three"))
        if self.cutoff_months <= self.accrual_months:
            allowed = (
                f"more than design.accrual_months = {self.accrual_months:g}: the last patients need some follow-up"
            )
            faults.append(ConfigError("design.cutoff_months", self.cutoff_months, allowed))
        if self.dlt.window_days > self.max_follow_up_months * DAYS_PER_MONTH:
            faults.append(ConfigError("design.dlt.window_days", self.dlt.window_days, "no longer than the follow-up"))
        raise_all(faults)
        return self
