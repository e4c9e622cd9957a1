"""Dose escalation: the dose of the next patients follows from the DLTs of the earlier ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError
from trialsim.schema.design.base import KIND, DesignSettings


class EscalationSettings(DesignSettings):
    """What all escalations share. They start at ``regimen.dose``, one of the levels."""

    dose_levels: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="doses of the escalation in regimen.unit, from low to high"
    )
    cohort_size: int = Field(ge=1, le=12, description="patients per escalation step")

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

    def own_faults(self) -> list[ConfigError]:
        faults = super().own_faults()
        if self.cohort_size != 3:
            faults.append(ConfigError("design.cohort_size", self.cohort_size, "3, as design.kind is three_plus_three"))
        return faults
