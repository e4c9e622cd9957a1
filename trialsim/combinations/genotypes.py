"""Which partner is best in which genotype: the same patients bear each genotype in turn and take each partner beside the rapalog.

The gain is that over the rapalog alone in the same patient with the same genotype, of two kinds:

    tumour   ln of the tumour's volume under the rapalog alone less that with the partner, at the week of the analysis
    pfs      restricted mean time without progression or death, months
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd

from trialsim.combinations import ranking
from trialsim.combinations.cohort import restricted_means, times_of
from trialsim.schema.analysis.combination import Genotype

ALONE = "rapalog_alone"
ALTERATIONS = tuple(name for name in get_args(Genotype) if name != "wild_type")
COLUMNS = ["genotype", "partner", "measure", "n", "estimate", "low", "high", "best", "rank", "rank_low", "rank_high"]


def bearing(patients: pd.DataFrame, genotype: str) -> pd.DataFrame:
    """The same patients with this alteration and none of the others; all else is theirs."""
    found = patients.assign(**{name: name == genotype for name in ALTERATIONS})
    return found.assign(pten_mutation=found["pten_loss"]) if "pten_mutation" in patients else found


def ranked(by_partner: dict[tuple[str, str], pd.DataFrame], horizon: float, resamples: int, seed: int) -> pd.DataFrame:
    """One row a genotype a partner a measure.

    Args:
        by_partner: patients by (partner or `ALONE`, genotype), all in the same order. horizon: of the restricted mean, months.

    Returns:
        `COLUMNS`; best: share of resamples in which the partner is the best; and severe, severe_alone: shares of patients with an
        adverse event of grade 3 or 4 with the partner and on the rapalog alone.
    """
    partners = [name for name in dict.fromkeys(name for name, _ in by_partner) if name != ALONE]
    rows = []
    for genotype in dict.fromkeys(genotype for _, genotype in by_partner):
        alone, beside = by_partner[ALONE, genotype], [by_partner[name, genotype] for name in partners]
        weight = ranking.resampled(len(alone), resamples, seed)
        gain = np.column_stack([alone["log_volume"] - table["log_volume"] for table in beside])
        found = {
            "tumour": ranking.rank(gain, weight),
            "pfs": ranking.rank_resampled(
                _time_gained(beside, alone, horizon, np.ones((1, len(alone))))[0], _time_gained(beside, alone, horizon, weight)
            ),
        }
        for measure, of in found.items():
            for i, name in enumerate(partners):
                row = dict(zip(COLUMNS, (genotype, name, measure, len(alone), *(float(value[i]) for value in of)), strict=True))
                rows.append(row | {"severe": beside[i]["severe"].mean(), "severe_alone": alone["severe"].mean()})
    return pd.DataFrame(rows)


def _time_gained(beside: list[pd.DataFrame], alone: pd.DataFrame, horizon: float, weight: np.ndarray) -> np.ndarray:
    """Months without progression over those on the rapalog alone, (resamples, partners)."""
    before = restricted_means(times_of(alone), horizon, weight)
    return np.column_stack([restricted_means(times_of(table), horizon, weight) - before for table in beside])
