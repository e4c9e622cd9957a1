"""Settings of the dose-response analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError
from trialsim.schema.regimen import LARGEST_DOSE
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


class DoseResponseSettings(AnalysisSettings):
    """Exposure and target inhibition against dose, the same patients at every dose."""

    kind: Literal["dose_response"] = Field(description=KIND)
    doses: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = Field(
        min_length=2, max_length=50, description="doses of one administration in regimen.unit, from low to high"
    )
    days: int = Field(ge=28, le=731, description="days simulated; exposure is read on day 15, the pathway on day 28")
    inhibition: float = Field(gt=0, lt=1, description="inhibition whose dose is sought, share of the marker before treatment")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if any(low >= high for low, high in zip(self.doses[:-1], self.doses[1:], strict=True)):
            raise ConfigError("analysis.doses", list(self.doses), "strictly increasing doses")
        return self

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found = []
        largest, unit = LARGEST_DOSE[study.regimen.unit], study.regimen.unit
        if self.doses[-1] > largest:
            found.append(ConfigError("analysis.doses", list(self.doses), f"at most {largest:g} {unit}; check regimen.unit"))
        follow_up = int(study.design.max_follow_up_months * DAYS_PER_MONTH)
        if self.days > follow_up:
            found.append(ConfigError("analysis.days", self.days, f"no more than design.max_follow_up_months, {follow_up} days"))
        if self.days > study.regimen.max_treatment_days:
            allowed = f"no more than regimen.max_treatment_days, {study.regimen.max_treatment_days}"
            found.append(ConfigError("analysis.days", self.days, allowed))
        return found
