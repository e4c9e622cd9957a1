"""Settings of the comparison of options: who is asked in, what they are given, and how large a trial is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.analysis.predict import Gene
from trialsim.schema.base import ConfigError, Name, Settings
from trialsim.schema.cohort import SUM_TOLERANCE, Fraction, PopulationSettings
from trialsim.schema.faults import near
from trialsim.schema.regimen import FLAT_DOSE_FROM_Y, LARGEST_DOSE, DoseUnit, Schedule

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Judged = Literal[
    "pfs_hr", "orr", "dcr", "pfs_6_months", "dlt_rate", "severe", "median_relative_dose_intensity", "ps6_tumour_d28"
]  # fmt: skip
MAX_AGE_Y = 110.0
MOST = 60  # options of one run


class WhoSettings(Settings):
    """One population."""

    label: Label = Field(description="how figures and sentences call these patients")
    selection: dict[Gene, bool] = Field({}, description="alterations that a tumour must have (true) or lack (false)")
    ages_y: tuple[float, float] | None = Field(None, description="years, from the first and below the second; null: all ages")
    mix: dict[str, Fraction] | None = Field(None, description="share of each tumour type; null: as the population has it")
    cohort: PopulationSettings | None = Field(None, description="another population than that of the study; null: the study's")

    def population(self, study: PopulationSettings) -> PopulationSettings:
        """Whom patients are selected from."""
        cohort = self.cohort or study
        return cohort if self.mix is None else cohort.model_copy(update={"mix": dict(self.mix)})

    def ages(self, study: PopulationSettings) -> tuple[float, float]:
        """Years; lowest and highest age."""
        age = (self.cohort or study).age
        low, high = self.ages_y or (age.minimum_y, age.maximum_y)
        return max(low, age.minimum_y), min(high, age.maximum_y)


class WhatSettings(Settings):
    """One treatment; what is null is as in ``regimen``."""

    label: Label = Field(description="how figures and sentences call it")
    rapalog: bool = Field(True, description="false: without the rapalog")
    dose: float | None = Field(None, gt=0, le=250, description="of one administration of the rapalog, in `unit`")
    unit: DoseUnit | None = Field(None, description="mg, or mg/m2 of body surface")
    schedule: Schedule | None = Field(None, description="days on which a dose of the rapalog is due")
    partners: list[Name] | None = Field(None, description="those of `partner` that go with it; null: all, []: none")
    who: list[Name] | None = Field(None, description="those of analysis.who who are given it; null: everybody")


class ReferenceSettings(Settings):
    """What options are held against: the same patients under ``what``, and ``who`` under the same treatment."""

    who: Name = Field(description="one of analysis.who")
    what: Name = Field(description="one of analysis.what")


class SizesSettings(Settings):
    """Trials of an option against the reference treatment in the same population, and of an option alone by its response rate."""

    patients: tuple[Annotated[int, Field(ge=5, le=20_000)], ...] = Field(
        min_length=1, max_length=20, description="patients an arm (of a trial of one arm: in all), rising"
    )
    alpha: float = Field(gt=0, lt=0.5, description="one-sided level of the log-rank test, and of the exact test of response")
    assurance: float = Field(gt=0, lt=1, description="chance of success that is asked for")
    accrual_months: float = Field(ge=0, le=240, description="months from the first to the last patient in")
    follow_up_months: float = Field(gt=0, le=240, description="months from the last patient in to the data cut-off")
    null_response: float | None = Field(
        gt=0, lt=1, description="response rate that a trial of one arm tests against; null: no such trial"
    )


class OptionsSettings(AnalysisSettings):
    """Options of one trial in the same worlds: every ``what`` in every ``who``."""

    kind: Literal["options"] = Field(description=KIND)
    question: Label = Field(description="the question, as the page asks it")
    who: dict[Name, WhoSettings] = Field(min_length=1, description="populations by name")
    what: dict[Name, WhatSettings] = Field(min_length=1, description="treatments by name")
    reference: ReferenceSettings
    judged_by: Judged = Field(description="what an option is the best by; pfs_hr: against the reference treatment")
    match: Literal["auc24_ng_h_ml", "cmin_ng_ml"] | None = Field(
        description="exposure of the reference whose dose is sought in every other population; null: none"
    )
    sizes: SizesSettings | None = Field(description="null: no trial is sized")
    posterior: str | None = Field(description="file of `trialsim calibrate` to draw from; null: the posterior that is shipped")
    draws: int = Field(ge=10, le=1000, description="worlds: draws of the posterior")
    patients_per_draw: int = Field(ge=20, le=100_000, description="virtual patients an option and world")
    resamples: int = Field(ge=10, le=1000, description="of the patients of a world, for the error that their number leaves")

    @property
    def options(self) -> list[tuple[str, str]]:
        """(who, what) of every option."""
        return [(who, what) for who in self.who for what, given in self.what.items() if given.who is None or who in given.who]

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found: list[ConfigError] = []
        say = lambda key, value, allowed: found.append(ConfigError(f"analysis.{key}", value, allowed))
        for key, name, known in (("who", self.reference.who, self.who), ("what", self.reference.what, self.what)):
            if name not in known:
                say(f"reference.{key}", name, f"one of analysis.{key}: {', '.join(known)}{near(name, tuple(known))}")
        for name, who in self.who.items():
            self._who_faults(name, who, study, say)
        for name, what in self.what.items():
            self._what_faults(name, what, study, say)
        reference = (self.reference.who, self.reference.what)
        if not found and reference not in self.options:
            say("reference", f"{reference[0]}, {reference[1]}", f"a pair that analysis.what.{reference[1]}.who allows")
        if not 2 <= len(self.options) <= MOST:
            say("what", f"{len(self.options)} options", f"2 to {MOST} options: treatments times populations")
        if self.sizes is not None and any(a >= b for a, b in zip(self.sizes.patients[:-1], self.sizes.patients[1:], strict=True)):
            say("sizes.patients", list(self.sizes.patients), "strictly rising numbers")
        if study.design.kind != "single_arm":
            found.append(ConfigError("design.kind", study.design.kind, "single_arm, as analysis.kind is options"))
        if study.cohort.covariates_file is not None:
            allowed = "null, as analysis.kind is options: patients are sampled anew in every world"
            found.append(ConfigError("cohort.covariates_file", study.cohort.covariates_file, allowed))
        return found

    def _who_faults(self, name: str, who: WhoSettings, study: StudyConfig, say) -> None:
        key, cohort = f"who.{name}", who.population(study.cohort)
        mix = cohort.mix
        unknown = sorted(set(mix) - set(study.tumour))
        if unknown:
            known = tuple(study.tumour)
            say(f"{key}.mix", unknown, f"tumour types of this study: {', '.join(known)}{near(unknown[0], known)}")
        if abs(sum(mix.values()) - 1.0) > SUM_TOLERANCE:
            say(f"{key}.mix", f"sum {sum(mix.values()):.6g}", "shares that sum to 1")
        if who.ages_y is not None:
            low, high = who.ages_y
            if not 0 <= low < high <= MAX_AGE_Y or high <= cohort.age.minimum_y or low >= cohort.age.maximum_y:
                limits = f"{cohort.age.minimum_y:g} to {cohort.age.maximum_y:g}"
                say(f"{key}.ages_y", list(who.ages_y), f"two rising ages that overlap with those of the population, {limits} years")

    def _what_faults(self, name: str, what: WhatSettings, study: StudyConfig, say) -> None:
        key, partners = f"what.{name}", tuple(study.partner)
        unknown = sorted(set(what.partners or ()) - set(partners))
        if unknown:
            say(f"{key}.partners", unknown, f"drugs under partner: {', '.join(partners) or 'none'}{near(unknown[0], partners)}")
        strangers = sorted(set(what.who or ()) - set(self.who))
        if strangers:
            say(f"{key}.who", strangers, f"of analysis.who: {', '.join(self.who)}{near(strangers[0], tuple(self.who))}")
        dose, unit = what.dose or study.regimen.dose, what.unit or study.regimen.unit
        if not what.rapalog and (what.dose, what.unit, what.schedule) != (None, None, None):
            say(f"{key}.dose", what.dose, "null, with unit and schedule, as rapalog is false")
        if what.unit is not None and what.dose is None:
            say(f"{key}.dose", None, "a dose, as unit is given")
        if dose > LARGEST_DOSE[unit]:
            say(f"{key}.dose", dose, f"at most {LARGEST_DOSE[unit]:g} {unit}; check unit")
        for group in self.who if what.who is None else what.who:
            if unit == "mg" and what.rapalog and group in self.who and self.who[group].ages(study.cohort)[0] < FLAT_DOSE_FROM_Y:
                say(f"{key}.unit", unit, f"mg/m2, as patients of who.{group} may be younger than {FLAT_DOSE_FROM_Y:g} years")
