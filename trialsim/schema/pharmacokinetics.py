"""Kinetics of a drug, one form of three by ``kind``; values and sources live in conf/drug."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from trialsim.schema.base import ConfigError, Settings, Sourced

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Stages = Annotated[int, Field(ge=1, le=5)]
TRANSIT_MAT_H = 1.0  # with five stages the closed form is that of a fast arrival


def _by_hepatic_function(factors: dict[str, float]) -> dict[str, float]:
    if set(factors) != HEPATIC:
        raise ValueError(f"exactly the keys {', '.join(sorted(HEPATIC))}")
    return factors


HEPATIC = {"normal", "child_pugh_a", "child_pugh_b", "child_pugh_c"}
HepaticFactors = Annotated[dict[str, Positive], AfterValidator(_by_hepatic_function)]


class Interaction(Settings):
    """What a co-medication does: factors on clearance and on the part that reaches the blood, of the drug, or of the metabolite."""

    clearance: Positive  # of CLint, where the liver is well stirred
    bioavailability: Positive = 1.0


class Comedication(Settings):
    """The two classes of CYP3A4/P-gp co-medication of the cohort."""

    inhibitor: Interaction
    inducer: Interaction


class Interactions(Settings):
    """As observed in patients of trials, and as in dedicated studies of ketoconazole and rifampicin."""

    usual: Comedication
    strong: Comedication


class Kinetics(Sourced):
    """What every form has."""

    fu: Fraction  # unbound fraction in plasma
    ffm_reference: Positive  # kg; clearances scale with fat-free mass^0.75, volumes with fat-free mass
    iov_F: NonNegative  # CV between occasions
    iov_MAT: NonNegative
    occasion_days: Annotated[int, Field(ge=1)]
    comedication: Literal["usual", "strong"]  # which of the interactions the cohort's classes have
    interactions: Interactions


def _arrives(pk):
    if pk.stages == 5 and pk.MAT > TRANSIT_MAT_H:
        raise ConfigError("drug.pk.stages", pk.stages, f"at most 4, as drug.pk.MAT is above {TRANSIT_MAT_H:g} h")
    return pk


class WellStirred(Kinetics):
    """Oral; two compartments of plasma and a well-stirred liver (mechanism/pharmacokinetics.py)."""

    kind: Literal["well_stirred"]
    CLint: Positive  # L/h, unbound intrinsic clearance
    Vc: Positive  # L, plasma, at reference fat-free mass
    Vp: Positive  # L
    Q: Positive  # L/h
    MAT: Positive  # h
    stages: Stages  # of absorption
    hepatic_plasma_flow: Positive  # L/h at reference fat-free mass and haematocrit 0
    Bmax: NonNegative  # ng/mL
    Kd: Positive  # ng/mL
    Kns: NonNegative
    iiv_CLint: NonNegative  # CV
    iiv_Vc: NonNegative
    abcb1_ttt_F: Positive  # ratio
    hepatic_CLint: HepaticFactors  # ratio by hepatic function
    child_CL_intercept: NonNegative  # L/h, whole-blood CL/F of children = intercept + slope * BSA / 1.5
    child_CL_slope: Positive  # L/h per 1.5 m2
    adult_CL_whole_blood: Positive  # L/h, whole-blood CL/F of the typical adult of this model
    adult_from_y: Positive  # y, centre of the passage from the children's to the adults' relation

    @model_validator(mode="after")
    def _coherent(self) -> WellStirred:
        return _arrives(self)


class BloodDisposition(Sourced):
    """Two compartments of whole blood, where red cells bind in proportion."""

    CL: Positive  # L/h at the reference haematocrit
    Vc: Positive  # L
    Q: Positive  # L/h
    Vp: Positive  # L
    haematocrit_reference: Fraction
    haematocrit_CL: float  # exponent: CL (reference / haematocrit)^this
    blood_to_plasma: Positive  # ratio of concentrations at the reference haematocrit
    hepatic_CL: HepaticFactors  # ratio by hepatic function
    iiv_CL: NonNegative  # CV
    iiv_Vc: NonNegative
    iiv_Q: NonNegative
    iiv_Vp: NonNegative


class WholeBlood(Kinetics, BloodDisposition):
    """Oral; two compartments of whole blood, clearances and volumes as apparent ones (over F), absorption saturable if need be."""

    kind: Literal["whole_blood"]
    F: Fraction
    MAT: Positive  # h, of a small dose
    stages: Stages  # of absorption
    absorption_Vmax: Positive | None = None  # mg/h; the mean absorption time of a dose is MAT + dose / (2 Vmax); null: MAT

    @model_validator(mode="after")
    def _coherent(self) -> WholeBlood:
        return _arrives(self)


class Metabolite(BloodDisposition):
    """An active metabolite, with clearances and volumes as such (mechanism/metabolite.py)."""

    name: str
    molar_mass: Positive  # g/mol
    formed: Fraction  # molar part of the parent's clearance that makes it
    fu: Fraction


class ParentMetabolite(Kinetics):
    """Infused; parent in two compartments of plasma with saturable red cells, and a metabolite that acts as the parent does."""

    kind: Literal["parent_metabolite"]
    infusion_h: Annotated[float, Field(gt=0, le=6)]  # h
    CL: Positive  # L/h, plasma, at reference fat-free mass
    Vc: Positive  # L
    Q: Positive  # L/h
    Vp: Positive  # L
    Bmax: NonNegative  # ng/mL of red cells
    Kd: Positive  # ng/mL of plasma
    Kns: NonNegative
    iiv_CL: NonNegative  # CV
    iiv_Vc: NonNegative
    metabolite: Metabolite


PK = Annotated[WellStirred | WholeBlood | ParentMetabolite, Field(discriminator="kind")]
