"""From who the patient is to the patient's kinetics, for each form that a drug's kinetics can take (schema/pharmacokinetics.py).

The deviation of what clears the drug carries one name whatever the drug, so a patient who clears one rapalog fast clears all fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from trialsim.mechanism.genotype import expit
from trialsim.mechanism.metabolite import MetaboliteParameters, ParentMetabolite
from trialsim.mechanism.pharmacokinetics import DrugKinetics, Oral, PKParameters, disposition
from trialsim.streams import normals
from trialsim.units import ng_ml_to_nM

Covariates = Mapping[str, Any]  # a DataFrame, or a dict of arrays, with the cohort's columns


def log_sd(cv: float) -> float:
    """Log-SD of a lognormal with this coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))


def kinetics_of(drug) -> DrugKinetics:
    """The closed form that goes with the drug's parameters."""
    return ParentMetabolite() if drug.pk.kind == "parent_metabolite" else Oral(drug.pk.stages)


def pharmacokinetics(
    covariates: Covariates, drug, seed: int, ids: np.ndarray, dose_mg: Any = 0.0, by_partners: float = 1.0
) -> PKParameters:
    """Individual kinetics, a NamedTuple of the type that `kinetics_of` the drug takes. Shape (patients,).

    Args:
        dose_mg: of one administration at full dose; asked for by absorption that saturates.
        by_partners: factor of partner drugs on the clearance.
    """
    person = _Person(covariates, seed, ids, np.asarray(covariates["haematocrit"], float), by_partners)
    return _FORMS[drug.pk.kind](person, drug, dose_mg)


class _Person(NamedTuple):
    covariates: Covariates
    seed: int
    ids: np.ndarray
    haematocrit: np.ndarray
    by_partners: float

    def column(self, name: str) -> np.ndarray:
        return np.asarray(self.covariates[name], float)

    def size(self, pk) -> np.ndarray:
        return self.column("ffm_kg") / pk.ffm_reference

    def deviation(self, name: str, cv: float) -> np.ndarray:
        return np.exp(log_sd(cv) * normals(self.seed, name, self.ids)[:, 0])

    def hepatic(self, factors: Mapping[str, float]) -> np.ndarray:
        return np.array([factors[level] for level in self.covariates["hepatic_function"]])

    def comedication(self, pk, what: str) -> np.ndarray:
        """Factor of other drugs on ``what``: clearance or bioavailability."""
        return (self.by_partners if what == "clearance" else 1.0) * comedication(self.covariates, pk, what)


def comedication(covariates: Covariates, pk, what: str) -> np.ndarray:
    """Factor of each patient's CYP3A4 co-medication on ``what`` of the rapalog, clearance or bioavailability; (patients,)."""
    effects = getattr(pk.interactions, pk.comedication)
    factors = {"none": 1.0} | {name: getattr(getattr(effects, name), what) for name in ("inhibitor", "inducer")}
    return np.array([factors[level] for level in covariates["cyp3a4_comedication"]])


def _well_stirred(person: _Person, drug, dose_mg: Any) -> PKParameters:
    """ter Heine 2018 for adults; children's CL after Park 2023."""
    pk, hct, size = drug.pk, person.haematocrit, person.size(drug.pk)
    adult = expit((person.column("age_y") - pk.adult_from_y) / 1.0)
    child_ratio = (pk.child_CL_intercept + pk.child_CL_slope * person.column("bsa_m2") / 1.5) / pk.adult_CL_whole_blood
    CLint = (
        pk.CLint
        * (adult + (1.0 - adult) * child_ratio)
        * person.hepatic(pk.hepatic_CLint)
        * person.comedication(pk, "clearance")
        * person.deviation("pk_CLint", pk.iiv_CLint)
    )
    plasma_flow = pk.hepatic_plasma_flow * size**0.75 * (1.0 - hct)
    extraction = pk.fu * CLint / (plasma_flow + pk.fu * CLint)
    Vc = pk.Vc * size * person.deviation("pk_Vc", pk.iiv_Vc)
    alpha, beta, share = disposition(plasma_flow * extraction, Vc, pk.Q * size**0.75, pk.Vp * size)
    everyone = np.ones_like(size)
    return PKParameters(
        alpha=np.asarray(alpha),
        beta=np.asarray(beta),
        share_alpha=np.asarray(share),
        Vc=Vc,
        F=(1.0 - extraction)
        * np.where(np.asarray(person.covariates["abcb1_ttt"], bool), pk.abcb1_ttt_F, 1.0)
        * person.comedication(pk, "bioavailability"),
        MAT=pk.MAT * everyone,
        fu=pk.fu * everyone,
        haematocrit=hct,
        Bmax=pk.Bmax * everyone,
        Kd=pk.Kd * everyone,
        Kns=pk.Kns * everyone,
    )


