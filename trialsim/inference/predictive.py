"""What a study of the published size would publish, beside what was published.

Rates: the rate of the population from the posterior, then as many patients as the published study had. Times: as many patients
drawn from the simulated cohort, and their Kaplan-Meier median. DLTs: the virtual studies of the design itself that reached the dose
level, all patients treated at it, escalation and expansion (published counts seldom tell them apart). MTD: the virtual studies that
came to a decision, 0 standing for "below the lowest level".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from trialsim.endpoints import survival
from trialsim.evidence import PublishedEndpoint
from trialsim.inference.tables import ENDPOINTS
from trialsim.units import DAYS_PER_MONTH

LEVEL = 0.90
BOOTSTRAP = 500  # resampled studies for a median; its Monte Carlo error is far below the width of the interval
TIMES = {"median_pfs_months": "pfs", "median_os_months": "os"}


def rate(tree: xr.DataTree, endpoint: str, n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Predictive distribution of an observed rate in ``n`` patients of the population, (draws,)."""
    probability = tree["posterior"]["cohort_probability"].sel(endpoint=endpoint).to_numpy().reshape(-1)
    return rng.binomial(n, np.clip(rng.choice(probability, draws), 0.0, 1.0)) / n


def median_months(patients: pd.DataFrame, what: str, n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Predictive distribution of a published median (``pfs`` or ``os``) in ``n`` patients; inf: not reached, (draws,)."""
    time, event = patients[f"{what}_days"].to_numpy(float), patients[f"{what}_event"].to_numpy(bool)
    picks = rng.integers(0, len(patients), (draws, n))
    medians = np.array([survival.median(time[pick], event[pick]).estimate for pick in picks])
    return np.where(np.isnan(medians), np.inf, medians) / DAYS_PER_MONTH


def dlt_counts(patients: pd.DataFrame, level: float) -> np.ndarray:
    """DLTs at a dose level in each virtual study that reached it, (studies,)."""
    at_level = patients[np.isclose(patients["dose_level"], level) & patients["dlt_evaluable"]]
    return at_level.groupby("replicate")["dlt"].sum().to_numpy(float)


def compare(
    published: list[PublishedEndpoint],
    patients: pd.DataFrame,
    tree: xr.DataTree,
    mtd: np.ndarray | None,
    unit: str,
    default_n: int,
    draws: int,
    rng: np.random.Generator,
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The ``comparison`` and ``not_published`` entries of summary.json.

    Args:
        published: the published study. patients: the simulated one. tree: response model fitted to it.
        mtd: MTD of each virtual study, or None. unit: of the dose levels.
        default_n: size of the study where the published number names no denominator.
        draws: predictive draws.
    """
    seen = {item.name: item for item in published}
    found: dict[str, dict[str, Any]] = {}
    for name, item in seen.items():
        predicted = _predict(name, item.n or default_n, patients, tree, mtd, unit, draws, rng)
        if predicted is not None and len(predicted):
            found[name] = _entry(item, predicted)
    expected = [*ENDPOINTS, *TIMES, *(f"dlt_count_{level:g}{unit}" for level in sorted(patients["dose_level"].unique()))]
    return found, [name for name in expected if name not in seen]


def _predict(name, n, patients, tree, mtd, unit, draws, rng) -> np.ndarray | None:
    if name in ENDPOINTS:
        return rate(tree, name, n, draws, rng)
    if name in TIMES:
        return median_months(patients, TIMES[name], n, min(draws, BOOTSTRAP), rng)
    if name.startswith("dlt_count_") and name.endswith(unit):
        return dlt_counts(patients, float(name.removeprefix("dlt_count_").removesuffix(unit)))
    if name.startswith("mtd") and mtd is not None:
        return mtd[np.isfinite(mtd)]
    return None


def _entry(item: PublishedEndpoint, predicted: np.ndarray) -> dict[str, Any]:
    """One line of the comparison; a discrete prediction's limits are its order statistics, so no value is invented."""
    low, middle, high = np.quantile(predicted, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2), method="inverted_cdf")
    counted = item.name.startswith("dlt_count_")
    finite = lambda value: float(value) if np.isfinite(value) else None
    return {
        "published": item.value,
        "published_low": item.low,
        "published_high": item.high,
        "published_definition": item.definition,
        "predicted": finite(np.mean(predicted) if counted else middle),
        "low_90": finite(low),
        "high_90": finite(high),
        "inside_90": bool(low - 1e-9 <= item.value <= high + 1e-9),
        "n": item.n,
        "draws": len(predicted),
        "source": item.source,
    }
