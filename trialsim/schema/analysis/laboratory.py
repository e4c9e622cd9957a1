"""Settings of the comparison with published laboratory facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.drug import DrugSettings


class LaboratorySettings(AnalysisSettings):
    """Every published laboratory fact beside the value that the model gives."""

    kind: Literal["laboratory"] = Field(description=KIND)
    dish_drug: DrugSettings = Field(description="rapalog given to cells in culture; patients get `drug`")