class _Blood(NamedTuple):
    """Disposition of whole blood: rates, 1/h, share of the fast one, and central volume, L."""

    alpha: np.ndarray
    beta: np.ndarray
    share_alpha: np.ndarray
    Vc: np.ndarray


def _blood(person: _Person, pk, size: np.ndarray, cleared: np.ndarray) -> _Blood:
    """``pk``: `BloodDisposition` settings; ``cleared``: factor on the clearance for co-medication."""
    CL = (
        pk.CL
        * size**0.75
        * (pk.haematocrit_reference / person.haematocrit) ** pk.haematocrit_CL
        * person.hepatic(pk.hepatic_CL)
        * cleared
        * person.deviation("pk_CLint", pk.iiv_CL)
    )
    Vc = pk.Vc * size * person.deviation("pk_Vc", pk.iiv_Vc)
    Q = pk.Q * size**0.75 * person.deviation("pk_Q", pk.iiv_Q)
    Vp = pk.Vp * size * person.deviation("pk_Vp", pk.iiv_Vp)
    return _Blood(*(np.asarray(value) for value in disposition(CL, Vc, Q, Vp)), Vc)


def _whole_blood(person: _Person, drug, dose_mg: Any) -> PKParameters:
    """Plasma is whole blood over one ratio for all: what haematocrit does to the measured concentration is in CL already."""
    pk, hct, size = drug.pk, person.haematocrit, person.size(drug.pk)
    blood = _blood(person, pk, size, person.comedication(pk, "clearance"))
    everyone = np.ones_like(size)
    saturation = 0.0 if pk.absorption_Vmax is None else np.asarray(dose_mg) / (2.0 * pk.absorption_Vmax)
    return PKParameters(
        alpha=blood.alpha,
        beta=blood.beta,
        share_alpha=blood.share_alpha,
        Vc=blood.Vc * pk.F * pk.blood_to_plasma,  # apparent volumes are over F
        F=pk.F * person.comedication(pk, "bioavailability"),
        MAT=(pk.MAT + saturation) * everyone,
        fu=pk.fu * everyone,
        haematocrit=hct,
        Bmax=0.0 * everyone,
        Kd=everyone,
        Kns=(pk.blood_to_plasma - (1.0 - hct)) / hct,
    )


def _parent_metabolite(person: _Person, drug, dose_mg: Any) -> MetaboliteParameters:
    """Co-medication and the liver's function act on the metabolite: the parent's AUC does not change (Boni 2007, 2008)."""
    pk, made, size = drug.pk, drug.pk.metabolite, person.size(drug.pk)
    blood = _blood(person, made, size, person.comedication(pk, "clearance"))
    CL = pk.CL * size**0.75 * person.deviation("pk_CLint", pk.iiv_CL)
    Vc = pk.Vc * size * person.deviation("pk_Vc", pk.iiv_Vc)
    alpha, beta, share = disposition(CL, Vc, pk.Q * size**0.75, pk.Vp * size)
    everyone = np.ones_like(size)
    free = lambda fu, molar_mass: fu * ng_ml_to_nM(molar_mass)
    return MetaboliteParameters(
        alpha=np.asarray(alpha),
        beta=np.asarray(beta),
        share_alpha=np.asarray(share),
        Vc=Vc,
        F=everyone,
        MAT=0.5 * pk.infusion_h * everyone,
        fu=pk.fu * everyone,
        haematocrit=person.haematocrit,
        Bmax=pk.Bmax * everyone,
        Kd=pk.Kd * everyone,
        Kns=pk.Kns * everyone,
        metabolite_alpha=blood.alpha,
        metabolite_beta=blood.beta,
        metabolite_share_alpha=blood.share_alpha,
        formation=made.formed
        * person.comedication(pk, "bioavailability")
        * CL
        * (made.molar_mass / drug.binding.molar_mass)
        / blood.Vc,
        metabolite_effect=free(made.fu, made.molar_mass) / (made.blood_to_plasma * free(pk.fu, drug.binding.molar_mass)) * everyone,
    )


_FORMS = {"well_stirred": _well_stirred, "whole_blood": _whole_blood, "parent_metabolite": _parent_metabolite}
