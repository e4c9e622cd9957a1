"""A panel of virtual cell lines, drawn as a cohort of patients is: line 7 is the same in a panel of 23 and of 384."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from trialsim.schema.cell_line import CellLineSettings, LineGenotype, LineGrowth, LinePathway
from trialsim.streams import normals, uniforms

if TYPE_CHECKING:
    from trialsim.schema.cell_line import PanelSettings
    from trialsim.schema.network import NetworkSettings

DRAWN = "drawn from conf/panel and network.spread"


def draw_lines(panel: PanelSettings, network: NetworkSettings, seed: int, ids: np.ndarray) -> list[CellLineSettings]:
    """One line for each id."""
    spread = network.spread
    normal = lambda name: normals(seed, f"line_{name}", ids)[:, 0]
    uniform = lambda name: uniforms(seed, f"line_{name}", ids)[:, 0]
    lognormal = lambda name, median, sd: median * np.exp(sd * normal(name))
    altered = {
        name: uniform(name) < getattr(panel.genotype, name) for name in type(panel.genotype).model_fields if name != "sources"
    }
    altered["pten_loss"] &= ~altered["pik3ca"]
    of = panel.lines
    mean, concentration = of.dependence_mean, of.dependence_concentration
    pathway = {
        "dependence": np.clip(
            beta.ppf(uniform("dependence"), mean * concentration, (1.0 - mean) * concentration), 1e-3, 1.0 - 1e-3
        ),
        "RTK": lognormal("RTK", 1.0, spread.RTK_sd),
        "f_S6K": lognormal("f_S6K", spread.f_S6K, spread.f_S6K_sd),
        "f_GRB10": lognormal("f_GRB10", spread.f_GRB10, spread.f_GRB10_sd),
        "r_4E": spread.r_4E_max * uniform("r_4E"),
        "phi_mTORC2": np.minimum(beta.ppf(uniform("phi_mTORC2"), spread.phi_mTORC2_alpha, spread.phi_mTORC2_beta), 0.95),
        "R_4EBP": lognormal("R_4EBP", 1.0, spread.R_4EBP_sd),
    }
    doubling = lognormal("doubling", of.doubling_median_h, of.doubling_log_sd)

    def line(i: int) -> CellLineSettings:
        genotype = {name: bool(value[i]) for name, value in altered.items()}
        values = {name: float(value[i]) for name, value in pathway.items()}
        growth = {"doubling_h": float(doubling[i]), "V_cell_pL": of.V_cell_pL}
        sourced = lambda values: values | {"sources": dict.fromkeys(values, DRAWN)}
        return CellLineSettings(
            label=f"line {ids[i]}",
            genotype=LineGenotype(**sourced(genotype)),
            pathway=LinePathway(**sourced(values)),
            growth=LineGrowth(**sourced(growth)),
        )

    return [line(i) for i in range(len(ids))]
