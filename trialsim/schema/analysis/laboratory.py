"""Settings of the comparison with published laboratory facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError
from trialsim.schema.drug import DrugSettings

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


class LaboratorySettings(AnalysisSettings):
    """Every published laboratory fact beside the value that the model gives."""

    kind: Literal["laboratory"] = Field(description=KIND)
    dish_drug: DrugSettings = Field(description="rapalog given to cells in culture; patients get `drug`")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        cut = [name for name, is_open in study.mechanism.model_dump().items() if not is_open]
        return [
            ConfigError(f"mechanism.{name}", False, "true, as published facts are of cells that have the route") for name in cut
        ]
