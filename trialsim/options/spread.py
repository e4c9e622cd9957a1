"""From the values of many worlds to what is true: quantiles freed of the noise of few patients, and probabilities with their error.

A value that was found in a world, y_k = t_k + e_k, is more spread than the truth t_k. The variance of the truth is that of the
values less the mean of their error variances, and the values are drawn towards their mean until they have it (the constrained
empirical Bayes estimate; Ghosh M, J Am Stat Assoc 1992;87:533-40):

    t_k = m + (y_k - m) sqrt(max(0, 1 - mean(se^2) / var(y)))

What is left to chance is how many worlds there are: probabilities are means over bootstrap samples of the worlds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEVELS = (50, 80, 90)  # per cent of the worlds
BOOTSTRAP = 400  # samples of the worlds


class Probability(NamedTuple):
    """Attributes: value: of the event in a world, (...). error: Monte Carlo, standard error."""

    value: np.ndarray
    error: np.ndarray


def truth(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Values of the worlds without their noise; both (..., worlds). What is not finite stays, and then so do all of its row."""
    with np.errstate(invalid="ignore"):
        variance, noise = np.var(values, axis=-1, ddof=1, keepdims=True), np.mean(np.square(errors), axis=-1, keepdims=True)
        keep = np.sqrt(np.clip(1.0 - np.divide(noise, variance, out=np.ones_like(noise), where=variance > 0), 0.0, 1.0))
        middle = np.mean(values, axis=-1, keepdims=True)
        known = np.isfinite(middle) & np.isfinite(noise)
        return np.where(known, middle + keep * (values - middle), values)


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Median and central intervals of the finite and infinite values; NaN where there are none."""
    known = values[~np.isnan(values)]
    at = lambda q: float(np.quantile(known, q, method="inverted_cdf")) if len(known) else float("nan")
    found = {"median": at(0.5)}
    for level in LEVELS:
        found |= {f"low_{level}": at(0.5 - level / 200), f"high_{level}": at(0.5 + level / 200)}
    return found


def _samples(worlds: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, worlds, (BOOTSTRAP, worlds))


def _probability(shares: np.ndarray, worlds: int) -> Probability:
    """From the shares of the samples, (samples, ...). The error is never 0: of n worlds without the event nobody knows the next."""
    value = shares.mean(axis=0)
    least = (worlds * value + 0.5) / (worlds + 1.0)
    return Probability(value, np.maximum(shares.std(axis=0, ddof=1), np.sqrt(least * (1.0 - least) / worlds)))


def probability_positive(values: np.ndarray, errors: np.ndarray, seed: int) -> Probability:
    """That the truth of a world is above 0; values and errors (worlds,). A world of exactly 0 does not count."""
    pick = _samples(values.shape[-1], seed)
    return _probability((truth(values[pick], errors[pick]) > 0).mean(axis=-1), values.shape[-1])


def probability_best(values: np.ndarray, errors: np.ndarray, seed: int) -> Probability:
    """That each option has the highest truth of a world, (options,); values and errors (options, worlds). Ties are shared."""
    pick = _samples(values.shape[-1], seed)
    true = np.stack([truth(v[pick], e[pick]) for v, e in zip(values, errors, strict=True)])  # (options, samples, worlds)
    first = true == true.max(axis=0)
    return _probability((first / first.sum(axis=0)).mean(axis=-1).T, values.shape[-1])


def median_error(values: np.ndarray, errors: np.ndarray, seed: int) -> float:
    """Monte Carlo error of the median of the truths."""
    found = np.median(truth(values[(pick := _samples(len(values), seed))], errors[pick]), axis=-1)
    return float(np.std(found, ddof=1)) if np.isfinite(found).all() else float("nan")
