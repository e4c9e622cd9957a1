"""Settings of the prediction of one trial: who is asked in, how many, against what, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import PUBLISHED, ConfigError, Name, Settings
from trialsim.schema.cohort import Positive
from trialsim.schema.regimen import DoseUnit, Schedule

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Gene = Literal["pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor"]


class ControlPartner(Settings):
    """A drug of the active control arm; null: as under `partner`, where the drug's arm has it too."""

    dose: float | None = Field(gt=0, le=3000, description="of one administration, in its own unit")
    unit: DoseUnit | None = Field(None, description="mg, or mg/m2 of body surface")
    schedule: Schedule | None = Field(description="days on which a dose is due")


class PredictSettings(AnalysisSettings):
    """What a trial of this size would publish. Who and what is given stands in the other sections."""

    kind: Literal["predict"] = Field(description=KIND)
    patients: int = Field(ge=1, le=20_000, description="patients who are given the drug")
    dose_levels: list[Positive] | None = Field(
        min_length=2, max_length=12, description="of a phase I, in regimen.unit: patients are spread over them; null: regimen.dose"
    )
    drug_partners: list[Name] | None = Field(description="those of `partner` that go with the rapalog; null: all")
    control: Literal["none", "placebo", "active"] = Field(
        description="the other arm; placebo: the same partner drugs without the rapalog; active: control_partners in their place"
    )
    control_partners: dict[Name, ControlPartner] = Field(description="those of `partner` that an active control arm is given")
    patients_control: int = Field(ge=0, le=20_000, description="patients who are given the control")
    crossover: bool = Field(description="whether patients of the control arm are given the drug after progression")
    selection: dict[Gene, bool] = Field(description="alterations that a tumour must have (true) or lack (false) to be asked in")
    published_control: str | None = Field(
        pattern=PUBLISHED,
        description="what was published of the control arm, as study.published is of the drug's; null: nothing",
    )
    benefit_compared: bool = Field(description="whether the published clinical benefit is defined as endpoint.clinical_benefit is")
    disease_control_weeks: float | None = Field(
        gt=0, le=104, description="disease control is no progression at this time; null: best response SD or better"
    )
    reader: Literal["local", "central"] = Field(description="whose reading of the scans is published")
    accrual_months: float = Field(gt=0, le=240, description="months from the first to the last patient in")
    follow_up_months: float = Field(ge=0, le=240, description="months from the last patient in to the data cut-off")
    posterior: str | None = Field(description="file of `trialsim calibrate` to draw from; null: the posterior that is shipped")
    draws: int = Field(ge=2, le=1000, description="draws of the posterior")
    patients_per_draw: int = Field(ge=20, le=100_000, description="virtual patients an arm and draw, from whom trials are drawn")
    studies_per_draw: int = Field(ge=10, le=10_000, description="trials of the size asked for, drawn from them")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found: list[ConfigError] = []
        say = lambda key, value, allowed: found.append(ConfigError(f"analysis.{key}", value, allowed))
        if (self.control == "none") != (self.patients_control == 0):
            say("patients_control", self.patients_control, "0 if analysis.control is none, else at least 1")
        if (self.control == "active") != bool(self.control_partners):
            say("control_partners", list(self.control_partners), "at least one drug if analysis.control is active, else none")
        for key, names in (("drug_partners", self.drug_partners or []), ("control_partners", list(self.control_partners))):
            unknown = sorted(set(names) - set(study.partner))
            if unknown:
                say(key, unknown, f"drugs under partner: {', '.join(study.partner) or 'none'}")
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
