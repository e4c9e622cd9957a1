"""The PI3K-AKT-mTOR network of one cell type: 17 species, normalised levels, hours.

Mass flow (see each line's comment for its evidence):

    RTK -> IRS1 -> PI3K -> PIP3 -> AKT(T308, S473 by mTORC2) -| TSC -| RHEB -> mTORC1 -> S6K -> S6
                                                                              |-> 4E-BP1 -> eIF4F (cap)
                                                                              |-| ULK1 -> autophagic flux
    S6K -| IRS1 (degradation), mTORC1 -> GRB10 -| PI3K     the negative feedback that a rapalog removes
    PI3K -> ERK                                            the second escape route (Carracedo 2008)

A rapalog's occupancy O acts on mTORC1 substrate by substrate. mTORC1 is a dimer: one complex is taken to be enough to keep S6K
from its seat, both are needed to displace 4E-BP1 (assumed: it gives S6K a steep and 4E-BP1 a shallow dose-response from one
occupancy, as seen: near-complete pS6 loss at 10 mg/day while p4E-BP1 inhibition tracks the trough, Tabernero 2008; rapamycin-
resistant 4E-BP1 sites, Choo 2008, Kang 2013):

    a_S6K = m1 (1 - e_S6K (1 - (1-O)^2)),  a_GRB10 = m1 (1 - e_GRB10 O),  a_ULK = m1 (1 - e_ULK O),
    a_4E  = m1 (1 - e_4E (1 - r_4E Z) (O^2 + 2 q O (1-O))),   q = single_4E, 0 if both seats are needed
    Z follows O in about 2 h: re-phosphorylation of 4E-BP1 within 6 h (Choo 2008)

Each species has a production and a loss proportional to itself, so a level that starts at or above zero stays there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine.algebra import inverse, power, saturating, three_halves


class NetworkConstants(NamedTuple):
    """What all cells share: turnover rates in 1/h, the rest dimensionless; values, prior ranges and sources in ``conf/network``.

    Turnover: k_IRS1, k_GRB10, k_PIP3, k_T308, k_mTORC2, k_S473, k_RHEB, k_S6K, k_S6, k_4EBP1, k_Z, k_ULK, k_flux, k_ERK, k_CYCD,
    k_protein, k_W.

    Attributes:
        S6K_reference, ERK_reference, AKT_reference, cap_reference: levels of the untreated wild-type cell, for scale.
        PIK3CA_PI3K, PIK3CA_gain: PI3K activity of a PIK3CA mutant without receptor, and by how much it amplifies a receptor's.
        alpha_share: part of receptor-driven PI3K that is p110 alpha. KRAS_PI3K: extra receptor-driven PI3K in KRAS mutants.
        PTEN_independent: loss of PIP3 that does not need PTEN.
        K_PIP3: PIP3 at half-maximal AKT recruitment. E17K_recruitment: part of the unrecruited AKT that the mutant binds.
        PDK1_basal, PDK1_S473: T308 phosphorylation without and by S473. d_T308, d_S473: dephosphorylation.
        v_mTORC2, mTORC2_basal, mTORC2_PIP3, mTORC2_TSC: S473 phosphorylation. AKT_T308_only: activity of AKT without S473.
        ERK_basal, ERK_PI3K, ERK_KRAS: inputs of ERK. PI3K_ERK_limit: PI3K activity above which ERK rises no more.
        K_ATP: ATP at half-maximal AMPK. TSC_AMPK, TSC_ERK, K_AKT: control of TSC; K_AKT is the AKT activity that halves it.
        RHEB_loading: GTP loading of RHEB against TSC. RHEB_mTORC1, K_AA, AMPK_mTORC1, v_mTORC1, K_mTORC1: mTORC1 activity.
        e_S6K, e_GRB10, e_ULK, e_4E: largest inhibition of mTORC1 towards a substrate. single_4E: part of the dimers with one
            complex that 4E-BP1 cannot use; 1 would give it the dose-response of S6K.
        d_S6K, d_S6, RSK_S6, v_4EBP1, d_4EBP1: (de)phosphorylation of S6K, S6 (a trace by RSK) and 4E-BP1.
        ULK_basal, ULK_AMPK, mTORC1_ULK: activation of ULK1 and its inhibition.
        cap_4EBP: hold of hypophosphorylated 4E-BP1 on eIF4E. cap_CYCD: exponent of cap-dependent translation in cyclin D1.
        CYCD_S6K, protein_S6K: parts of cyclin D1 and of protein synthesis that need S6K. K_ERK, K_AKT_CYCD: half-saturations.
        endocrine_receptor, endocrine_CYCD, endocrine_survival: parts of receptor signal, cyclin D1 and survival that hang on the
            hormone.
        drive_exponent, K_drive: from cyclin D1 and protein to proliferation. KRAS_bypass, K_KRAS: the KRAS route.
        KRAS_shift: how far KRAS mutants need more ERK for the same effect. KRAS_addiction, K_addiction: their stress without it.
        K_survival_AKT, K_survival_cap: half-saturations of the two signals that keep a cell alive.
        protection_limit: stress that autophagy undoes at most, as a multiple of `stress`, twice which kills. flux_lethal:
            flux above which autophagy kills.
    """

    k_IRS1: Any
    k_GRB10: Any
    k_PIP3: Any
    k_T308: Any
    k_mTORC2: Any
    k_S473: Any
    k_RHEB: Any
    k_S6K: Any
    k_S6: Any
    k_4EBP1: Any
    k_Z: Any
    k_ULK: Any
    k_flux: Any
    k_ERK: Any
    k_CYCD: Any
    k_protein: Any
    k_W: Any
    S6K_reference: Any
    ERK_reference: Any
    AKT_reference: Any
    cap_reference: Any
    PIK3CA_PI3K: Any
    PIK3CA_gain: Any
    alpha_share: Any
    KRAS_PI3K: Any
    PTEN_independent: Any
    K_PIP3: Any
    E17K_recruitment: Any
    PDK1_basal: Any
    PDK1_S473: Any
    d_T308: Any
    v_mTORC2: Any
    mTORC2_basal: Any
    mTORC2_PIP3: Any
    mTORC2_TSC: Any
    d_S473: Any
    AKT_T308_only: Any
    ERK_basal: Any
    ERK_PI3K: Any
    ERK_KRAS: Any
    PI3K_ERK_limit: Any
    K_ATP: Any
    TSC_AMPK: Any
    TSC_ERK: Any
    K_AKT: Any
    RHEB_loading: Any
    RHEB_mTORC1: Any
    K_AA: Any
    AMPK_mTORC1: Any
    v_mTORC1: Any
    K_mTORC1: Any
    e_S6K: Any
    e_GRB10: Any
    e_ULK: Any
    e_4E: Any
    single_4E: Any
    d_S6K: Any
    d_S6: Any
    RSK_S6: Any
    v_4EBP1: Any
    d_4EBP1: Any
    ULK_basal: Any
    ULK_AMPK: Any
    mTORC1_ULK: Any
    cap_4EBP: Any
    cap_CYCD: Any
    CYCD_S6K: Any
    protein_S6K: Any
    K_ERK: Any
    K_AKT_CYCD: Any
    endocrine_receptor: Any
    endocrine_CYCD: Any
    endocrine_survival: Any
    drive_exponent: Any
    K_drive: Any
    KRAS_bypass: Any
    K_KRAS: Any
    KRAS_shift: Any
    KRAS_addiction: Any
    K_addiction: Any
    K_survival_AKT: Any
    K_survival_cap: Any
    protection_limit: Any
    flux_lethal: Any


class CellParameters(NamedTuple):
    """What differs between patients and cell types (arrays of one shape).

    Attributes:
        RTK: growth-factor input (1 = reference).
        f_S6K: strength of the S6K -| IRS1 feedback.
        f_GRB10: strength of the GRB10 -| PI3K feedback.
        PIK3CA, KRAS, AKT1: 1 if activating mutation, else 0.
        PTEN: 1 intact, 0 lost.
        TSC: 1 intact, 0 lost.
        mTOR_gain: extra mTORC1 activity (activating MTOR mutation; non-genomic drive of clear-cell RCC).
        r_4E: part of 4E-BP1 inhibition that re-phosphorylation undoes, 0 to `r_4E_max` of the network.
        phi_mTORC2: part of mTORC2 that prolonged exposure disassembles, 0-0.95.
        R_4EBP: 4E-BP over eIF4E abundance (1 = reference).
        amino_acids, ATP: nutrient inputs (1 = replete).
    """

    RTK: jax.Array
    f_S6K: jax.Array
    f_GRB10: jax.Array
    PIK3CA: jax.Array
    KRAS: jax.Array
    AKT1: jax.Array
    PTEN: jax.Array
    TSC: jax.Array
    mTOR_gain: jax.Array
    r_4E: jax.Array
    phi_mTORC2: jax.Array
    R_4EBP: jax.Array
    amino_acids: jax.Array
    ATP: jax.Array


class Inhibition(NamedTuple):
    """Fractional inhibition of each node by what is given, 0-1.

    Attributes:
        occupancy: rapalog-FKBP12 occupancy O of mTORC1.
        PI3K: of all class I PI3K. PI3K_alpha: of p110 alpha only, which is what a PIK3CA mutation activates.
        AKT: of its kinase activity, leaving it phosphorylated. AKT_allosteric: of its recruitment, and so of its phosphorylation.
        mTOR_kinase, MEK, endocrine, RTK: catalytic inhibition, loss of the hormone's effect, receptor inhibition.
        autophagy: part of the autophagic flux that a lysosomal inhibitor blocks. These three act in `growth`, not in the network:
        cytotoxic: killing of cells that proliferate at the untreated rate, 1/h, by a cytotoxic drug.
        supply: part of proliferation that a tumour loses, whatever its signalling, to a drug that takes away its vessels or acts
            from outside the cell (VEGF and its receptors, interferon).
        endocrine_regained: loss of the hormone's effect that resistance took from a drug and that comes back without S6K.
    """

    occupancy: jax.Array
    PI3K: jax.Array | float = 0.0
    PI3K_alpha: jax.Array | float = 0.0
    AKT: jax.Array | float = 0.0
    AKT_allosteric: jax.Array | float = 0.0
    mTOR_kinase: jax.Array | float = 0.0
    MEK: jax.Array | float = 0.0
    endocrine: jax.Array | float = 0.0
    RTK: jax.Array | float = 0.0
    autophagy: jax.Array | float = 0.0
    cytotoxic: jax.Array | float = 0.0
    supply: jax.Array | float = 0.0
    endocrine_regained: jax.Array | float = 0.0


class Network(NamedTuple):
    """State: phospho-fractions or levels relative to a wild-type cell.

    Attributes:
        IRS1, GRB10: levels. PIP3: level. T308, S473: AKT phospho-fractions. mTORC2: intact part. RHEB: GTP-bound part.
        S6K, S6, BP: phospho-fractions of S6K T389, S6, 4E-BP1. Z: 4E-BP1 adaptation. ULK: active ULK1. flux: autophagic flux.
        ERK: activity. CYCD: cyclin D1. protein: protein synthesis. W: slow shift of pathway dependence.
    """

    IRS1: jax.Array
    GRB10: jax.Array
    PIP3: jax.Array
    T308: jax.Array
    S473: jax.Array
    mTORC2: jax.Array
    RHEB: jax.Array
    S6K: jax.Array
    S6: jax.Array
    BP: jax.Array
    Z: jax.Array
    ULK: jax.Array
    flux: jax.Array
    ERK: jax.Array
    CYCD: jax.Array
    protein: jax.Array
    W: jax.Array


def start(shape: tuple[int, ...] = ()) -> Network:
    """A state to relax from (not a steady state)."""
    values = Network(1.0, 0.5, 0.6, 0.25, 0.35, 1.0, 0.35, 0.4, 0.5, 0.65, 0.0, 0.3, 0.3, 0.5, 1.0, 1.0, 0.0)
    return jax.tree.map(lambda v: jnp.full(shape, v), values)


def akt_activity(x: Network, k: NetworkConstants, inhibited: jax.Array | float = 0.0) -> jax.Array:
    """AKT kinase activity from its two sites; S473 about doubles it. ``inhibited``: part that a kinase inhibitor takes away."""
    return x.T308 * (k.AKT_T308_only + (1.0 - k.AKT_T308_only) * x.S473) * (1.0 - inhibited)


def cap_translation(BP: jax.Array, R_4EBP: jax.Array, k: NetworkConstants) -> jax.Array:
    """eIF4F-dependent translation: hypophosphorylated 4E-BP1 takes eIF4E out; few 4E-BP (low R) means resistance (Alain 2012)."""
    return inverse(1.0 + k.cap_4EBP * R_4EBP * (1.0 - BP) ** 2)


def erk_drive(ERK: jax.Array, KRAS: jax.Array, k: NetworkConstants) -> jax.Array:
    """Saturating effect of ERK on proliferation, 1 at the wild-type level; KRAS mutants are used to more of it."""
    return (1.0 + k.K_ERK / k.ERK_reference) * saturating(ERK, k.K_ERK * (1.0 + k.KRAS_shift * KRAS))


def hormone_blocked(x: Network, i: Inhibition, k: NetworkConstants) -> jax.Array:
    """Loss of the hormone's effect. S6K activates the receptor without its ligand (S167), which is one way to resist hormone drugs
    (Yamnik et al., J Biol Chem 2009;284:6361); what it took comes back where S6K is inhibited, as everolimus brings back the effect
    of hormone drugs in cells that AKT made resistant (Beeram et al., Ann Oncol 2007;18:1323)."""
    lost = jnp.maximum(1.0 - x.S6K / k.S6K_reference, 0.0)
    return jnp.minimum(i.endocrine + i.endocrine_regained * lost, 1.0)


def rates(x: Network, inhibition: Inhibition, k: NetworkConstants, c: CellParameters) -> Network:
    """dx/dt of each species, 1/h, in causal order: production - loss x."""
    i = inhibition
    S6K_fold = x.S6K / k.S6K_reference
    blocked = hormone_blocked(x, i, k)
    # receptor side: S6K drives IRS1 to degradation, so IRS1 accumulates when S6K is inhibited (O'Reilly 2006, Harrington 2004)
    dIRS1 = k.k_IRS1 * (1.0 + c.f_S6K) - (k.k_IRS1 * (1.0 + c.f_S6K * S6K_fold**2)) * x.IRS1
    receptor = c.RTK * (1.0 - i.RTK) * x.IRS1 * (1.0 - k.endocrine_receptor * blocked) * (1.0 + k.KRAS_PI3K * c.KRAS)
    receptor = receptor * inverse(1.0 + c.f_GRB10 * x.GRB10)
    mutant = (k.PIK3CA_PI3K + k.PIK3CA_gain * receptor) * c.PIK3CA  # active by itself, and more so with the receptor
    PI3K = (receptor * (1.0 - k.alpha_share * i.PI3K_alpha) + mutant * (1.0 - i.PI3K_alpha)) * (1.0 - i.PI3K)
    dPIP3 = k.k_PIP3 * PI3K - (k.k_PIP3 * (k.PTEN_independent + (1.0 - k.PTEN_independent) * c.PTEN)) * x.PIP3
    recruited = saturating(x.PIP3, k.K_PIP3)
    recruited = recruited + k.E17K_recruitment * c.AKT1 * (1.0 - recruited)  # E17K binds the membrane without PIP3
    recruited = recruited * (1.0 - i.AKT_allosteric)

    # mTORC2 phosphorylates S473, which in turn supports T308 (Rodrik-Outmezguine 2011); prolonged exposure starves its assembly
    dmTORC2 = k.k_mTORC2 * (1.0 - c.phi_mTORC2 * i.occupancy**2) - k.k_mTORC2 * x.mTORC2
    mTORC2 = x.mTORC2 * (1.0 - i.mTOR_kinase) * (1.0 - k.mTORC2_TSC * (1.0 - c.TSC))  # TSC supports mTORC2 (Huang 2009)
    by_mTORC2 = k.v_mTORC2 * mTORC2 * (k.mTORC2_basal + k.mTORC2_PIP3 * recruited) * recruited
    dS473 = k.k_S473 * by_mTORC2 - (k.k_S473 * (by_mTORC2 + k.d_S473)) * x.S473
    by_PDK1 = recruited * (k.PDK1_basal + k.PDK1_S473 * x.S473)
    dT308 = k.k_T308 * by_PDK1 - (k.k_T308 * (by_PDK1 + k.d_T308)) * x.T308
    AKT = akt_activity(x, k, i.AKT)
    to_ERK = (k.ERK_basal + k.ERK_PI3K * jnp.minimum(PI3K, k.PI3K_ERK_limit) + k.ERK_KRAS * c.KRAS) * (1.0 - i.MEK)
    dERK = k.k_ERK * to_ERK - k.k_ERK * x.ERK

    # TSC integrates AKT, ERK and energy; RHEB-GTP and amino acids drive mTORC1
    AMPK = 1.0 / (1.0 + (c.ATP / k.K_ATP) ** 3)
    TSC = c.TSC * (1.0 + k.TSC_AMPK * AMPK) * inverse(1.0 + (AKT / k.K_AKT) ** 2 + k.TSC_ERK * x.ERK)
    dRHEB = k.RHEB_loading * k.k_RHEB - (k.k_RHEB * (k.RHEB_loading + TSC)) * x.RHEB
    m = k.RHEB_mTORC1 * (1.0 + c.mTOR_gain) * x.RHEB * c.amino_acids / (k.K_AA + c.amino_acids) * (1.0 - k.AMPK_mTORC1 * AMPK)
    mTORC1 = k.v_mTORC1 * saturating(three_halves(m), k.K_mTORC1) * (1.0 - i.mTOR_kinase)

    dZ = k.k_Z * i.occupancy - k.k_Z * x.Z
    a_S6K = mTORC1 * (1.0 - k.e_S6K * (1.0 - (1.0 - i.occupancy) ** 2))
    a_GRB10 = mTORC1 * (1.0 - k.e_GRB10 * i.occupancy)
    a_ULK = mTORC1 * (1.0 - k.e_ULK * i.occupancy)
    unusable_4E = i.occupancy**2 + k.single_4E * (2.0 * i.occupancy * (1.0 - i.occupancy))
    a_4E = mTORC1 * (1.0 - k.e_4E * (1.0 - c.r_4E * x.Z) * unusable_4E)

    dGRB10 = k.k_GRB10 * a_GRB10 - k.k_GRB10 * x.GRB10
    dS6K = k.k_S6K * a_S6K - (k.k_S6K * (a_S6K + k.d_S6K)) * x.S6K
    to_S6 = x.S6K + k.RSK_S6 * x.ERK  # RSK leaves a trace of pS6
    dS6 = k.k_S6 * to_S6 - (k.k_S6 * (to_S6 + k.d_S6)) * x.S6
    dBP = k.v_4EBP1 * k.k_4EBP1 * a_4E - (k.k_4EBP1 * (k.v_4EBP1 * a_4E + k.d_4EBP1)) * x.BP
    to_ULK = k.ULK_basal + k.ULK_AMPK * AMPK
    dULK = k.k_ULK * to_ULK - (k.k_ULK * (to_ULK + k.mTORC1_ULK * a_ULK)) * x.ULK
    dflux = k.k_flux * x.ULK - k.k_flux * x.flux

    # S6K and cap-dependent translation are necessary for cyclin D1 and biomass; ERK and AKT help, with saturation
    cap = cap_translation(x.BP, c.R_4EBP, k) / k.cap_reference
    akt_help = (1.0 + k.K_AKT_CYCD / k.AKT_reference) * saturating(AKT, k.K_AKT_CYCD)
    cyclin = power(cap, k.cap_CYCD) * (1.0 - k.CYCD_S6K + k.CYCD_S6K * S6K_fold) * erk_drive(x.ERK, c.KRAS, k) * akt_help
    dCYCD = k.k_CYCD * cyclin * (1.0 - k.endocrine_CYCD * blocked) - k.k_CYCD * x.CYCD
    dprotein = k.k_protein * ((1.0 - k.protein_S6K) * cap + k.protein_S6K * S6K_fold) - k.k_protein * x.protein
    dW = k.k_W * i.occupancy - k.k_W * x.W
    return Network(
        dIRS1, dGRB10, dPIP3, dT308, dS473, dmTORC2, dRHEB, dS6K, dS6, dBP, dZ, dULK, dflux, dERK, dCYCD, dprotein, dW
    )  # fmt: skip
