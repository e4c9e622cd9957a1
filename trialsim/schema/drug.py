"""A drug: kinetics, binding and toxicity. Belongs to the drug, shared by every study; values and sources live in conf/drug."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trialsim.schema.base import Settings, Sourced
from trialsim.schema.pharmacokinetics import PK, NonNegative, Positive

Probability = Annotated[float, Field(gt=0, lt=1)]


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
    """One rapalog. Where it has an active metabolite, that binds as the drug does."""

    name: str
    pk: PK
    binding: BindingSettings
    toxicity: ToxicitySettings
