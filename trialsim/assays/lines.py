"""From a cell line's settings to the wells it is seeded in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from trialsim.assays.culture import Well
from trialsim.mechanism.binding import BindingParameters
from trialsim.mechanism.genotype import Alterations, insensitive_share, lasting_r_4E
from trialsim.mechanism.growth import GrowthParameters
from trialsim.mechanism.signalling import CellParameters

if TYPE_CHECKING:
    from trialsim.schema.cell_line import CellLineSettings, CultureSettings
    from trialsim.schema.drug import DrugSettings
    from trialsim.schema.network import NetworkSettings

NO_BINDING = 1e9  # nM: Kd of an FRB domain that takes no rapalog


def free_in_medium(fu_plasma: float, serum: float) -> float:
    """Free share of a drug in medium with a part ``serum`` of serum, if it binds as in plasma and binding is linear."""
    return 1.0 / (1.0 + serum * (1.0 / fu_plasma - 1.0))


def wells_of(
    lines: Sequence[CellLineSettings],
    network: NetworkSettings,
    drug: DrugSettings,
    culture: CultureSettings,
) -> Well:
    """One well for each entry of ``lines``; leaves (wells,).

    Args:
        drug: the rapalog given. culture: the well.
    """
    spread, genes, growth, binding = network.spread, network.genotype, network.growth, drug.binding
    flag = lambda name: np.array([float(bool(getattr(line.genotype, name))) for line in lines])
    given = lambda name, otherwise: np.array(
        [otherwise if getattr(line.pathway, name) is None else getattr(line.pathway, name) for line in lines], float
    )
    of_growth = lambda name, otherwise=None: np.array(
        [otherwise if getattr(line.growth, name) is None else getattr(line.growth, name) for line in lines], float
    )
    found = Alterations(*(flag(name) for name in ("pik3ca", "akt1", "kras", "mtor", "tsc", "pten_loss")))
    cell = CellParameters(
        RTK=given("RTK", 1.0),
        f_S6K=given("f_S6K", spread.f_S6K),
        f_GRB10=given("f_GRB10", spread.f_GRB10),
        PIK3CA=found.PIK3CA,
        KRAS=found.KRAS,
        AKT1=found.AKT1,
        PTEN=1.0 - found.PTEN,
        TSC=1.0 - found.TSC,
        mTOR_gain=genes.MTOR_gain * found.MTOR + given("non_genomic_drive", 0.0),
        r_4E=lasting_r_4E(given("r_4E", 0.5 * spread.r_4E_max), found, genes),
        phi_mTORC2=given("phi_mTORC2", float(beta.median(spread.phi_mTORC2_alpha, spread.phi_mTORC2_beta))),
        R_4EBP=given("R_4EBP", 1.0),
        amino_acids=np.ones(len(lines)),
        ATP=np.ones(len(lines)),
    )
    b = insensitive_share(given("dependence", 0.5), found, genes)
    fates = GrowthParameters(
        b=b,
        b_resistant=b,
        b_W=growth.b_W,
        phi=growth.phi,
        k_d=of_growth("k_d", growth.k_d),
        basal_death=culture.basal_death,
        c_protect=growth.c_protect,
        c_excess=growth.c_excess,
        endocrine_insensitive=growth.endocrine_insensitive,
    )
    held = BindingParameters(
        FKBP12=given("FKBP12", binding.FKBP12),
        K_FKBP12=binding.K_FKBP12,
        K_FRB=np.where(flag("frb") > 0, NO_BINDING, binding.K_FRB),
        PS=binding.PS,
        partition=given("penetration", 1.0),
    )
    return Well(
        cell=cell,
        growth=fates,
        binding=held,
        doubling_h=of_growth("doubling_h"),
        k_clear=culture.k_clear,
        V_cell_pL=of_growth("V_cell_pL"),
        V_well_uL=culture.V_well_uL,
        seeded=np.full(len(lines), culture.seeded),
        fu=free_in_medium(drug.pk.fu, culture.serum),
    )
