"""From the settings of partner drugs to each patient's parameters, and what one drug does to the clearance of another.

CYP3A4 is one enzyme for all: a patient's activity is what the co-medication makes of it (taken from its effect on the rapalog,
which is cleared by little else) times what the partners do. A partner's clearance follows by its fraction fm:

    CL = CL_typical (1 + fm (activity - 1)) (weight/70)^0.75 e^eta,    V = V_typical weight/70      Anderson & Holford 2008

Effects on enzymes are those of the steady state, for the whole study whenever the partner is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trialsim.mechanism.genotype import expit, logit
from trialsim.mechanism.individual_pk import comedication
from trialsim.mechanism.partners import CELLS, Partners, Target
from trialsim.mechanism.toxicity import PartnerToxicity
from trialsim.streams import normals
from trialsim.units import ng_ml_to_nM

WEIGHT_REFERENCE_KG = 70.0
LAST_LINE = 5  # of therapy; assumed: later ones change no more
LARGEST_FRACTION = 0.999
LARGEST = "partner.{partner}.inhibits.{node}.max"  # a column of this name gives each patient a value of its own
POTENCY = "partner.{partner}.inhibits.{node}.IC50_nM"  # likewise
HORMONE, REGAINED = "endocrine", "endocrine_regained"  # nodes
Settings = Mapping[str, Any]  # ``PartnerSettings`` by name


def rapalog_clearance(partners: Settings) -> float:
    """Factor of all partners that are given on the rapalog's CLint."""
    return float(np.prod([partner.cyp3a4.rapalog_CLint for partner in partners.values() if partner.regimen.dose > 0]))


def partner_parameters(
    covariates: Mapping[str, Any],
    drug: Any,
    partners: Settings,
    tumours: Mapping[str, Any],
    seed: int,
    ids: np.ndarray,
    endocrine_per_line: Any = 0.0,
    endocrine_restored: Any = 0.0,
) -> Partners | None:
    """The partner drugs in each patient, leaves (patients, ...); None if there are none.

    Args:
        covariates: the cohort's columns. drug: ``DrugSettings``. partners: ``PartnerSettings`` by name.
        tumours: ``TumourSettings`` by type. seed, ids: of the study and of the patients.
        endocrine_per_line: shift of the logit of a hormone drug's largest effect for each line of therapy before: resistance that
            earlier treatment has left. endocrine_restored: share of what was lost that S6K carries, see
            `signalling.hormone_blocked`.
    """
    if not partners:
        return None
    n, drugs = len(ids), list(partners.values())
    by_comedication = comedication(covariates, drug.pk, "clearance")
    weight = np.asarray(covariates["weight_kg"], float) / WEIGHT_REFERENCE_KG
    of_tumour = lambda name: [getattr(tumours[t].pathway, name) for t in covariates["tumour_type"]]
    penetration, hormone = np.array(of_tumour("penetration"), float), np.array(of_tumour("hormone"), object)
    kind = np.asarray(covariates["tumour_type"], object)

    def k(partner: Any) -> np.ndarray:
        by_others = rapalog_clearance({name: other for name, other in partners.items() if other is not partner})
        enzyme = 1.0 + partner.cyp3a4.fm * (by_comedication * by_others - 1.0)
        spread = np.exp(np.sqrt(np.log1p(partner.pk.iiv_CL**2)) * normals(seed, f"partner_CL_{partner.name}", ids)[:, 0])
        return partner.pk.CL / partner.pk.V * enzyme * weight**-0.25 * spread

    def maximum(partner: Any, effect: Any, node: str) -> np.ndarray:
        """In tumour and PBMC; a hormone matters to tumours that depend on it, some drugs to those that bear their target."""
        sensitive = np.ones((CELLS, n), bool)
        if partner.hormone is not None and node in (HORMONE, REGAINED):
            sensitive = np.stack([hormone == partner.hormone, np.zeros(n, bool)])
        if partner.acts_in is not None:
            sensitive = sensitive & np.stack([np.isin(kind, partner.acts_in), np.zeros(n, bool)])
        asked = HORMONE if node == REGAINED else node
        largest = covariates.get(LARGEST.format(partner=partner.name, node=asked), effect.max)
        if asked == HORMONE and np.any(endocrine_per_line):
            lines = np.minimum(np.asarray(covariates["line"], float), LAST_LINE) - 1.0
            left = expit(logit(np.minimum(largest, LARGEST_FRACTION)) + endocrine_per_line * lines)
            largest = left if node == HORMONE else endocrine_restored * np.maximum(largest - left, 0.0)
        elif node == REGAINED:
            largest = 0.0
        return np.where(sensitive, np.asarray(largest, float), 0.0)

    effects = [(j, node, effect) for j, partner in enumerate(drugs) for node, effect in partner.inhibits.items()]
    effects += [(j, REGAINED, effect) for j, node, effect in effects if node == HORMONE]
    each = lambda values: np.stack([np.broadcast_to(value, (n,)) for value in values], axis=1).astype(float)
    cells = lambda values: np.stack(values, axis=-1).transpose(1, 0, 2)  # [(cells, n)] -> (n, cells, ...)
    return Partners(
        ka=each(partner.pk.ka for partner in drugs),
        k=each(k(partner) for partner in drugs),
        ng_ml_per_mg=each(1e3 * partner.pk.F / (partner.pk.V * weight) for partner in drugs),
        free_nM=each(partner.pk.fu * ng_ml_to_nM(partner.pk.molar_mass) for partner in drugs),
        delivery=cells([np.stack([p.pk.partition_tumour * penetration, p.pk.partition_pbmc * np.ones(n)]) for p in drugs]),
        IC50_nM=each(
            covariates.get(POTENCY.format(partner=drugs[j].name, node=node), effect.IC50_nM) for j, node, effect in effects
        ),
        hill=each(effect.hill for *_, effect in effects),
        maximum=cells([maximum(drugs[j], effect, node) for j, node, effect in effects]),
        targets=tuple(Target(j, node) for j, node, _ in effects),
        doses_a_day=tuple(partner.regimen.doses_a_day for partner in drugs),
    )


def partner_toxicity(partners: Settings, terms: Mapping[str, Any]) -> PartnerToxicity:
    """What each partner adds to each of the study's ``terms``, (partners, terms)."""
    logit = lambda p: np.log(p) - np.log1p(-p)
    own = lambda partner, name: partner.toxicity.terms.get(name)

    def column(value: Any, absent: float) -> np.ndarray:
        found = [[absent if own(p, name) is None else value(own(p, name)) for name in terms] for p in partners.values()]
        return np.array(found, float)

    return PartnerToxicity(
        drug_hazard=column(lambda term: term.hazard, 0.0),
        shape=column(lambda term: term.shape, 1.0),
        slope=column(lambda term: term.slope, 0.0),
        cut_2=column(lambda term: logit(term.grade_2), 0.0),
        cut_3=column(lambda term: logit(term.grade_3), 0.0),
        cut_4=column(lambda term: logit(term.grade_4), 0.0),
        grade_slope=column(lambda term: term.grade_slope, 0.0),
        reference_ng_ml=np.array([partner.toxicity.reference_ng_ml for partner in partners.values()], float),
    )
