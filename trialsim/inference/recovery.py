"""Does the analysis of one study of ordinary size find the truth? In a simulation the truth is known: the whole cohort's rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from trialsim.inference.tables import ENDPOINTS


def recovery(tree: xr.DataTree, patients: pd.DataFrame, level: float) -> dict[str, dict[str, Any]]:
    """The ``recovery`` section of summary.json. Empty for a cohort of one virtual study: then there is no truth but the data.
    Endpoints that nobody or everybody reached are left out.

    Args:
        tree: response model fitted to one virtual study, standardised to the population of the cohort.
        patients: the whole cohort, which holds the truth.
        level: of the intervals.
    """
    if patients["replicate"].nunique() < 2:
        return {}
    found = {}
    for endpoint in tree["posterior"]["endpoint"].to_numpy():
        draws = tree["posterior"]["cohort_probability"].sel(endpoint=endpoint).to_numpy()
        truth = float(patients[ENDPOINTS[str(endpoint)]].mean())
        if truth in (0.0, 1.0):  # no interval of the model can hold the boundary
            continue
        low, middle, high = np.quantile(draws, ((1 - level) / 2, 0.5, (1 + level) / 2))
        found[str(endpoint)] = {
            "truth": truth, "estimate": float(middle), "low": float(low), "high": float(high),
            "inside": bool(low <= truth <= high), "level": level,
        }  # fmt: skip
    return found
