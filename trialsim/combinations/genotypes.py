"""Which partner is best in which genotype: the same patients bear each genotype in turn and take each partner beside the rapalog.

The gain is that over the rapalog alone in the same patient with the same genotype; beside it stands what the rapalog adds to the
partner alone, without which the partner would do better by itself. Both are of two kinds:

    tumour   ln of the tumour's volume under one drug less that under both, at the week of the analysis
    pfs      restricted mean time without progression or death, months
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pandas as pd

from trialsim.combinations import ranking
from trialsim.combinations.cohort import restricted_means, times_of
from trialsim.schema.analysis.combination import Genotype

RAPALOG_ALONE, ALONE, BOTH = "rapalog_alone", "alone", "both"
ALTERATIONS = tuple(name for name in get_args(Genotype) if name != "wild_type")
COLUMNS = ["genotype", "partner", "measure", "n", "estimate", "low", "high", "best", "rank", "rank_low", "rank_high"]
Key = tuple[str, str, str]  # partner, `ALONE` or `BOTH`, genotype; `RAPALOG_ALONE`, `ALONE`, genotype


def bearing(patients: pd.DataFrame, genotype: str) -> pd.DataFrame:
    """The same patients with this alteration and none of the others; all else is theirs."""
    found = patients.assign(**{name: name == genotype for name in ALTERATIONS})
    return found.assign(pten_mutation=found["pten_loss"]) if "pten_mutation" in patients else found


def ranked(by_partner: dict[Key, pd.DataFrame], horizon: float, resamples: int, seed: int) -> pd.DataFrame:
    """One row a genotype a partner a measure.

    Args:
        by_partner: patients, all in the same order. horizon: of the restricted mean, months.

    Returns:
        `COLUMNS`; best: share of resamples in which the partner is the best; added, added_low, added_high: what the rapalog adds to
        the partner alone; severe, severe_alone: shares of patients with an adverse event of grade 3 or 4 with the partner and on
        the rapalog alone.
    """
    partners = list(dict.fromkeys(name for name, given, _ in by_partner if given == BOTH))
    rows = []
    for genotype in dict.fromkeys(genotype for *_, genotype in by_partner):
        rapalog = by_partner[RAPALOG_ALONE, ALONE, genotype]
        both, alone = ([by_partner[name, given, genotype] for name in partners] for given in (BOTH, ALONE))
        weight = ranking.resampled(len(rapalog), resamples, seed)
        beside = [rapalog] * len(partners)
        gain, added = ({"tumour": _smaller(both, one), "pfs": _later(both, one, horizon)} for one in (beside, alone))
        for measure in gain:
            found = ranking.rank_resampled(*gain[measure](weight))
            extra, drawn = added[measure](weight)
            low, high = ranking.interval(drawn)
            for i, name in enumerate(partners):
                numbers = (float(value[i]) for value in found)
                row = dict(zip(COLUMNS, (genotype, name, measure, len(rapalog), *numbers), strict=True))
                row |= {"added": extra[i], "added_low": low[i], "added_high": high[i]}
                rows.append(row | {"severe": both[i]["severe"].mean(), "severe_alone": rapalog["severe"].mean()})
    return pd.DataFrame(rows)


Gain = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # weights -> of all patients (partners,), of resamples


def _smaller(both: list[pd.DataFrame], one: list[pd.DataFrame]) -> Gain:
    value = np.column_stack([a["log_volume"].to_numpy() - b["log_volume"].to_numpy() for a, b in zip(one, both, strict=True)])
    return lambda weight: (value.mean(axis=0), ranking.means(value, weight))


def _later(both: list[pd.DataFrame], one: list[pd.DataFrame], horizon: float) -> Gain:
    def months(weight: np.ndarray) -> np.ndarray:
        free = lambda tables: np.column_stack([restricted_means(times_of(table), horizon, weight) for table in tables])
        return free(both) - free(one)

    return lambda weight: (months(np.ones((1, weight.shape[1])))[0], months(weight))
