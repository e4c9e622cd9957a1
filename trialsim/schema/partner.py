"""A partner drug: what is given beside the rapalog. Values and sources live in conf/partner, one file a drug."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trialsim.schema.base import ConfigError, Settings, Sourced
from trialsim.schema.drug import TermSettings
from trialsim.schema.faults import raise_all
from trialsim.schema.regimen import DoseModification, Prescription

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Node = Literal[
    "PI3K", "PI3K_alpha", "AKT", "AKT_allosteric", "mTOR_kinase", "MEK", "endocrine", "RTK", "autophagy", "cytotoxic", "supply"
]  # fmt: skip
Hormone = Literal["oestrogen", "somatostatin"]


class PartnerPKSettings(Sourced):
    """One compartment, first-order absorption (mechanism/partners.py); typical adult of 70 kg."""

    molar_mass: Positive  # g/mol
    ka: Positive  # 1/h; an infusion of T hours: 2/T
    CL: Positive  # L/h of plasma; CL/F where F is 1 for want of an absolute value
    V: Positive  # L; V/F likewise
    F: Fraction  # part of a dose, as the label states it, that reaches plasma
    fu: Fraction  # unbound in plasma
    iiv_CL: NonNegative  # CV between patients
    partition_tumour: Positive  # free drug at tumour cells over free drug in plasma, before the tumour type's penetration
    partition_pbmc: Positive


class EffectSettings(Settings):
    """What the drug does to one node."""

    IC50_nM: Positive  # free drug at the cell
    hill: Positive
    max: Positive  # largest inhibition, fraction; cytotoxic: killing of cells that proliferate at the untreated rate, 1/h
    source: str


class CYP3A4Settings(Sourced):
    """Interaction through CYP3A4, both ways."""

    rapalog_CLint: Positive  # ratio: the rapalog's CLint beside this drug over alone; < 1 inhibitor, > 1 inducer
    fm: Share  # part of this drug's clearance that is CYP3A4, which inhibitors and inducers among the co-medication change


class PartnerToxicitySettings(Settings):
    """Adverse events that the drug adds (mechanism/toxicity.py)."""

    reference_ng_ml: Positive  # mean plasma concentration over a cycle at which the hazards hold
    reference_ng_ml_source: str
    terms: dict[str, TermSettings]


class PartnerRegimen(Prescription):
    """The partner drug as prescribed. Adherence is the study's."""

    doses_a_day: int = Field(ge=1, le=4, description="administrations of regimen.dose on a day when the drug is due")
    dose_fractions: tuple[Fraction, ...] = Field(
        min_length=1, description="this drug's dose at each dose level of the study; the last one holds for lower levels"
    )


class PartnerSettings(Settings):
    """One partner drug."""

    name: str
    drug_class: str
    hormone: Hormone | None = Field(description="hormone that it takes away; acts only in tumours that depend on it; null: none")
    acts_in: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="tumour types that bear its target, on whose cells alone it acts; null: all cells"
    )
    pk: PartnerPKSettings
    inhibits: dict[Node, EffectSettings] = Field(min_length=1)
    cyp3a4: CYP3A4Settings
    toxicity: PartnerToxicitySettings
    modification: DoseModification
    regimen: PartnerRegimen

    @property
    def taken_away(self) -> str | None:
        """What it takes away in the body, so that it has nothing to act on in a dish; None: it acts on cells."""
        return self.hormone or ("the vessels or the help of other cells" if "supply" in self.inhibits else None)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        key = f"partner.{self.name}"
        faults: list[ConfigError] = []
        for node, effect in self.inhibits.items():
            if node != "cytotoxic" and effect.max > 1.0:
                faults.append(ConfigError(f"{key}.inhibits.{node}.max", effect.max, "a fraction, at most 1"))
        if ("endocrine" in self.inhibits) != (self.hormone is not None):
            allowed = "a hormone for a drug that inhibits the endocrine node, null for any other"
            faults.append(ConfigError(f"{key}.hormone", self.hormone, allowed))
        raise_all(faults)
        return self
