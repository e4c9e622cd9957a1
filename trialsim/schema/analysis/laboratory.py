"""Settings of the comparison with published laboratory facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError
from trialsim.schema.drug import DrugSettings

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


LINES = (  # that the facts are of
    "786o", "bt474", "bt474_frb", "bxpc3", "ca46", "dg75", "dlbcl", "epithelial", "epithelial_akt1", "epithelial_frb",
    "epithelial_kras", "epithelial_mtor", "epithelial_pik3ca", "epithelial_pik3ca_kras", "epithelial_pten", "epithelial_tsc",
    "hct116", "hct116_kras_ko", "hek293", "hepatocyte_adult", "hepatocyte_fetal", "lncap", "mcf7", "mef", "mef_4ebp_null",
    "mef_tsc2_null", "panc1", "panc1_stroma", "pc3", "raji", "ramos", "skmel133", "sw480", "t47d", "u87", "u937",
)  # fmt: skip
PARTNER = "hydroxychloroquine"  # whose block of autophagy clinical facts ask for


class LaboratorySettings(AnalysisSettings):
    """Every published laboratory fact beside the value that the model gives."""

    kind: Literal["laboratory"] = Field(description=KIND)
    dish_drug: DrugSettings = Field(description="rapalog given to cells in culture; patients get `drug`")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        cut = [name for name, is_open in study.mechanism.model_dump().items() if not is_open]
        missing = [
            ConfigError("cell_line", sorted(study.cell_line), f"every line that a fact is of; missing: {name}")
            for name in LINES if name not in study.cell_line
        ]  # fmt: skip
        if PARTNER not in study.partner:
            missing.append(ConfigError("partner", sorted(study.partner), f"{PARTNER} among them, which clinical facts ask for"))
        return missing[:1] + [
            ConfigError(f"mechanism.{name}", False, "true, as published facts are of cells that have the route") for name in cut
        ]
