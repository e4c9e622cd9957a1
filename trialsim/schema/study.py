"""The whole configuration of one virtual study, and the checks that need more than one section."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from trialsim.schema.analysis import Analysis
from trialsim.schema.base import ONE_LINE, PUBLISHED, ConfigError, Name, Settings
from trialsim.schema.cell_line import CellLineSettings, CultureSettings, PanelSettings
from trialsim.schema.cohort import PopulationSettings, TumourSettings
from trialsim.schema.compute import Compute
from trialsim.schema.design import Design
from trialsim.schema.drug import DrugSettings, TermSettings
from trialsim.schema.endpoint import EndpointSettings
from trialsim.schema.faults import ConfigErrors, near, raise_all, translate
from trialsim.schema.inference import InferenceSettings
from trialsim.schema.mechanism import MechanismSettings
from trialsim.schema.network import NetworkSettings
from trialsim.schema.partner import PartnerSettings
from trialsim.schema.plain import not_plain
from trialsim.schema.regimen import FLAT_DOSE_FROM_Y, Modification, Regimen
from trialsim.schema.report import ReportSettings
from trialsim.units import DAYS_PER_MONTH

LARGEST_PARTNER_DOSE = 3000.0  # mg or mg/m2, above any partner's label (gemcitabine 1000 mg/m2): catches a slip of the unit


class StudyInfo(Settings):
    """What the study is called, and which published study it is compared with."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80, description="short name, used in files")
    title: str = Field(pattern=ONE_LINE, max_length=300, description="one line for the report's head")
    published: str | None = Field(
        pattern=PUBLISHED,
        description="published study to compare with: a trial_id of the evidence tables, or trial_id/arm_id; null: none",
    )


class StudyConfig(Settings):
    """Everything that defines a run. Build it with ``validate`` or ``trialsim.compose``; it is immutable."""

    study: StudyInfo
    analysis: Analysis
    seed: int = Field(ge=0, le=2**32 - 1, description="seed of all random numbers")
    resume: bool = Field(description="go on with the unfinished run in hydra.run.dir")
    cohort: PopulationSettings
    tumour: dict[str, TumourSettings] = Field(min_length=1, description="settings by tumour type")
    cell_line: dict[Name, CellLineSettings] = Field(default_factory=dict, description="cell lines of an assay, by name")
    panel: PanelSettings
    culture: CultureSettings
    drug: DrugSettings
    partner: dict[Name, PartnerSettings] = Field({}, description="drugs given beside the rapalog, by name")
    network: NetworkSettings
    mechanism: MechanismSettings
    regimen: Regimen
    modification: Modification
    design: Design
    designs: dict[Name, Design] = Field({}, description="designs that analysis=compare_designs sets side by side, by name")
    endpoint: EndpointSettings
    inference: InferenceSettings
    compute: Compute
    report: ReportSettings

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        raise_all(
            [
                *_mix_faults(self),
                *_dose_faults(self),
                *_partner_faults(self),
                *_term_faults(self),
                *_part_faults(self),
                *_design_faults(self),
                *self.analysis.faults(self),
            ]
        )
        return self

    @cached_property
    def choices(self) -> dict[str, str]:
        """The file of each configuration group that it was composed of; empty if that is not known. No setting: it is not saved
        with them, and studies that differ in it are equal."""
        return {}

    def composed_of(self, choices: Mapping[str, str]) -> Self:
        """The same, its files known."""
        copy = self.model_copy()
        copy.__dict__["choices"] = dict(choices)
        return copy

    @property
    def title(self) -> str:
        """The study's title, the partner drugs named; a drug that it begins with has a capital."""
        beside = ", ".join(self.partner)
        name = self.drug.name
        title = name.capitalize() + self.study.title.removeprefix(name) if self.study.title.startswith(name) else self.study.title
        return f"{title}, with {beside}" if beside and self.analysis.kind == "trial" else title

    @property
    def published(self) -> str | None:
        """The published study to compare with: none if partner drugs are given, as the published patients had none."""
        return None if self.partner else self.study.published

    @property
    def terms(self) -> dict[str, TermSettings]:
        """Adverse events of all study drugs; one that several share is described by the first, the rapalog before its partners."""
        return _first_of([drug.toxicity.terms for drug in (self.drug, *self.partner.values())])

    @property
    def rules(self) -> Modification:
        """What adverse events do to all study drugs together: for each term the strictest rule of any of them."""
        sources = [self.modification, *(partner.modification for partner in self.partner.values())]
        strictest = {rule: _lowest([getattr(source, rule) for source in sources]) for rule in ("hold_at", "reduce_at", "stop_at")}
        return self.modification.model_copy(update=strictest)


def _first_of(mappings: list[dict[str, TermSettings]]) -> dict[str, TermSettings]:
    names = dict.fromkeys(name for mapping in mappings for name in mapping)
    return {name: next(mapping[name] for mapping in mappings if name in mapping) for name in names}


