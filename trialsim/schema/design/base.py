"""What the settings of every design share: how long patients are accrued and followed, and what counts as a DLT."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.faults import raise_all
from trialsim.schema.regimen import Grade
from trialsim.units import DAYS_PER_MONTH

KIND = "how the trial decides"  # description of every kind


class DoseLimitingToxicity(Settings):
    """Definition of a dose-limiting toxicity (DLT) and of a patient who can be judged for one."""

    window_days: int = Field(ge=7, le=84, description="observation window from the first dose, days")
    min_grade: dict[str, Grade] = Field(min_length=1, description="lowest CTCAE grade that is dose-limiting, by term")
    min_dose_fraction: float = Field(
        ge=0,
        le=1,
        description="share of the planned doses of the window without which a patient free of DLT is not evaluable",
    )


class DesignSettings(Settings):
    """Settings of one kind of design. A subclass narrows ``kind`` to its own name and adds what it needs."""

    kind: str
    replicate_size: int = Field(ge=1, le=10_000_000, description="patients in one virtual study, that of the published study")
    accrual_months: float = Field(gt=0, le=120, description="time over which patients are enrolled, months")
    cutoff_months: float = Field(gt=0, le=180, description="data cut-off, months after the first patient in")
    max_follow_up_months: float = Field(gt=0, le=24, description="longest follow-up of one patient, months")
    withdrawal_rate_per_month: float = Field(
        ge=0, le=1, description="rate of leaving for reasons not modelled, per month"
    )
    dlt: DoseLimitingToxicity

    @property
    def escalates(self) -> bool:
        """Whether doses follow from the outcomes of earlier patients of the same virtual study."""
        return False

    @property
    def levels(self) -> tuple[float, ...]:
        """Doses that the design chooses between, in regimen.unit, from low to high; none unless it escalates."""
        return ()

    @property
    def inseparable(self) -> int:
        """Patients that can only be simulated together: those of a virtual study whose doses follow from its own outcomes."""
        return self.replicate_size if self.escalates else 1

    def own_faults(self) -> list[ConfigError]:
        """What is incoherent within the kind's own settings. None unless a kind says so."""
        return []

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = self.own_faults()
        if self.cutoff_months <= self.accrual_months:
            allowed = (
                f"more than design.accrual_months = {self.accrual_months:g}: the last patients need some follow-up"
            )
            faults.append(ConfigError("design.cutoff_months", self.cutoff_months, allowed))
        if self.dlt.window_days > self.max_follow_up_months * DAYS_PER_MONTH:
            faults.append(ConfigError("design.dlt.window_days", self.dlt.window_days, "no longer than the follow-up"))
        raise_all(faults)
        return self
