"""Markers together: the probability of being free of progression at the horizon by logistic regression, each patient judged by a
model that did not see it (cross-validation), and whether the predictions come true (calibration).

Calibration: logit P(outcome) = intercept + slope logit(predicted); slope 1 and intercept 0 are perfect, a slope below 1 means
predictions too extreme (Cox DR, Biometrika 1958;45:562-5). "Intercept" is that with the slope held at 1. Brier: mean squared error
of the prediction; scaled: 1 - Brier / that of predicting the mean.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import special
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trialsim.biomarkers.markers import When
from trialsim.biomarkers.outcome import Outcome
from trialsim.endpoints import proportions

BINS = 10
CLINICAL = ("registered", "ecog", "line", "sld")
MOLECULAR = ("pik3ca", "akt1", "mtor", "tsc", "pten_loss", "kras_wt", "ps6", "pakt")
BIOPSY = ("ps6_drop", "pakt_rise", "ps6_drop_pbmc", "cmin")


class MarkerSet(NamedTuple):
    """Markers that are looked at together: name, label; columns; landmark: what must be known first."""

    name: str
    label: str
    columns: tuple[str, ...]
    landmark: When


SETS = (
    MarkerSet("clinical", "Clinical, before treatment", CLINICAL, "baseline"),
    MarkerSet("before", "Clinical and molecular, before treatment", CLINICAL + MOLECULAR, "baseline"),
    MarkerSet("before_at_scan", "The same, asked after the first scan", CLINICAL + MOLECULAR, "scan"),
    MarkerSet("with_biopsy", "With biopsy and blood, after the first scan", CLINICAL + MOLECULAR + BIOPSY, "scan"),
    MarkerSet("with_scan", "With these and SLD, after the first scan", (*CLINICAL, *MOLECULAR, *BIOPSY, "sld_drop"), "scan"),
)


def predict(markers: pd.DataFrame, types: pd.Series, asked: Outcome, folds: int, seed: int) -> np.ndarray:
    """Cross-validated probability of the outcome for each of ``asked.rows``; NaN with fewer cases than folds.

    Values not measured are set to the median of the others and flagged. The small ridge penalty of scikit-learn's default keeps
    rare flags finite.

    Args:
        markers: columns to use, all patients. types: tumour type of all patients, entered as one flag each.
    """
    X = pd.concat([markers, pd.get_dummies(types).astype(float)], axis=1).to_numpy(float)[asked.rows]
    X = X[:, np.isfinite(X).any(axis=0)]
    y, w = asked.happened, asked.weight
    found = np.full(len(y), np.nan)
    if min(y.sum(), (~y).sum()) < 2 * folds:
        return found
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y):
        steps = (SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(max_iter=1000))
        model = make_pipeline(*steps)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a marker measured in nobody of a fold is dropped there
            model.fit(X[train], y[train], logisticregression__sample_weight=w[train])
            found[test] = model.predict_proba(X[test])[:, 1]
    return found


def calibration(predicted: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Slope and intercept with 95 % Wald intervals, Brier score, scaled Brier score; NaN where there is nothing to judge."""
    names = ("slope", "intercept")
    nothing = {f"{name}{end}": np.nan for name in names for end in ("", "_low", "_high")} | {
        "brier": np.nan,
        "brier_scaled": np.nan,
    }
    if not np.isfinite(predicted).all() or len(np.unique(predicted)) < 3 or happened.min() == happened.max():
        return nothing
    x, y = special.logit(np.clip(predicted, 1e-6, 1 - 1e-6)), happened.astype(float)
    family = sm.families.Binomial()
    sloped = sm.GLM(y, sm.add_constant(x), family=family, var_weights=weight).fit(cov_type="HC0")
    shifted = sm.GLM(y, np.ones((len(y), 1)), family=family, var_weights=weight, offset=x).fit(cov_type="HC0")
    found: dict[str, Any] = {}
    for name, model, place in (("slope", sloped, 1), ("intercept", shifted, 0)):
        low, high = model.conf_int()[place]
        found |= {name: float(model.params[place]), f"{name}_low": float(low), f"{name}_high": float(high)}
    mean = np.average(y, weights=weight)
    brier = float(np.average((predicted - y) ** 2, weights=weight))
    return found | {"brier": brier, "brier_scaled": float(1.0 - brier / (mean * (1.0 - mean)))}


def calibration_curve(predicted: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """Tenths of the patients from low to high: predicted (mean), observed, low, high (Wilson, 95 %), n."""
    known = np.isfinite(predicted)
    if not known.any():
        return pd.DataFrame(columns=["predicted", "observed", "low", "high", "n"])
    p, y, w = predicted[known], happened[known], weight[known]
    group = np.ceil(BINS * pd.Series(p).rank(method="first").to_numpy() / len(p)).astype(int)
    rows = []
    for tenth in np.unique(group):
        inside = group == tenth
        observed, n = np.average(y[inside], weights=w[inside]), int(inside.sum())
        # counts of the size that the weights are worth
        worth = w[inside].sum() ** 2 / np.sum(w[inside] ** 2)
        limits = proportions.wilson(observed * worth, worth)
        rows.append([np.average(p[inside], weights=w[inside]), observed, limits.low, limits.high, n])
    return pd.DataFrame(rows, columns=["predicted", "observed", "low", "high", "n"])