def _lowest(mappings: list[dict[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for mapping in mappings for name in mapping)
    return {name: min(mapping[name] for mapping in mappings if name in mapping) for name in names}


def validate(data: Mapping[str, Any]) -> StudyConfig:
    """Check resolved settings and freeze them.

    Types are taken as YAML wrote them: ``true`` is not a number and ``"5"`` is not either.

    Args:
        data: nested settings, plain Python values, nothing left to interpolate.

    Raises:
        ConfigError: one fault, or ``ConfigErrors`` with all of them.
    """
    raise_all(not_plain(data))
    try:
        # JSON mode is strict on scalars yet lets a list be a tuple and a word be a choice, which is what YAML needs.
        return StudyConfig.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise_all(translate(error, data, StudyConfig))
        raise


def _mix_faults(config: StudyConfig) -> list[ConfigError]:
    """Tumour types that nobody described; that the shares sum to 1 is checked in the section itself."""
    known = tuple(config.tumour)
    return [
        ConfigError(f"cohort.mix.{name}", share, f"a tumour type of this study: {', '.join(known)}{near(name, known)}")
        for name, share in config.cohort.mix.items()
        if name not in known
    ]


def _dose_faults(config: StudyConfig) -> list[ConfigError]:
    """A start outside the escalation, a unit unfit for children, and a treatment longer than the follow-up."""
    faults: list[ConfigError] = []
    youngest = config.cohort.age.minimum_y
    if youngest < FLAT_DOSE_FROM_Y and config.regimen.unit == "mg":
        allowed = f"mg/m2, as patients are as young as cohort.age.minimum_y = {youngest:g} years"
        faults.append(ConfigError("regimen.unit", config.regimen.unit, allowed))
    levels = config.design.levels
    if config.design.escalates and config.regimen.dose not in levels:
        allowed = (
            f"one of design.dose_levels, where the escalation starts: {', '.join(f'{level:g}' for level in levels)}"
        )
        faults.append(ConfigError("regimen.dose", config.regimen.dose, allowed))
    longest = config.design.max_follow_up_months * DAYS_PER_MONTH
    if config.regimen.max_treatment_days > longest + 1:
        allowed = f"no longer than design.max_follow_up_months, {longest:.0f} days"
        faults.append(ConfigError("regimen.max_treatment_days", config.regimen.max_treatment_days, allowed))
    return faults


def _partner_faults(config: StudyConfig) -> list[ConfigError]:
    """A partner under another name than its own, an impossible dose or reduction of it, and a flat dose for young children."""
    faults = [
        ConfigError(f"partner.{key}.name", partner.name, f"the name it has in `partner`, {key!r}")
        for key, partner in config.partner.items()
        if partner.name != key
    ]
    for key, partner in config.partner.items():
        regimen, largest = partner.regimen, LARGEST_PARTNER_DOSE
        if regimen.dose > largest:
            faults.append(ConfigError(f"partner.{key}.regimen.dose", regimen.dose, f"at most {largest:g} {regimen.unit}"))
        fractions = list(regimen.dose_fractions)
        if fractions[0] != 1.0 or any(low >= high for high, low in zip(fractions[:-1], fractions[1:], strict=True)):
            allowed = "1.0 first, then strictly smaller numbers"
            faults.append(ConfigError(f"partner.{key}.regimen.dose_fractions", fractions, allowed))
    youngest = config.cohort.age.minimum_y
    if youngest < FLAT_DOSE_FROM_Y:
        allowed = f"mg/m2, as patients are as young as cohort.age.minimum_y = {youngest:g} years"
        flat = [(key, partner.regimen) for key, partner in config.partner.items() if partner.regimen.unit == "mg"]
        faults += [ConfigError(f"partner.{key}.regimen.unit", regimen.unit, allowed) for key, regimen in flat]
    return faults


def _part_faults(config: StudyConfig) -> list[ConfigError]:
    """More parts than there is to share."""
    parts, together = config.compute.parts, config.design.inseparable
    if parts > 1 and config.analysis.kind != "trial":
        return [ConfigError("compute.parts", parts, f"1, as analysis.kind is {config.analysis.kind}: only a trial is shared")]
    most = -(-config.cohort.size // together)
    if parts <= most:
        return []
    what = "patients" if together == 1 else f"virtual studies of design.replicate_size = {together} patients"
    return [ConfigError("compute.parts", parts, f"at most {most}, the number of {what} in cohort.size = {config.cohort.size}")]


def _design_faults(config: StudyConfig) -> list[ConfigError]:
    """A design that the analysis does not run."""
    kind = config.design.kind
    if config.analysis.kind != "trial" or kind == "single_arm" or config.design.escalates:
        return []
    return [ConfigError("design.kind", kind, "single_arm or an escalation such as three_plus_three, as analysis.kind is trial")]


def _term_faults(config: StudyConfig) -> list[ConfigError]:
    """Rules for adverse events that no study drug has: a misspelt term would silently never act."""
    known = tuple(config.terms)
    rules = {
        "modification.hold_at": config.modification.hold_at,
        "modification.reduce_at": config.modification.reduce_at,
        "modification.stop_at": config.modification.stop_at,
        "design.dlt.min_grade": config.design.dlt.min_grade,
    }
    rules |= {f"designs.{name}.dlt.min_grade": design.dlt.min_grade for name, design in config.designs.items()}
    for name, partner in config.partner.items():
        rules |= {f"partner.{name}.modification.{rule}": grades for rule, grades in partner.modification.model_dump().items()}
    return [
        ConfigError(f"{section}.{term}", grade, f"an adverse event of the study drugs: {', '.join(known)}{near(term, known)}")
        for section, rule in rules.items()
        for term, grade in rule.items()
        if term not in known
    ]


__all__ = ["ConfigErrors", "StudyConfig", "StudyInfo", "validate"]
