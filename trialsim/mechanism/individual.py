"""From who the patient is to the patient's parameters: typical value x covariate effects x the patient's own deviation.

Every deviation is drawn for (seed, name, patient id), see ``trialsim.streams``; lognormal deviations keep the typical value as
median and turn a published CV into a log-SD by sqrt(log(1 + CV^2)).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.stats import beta

from trialsim.mechanism.binding import BindingParameters
from trialsim.mechanism.genotype import Alterations, expit, insensitive_share, lasting_r_4E, logit
from trialsim.mechanism.growth import GrowthParameters
from trialsim.mechanism.individual_pk import Covariates, log_sd, pharmacokinetics
from trialsim.mechanism.partner_parameters import partner_parameters, rapalog_clearance
from trialsim.mechanism.patient import PatientParameters
from trialsim.mechanism.routes import OPEN, Routes
from trialsim.mechanism.signalling import CellParameters, NetworkConstants
from trialsim.mechanism.toxicity import ToxicityParameters
from trialsim.streams import normals, uniforms
from trialsim.units import ng_ml_to_nM

ALTERATION_COLUMNS = ("pik3ca", "akt1", "kras", "mtor", "tsc", "pten_loss")  # of PTEN the protein, not the mutation, is what acts

# settings that may differ between the patients of one cohort, as a calibration needs it; of partners: partner_parameters.LARGEST
VARIED = (
    "network.growth.b_W", "network.growth.phi", "network.growth.endocrine_per_line",
    "network.growth.endocrine_restored", "network.growth.endocrine_insensitive", "network.genotype.*",
    "drug.binding.partition_tumour",
)  # fmt: skip

LARGEST_PHI_MTORC2 = 0.95  # assumed: a rest of mTORC2 survives in every tumour
HOST_PHI_MTORC2 = 0.3  # assumed: blood cells, of which no measurement of mTORC2 loss is known to us


def network_constants(network) -> NetworkConstants:
    """Signalling constants as the kernel takes them."""
    return NetworkConstants(**{name: getattr(network.signalling, name) for name in NetworkConstants._fields})


def individual_parameters(
    covariates: Covariates,
    drug,
    network,
    tumours: Mapping[str, Any],
    seed: int,
    ids: np.ndarray,
    occasions: int,
    dose_mg: Any = 0.0,
    partners: Mapping[str, Any] | None = None,
    routes: Routes = OPEN,
) -> PatientParameters:
    """Parameters of each patient; leaves have shape (patients, ...), cell-specific ones (patients, 2: tumour and PBMC).

    Args:
        covariates: the cohort's columns.
        drug: ``DrugSettings``. network: ``NetworkSettings``. tumours: ``TumourSettings`` by tumour type.
        seed, ids: of the study and of the patients.
        occasions: number of dosing occasions of the follow-up.
        dose_mg: of one administration at full dose, see `individual_pk.pharmacokinetics`.
        partners: ``PartnerSettings`` by name. routes: which escape routes are open.

    A column of ``covariates`` that is called as a setting of `VARIED` gives each patient a value of its own in its place.
    """
    n, partners = len(ids), partners or {}
    spread, growth = network.spread, network.growth
    own = lambda path, setting: np.asarray(covariates[path], float) if path in covariates else setting
    genes = SimpleNamespace(**{gene: own(f"network.genotype.{gene}", size) for gene, size in network.genotype if gene != "sources"})
    found = Alterations(*(np.asarray(covariates[name], bool).astype(float) for name in ALTERATION_COLUMNS))
    by_type = lambda name: np.array([getattr(tumours[t].pathway, name) for t in covariates["tumour_type"]], float)

    def lognormal(name: str, median: Any, sd: float) -> np.ndarray:
        return median * np.exp(sd * normals(seed, name, ids)[:, 0])

    def both(tumour: np.ndarray, host: Any) -> np.ndarray:
        return np.stack([np.broadcast_to(tumour, (n,)), np.broadcast_to(host, (n,))], axis=1)

    r_4E = spread.r_4E_max * uniforms(seed, "r_4E", ids, 2)
    r_4E[:, 0] = lasting_r_4E(r_4E[:, 0], found, genes)
    phi_mTORC2 = np.minimum(
        beta.ppf(uniforms(seed, "phi_mTORC2", ids)[:, 0], spread.phi_mTORC2_alpha, spread.phi_mTORC2_beta), LARGEST_PHI_MTORC2
    )
    cell = CellParameters(
        RTK=both(lognormal("RTK", 1.0, spread.RTK_sd), 1.0),
        f_S6K=both(lognormal("f_S6K", spread.f_S6K, spread.f_S6K_sd), spread.host_f_S6K),
        f_GRB10=both(lognormal("f_GRB10", spread.f_GRB10, spread.f_GRB10_sd), spread.f_GRB10),
        PIK3CA=both(found.PIK3CA, 0.0),
        KRAS=both(found.KRAS, 0.0),
        AKT1=both(found.AKT1, 0.0),
        PTEN=both(1.0 - found.PTEN, 1.0),
        TSC=both(1.0 - found.TSC, 1.0),
        mTOR_gain=both(genes.MTOR_gain * found.MTOR + by_type("non_genomic_drive"), 0.0),
        r_4E=np.stack([r_4E[:, 0], r_4E[:, 1]], axis=1),
        phi_mTORC2=both(phi_mTORC2, HOST_PHI_MTORC2),
        R_4EBP=both(lognormal("R_4EBP", 1.0, spread.R_4EBP_sd), 1.0),
        amino_acids=both(1.0, 1.0),
        ATP=both(1.0, 1.0),
    )

    noise = growth.dependence_sd * normals(seed, "dependence", ids)[:, 0]
    b = insensitive_share(np.asarray(covariates["pathway_dependence"], float), found, genes, noise)
    b_W = expit(logit(own("network.growth.b_W", growth.b_W)) + growth.b_W_sd * normals(seed, "b_W", ids)[:, 0])
    everyone = np.ones(n)
    fates = GrowthParameters(
        b=b,
        b_resistant=np.maximum(growth.b_resistant, b),
        b_W=b_W,
        phi=own("network.growth.phi", growth.phi) * everyone,
        k_d=growth.k_d * everyone,
        basal_death=growth.basal_death * everyone,
        c_protect=growth.c_protect * everyone,
        c_excess=growth.c_excess * everyone,
        endocrine_insensitive=own("network.growth.endocrine_insensitive", growth.endocrine_insensitive) * everyone,
    )

    penetration = by_type("penetration")
    fkbp12 = lognormal("FKBP12", drug.binding.FKBP12, drug.binding.iiv_FKBP12)
    reaching = own("drug.binding.partition_tumour", drug.binding.partition_tumour)
    partition = lognormal("partition", reaching, drug.binding.iiv_partition) * penetration
    held = BindingParameters(
        FKBP12=both(fkbp12, fkbp12),
        K_FKBP12=both(drug.binding.K_FKBP12, drug.binding.K_FKBP12),
        K_FRB=both(drug.binding.K_FRB, drug.binding.K_FRB),
        PS=both(drug.binding.PS, drug.binding.PS),
        partition=both(partition, drug.binding.partition_pbmc),
    )
    iov = lambda name, cv: np.exp(log_sd(cv) * normals(seed, name, ids, occasions))
    return PatientParameters(
        pk=pharmacokinetics(covariates, drug, seed, ids, dose_mg, rapalog_clearance(partners)),
        iov_F=iov("iov_F", drug.pk.iov_F),
        iov_MAT=iov("iov_MAT", drug.pk.iov_MAT),
        nM_per_ng_ml=ng_ml_to_nM(drug.binding.molar_mass) * everyone,
        binding=held,
        cell=cell,
        growth=fates,
        penetration=both(penetration, 1.0),
        routes=Routes(*(float(value) * everyone for value in routes)),
        partners=partner_parameters(
            covariates, drug, partners, tumours, seed, ids,
            *(own(f"network.growth.{name}", getattr(growth, name)) for name in ("endocrine_per_line", "endocrine_restored")),
        ),  # fmt: skip
    )


def toxicity_parameters(drug, terms: Mapping[str, Any], seed: int, ids: np.ndarray) -> ToxicityParameters:
    """Adverse events, with each patient's frailty: shared leaves (terms,), ``frailty`` (patients, terms).

    Args:
        drug: the rapalog, ``DrugSettings``; it causes those of the terms that it has.
        terms: ``TermSettings`` of the study's adverse events, those of the rapalog first.
        seed, ids: of the study and of the patients.
    """
    column = lambda name: np.array([getattr(term, name) for term in terms.values()], float)
    own = np.array([name in drug.toxicity.terms for name in terms])
    return ToxicityParameters(
        drug_hazard=np.where(own, column("hazard"), 0.0),
        background_hazard=column("background"),
        shape=column("shape"),
        slope=column("slope"),
        cut_2=logit(column("grade_2")),
        cut_3=logit(column("grade_3")),
        cut_4=logit(column("grade_4")),
        grade_slope=np.where(own, column("grade_slope"), 0.0),
        recovery_on_days=column("recovery_on_days"),
        recovery_off_days=column("recovery_off_days"),
        reference_ng_ml=np.asarray(drug.toxicity.reference_cmin),
        frailty=np.stack(
            [np.exp(term.frailty_sd * normals(seed, f"frailty_{name}", ids)[:, 0]) for name, term in terms.items()], axis=1
        ),
    )
