"""A drug: kinetics, binding and toxicity. Belongs to the drug, shared by every study; values and sources live in conf/drug."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trialsim.schema.base import Settings, Sourced

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(gt=0, lt=1)]


class PKSettings(Sourced):
    """Typical adult kinetics (mechanism/pharmacokinetics.py), variability and covariate effects."""

    CLint: Positive  # L/h, unbound intrinsic clearance
    Vc: Positive  # L, plasma, at reference fat-free mass
    Vp: Positive  # L
    Q: Positive  # L/h
    MAT: Positive  # h
    fu: Fraction
    ffm_reference: Positive  # kg
    hepatic_plasma_flow: Positive  # L/h at reference fat-free mass and haematocrit 0
    Bmax: NonNegative  # ng/mL
    Kd: Positive  # ng/mL
    Kns: NonNegative
    iiv_CLint: NonNegative  # CV
    iiv_Vc: NonNegative
    iov_F: NonNegative
    iov_MAT: NonNegative
    occasion_days: Annotated[int, Field(ge=1)]
    abcb1_ttt_F: Positive  # ratio
    hepatic_CLint: dict[str, Positive]  # ratio by hepatic function
    comedication_CLint: dict[str, Positive]  # ratio by CYP3A4/P-gp co-medication
    child_CL_intercept: NonNegative  # L/h, whole-blood CL/F of children = intercept + slope * BSA / 1.5
    child_CL_slope: Positive  # L/h per 1.5 m2
    adult_CL_whole_blood: Positive  # L/h, whole-blood CL/F of the typical adult of this model
    adult_from_y: Positive  # y, centre of the passage from the children's to the adults' relation

    @model_validator(mode="after")
    def _categories(self) -> PKSettings:
        expected = {
            "hepatic_CLint": {"normal", "child_pugh_a", "child_pugh_b", "child_pugh_c"},
            "comedication_CLint": {"none", "inhibitor", "inducer"},
        }
        for key, names in expected.items():
            if set(getattr(self, key)) != names:
                raise ValueError(f"{key} must have exactly the keys {sorted(names)}")
        return self


class BindingSettings(Sourced):
    """Drug in cells (mechanism/binding.py)."""

    molar_mass: Positive  # g/mol
    K_FKBP12: Positive  # nM
    K_FRB: Positive  # nM
    FKBP12: Positive  # nM, typical
    iiv_FKBP12: NonNegative  # log-SD
    PS: Positive  # 1/h
    partition_tumour: Positive  # free drug at tumour cells over free drug in plasma, before stroma
    iiv_partition: NonNegative  # log-SD
    partition_pbmc: Positive


class TermSettings(Settings):
    """One adverse event (mechanism/toxicity.py)."""

    hazard: NonNegative  # 1/day at C_ref, day 27
    background: NonNegative = 0.0  # 1/day without drug
    shape: Positive  # 1 constant, < 1 early
    slope: NonNegative  # exponent of exposure
    grade_2: Probability  # P(G >= 2 | onset) at C_ref
    grade_3: Probability
    grade_4: Probability
    grade_slope: NonNegative  # logit per doubling of exposure
    recovery_on_days: Positive
    recovery_off_days: Positive
    frailty_sd: NonNegative  # log-SD between patients
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> TermSettings:
        if not self.grade_4 <= self.grade_3 <= self.grade_2:
            raise ValueError("grade_4 <= grade_3 <= grade_2 is required: each is the probability of at least that grade")
        return self


class ToxicitySettings(Settings):
    """All adverse events of the drug."""

    reference_cmin: Positive  # ng/mL, whole blood
    terms: dict[str, TermSettings]


class DrugSettings(Settings):
    """One rapalog."""

    name: str
    pk: PKSettings
    binding: BindingSettings
    toxicity: ToxicitySettings
