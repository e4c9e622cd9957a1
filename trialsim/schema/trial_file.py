"""A trial as a file: who, what, against what, how many, how read. No code, and nothing that belongs to the model."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from trialsim.schema.analysis.predict import Gene
from trialsim.schema.base import ONE_LINE, PUBLISHED, ConfigError, Name, Settings
from trialsim.schema.cohort import SUM_TOLERANCE, Fraction, Positive
from trialsim.schema.endpoint import Criteria, ScanInterval
from trialsim.schema.faults import raise_all
from trialsim.schema.regimen import LARGEST_DOSE, DoseUnit, Schedule

LONGEST_MONTHS = 24.0  # that a patient is followed in the simulation, `design.max_follow_up_months`
SHORTEST_MONTHS = 1.0  # likewise: `design.dlt.window_days` are 28
REFERENCE, MISSING = "${", "???"  # a text with the one or that is the other would be no text among the settings


def _named(given: Any, value: Any, key: str) -> Any:
    """A list of names as a section in which each has the value; anything else as it is."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        return given
    if len(set(given)) < len(given):
        raise ConfigError(key, given, "each name once")
    return dict.fromkeys(given, value)


def _as_written(drugs: Mapping[str, PartnerDose]) -> dict[str, dict[str, Any]]:
    return {name: drug.model_dump(exclude_none=True) for name, drug in drugs.items()}


class PartnerDose(Settings):
    """A drug beside the rapalog; what is left out is as in its own file, ``conf/partner``."""

    model_config = ConfigDict(allow_inf_nan=False)

    dose: float | None = Field(None, gt=0, le=3000, description="of one administration, in its own unit; null: as usual")
    unit: DoseUnit | None = Field(None, description="of `dose`; null: as usual")
    schedule: Schedule | None = Field(None, description="null: as usual")


