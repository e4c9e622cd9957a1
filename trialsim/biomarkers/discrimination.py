"""How well a marker tells patients apart: area under the ROC curve with its interval, and the curve.

    A = P(X_case > X_other) + P(X_case = X_other) / 2,   weighted where patients stand for censored ones

Interval: DeLong's structural components (DeLong ER et al., Biometrics 1988;44:837-45) with the patients' weights, on the logit
scale, on which it stays between 0 and 1 (Pepe MS, The Statistical Evaluation of Medical Tests, 2003, section 5.2).
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats
from sklearn import metrics

from trialsim.endpoints.estimate import Estimate

FEWEST = 10  # cases, and others, below which no AUC is told: assumed
METHOD = "DeLong, logit interval"


def auc(marker: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None, level: float = 0.95) -> Estimate:
    """AUC of a marker; NaN with fewer than `FEWEST` on either side.

    Args:
        marker: (patients,), higher for those in whom the outcome is expected; NaN where not measured. happened: (patients,), bool.
        weight: (patients,), >= 0; default: all alike.
    """
    used = np.isfinite(marker) & (True if weight is None else weight > 0)
    x, y = np.asarray(marker, float)[used], np.asarray(happened, bool)[used]
    w = np.ones(len(x)) if weight is None else np.asarray(weight, float)[used]
    if min(y.sum(), (~y).sum()) < FEWEST:
        return Estimate(np.nan, np.nan, np.nan, len(x), METHOD)
    found = float(metrics.roc_auc_score(y, x, sample_weight=w))
    # of each case the share of others below it, of each other the share of cases above it
    above, below = _share_below(x[y], x[~y], w[~y]), 1.0 - _share_below(x[~y], x[y], w[y])
    variance = _variance_of_mean(above, w[y]) + _variance_of_mean(below, w[~y])
    if variance == 0 or not 0 < found < 1:
        return Estimate(found, np.nan, np.nan, len(x), METHOD)
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance) / (found * (1 - found))
    low, high = special.expit(special.logit(found) + np.array([-half, half]))
    return Estimate(found, float(low), float(high), len(x), METHOD)


def _share_below(at: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted share of ``x`` below each of ``at``, ties counting half."""
    order = np.argsort(x)
    upto = np.concatenate([[0.0], np.cumsum(weight[order])])
    left, right = (np.searchsorted(x[order], at, side=side) for side in ("left", "right"))
    return (upto[left] + upto[right]) / 2.0 / upto[-1]


def _variance_of_mean(values: np.ndarray, weight: np.ndarray) -> float:
    n, share = len(values), weight / weight.sum()
    return float(np.sum(share**2 * (values - share @ values) ** 2) * n / (n - 1))


def roc(marker: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """False- and true-positive rate at every threshold, both from 0 to 1."""
    used = np.isfinite(marker) & (True if weight is None else weight > 0)
    w = None if weight is None else weight[used]
    false, true, _ = metrics.roc_curve(np.asarray(happened, bool)[used], np.asarray(marker, float)[used], sample_weight=w)
    return false, true
