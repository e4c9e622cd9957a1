"""Age, sex, body size, haematocrit, liver function, co-medication, transporter genotype, line, performance status."""

from __future__ import annotations

from typing import get_args

import numpy as np

from trialsim.cohort import growth_reference
from trialsim.cohort.context import Columns, Context, conditional_score, score_within, standardised, uniform_of
from trialsim.cohort.draws import SCORE_LIMIT, category, truncated_normal
from trialsim.schema.base import ConfigError
from trialsim.schema.cohort import AgeSettings, Comedication, HepaticFunction, TumourSettings

# Mean haematocrit of the healthy by age, fraction of volume; between the ages linear, beyond them flat.
# memory: reference ranges as in Dallman PR, Siimes MA, J Pediatr 1979;94:26 and adult laboratory ranges.
HEALTHY_AGE_Y = np.array([2.0, 6.0, 12.0, 15.0, 18.0])
HEALTHY_HAEMATOCRIT = {"F": np.array([0.365, 0.38, 0.40, 0.41, 0.41]), "M": np.array([0.365, 0.38, 0.40, 0.43, 0.45])}


def tumour_type(context: Context, columns: Columns) -> np.ndarray:
    """Tumour type drawn from the mix, taken in alphabetical order so that the order in the file is of no effect."""
    types = sorted(context.population.mix)
    shares = np.array([context.population.mix[kind] for kind in types])
    return np.array(types)[category(context.draws.uniform("tumour_type"), shares)]


def tumour_index(context: Context, columns: Columns) -> np.ndarray:
    """Place of each patient's tumour type among the described types, int; looked up once, for speed."""
    return np.searchsorted(np.array(context.types), columns["tumour_type"])


def sex(context: Context, columns: Columns) -> np.ndarray:
    """Sex, "F" or "M"; the tumour type's share of women where it has one."""
    default = context.population.sex.female_fraction

    def share(tumour: TumourSettings) -> float:
        own = tumour.demographics.female_fraction
        return default if own is None else own

    return np.where(context.draws.uniform("sex") < context.of_tumour(columns, share), "F", "M")


def _mixture(settings: AgeSettings, low: float, high: float, which: np.ndarray, u: np.ndarray) -> np.ndarray:
    components = settings.components
    index = category(which, np.array([component.weight for component in components]))
    mean = np.array([component.mean_y for component in components])[index]
    sd = np.array([component.sd_y for component in components])[index]
    return truncated_normal(u, mean, sd, low, high)


def age_y(context: Context, columns: Columns) -> np.ndarray:
    """Age, years: the population's mixture, or the tumour type's own, always within the population's limits."""
    limits = context.population.age
    which, u = context.draws.uniform("age component"), context.draws.uniform("age")
    age = np.empty(len(u))
    for index in np.unique(columns["tumour_index"]):
        patients = columns["tumour_index"] == index
        kind = context.types[index]
        own = context.tumours[kind].demographics.age
        low = limits.minimum_y if own is None else max(limits.minimum_y, own.minimum_y)
        high = limits.maximum_y if own is None else min(limits.maximum_y, own.maximum_y)
        if low >= high:
            allowed = f"limits that overlap with those of tumour.{kind}.demographics.age"
            raise ConfigError("cohort.age", f"{limits.minimum_y:g} to {limits.maximum_y:g} years", allowed)
        age[patients] = _mixture(own or limits, low, high, which[patients], u[patients])
    return age


