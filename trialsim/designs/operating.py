"""What a design does in the long run, with the Monte Carlo error of saying so.

Replicates come in batches that share no patient, so a mean m over B batches with means m_b has the standard error

    se = sqrt( sum_b (m_b - m)^2 / (B (B - 1)) )                  (batch means; Law & Kelton, Simulation Modeling and Analysis)

whatever the replicates of one batch have in common. Designs that saw the same patients differ by the mean of their paired
differences, with its own, much smaller error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from trialsim.endpoints.estimate import Estimate

METHOD = "mean over replicates; 95 % t interval over batches (Monte Carlo error)"


def batch_means(values: np.ndarray, batch: np.ndarray) -> np.ndarray:
    """Mean of each batch, (batches,), NaN where nothing in a batch has a value.

    Args:
        values: of each replicate, NaN where not defined, (replicates,). batch: number of each replicate's batch, from 0.
    """
    values, defined = np.asarray(values, float), np.isfinite(values)
    size = int(batch.max()) + 1 if len(batch) else 0
    count = np.bincount(batch[defined], minlength=size)
    with np.errstate(invalid="ignore"):
        return np.bincount(batch[defined], values[defined], minlength=size) / count


def expected(values: np.ndarray, batch: np.ndarray, level: float = 0.95) -> Estimate:
    """Mean over the replicates in which the value is defined, with the interval that its Monte Carlo error leaves."""
    values = np.asarray(values, float)
    defined = np.isfinite(values)
    n = int(defined.sum())
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, METHOD)
    mean = float(values[defined].mean())
    half = stats.t.ppf(0.5 + level / 2, max(_used(values, batch) - 1, 1)) * monte_carlo_error(values, batch)
    return Estimate(mean, mean - half, mean + half, n, METHOD)


def monte_carlo_error(values: np.ndarray, batch: np.ndarray) -> float:
    """Standard error of the mean; NaN with fewer than two batches."""
    means = batch_means(values, batch)
    means = means[np.isfinite(means)]
    return float(stats.sem(means)) if len(means) > 1 else np.nan


def best(values: Mapping[str, np.ndarray], batch: np.ndarray, resamples: int, rng: np.random.Generator) -> dict[str, float]:
    """Probability that each design has the highest mean, over bootstrap resamples of the batches; ties are shared.

    Args:
        values: of each design, (replicates,), the same replicates in each.
    """
    names = list(values)
    means = np.stack([batch_means(values[name], batch) for name in names])  # (designs, batches)
    drawn = rng.integers(0, means.shape[1], (resamples, means.shape[1]))
    total = np.nanmean(means[:, drawn], axis=2)  # (designs, resamples)
    top = np.isclose(total, total.max(axis=0), rtol=0, atol=1e-12)
    return dict(zip(names, (top / top.sum(axis=0)).mean(axis=1).tolist(), strict=True))


def _used(values: np.ndarray, batch: np.ndarray) -> int:
    return int(np.isfinite(batch_means(values, batch)).sum())
