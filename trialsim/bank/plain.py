"""A bank of patients whose outcomes have stated probabilities, under every treatment and at every dose: twins as in the other bank.

A patient's luck is one uniform u for each outcome, whatever the treatment:

    DLT at level j         if u < rate_j
    response               if u < probability
    time to an event       median log2(1 / u), exponential

PFS and OS share their u, so that no patient dies before progression as long as the median of OS is no shorter. Nobody drops out,
and no time is censored: what censors is the design.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.bank.treatments import CENTRAL, COVARIATES, READ
from trialsim.simulation import Block
from trialsim.streams import uniforms
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.analysis.plain import PlainSettings
    from trialsim.schema.design import EscalationSettings
    from trialsim.schema.study import StudyConfig

GENE = {"pathway": "pik3ca", "pathway_kras_wt": "pik3ca", "kras_wt": "kras"}  # that makes the marker; others are genes themselves


def doses(config: StudyConfig, plain: PlainSettings, design: EscalationSettings, block: Block) -> dict[str, pd.DataFrame]:
    """The table ``doses`` of `dose_finding.simulate`. A DLT comes on any day of the window, evenly."""
    ids, window = np.arange(*block), float(design.dlt.window_days)
    luck = uniforms(config.seed, "plain_dlt", ids, 2)
    columns: dict[str, np.ndarray] = {"patient_id": ids}
    for j, rate in enumerate(plain.dlt_rates):
        day = np.where(luck[:, 0] < rate, window * luck[:, 1], np.inf)
        columns |= {f"dlt_day_{j}": day, f"evaluable_{j}": np.ones(len(ids), bool), f"known_day_{j}": np.minimum(day, window)}
    return {"doses": pd.DataFrame(columns)}


def patients(config: StudyConfig, plain: PlainSettings, marker: str, block: Block, treatment: str) -> dict[str, pd.DataFrame]:
    """The table ``patients`` of `treatments.simulate`.

    Args:
        marker: of the question; its true value is that of the patient's group.
    """
    ids, groups = np.arange(*block), list(plain.groups.values())
    member, luck = uniforms(config.seed, "plain_group", ids)[:, 0], uniforms(config.seed, "plain_outcome", ids, 2)
    ends = np.cumsum([group.share for group in groups])
    group = np.minimum(np.searchsorted(ends, member, side="right"), len(groups) - 1)
    of = lambda read: np.array([read(one) for one in groups])[group]
    responds = luck[:, 0] < of(lambda one: one.response[treatment])
    halvings = np.log2(1.0 / luck[:, 1])
    days = {
        name: DAYS_PER_MONTH * halvings * of(lambda one, name=name: one.tables[f"median_{name}_months"][treatment])
        for name in ("pfs", "os")
    }
    best = np.where(responds, "PR", "SD")
    found = {
        "patient_id": ids, "tumour_type": of(lambda one: one.tumour_type), **genotype(of(lambda one: one.marker), marker),
        "pfs_days": days["pfs"], "pfs_event": True, "best_response": best, "best_response_unconfirmed": best,
        "response_day": np.where(responds, DAYS_PER_WEEK * plain.response_weeks, np.inf), "os_days": days["os"], "os_event": True,
        "integration_ok": True,
    }  # fmt: skip
    if config.endpoint.central_review:
        found |= {name + CENTRAL: found[name] for name in READ}
    return {"patients": pd.DataFrame(found)}


def genotype(present: np.ndarray, marker: str) -> dict[str, np.ndarray]:
    """Genes and PTEN such that a marker is as stated, (patients,) bool."""
    genes = {name: np.zeros(len(present), bool) for name in COVARIATES if name != "tumour_type"}
    genes[GENE.get(marker, marker)] = ~present if marker == "kras_wt" else present
    return genes
