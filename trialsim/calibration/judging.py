"""Two models side by side on studies that they had not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.calibration.scores import LEVELS
from trialsim.evidence import clopper_pearson

ALL = "all"
RESAMPLED = 2000  # bootstrap samples of studies: numbers of one study are not independent


def summary(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One row an endpoint and model, and ``all``: n, mean CRPS, ratio of it to the statistical model's (``all``: mean of the ratios
    weighted by n) with the middle 90 % over resampled studies, and the share of values inside each interval with its exact 95 %
    limits.

    Args:
        table: from `left_out.left_out`. seed: of the bootstrap.
    """
    ratio, (low_ratio, high_ratio) = ratios(table), _resampled(table, np.random.default_rng(seed))
    rows = []
    for model in sorted(table["model"].unique()):
        for endpoint in [*sorted(table["endpoint"].unique()), ALL]:
            whole = endpoint == ALL
            part = table[(table["model"] == model) & ((table["endpoint"] == endpoint) | whole)]
            row = {"endpoint": endpoint, "model": model, "n": len(part), "crps": np.nan if whole else part["crps"].mean()}
            row |= {"ratio": ratio.loc[endpoint, model], "ratio_low": low_ratio.loc[endpoint, model]}
            row |= {"ratio_high": high_ratio.loc[endpoint, model]}
            for level in LEVELS:
                inside = int(part[f"inside_{level}"].sum())
                low, high = clopper_pearson(inside, len(part))
                row |= {f"inside_{level}": inside / len(part), f"inside_{level}_low": low, f"inside_{level}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Mean CRPS over that of the statistical model, endpoints and ``all`` by models."""
    mean = table.groupby(["endpoint", "model"])["crps"].mean().unstack()
    size = table[table["model"] == "statistical"].groupby("endpoint").size()
    found = mean.div(mean["statistical"], axis=0)
    found.loc[ALL] = [(found[model] * size).sum() / size.sum() for model in found]
    return found


def _resampled(table: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """5 % and 95 % quantiles of `ratios` over bootstrap samples of studies; samples without an endpoint do not count for it."""
    studies, place = np.unique(table["study"], return_inverse=True)
    drawn = rng.multinomial(len(studies), np.full(len(studies), 1.0 / len(studies)), size=RESAMPLED)  # times that each is drawn
    models, endpoints = sorted(table["model"].unique()), sorted(table["endpoint"].unique())
    total = np.zeros((RESAMPLED, len(endpoints), len(models)))
    count = np.zeros((RESAMPLED, len(endpoints)))
    for i, endpoint in enumerate(endpoints):
        for j, model in enumerate(models):
            which = ((table["endpoint"] == endpoint) & (table["model"] == model)).to_numpy()
            weights = drawn[:, place[which]]
            total[:, i, j] = weights @ table["crps"].to_numpy()[which]
            count[:, i] = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = total / total[:, :, [models.index("statistical")]]
    every = np.nansum(ratio * count[:, :, None], axis=1) / count.sum(axis=1)[:, None]
    both = np.concatenate([ratio, every[:, None]], axis=1)
    low, high = np.nanquantile(both, [0.05, 0.95], axis=0)
    frame = lambda values: pd.DataFrame(values, index=[*endpoints, ALL], columns=models)
    return frame(low), frame(high)
