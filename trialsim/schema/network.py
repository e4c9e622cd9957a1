"""Signalling and growth of cells: constants, spread between patients, and what a genotype changes. Values in conf/network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trialsim.schema.base import Settings, Sourced

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class SignallingSettings(Sourced):
    """Constants of mechanism/signalling.py and growth.py, same names."""

    k_IRS1: Positive
    k_GRB10: Positive
    k_PIP3: Positive
    k_T308: Positive
    k_mTORC2: Positive
    k_S473: Positive
    k_RHEB: Positive
    k_S6K: Positive
    k_S6: Positive
    k_4EBP1: Positive
    k_Z: Positive
    k_ULK: Positive
    k_flux: Positive
    k_ERK: Positive
    k_CYCD: Positive
    k_protein: Positive
    k_W: Positive
    S6K_reference: Positive
    ERK_reference: Positive
    AKT_reference: Positive
    cap_reference: Positive
    PIK3CA_PI3K: NonNegative
    PIK3CA_gain: NonNegative
    alpha_share: Fraction
    KRAS_PI3K: NonNegative
    PTEN_independent: Fraction
    K_PIP3: Positive
    E17K_recruitment: Fraction
    PDK1_basal: Positive
    PDK1_S473: Positive
    d_T308: Positive
    v_mTORC2: Positive
    mTORC2_basal: NonNegative
    mTORC2_PIP3: NonNegative
    mTORC2_TSC: Fraction
    d_S473: Positive
    AKT_T308_only: Fraction
    ERK_basal: Positive
    ERK_PI3K: NonNegative
    ERK_KRAS: NonNegative
    PI3K_ERK_limit: Positive
    K_ATP: Positive
    TSC_AMPK: NonNegative
    TSC_ERK: NonNegative
    K_AKT: Positive
    RHEB_loading: Positive
    RHEB_mTORC1: Positive
    K_AA: Positive
    AMPK_mTORC1: Fraction
    v_mTORC1: Positive
    K_mTORC1: Positive
    e_S6K: Fraction
    e_GRB10: Fraction
    e_ULK: Fraction
    e_4E: Fraction
    single_4E: Fraction
    d_S6K: Positive
    d_S6: Positive
    RSK_S6: NonNegative
    v_4EBP1: Positive
    d_4EBP1: Positive
    ULK_basal: Positive
    ULK_AMPK: Positive
    mTORC1_ULK: Positive
    cap_4EBP: Positive
    cap_CYCD: Positive
    CYCD_S6K: Fraction
    protein_S6K: Fraction
    K_ERK: Positive
    K_AKT_CYCD: Positive
    endocrine_receptor: Fraction
    endocrine_CYCD: Fraction
    endocrine_survival: Fraction
    drive_exponent: Positive
    K_drive: Positive
    KRAS_bypass: NonNegative
    K_KRAS: Positive
    KRAS_shift: NonNegative
    KRAS_addiction: NonNegative
    K_addiction: Positive
    K_survival_AKT: Positive
    K_survival_cap: Positive
    protection_limit: NonNegative
    flux_lethal: NonNegative


class SpreadSettings(Sourced):
    """Typical values and spread of what differs between tumours (mechanism/individual.py)."""

    RTK_sd: NonNegative  # log-SD of the growth-factor input
    f_S6K: Positive  # median feedback strength
    f_S6K_sd: NonNegative  # log-SD
    f_GRB10: Positive
    f_GRB10_sd: NonNegative
    r_4E_max: Fraction  # r_4E = r_4E_max * uniform
    phi_mTORC2_alpha: Positive  # Beta(alpha, beta) of the part of mTORC2 lost on prolonged exposure
    phi_mTORC2_beta: Positive
    R_4EBP_sd: NonNegative
    host_f_S6K: Positive  # PBMC: typical feedback strength


class GenotypeSettings(Sourced):
    """Effect of each alteration on the logit of pathway dependence; its effect inside the network is structural."""

    PIK3CA: float
    PTEN_loss: float
    AKT1: float
    TSC: float
    MTOR: float
    KRAS: float
    MTOR_gain: NonNegative  # extra mTORC1 activity of an activating MTOR mutation
    tsc_r_4E: Fraction  # r_4E in TSC-null cells


class GrowthSettings(Sourced):
    """Cell fates and tumour growth (mechanism/growth.py)."""

    dependence_sd: NonNegative  # spread on the logit scale beyond tumour type and genotype
    b_resistant: Fraction
    b_W: Fraction  # median
    b_W_sd: NonNegative  # on the logit scale
    phi: Fraction
    k_d: Positive  # 1/h
    basal_death: NonNegative  # relative to k_d
    c_protect: NonNegative  # relative to k_d
    c_excess: NonNegative  # relative to k_d
    lesion_growth_sd: NonNegative  # log-SD of growth between lesions of one patient
    lesion_resistant_sd: NonNegative  # log-SD of the resistant share between lesions of one patient
    death_burden: NonNegative  # exponent of SLD/SLD0 in the hazard of death
    death_progression: Positive  # hazard ratio of death after progression
    new_lesion_growth: NonNegative  # exponent of relative proliferation in the hazard of new lesions
    endocrine_per_line: Annotated[float, Field(allow_inf_nan=False)]  # shift of a logit per line of therapy before
    endocrine_insensitive: Fraction  # of the rapamycin-insensitive route, what hangs on the hormone
    endocrine_restored: Fraction  # of that shift's loss, what comes back without S6K


class NetworkSettings(Settings):
    """Everything the cells share."""

    signalling: SignallingSettings
    spread: SpreadSettings
    genotype: GenotypeSettings
    growth: GrowthSettings
    priors: dict[str, tuple[NonNegative, Positive]]  # range of each uncertain constant of `signalling`

    @model_validator(mode="after")
    def _priors(self) -> NetworkSettings:
        for name, (low, high) in self.priors.items():
            if name not in type(self.signalling).model_fields or name == "sources":
                raise ValueError(f"priors.{name} is no constant of network.signalling")
            if not low < high:
                raise ValueError(f"priors.{name} = [{low}, {high}]: the first must be below the second")
        return self
