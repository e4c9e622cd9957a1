"""Settings of the prediction of one trial: who is asked in, how many, against what, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Gene = Literal["pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor"]


class PredictSettings(AnalysisSettings):
    """What a trial of this size would publish. Who and what is given stands in the other sections."""

    kind: Literal["predict"] = Field(description=KIND)
    patients: int = Field(ge=1, le=20_000, description="patients who are given the drug")
    control: Literal["none", "placebo"] = Field(
        description="what the others are given: placebo in place of the rapalog, beside the same partner drugs"
    )
    patients_control: int = Field(ge=0, le=20_000, description="patients who are given the control")
    crossover: bool = Field(description="whether patients of the control arm are given the drug after progression")
    selection: dict[Gene, bool] = Field(description="alterations that a tumour must have (true) or lack (false) to be asked in")
    published_control: str | None = Field(
        pattern=r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)?$",
        description="what was published of the control arm, as study.published is of the drug's; null: nothing",
    )
    reader: Literal["local", "central"] = Field(description="whose reading of the scans is published")
    accrual_months: float = Field(gt=0, le=240, description="months from the first to the last patient in")
    follow_up_months: float = Field(ge=0, le=240, description="months from the last patient in to the data cut-off")
    draws: int = Field(ge=2, le=1000, description="draws of the uncertain constants from what is known of them")
    patients_per_draw: int = Field(ge=20, le=100_000, description="virtual patients an arm and draw, from whom trials are drawn")
    studies_per_draw: int = Field(ge=10, le=10_000, description="trials of the size asked for, drawn from them")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found: list[ConfigError] = []
        say = lambda key, value, allowed: found.append(ConfigError(f"analysis.{key}", value, allowed))
        if (self.control == "none") != (self.patients_control == 0):
            say("patients_control", self.patients_control, "0 if analysis.control is none, else at least 1")
        if self.crossover and self.control == "none":
            say("crossover", True, "false if analysis.control is none")
        if self.published_control is not None and self.control == "none":
            say("published_control", self.published_control, "null if analysis.control is none")
        if self.reader == "central" and not study.endpoint.central_review:
            say("reader", "central", "local, or endpoint.central_review=true")
        if study.design.kind != "single_arm":
            found.append(ConfigError("design.kind", study.design.kind, "single_arm, as analysis.kind is predict"))
        if study.cohort.covariates_file is not None:
            allowed = "null, as analysis.kind is predict: patients are sampled anew in every draw"
            found.append(ConfigError("cohort.covariates_file", study.cohort.covariates_file, allowed))
        return found
