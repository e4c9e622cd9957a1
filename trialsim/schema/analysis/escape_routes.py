"""Settings of the attribution of non-response to escape routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


class EscapeRoutesSettings(AnalysisSettings):
    """The same patients with every combination of escape routes cut."""

    kind: Literal["escape_routes"] = Field(description=KIND)
    weeks: int = Field(ge=4, le=104, description="weeks of treatment in which a tumour can respond")
    bootstrap: int = Field(ge=100, le=100_000, description="resamples of the patients behind the intervals of Shapley shares")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found = []
        days = self.weeks * DAYS_PER_WEEK
        for name, longest in (
            ("regimen.max_treatment_days", study.regimen.max_treatment_days),
            ("design.max_follow_up_months", study.design.max_follow_up_months * DAYS_PER_MONTH),
        ):
            if days > longest:
                found.append(
                    ConfigError("analysis.weeks", self.weeks, f"no longer than {name}, {longest / DAYS_PER_WEEK:.0f} weeks")
                )
        interval = study.endpoint.scan_interval_weeks
        if self.weeks < interval:
            found.append(
                ConfigError("analysis.weeks", self.weeks, f"at least endpoint.scan_interval_weeks, {interval}: the first scan")
            )
        is_open = study.mechanism.model_dump()
        if sum(is_open.values()) < 2:
            found.append(ConfigError("mechanism", is_open, "two open routes or more, between which non-response is shared"))
        return found