def _child_z(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """z-scores of height and body-mass index on the growth reference."""
    child = context.population.body_size.child
    height = context.draws.score("height")
    bmi = conditional_score(context.draws.score("body-mass index"), [(height, child.height_bmi_correlation)])
    return child.height_z_mean + child.height_z_sd * height, child.bmi_z_mean + child.bmi_z_sd * bmi


def height_cm(context: Context, columns: Columns) -> np.ndarray:
    """Height, cm: normal within sex for adults, the growth reference below 20 years."""
    adult = context.population.body_size.adult
    female = columns["sex"] == "F"
    mean = np.where(female, adult.height_female_cm, adult.height_male_cm)
    sd = np.where(female, adult.height_sd_female_cm, adult.height_sd_male_cm)
    child = growth_reference.measurement(
        growth_reference.STATURE_CM, columns["age_y"], columns["sex"], _child_z(context)[0]
    )
    is_child = columns["age_y"] < growth_reference.ADULT_AGE_Y
    return np.where(is_child, child, mean + sd * context.draws.score("height"))


def weight_kg(context: Context, columns: Columns) -> np.ndarray:
    """Weight, kg: body-mass index times height squared, so that the tall are heavier."""
    adult = context.population.body_size.adult
    median = np.where(columns["sex"] == "F", adult.bmi_female_median, adult.bmi_male_median)
    adult_bmi = median * np.exp(adult.bmi_log_sd * context.draws.score("body-mass index"))
    child_bmi = growth_reference.measurement(
        growth_reference.BMI_KG_M2, columns["age_y"], columns["sex"], _child_z(context)[1]
    )
    bmi = np.where(columns["age_y"] < growth_reference.ADULT_AGE_Y, child_bmi, adult_bmi)
    return bmi * (columns["height_cm"] / 100.0) ** 2


def _mean_haematocrit(context: Context, columns: Columns) -> np.ndarray:
    healthy = np.where(
        columns["sex"] == "F",
        np.interp(columns["age_y"], HEALTHY_AGE_Y, HEALTHY_HAEMATOCRIT["F"]),
        np.interp(columns["age_y"], HEALTHY_AGE_Y, HEALTHY_HAEMATOCRIT["M"]),
    )
    return healthy + context.population.haematocrit.shift


def ecog(context: Context, columns: Columns) -> np.ndarray:
    """ECOG performance status, 0 to 3. Where burden or haematocrit are already known they inform it."""
    associations = context.population.associations
    evidence = []
    if "sld_baseline_mm" in columns:
        evidence.append((burden_score(context, columns), associations.ecog_burden))
    if "haematocrit" in columns:
        settings = context.population.haematocrit
        score = (columns["haematocrit"] - _mean_haematocrit(context, columns)) / settings.sd
        evidence.append((np.clip(score, -SCORE_LIMIT, SCORE_LIMIT), associations.ecog_haematocrit))
    score = conditional_score(context.draws.score("ecog"), evidence)
    return category(uniform_of(score), np.array(context.population.clinical.ecog))


def ecog_score(context: Context, columns: Columns) -> np.ndarray:
    """Normal score behind a known performance status (higher = worse), shape (patients,)."""
    shares = np.array(context.population.clinical.ecog)
    return score_within(columns["ecog"], shares, context.draws.uniform("ecog score"))


def burden_score(context: Context, columns: Columns) -> np.ndarray:
    """Normal score of a known baseline sum of diameters among patients with the same tumour type."""
    median = context.of_tumour(columns, lambda tumour: tumour.lesions.baseline_sld_median_mm)
    log_sd = context.of_tumour(columns, lambda tumour: tumour.lesions.baseline_sld_log_sd)
    return standardised(columns["sld_baseline_mm"], median, log_sd)


def haematocrit(context: Context, columns: Columns) -> np.ndarray:
    """Haematocrit, fraction: by sex and age, lowered by cancer and poor performance, truncated by eligibility."""
    settings = context.population.haematocrit
    correlation = context.population.associations.ecog_haematocrit
    mean = _mean_haematocrit(context, columns)
    # The truncated normal is conditional on the performance status: shifted mean, narrower spread.
    centre = mean + settings.sd * correlation * ecog_score(context, columns)
    spread = np.full_like(centre, settings.sd * np.sqrt(1.0 - correlation**2))
    return truncated_normal(context.draws.uniform("haematocrit"), centre, spread, settings.minimum, settings.maximum)


def hepatic_function(context: Context, columns: Columns) -> np.ndarray:
    """Hepatic function: normal or a Child-Pugh class; the tumour type's distribution where it has one."""
    classes: tuple[HepaticFunction, ...] = get_args(HepaticFunction)
    default = context.population.clinical.hepatic_function

    def shares(tumour: TumourSettings) -> list[float]:
        own = tumour.demographics.hepatic_function or default
        return [own.get(name, 0.0) for name in classes]

    index = category(context.draws.uniform("hepatic_function"), context.of_tumour(columns, shares))
    return np.array(classes)[index]


def cyp3a4_comedication(context: Context, columns: Columns) -> np.ndarray:
    """CYP3A4/P-gp co-medication: none, inhibitor or inducer."""
    classes: tuple[Comedication, ...] = get_args(Comedication)
    shares = np.array([context.population.clinical.cyp3a4_comedication.get(name, 0.0) for name in classes])
    return np.array(classes)[category(context.draws.uniform("cyp3a4_comedication"), shares)]


def abcb1_ttt(context: Context, columns: Columns) -> np.ndarray:
    """At least one ABCB1 TTT haplotype (1236T-2677T-3435T)."""
    return context.draws.uniform("abcb1_ttt") < context.population.clinical.abcb1_ttt


def line(context: Context, columns: Columns) -> np.ndarray:
    """Line of therapy of the study treatment: prior lines + 1."""
    return 1 + category(context.draws.uniform("line"), np.array(context.population.clinical.line))
