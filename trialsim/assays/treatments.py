"""From treatments to what is in each well: rapalog by its concentration, every other drug by its effect on the nodes it inhibits.

    i = max c^h / (IC50^h + c^h),   c = fu penetration dose      free drug at the cell, nM

Drugs on one node act independently, 1 - prod(1 - i); killing by cytotoxic drugs adds up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.assays.culture import Medium
from trialsim.assays.lines import free_in_medium
from trialsim.mechanism.growth import UNTREATED
from trialsim.schema.analysis.assay import RAPALOG, VEHICLE, CompoundSettings

if TYPE_CHECKING:
    from trialsim.schema.analysis.assay import AssaySettings
    from trialsim.schema.study import StudyConfig

ADDITIVE = "cytotoxic"  # a rate, 1/h; the other nodes have fractions


def conditions(settings: AssaySettings) -> pd.DataFrame:
    """What cells can be under, one row each: treatment, dose_nM, sampled (lysed and stained as well). The first is vehicle;
    a treatment beside other drugs has a dose 0, which is those alone."""
    rows: list[tuple[str, float, bool]] = [(VEHICLE, 0.0, True)]
    for name, treatment in settings.treatments.items():
        rows += [(name, 0.0, True)] if treatment.beside else []
        rows += [(name, dose, dose in treatment.sampled_nM) for dose in treatment.doses_nM]
    return pd.DataFrame(rows, columns=["treatment", "dose_nM", "sampled"])


def compounds_of(config: StudyConfig, settings: AssaySettings) -> dict[str, CompoundSettings]:
    """The compounds of the assay and the partner drugs of the study, which bind to the serum of the medium as to plasma."""
    free = lambda partner: free_in_medium(partner.pk.fu, config.culture.serum)
    partners = {name: CompoundSettings(fu=free(partner), inhibits=partner.inhibits) for name, partner in config.partner.items()}
    return settings.compounds | partners


def medium(
    table: pd.DataFrame, settings: AssaySettings, compounds: Mapping[str, CompoundSettings], penetration: float, hours: float
) -> Medium:
    """What the wells of one line hold.

    Args:
        table: from `conditions`. compounds: drugs beside the rapalog, by name.
        penetration: share of the free drug in medium that reaches the cells. hours: how long.
    """
    held = [_held(row.treatment, row.dose_nM, settings) for row in table.itertuples()]
    effects: dict[str, Any] = {}
    for name, compound in compounds.items():
        dose = np.array([drugs.get(name, 0.0) for drugs in held]) * penetration
        for node, effect in of_compound(compound, dose).items():
            before = effects.get(node, np.zeros(len(table)))
            effects[node] = before + effect if node == ADDITIVE else 1.0 - (1.0 - before) * (1.0 - effect)
    return Medium(np.array([drugs.get(RAPALOG, 0.0) for drugs in held]), hours, UNTREATED._replace(**effects))


def of_compound(compound: CompoundSettings, dose_nM: np.ndarray) -> dict[str, np.ndarray]:
    """Its effect on each node at total concentrations that reach the cells."""
    free = compound.fu * dose_nM
    hill = lambda e: e.max * free**e.hill / (e.IC50_nM**e.hill + free**e.hill)
    return {node: hill(effect) for node, effect in compound.inhibits.items()}


def _held(treatment: str, dose_nM: float, settings: AssaySettings) -> Mapping[str, Any]:
    """Doses of all drugs, nM."""
    if treatment == VEHICLE:
        return {}
    chosen = settings.treatments[treatment]
    return {**chosen.beside, chosen.drug: dose_nM}
