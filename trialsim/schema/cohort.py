"""Who the patients are and which tumours they bear: the validated ``cohort`` and ``tumour`` sections.

Every number travels with its source: a section has a ``sources`` mapping with one entry for each of its values, so
that the resolved configuration, and the report made from it, can say where a value comes from. A value without a
citation is written ``assumed: ...`` (ours), ``derived: ...`` (arithmetic on a citation) or ``memory: ...`` (quoted
without the text at hand).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from trialsim.schema.base import Settings, Sourced
from trialsim.schema.partner import Hormone

MAXIMUM_SIZE = 10_000_000
SUM_TOLERANCE = 1e-6
MAXIMUM_TARGET_LESIONS = 5  # RECIST 1.1

HepaticFunction = Literal["normal", "child_pugh_a", "child_pugh_b", "child_pugh_c"]
Comedication = Literal["none", "inhibitor", "inducer"]

Number = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Shares = TypeVar("Shares")
Correlation = Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]


def _is_distribution(fractions: Iterable[float]) -> None:
    total = sum(fractions)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise ValueError(f"shares that sum to 1; these sum to {total:.6g}")


def _shares_sum_to_one(shares: Shares) -> Shares:
    if isinstance(shares, dict):
        _is_distribution(shares.values())
    elif isinstance(shares, list):
        _is_distribution(shares)
    return shares


class AgeComponent(Settings):
    """One normal component of the age distribution, before truncation."""

    weight: Fraction
    mean_y: Positive
    sd_y: Positive


class AgeSettings(Sourced):
    """Age at enrolment: a mixture of normals, each truncated to [minimum_y, maximum_y]."""

    components: list[AgeComponent] = Field(min_length=1)
    minimum_y: NonNegative
    maximum_y: Annotated[float, Field(gt=0, le=110)]

    @field_validator("components")
    @classmethod
    def _weights_sum_to_one(cls, components: list[AgeComponent]) -> list[AgeComponent]:
        _is_distribution(component.weight for component in components)
        return components

    @field_validator("maximum_y")
    @classmethod
    def _above_minimum(cls, maximum: float, info: ValidationInfo) -> float:
        if "minimum_y" in info.data and maximum <= info.data["minimum_y"]:
            raise ValueError(f"an age above minimum_y, {info.data['minimum_y']:g} years")
        return maximum


class SexSettings(Sourced):
    """Share of women; a tumour type may override it."""

    female_fraction: Fraction


class AdultBodySize(Sourced):
    """Adults: height normal within sex; body-mass index lognormal within sex and independent of height."""

    height_male_cm: Positive
    height_female_cm: Positive
    height_sd_male_cm: Positive
    height_sd_female_cm: Positive
    bmi_male_median: Positive
    bmi_female_median: Positive
    bmi_log_sd: Positive


class ChildBodySize(Sourced):
    """Children: z-scores on the CDC 2000 reference, shifted for chronic illness and correlated."""

    height_z_mean: Number
    height_z_sd: Positive
    bmi_z_mean: Number
    bmi_z_sd: Positive
    height_bmi_correlation: Correlation


class BodySizeSettings(Settings):
    """Body size of adults (20 years and over) and of children."""

    adult: AdultBodySize
    child: ChildBodySize


class HaematocritSettings(Sourced):
    """Haematocrit: the healthy mean of sex and age, lowered by the cancer and its treatment; fractions of volume."""

    shift: Annotated[float, Field(ge=-0.2, le=0.1)]
    sd: Annotated[float, Field(gt=0, le=0.15)]
    minimum: Annotated[float, Field(gt=0.1, lt=0.6)]
    maximum: Annotated[float, Field(gt=0.1, le=0.65)]

    @field_validator("maximum")
    @classmethod
    def _above_minimum(cls, maximum: float, info: ValidationInfo) -> float:
        if "minimum" in info.data and maximum <= info.data["minimum"]:
            raise ValueError(f"a fraction above minimum, {info.data['minimum']:g}")
        return maximum


class ClinicalSettings(Sourced):
    """Liver function, co-medication, transporter genotype, line of therapy and performance status."""

    hepatic_function: dict[HepaticFunction, Fraction]
    cyp3a4_comedication: dict[Comedication, Fraction]
    abcb1_ttt: Fraction
    line: list[Fraction]
    ecog: list[Fraction] = Field(max_length=4)

    _distributions = field_validator("hepatic_function", "cyp3a4_comedication", "line", "ecog")(_shares_sum_to_one)


class AssociationSettings(Sourced):
    """How the covariates of one patient go together (correlations of normal scores; log hazard ratios)."""

    ecog_burden: Correlation
    ecog_haematocrit: Correlation
    burden_target_lesions: Correlation
    growth_new_lesion: Correlation
    growth_death: Correlation
    log_hazard_per_ecog: Number
    log_hazard_per_log_burden: Number
    log_growth_per_line: Number
    logit_dependence_per_line: Number


class PopulationSettings(Settings):
    """The ``cohort`` section: how many patients, and how they are made or where they are read from."""

    title: str
    size: int = Field(ge=1, le=MAXIMUM_SIZE, strict=True)
    covariates_file: str | None = None
    mix: dict[str, Fraction]
    mix_source: str
    age: AgeSettings
    sex: SexSettings
    body_size: BodySizeSettings
    haematocrit: HaematocritSettings
    clinical: ClinicalSettings
    associations: AssociationSettings

    @field_validator("mix")
    @classmethod
    def _mix_is_a_distribution(cls, mix: dict[str, float]) -> dict[str, float]:
        _is_distribution(mix.values())
        return mix


class DemographicsSettings(Sourced):
    """What a tumour type changes in the population's demographics; null leaves the population's value."""

    female_fraction: Fraction | None = None
    age: AgeSettings | None = None
    hepatic_function: dict[HepaticFunction, Fraction] | None = None

    _distribution = field_validator("hepatic_function")(_shares_sum_to_one)


class GenotypeSettings(Sourced):
    """Marginal prevalence of each alteration and how they go together.

    PTEN mutation and PTEN protein loss are two variables: most losses carry no mutation (Millis 2016).
    """

    pik3ca: Fraction
    pten_mutation: Fraction
    pten_loss_given_mutation: Fraction
    pten_loss: Fraction
    akt1: Fraction
    tsc: Fraction
    kras: Fraction
    mtor: Fraction
    kras_pik3ca_odds_ratio: Positive
    akt1_pik3ca_odds_ratio: Positive

    @field_validator("pten_loss")
    @classmethod
    def _coherent_with_mutation(cls, loss: float, info: ValidationInfo) -> float:
        if not {"pten_mutation", "pten_loss_given_mutation"} <= set(info.data):
            return loss  # their own faults are reported
        mutation = info.data["pten_mutation"]
        with_both = info.data["pten_loss_given_mutation"] * mutation
        least, most = with_both, 1.0 - mutation + with_both
        if not least - SUM_TOLERANCE <= loss <= most + SUM_TOLERANCE:
            raise ValueError(
                f"a share from {least:.4g} to {most:.4g}, as pten_mutation and pten_loss_given_mutation leave possible"
            )
        return loss


class GrowthSettings(Sourced):
    """Untreated growth of a lesion's diameter, lognormal between patients, and the resistant share of its cells.

    low_grade: WHO grade 1 or 2, well differentiated, indolent or benign by the definition of the type (WHO classification of
    tumours). It moves no patient: the calibration expects such types to grow slower (`calibration.model`)."""

    rate_median_per_day: Positive
    rate_log_sd: Positive
    resistant_fraction_median: Annotated[float, Field(gt=0, lt=1)]
    resistant_fraction_log_sd: Positive
    low_grade: bool = False


class LesionSettings(Sourced):
    """Disease at baseline and its spread. Sizes in mm, rates per day at the baseline burden."""

    target_lesions: list[Fraction] = Field(min_length=1, max_length=MAXIMUM_TARGET_LESIONS)
    baseline_sld_median_mm: Annotated[float, Field(ge=10, le=600)]
    baseline_sld_log_sd: Positive
    nontarget_fraction: Fraction
    new_lesion_rate_median_per_day: Positive
    new_lesion_rate_log_sd: Positive

    _distribution = field_validator("target_lesions")(_shares_sum_to_one)


class SurvivalSettings(Sourced):
    """Death from the disease: hazard per day at the baseline burden, ECOG 1, lognormal frailty between patients."""

    death_rate_median_per_day: Positive
    death_rate_log_sd: NonNegative


class PathwaySettings(Sourced):
    """How far proliferation runs through mTORC1-dependent translation, and how much drug reaches the cells."""

    dependence_mean: Annotated[float, Field(gt=0, lt=1)]
    dependence_concentration: Positive
    penetration: Annotated[float, Field(gt=0, le=1)]
    non_genomic_drive: NonNegative
    hormone: Hormone | None = None  # hormone that the tumour depends on, null: none


class TumourSettings(Settings):
    """One tumour type."""

    label: str
    demographics: DemographicsSettings
    genotype: GenotypeSettings
    growth: GrowthSettings
    lesions: LesionSettings
    survival: SurvivalSettings
    pathway: PathwaySettings
