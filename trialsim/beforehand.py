"""What can be said of a study before anything is simulated: faults that take more than its settings, and cautions."""

from __future__ import annotations

from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING

from trialsim.cohort.disease import LAST_LINE
from trialsim.cohort.selection import refuse_rare
from trialsim.evidence.doses import PER_WEEK, beyond_studied
from trialsim.evidence.likeness import (
    GENES,
    Asked,
    control_differences,
    drug_differences,
    refuse_another_drug,
    refuse_the_drug_in_control,
)
from trialsim.evidence.published import named_arm
from trialsim.evidence.related import beside_a_rapalog
from trialsim.schema.analysis.options import OptionsSettings
from trialsim.schema.analysis.predict import PredictSettings
from trialsim.schema.base import ConfigError
from trialsim.schema.faults import flatten, raise_all

if TYPE_CHECKING:
    from trialsim.schema.partner import PartnerSettings
    from trialsim.schema.study import StudyConfig

GIVEN = ("trial", "predict")  # analyses whose patients are given `regimen`, and that stand beside a published study
OF_AGE_Y = 18.0
FEW_OF_AGE = 0.2  # share of a type's patients below which those asked in are the exception; ours
FEW_DRAWS = 40  # of a posterior: fewer give no 90 % interval
BODY_SURFACE_M2 = 1.8  # of the adult that conf/partner's reference concentrations are of
UNUSUAL = 1.5  # times the usual exposure to a partner drug


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
    levels = config.analysis.dose_levels if isinstance(config.analysis, PredictSettings) else None
    escalated = config.design.levels if config.design.escalates else ()
    highest = max(levels or [config.regimen.dose, *escalated])
    beyond = beyond_studied(asked.drug, highest, asked.unit, asked.schedule, asked.age_group)
    settings = config.analysis
    own = _of_prediction(config, settings) if isinstance(settings, PredictSettings) else []
    return [*([] if beyond is None else [beyond]), *differences(config), *own]


def _of_prediction(config: StudyConfig, settings: PredictSettings) -> list[str]:
    """What the posterior was told nothing of, treatments outside its evidence, and too few draws."""
    from trialsim.calibration import posterior  # here, as it reads the posterior

    fitted, told = posterior.chosen(settings.posterior), []
    kinds = [str(config.tumour[kind].label) for kind in posterior.unknown_types(config, fitted)]
    if kinds:
        told.append(
            f"Tumour types of which no fitted trial tells: {', '.join(kinds)}. Their growth, dependence on mTORC1 and deaths are "
            "drawn from what tumour types are in general, so the intervals are wide."
        )
    told += _of_other_ages(config)
    if config.cohort.age.minimum_y < OF_AGE_Y:
        mix = config.cohort.mix
        adult = [str(tumour.label) for kind, tumour in config.tumour.items() if mix.get(kind) and tumour.demographics.age is None]
        if adult:
            told.append(f"Tumour types described as adults have them, assumed the same in children: {', '.join(adult)}.")
    open_ = posterior.untold(config, fitted)
    drugs = [name for name in (config.drug.name, *config.partner) if {f"exposure {name}", f"partner {name}"} & set(open_)]
    if drugs:
        told.append(
            f"Drugs of which no fitted trial tells: {', '.join(drugs)}. How strongly they act is what their files say, with the "
            "spread of the prior; that is no clinical evidence."
        )
    for name in drugs:
        if published := beside_a_rapalog(name, fitted.provenance["studies"]):
            told.append(f"Published, but not fitted. {' '.join(published)}")
    genes = dict.fromkeys(GENES[gene] for gene in posterior.of_laboratory(settings.selection, fitted))
    if genes:
        told.append(
            f"What alterations of {', '.join(genes)} change rests on facts about cells: the fitted trials hardly narrow it."
        )
    later = sum(config.cohort.clinical.line[LAST_LINE:])
    if later > 0.5:
        many = f"{100 * later:.0f} % of the patients are treated in line {LAST_LINE + 1} or later"
        told.append(f"{many}, which counts as line {LAST_LINE}.")
    for name, partner in config.partner.items():
        times = _mean_ng_ml(partner) / partner.toxicity.reference_ng_ml
        if not 1 / UNUSUAL <= times <= UNUSUAL:
            told.append(f"{name.capitalize()} is given at {float(f'{times:.2g}'):,g} times its usual exposure.")
    if settings.draws < FEW_DRAWS:
        told.append(f"Only {settings.draws} draws of the posterior (analysis.draws): too few for intervals to be trusted.")
    longest = config.design.max_follow_up_months
    if settings.follow_up_months > longest:
        told.append(
            f"Patients are followed for {settings.follow_up_months:g} months and more, the simulated ones for {longest:g} at most: "
            "later medians are not reached."
        )
    return told


def _of_other_ages(config: StudyConfig) -> list[str]:
    """Tumour types most of whose patients are younger or older than those who are asked in."""
    told, limits = [], config.cohort.age
    for kind, share in config.cohort.mix.items():
        own = config.tumour[kind].demographics.age
        if not share or own is None:
            continue
        low, high = max(own.minimum_y, limits.minimum_y), min(own.maximum_y, limits.maximum_y)
        ages = [(part.weight, NormalDist(part.mean_y, part.sd_y)) for part in own.components]
        if sum(weight * (of.cdf(high) - of.cdf(low)) for weight, of in ages) < FEW_OF_AGE:
            other = "adult" if asked_of(config).age_group == "paediatric" else "paediatric"
            told.append(
                f"{config.tumour[kind].label}: most patients are of other ages (described: {own.minimum_y:g} to {own.maximum_y:g} "
                f"years); those asked in are of {low:g} to {high:g}. age_group: {other} asks in the others."
            )
    return told


def _mean_ng_ml(partner: PartnerSettings) -> float:
    """Mean concentration over a cycle, as conf/partner computes toxicity.reference_ng_ml."""
    pk, regimen = partner.pk, partner.regimen
    on = regimen.days_on / (regimen.days_on + regimen.days_off) if regimen.days_on else 1.0
    body = BODY_SURFACE_M2 if regimen.unit == "mg/m2" else 1.0
    mg = regimen.dose * body * regimen.doses_a_day * PER_WEEK[regimen.schedule] / 7.0 * on
    return 1000.0 * pk.F * mg / (24.0 * pk.CL)


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