class TrialFile(Settings):
    """One trial. Everything but the first six has a default, which is that of its section of the configuration."""

    model_config = ConfigDict(allow_inf_nan=False)

    title: str = Field(pattern=ONE_LINE, max_length=300, description="what the report is headed by")
    drug: Literal["everolimus", "ridaforolimus", "sirolimus", "temsirolimus"] = Field(description="the rapalog")
    dose: Positive = Field(description="of one administration, in `unit`")
    unit: DoseUnit = Field(description="mg, or mg/m2 of body surface")
    tumour_types: Literal["population"] | dict[Name, Fraction] = Field(
        description="share of each tumour type; the shares sum to 1; population: the mix of the age group's population"
    )
    patients: int = Field(ge=1, le=20_000, description="patients given the drug")
    dose_levels: list[Positive] | None = Field(
        None, min_length=2, max_length=12, description="of a phase I: patients are spread over them evenly; null: all take `dose`"
    )
    schedule: Schedule = Field("daily", description="days on which a dose is due")
    days_on: int | None = Field(None, ge=1, le=365, description="days of a cycle on which the schedule holds; null: all")
    days_off: int = Field(0, ge=0, le=365, description="days of a cycle without the drug")
    partners: dict[Name, PartnerDose] = Field({}, description="drugs beside the rapalog: {} as usual, or {dose: 5}")
    age_group: Literal["adult", "paediatric"] = Field("adult", description="which population the patients come from")
    selection: dict[Gene, bool] = Field({}, description="alterations that a tumour must have (true) or lack (false)")
    lines: list[Fraction] | None = Field(
        None, min_length=1, max_length=12, description="shares treated in line 1, 2, 3, ...; they sum to 1; null: the population's"
    )
    control: Literal["none", "placebo", "active"] = Field(
        "none", description="the other arm; placebo: the same partners without the rapalog; active: control_partners instead"
    )
    control_partners: dict[Name, PartnerDose] = Field(
        {}, description="drugs of the other arm, if control is active; {} as usual, whatever `partners` says"
    )
    patients_control: int = Field(0, ge=0, le=20_000, description="patients given the control")
    crossover: bool = Field(False, description="control patients are given the drug after progression")
    response: Criteria = Field("RECIST 1.1", description="criteria of response and progression")
    disease_control_weeks: float | None = Field(
        None, ge=1, le=104, description="disease control is no progression at this time; null: best response SD or better"
    )
    benefit: Literal["disease_control", "ttp_ratio", "other"] = Field(
        "disease_control", description="what counts as clinical benefit; other: not what is simulated, and so not compared"
    )
    benefit_weeks: Annotated[float, Field(gt=0, le=104)] = Field(
        24, description="of disease control for clinical benefit; a response counts whenever it came"
    )
    scan_interval_weeks: ScanInterval = Field(8, description="weeks between scans")
    confirmation: bool = Field(False, description="responses are confirmed at least four weeks later (RECIST 1.1)")
    reader: Literal["local", "central"] = Field("local", description="whose reading of the scans is published")
    accrual_months: Annotated[float, Field(gt=0, le=240)] = Field(18, description="months from the first to the last patient in")
    follow_up_months: Annotated[float, Field(ge=0, le=240)] = Field(
        12, description="months from the last patient in to the data cut-off; a patient is followed for at most 24"
    )
    published: str | None = Field(None, pattern=PUBLISHED, description="TRIAL/ARM of the evidence tables, to set beside it")
    published_control: str | None = Field(None, pattern=PUBLISHED, description="the same of the control arm")

    @field_validator("title")
    @classmethod
    def _plain_title(cls, title: str) -> str:
        """A title becomes a setting, and is to be read as it stands."""
        if not title.strip() or title == MISSING or REFERENCE in title:
            raise ConfigError("title", title, f"one line of text, without {REFERENCE}, and not {MISSING} alone")
        return title

    @field_validator("partners", "control_partners", mode="before")
    @classmethod
    def _plain_list(cls, given: Any, info: ValidationInfo) -> Any:
        """``[exemestane]`` is short for ``{exemestane: {}}``."""
        return _named(given, {}, str(info.field_name))

    @field_validator("selection", mode="before")
    @classmethod
    def _altered(cls, given: Any) -> Any:
        """``[tsc]`` is short for ``{tsc: true}``."""
        return _named(given, True, "selection")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults: list[ConfigError] = []
        say = lambda key, value, allowed: faults.append(ConfigError(key, value, allowed))
        mix = None if self.tumour_types == "population" else list(self.tumour_types.values())
        if mix == []:
            say("tumour_types", {}, "population, or at least one tumour type with its share")
        for name, shares in (("tumour_types", mix or None), ("lines", self.lines)):
            if shares is not None and abs(sum(shares) - 1.0) > SUM_TOLERANCE:
                say(name, getattr(self, name), f"shares that sum to 1; these sum to {sum(shares):.6g}")
        if self.dose > LARGEST_DOSE[self.unit]:
            say("dose", self.dose, f"at most {LARGEST_DOSE[self.unit]:g} {self.unit}; check unit")
        if (self.control == "none") != (self.patients_control == 0):
            allowed = "0 with control: none, at least 1 with any other"
            say("patients_control", self.patients_control, f"{allowed}; control is {self.control}")
        if (self.control == "active") != bool(self.control_partners):
            allowed = "at least one drug with control: active, {} with any other"
            say("control_partners", _as_written(self.control_partners), f"{allowed}; control is {self.control}")
        if self.dose_levels and max(self.dose_levels) > LARGEST_DOSE[self.unit]:
            say("dose_levels", self.dose_levels, f"at most {LARGEST_DOSE[self.unit]:g} {self.unit} each; check unit")
        if self.dose_levels and any(low >= high for low, high in pairwise(self.dose_levels)):
            say("dose_levels", self.dose_levels, "levels that rise, each once")
        if self.dose_levels and len(self.dose_levels) > self.patients:
            allowed = f"at most as many levels as patients, {self.patients}: each level needs one"
            say("dose_levels", self.dose_levels, allowed)
        if self.dose_levels and self.control != "none":
            say("dose_levels", self.dose_levels, f"null with a control arm; control is {self.control}")
        if self.accrual_months + self.follow_up_months < SHORTEST_MONTHS:
            allowed = f"at least {SHORTEST_MONTHS - self.accrual_months:.4g}, as accrual_months is {self.accrual_months:g}"
            say("follow_up_months", self.follow_up_months, f"{allowed}: a trial lasts for a month or longer")
        for key, given in (("partners", self.partners), ("control_partners", self.control_partners)):
            for name, partner in given.items():
                if partner.unit is not None and partner.dose is None:
                    say(f"{key}.{name}.unit", partner.unit, f"left out, or with {key}.{name}.dose: the usual dose has its own unit")
        if self.confirmation and not self.response.startswith("RECIST"):
            say("confirmation", True, f"false with response: {self.response}; responses are confirmed by RECIST alone")
        if self.days_off and self.days_on is None:
            say("days_off", self.days_off, "0 with days_on: null; a pause belongs to a cycle of days_on and days_off")
        if self.crossover and self.control == "none":
            say("crossover", True, "false with control: none")
        if self.published_control is not None and self.control == "none":
            say("published_control", self.published_control, "null with control: none")
        if self.age_group == "paediatric" and self.unit == "mg":
            say("unit", self.unit, "mg/m2, as age_group is paediatric")
        raise_all(faults)
        return self
