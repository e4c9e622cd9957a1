"""Pharmacodynamic read-outs: fold of own baseline over time, share of patients above a threshold, trough, area under
the curve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.endpoints.estimate import Estimate
from trialsim.endpoints.proportions import share


def fold_of_baseline(values: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Value over the patient's own value before treatment.

    Args:
        values: (patients, times), any unit. baseline: (patients,), same unit.

    Returns:
        (patients, times), no unit; NaN where the baseline is not positive.
    """
    baseline = np.asarray(baseline, float)[:, None]
    return np.asarray(values, float) / np.where(baseline > 0, baseline, np.nan)


class TimeCourse(NamedTuple):
    """Summary over patients at each time.

    Attributes:
        median: (times,). quantiles: (probabilities, times), in the order asked for. n: patients measured, (times,),
            int.
    """

    median: np.ndarray
    quantiles: np.ndarray
    n: np.ndarray


def time_course(values: np.ndarray, probabilities: tuple[float, ...] = (0.05, 0.25, 0.75, 0.95)) -> TimeCourse:
    """Median and quantiles by time, over the patients measured then.

    Args:
        values: (patients, times); NaN where not measured (off study, no sample).
    """
    values = np.asarray(values, float)
    n = np.sum(np.isfinite(values), axis=0)
    found = np.full((len(probabilities) + 1, values.shape[1]), np.nan)
    measured = n > 0
    if np.any(measured):
        found[:, measured] = np.nanquantile(values[:, measured], (0.5, *probabilities), axis=0)
    return TimeCourse(found[0], found[1:], n)


def responder_share(values: np.ndarray, threshold: float, above: bool = True, level: float = 0.95) -> Estimate:
    """Share of patients beyond a threshold, among those measured, with exact interval.

    For example pAKT above 1.2-fold of baseline (the feedback-loss target: up in 50 % of tumours, Tabernero et al. J
    Clin Oncol 2008), or pS6 below 0.5-fold.

    Args:
        values: (patients,), NaN where not measured. threshold: same unit. above: count values above it, else below.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return share(values > threshold if above else values < threshold, level)


def trough(concentration: np.ndarray) -> np.ndarray:
    """Smallest concentration of a dosing interval: (..., times) -> (...), same unit."""
    return np.min(np.asarray(concentration, float), axis=-1)


def peak(concentration: np.ndarray) -> np.ndarray:
    """Largest concentration of a dosing interval: (..., times) -> (...), same unit."""
    return np.max(np.asarray(concentration, float), axis=-1)


def area_under_curve(time_h: np.ndarray, concentration: np.ndarray) -> np.ndarray:
    """Area under the concentration by the linear trapezoidal rule.

    Args:
        time_h: (times,), h, ascending. concentration: (..., times), e.g. ng/mL.

    Returns:
        (...), e.g. ng*h/mL.
    """
    return np.trapezoid(np.asarray(concentration, float), np.asarray(time_h, float), axis=-1)


def geometric_summary(values: np.ndarray) -> tuple[float, float, int]:
    """Geometric mean, geometric CV (fraction: sqrt(exp(s^2) - 1), s the SD of the logs) and number of positive finite
    values.

    Args:
        values: (patients,), e.g. trough or area under the curve; NaN where not measured.
    """
    values = np.asarray(values, float)
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    if logs.size < 2:
        return (float(np.exp(logs[0])) if logs.size else np.nan, np.nan, logs.size)
    return float(np.exp(logs.mean())), float(np.sqrt(np.expm1(logs.var(ddof=1)))), logs.size
