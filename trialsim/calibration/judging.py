"""Two models side by side on studies that they had not seen."""

from __future__ import annotations

import pandas as pd

from trialsim.calibration.scores import LEVELS
from trialsim.evidence import clopper_pearson

ALL = "all"


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row an endpoint and model, and ``all``: n, mean CRPS, ratio of it to the statistical model's (``all``: mean of the ratios
    weighted by n), and the share of values inside each interval with its exact 95 % limits. table: from `run.left_out`."""
    mean = table.groupby(["endpoint", "model"])["crps"].mean().unstack()
    ratio = mean.div(mean["statistical"], axis=0)
    size = table[table["model"] == "statistical"].groupby("endpoint").size()
    rows = []
    for model in mean.columns:
        for endpoint in [*mean.index, ALL]:
            part = table[(table["model"] == model) & ((table["endpoint"] == endpoint) | (endpoint == ALL))]
            whole = endpoint == ALL
            row = {"endpoint": endpoint, "model": model, "n": len(part), "crps": part["crps"].mean() if not whole else float("nan")}
            row["ratio"] = float((ratio[model] * size).sum() / size.sum()) if whole else float(ratio.loc[endpoint, model])
            for level in LEVELS:
                inside = int(part[f"inside_{level}"].sum())
                low, high = clopper_pearson(inside, len(part))
                row |= {f"inside_{level}": inside / len(part), f"inside_{level}_low": low, f"inside_{level}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)
