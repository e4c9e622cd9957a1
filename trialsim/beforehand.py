"""What can be said of a study before anything is simulated: faults that take more than its settings, and cautions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trialsim.cohort.selection import refuse_rare
from trialsim.evidence.doses import beyond_studied
from trialsim.evidence.likeness import (
    Asked,
    control_differences,
    drug_differences,
    refuse_another_drug,
    refuse_the_drug_in_control,
)
from trialsim.evidence.published import named_arm
from trialsim.schema.analysis.options import OptionsSettings
from trialsim.schema.analysis.predict import PredictSettings
from trialsim.schema.base import ConfigError
from trialsim.schema.faults import flatten, raise_all

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

GIVEN = ("trial", "predict")  # analyses whose patients are given `regimen`, and that stand beside a published study
OF_AGE_Y = 18.0


def check(config: StudyConfig) -> None:
    """Published studies that are none, or of another drug than a prediction; a selection that hardly anybody meets.

    Raises:
        ConfigError: all that was found.
    """
    name, asked = config.study.published, config.analysis
    faults: list[ConfigError] = []
    checks = []
    if isinstance(asked, PredictSettings):
        control = asked.published_control
        checks.append(lambda: refuse_rare(config.cohort, config.tumour, asked.selection))
        if name is not None:
            checks.append(lambda: refuse_another_drug(asked_of(config), name, "study.published"))
        if control is not None:
            checks.append(lambda: refuse_the_drug_in_control(control, "analysis.published_control"))
    elif isinstance(asked, OptionsSettings):
        for group, who in asked.who.items():
            population, key = who.population(config.cohort), f"analysis.who.{group}.selection"
            checks.append(partial(refuse_rare, population, config.tumour, who.selection, key))
    elif name is not None:
        checks.append(lambda: named_arm(name))
    for one in checks:
        try:
            one()
        except ConfigError as error:
            faults.extend(flatten(error))
    raise_all(faults)


def cautions(config: StudyConfig) -> list[str]:
    """What a reader of the results must keep in mind of this very study."""
    if isinstance(config.analysis, OptionsSettings):
        return _of_options(config, config.analysis)
    if config.analysis.kind not in GIVEN:
        return []
    asked = asked_of(config)
    highest = max([config.regimen.dose, *(config.design.levels if config.design.escalates else ())])
    beyond = beyond_studied(asked.drug, highest, asked.unit, asked.schedule, asked.age_group)
    return [*([] if beyond is None else [beyond]), *differences(config)]


def _of_options(config: StudyConfig, settings: OptionsSettings) -> list[str]:
    """Doses above those studied: of all that are, by age group, unit and schedule, the highest."""
    highest: dict[tuple[str, str, str], float] = {}
    for who, name in settings.options:
        what = settings.what[name]
        if what.rapalog:
            group = "paediatric" if settings.who[who].ages(config.cohort)[1] <= OF_AGE_Y else "adult"
            key = (what.unit or config.regimen.unit, what.schedule or config.regimen.schedule, group)
            highest[key] = max(highest.get(key, 0.0), what.dose or config.regimen.dose)
    told = [beyond_studied(config.drug.name, dose, *key) for key, dose in highest.items()]
    return [text for text in told if text is not None]


def differences(config: StudyConfig) -> list[str]:
    """How each published arm beside a study differs from it in treatment or patients; empty: in nothing that the tables tell."""
    asked, settings = asked_of(config), config.analysis
    if isinstance(settings, PredictSettings):
        arms = ((drug_differences, config.study.published), (control_differences, settings.published_control))
    else:
        arms = ((drug_differences, config.published),)
    return [told for tell, name in arms if name is not None and (told := tell(asked, name)) is not None]


def asked_of(config: StudyConfig) -> Asked:
    """What a study gives and to whom."""
    regimen, settings = config.regimen, config.analysis
    return Asked(
        drug=config.drug.name, dose=regimen.dose, unit=regimen.unit, schedule=regimen.schedule, partners=tuple(config.partner),
        tumour_types=tuple(kind for kind, share in config.cohort.mix.items() if share),
        selection=settings.selection if isinstance(settings, PredictSettings) else {},
        age_group="adult" if config.cohort.age.minimum_y >= OF_AGE_Y else "paediatric",
    )  # fmt: skip
