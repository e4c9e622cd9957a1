"""Dose-response metrics: fits of viability and of GR values, with their uncertainty.

    y(c) = bottom + (top - bottom) / (1 + (c / EC50)^h)

``top`` is given (1, or what a partner drug does alone). Bounds as in GRmetrics: h in 0.1 to 5, EC50 from a hundredth of the lowest
to a hundred times the highest dose, bottom from 0 (viability) or -1 (GR) to the top. A flat line replaces a curve that is no better
by an F-test at 5 %, with n - 3 degrees of freedom (Hafner et al., Nat Methods 2016;13:521-527; Clark et al., BMC Cancer
2017;17:698).

Relative potency, EC50 (GEC50 of a GR curve), is where half of the curve's own effect is; absolute potency, IC50 (GR50), where y
is one half. Beyond the doses tried the latter is not known: inf above the highest, -inf below the lowest. Errors are those of least
squares in ln EC50, ln h and bottom, carried to ln IC50 by the delta method; intervals are 95 % t intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import least_squares
from scipy.special import expit

from trialsim.assays.plate import BLANK, TIME_0
from trialsim.schema.analysis.assay import VEHICLE

HALF = 0.5
FLAT_P = 0.05  # F-test: above it there is no curve
SLOPES = (0.1, 5.0)
PARAMETERS = 3
TRIES = 100  # evaluations a fit; a curve takes about ten, noise about a flat line any number


class Curve(NamedTuple):
    """A fit.

    Attributes:
        fit: ``sigmoid`` or ``flat``. n: points. p: of the F-test against a flat line. r2: explained share of the variance.
        bottom, bottom_low, bottom_high: asymptote at infinite dose; of a flat fit the mean.
        hill: slope. relative, relative_low, relative_high: EC50, nM. absolute, absolute_low, absolute_high: IC50, nM.
        top: asymptote at no dose. Of a flat fit hill and relative are NaN.
    """

    fit: str
    n: int
    p: float
    r2: float
    top: float
    bottom: float
    bottom_low: float
    bottom_high: float
    hill: float
    relative: float
    relative_low: float
    relative_high: float
    absolute: float
    absolute_low: float
    absolute_high: float


def logistic(dose: np.ndarray, top: float, bottom: float, half: float, hill: float) -> np.ndarray:
    """The curve at doses above zero."""
    return bottom + (top - bottom) * expit(-hill * (np.log(dose) - np.log(half)))


def fit_curve(dose: np.ndarray, y: np.ndarray, lowest: float, top: float = 1.0) -> Curve:
    """Fit one dose-response curve.

    Args:
        dose: nM, above zero. y: response. lowest: bound of the bottom.
    """
    x = np.log(dose)
    inside = (np.min(x) + np.log(1e-2), np.max(x) + np.log(1e2))
    bounds = np.transpose([inside, np.log(SLOPES), (lowest, max(top, np.max(y)))])
    misfit = lambda q: logistic(dose, top, q[2], np.exp(q[0]), np.exp(q[1])) - y
    starts = [[half, 0.0, np.clip(np.min(y), *bounds[:, 2])] for half in np.quantile(x, (0.25, 0.5, 0.75))]
    fits = [least_squares(misfit, np.clip(q, *bounds), lambda q: _slopes(x, top, q), bounds, max_nfev=TRIES) for q in starts]
    best = min(fits, key=lambda fit: fit.cost)
    residual, spread = 2.0 * best.cost, float(np.sum((y - np.mean(y)) ** 2))
    p = _f_test(residual, spread, len(y))
    r2 = 1.0 - residual / spread if spread > 0 else np.nan
    if not p < FLAT_P:
        return _flat(y, p, r2, top)
    half, slope, bottom = best.x
    error = _covariance(best, len(y))
    around = lambda value, variance: value + _t(len(y)) * np.sqrt(variance) * np.array([-1.0, 1.0])
    low, high = _exp(around(half, error[0, 0]))
    bottom_low, bottom_high = around(bottom, error[2, 2])
    absolute = _absolute(best.x, error, top, (np.min(dose), np.max(dose)), len(y))
    return Curve(
        "sigmoid", len(y), p, r2, top, bottom, bottom_low, bottom_high, np.exp(slope), np.exp(half), low, high, *absolute
    )  # fmt: skip


def _slopes(x: np.ndarray, top: float, q: np.ndarray) -> np.ndarray:
    """Derivatives of the curve at doses e^x in ln EC50, ln h and bottom."""
    half, slope, bottom = q
    z = np.exp(slope) * (x - half)
    s = expit(-z)
    steep = (top - bottom) * s * (1.0 - s)
    return np.column_stack([np.exp(slope) * steep, -z * steep, 1.0 - s])


def _exp(log: np.ndarray) -> np.ndarray:
    """Of limits that may be beyond any dose: infinite then."""
    with np.errstate(over="ignore"):
        return np.exp(log)


def _flat(y: np.ndarray, p: float, r2: float, top: float) -> Curve:
    mean, sem = float(np.mean(y)), float(np.std(y, ddof=1) / np.sqrt(len(y))) if len(y) > 1 else np.nan
    half = sem * stats.t.ppf(0.975, max(len(y) - 1, 1))
    limit = np.inf if mean > HALF else -np.inf
    none = np.nan
    return Curve("flat", len(y), p, r2, top, mean, mean - half, mean + half, none, none, none, none, limit, limit, limit)


def _absolute(q: np.ndarray, error: np.ndarray, top: float, tried: tuple[float, float], n: int) -> tuple[float, float, float]:
    """Dose at which the curve is one half, with its interval; infinite beyond the doses tried."""
    half, slope, bottom = q
    if bottom >= HALF:
        return np.inf, np.inf, np.inf
    if top <= HALF:
        return -np.inf, -np.inf, -np.inf
    hill, ratio = np.exp(slope), (top - HALF) / (HALF - bottom)
    log = half + np.log(ratio) / hill
    # derivatives of ln IC50 in ln EC50, ln h and bottom
    gradient = np.array([1.0, -np.log(ratio) / hill, 1.0 / (hill * (HALF - bottom))])
    sd = np.sqrt(max(gradient @ error @ gradient, 0.0))
    found = _exp(log + _t(n) * sd * np.array([0.0, -1.0, 1.0]))
    at, below, above = np.where(found < tried[0], -np.inf, np.where(found > tried[1], np.inf, found))
    return at, below, above


def _f_test(residual: float, spread: float, n: int) -> float:
    """P of the curve against a flat line through the mean."""
    free = n - PARAMETERS
    if free < 1 or spread <= 0.0:
        return np.nan
    if residual <= 1e-12 * spread:
        return 0.0
    return float(stats.f.sf((spread - residual) / (PARAMETERS - 1) / (residual / free), PARAMETERS - 1, free))


def _covariance(fit, n: int) -> np.ndarray:
    """Of the parameters; the pseudo-inverse gives a parameter that the data do not move, at a bound, no error."""
    return np.linalg.pinv(fit.jac.T @ fit.jac) * 2.0 * fit.cost / max(n - PARAMETERS, 1)


def _t(n: int) -> float:
    return float(stats.t.ppf(0.975, max(n - PARAMETERS, 1)))


def area_under(dose: np.ndarray, y: np.ndarray) -> float:
    """Mean of y over the logarithm of dose between the lowest and the highest, by trapezoids; GR_AOC is 1 less this.

    Args:
        dose: nM, above zero, any order; y at equal doses is averaged.
    """
    levels = np.unique(dose)
    mean = np.array([np.mean(y[dose == level]) for level in levels])
    return float(np.trapezoid(mean, np.log(levels)) / (np.log(levels[-1]) - np.log(levels[0])))


def at_highest(dose: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Mean of y at the highest dose (Emax, GRmax) with its 95 % t interval over replicates."""
    return mean_interval(y[dose == np.max(dose)])


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % t interval; of one value the limits are NaN."""
    n, mean = len(values), float(np.mean(values)) if len(values) else np.nan
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return mean, mean - half, mean + half


# ---- tables

MEASURES = {"viability": (0.0, "IC50", "EC50", "Einf", "hill", "Emax"), "GR": (-1.0, "GR50", "GEC50", "GRinf", "hill_GR", "GRmax")}


def fit_wells(wells: pd.DataFrame) -> pd.DataFrame:
    """Metrics of every line under every treatment, fitted to the means of the wells of a dose on a plate.

    Args:
        wells: line, replicate, plate, treatment, dose_nM, viability, GR; vehicle, time 0 and blanks are left out. Wells of a
            treatment at dose 0 (what it is given beside) set the top of its curves.

    Returns:
        One row a line a treatment: line, treatment, n (points), and of the viability and of the GR curve: IC50_nM and GR50_nM,
        EC50_nM and GEC50_nM, Einf and GRinf, Emax and GRmax, each with _low and _high; hill and hill_GR, top and top_GR, p and
        p_GR (F-test), r2 and r2_GR, fit and fit_GR (sigmoid or flat), AUC and GR_AOC.
    """
    tested = wells[~wells["treatment"].isin([VEHICLE, TIME_0, BLANK])]
    points = tested.groupby(["line", "treatment", "dose_nM", "replicate", "plate"], sort=False)[list(MEASURES)].mean().reset_index()
    rows = []
    for (line, treatment), group in points.groupby(["line", "treatment"], sort=False):
        alone, dosed = group[group["dose_nM"] == 0.0], group[group["dose_nM"] > 0.0]
        row = {"line": line, "treatment": treatment, "n": len(dosed)}
        for measure in MEASURES:
            top = float(alone[measure].mean()) if len(alone) else 1.0
            row |= _row(measure, dosed["dose_nM"].to_numpy(), dosed[measure].to_numpy(), top)
        rows.append(row)
    return pd.DataFrame(rows)


def _row(measure: str, dose: np.ndarray, y: np.ndarray, top: float) -> dict[str, float | str]:
    lowest, absolute, relative, bottom, hill, highest = MEASURES[measure]
    curve, suffix = fit_curve(dose, y, lowest, top), "" if measure == "viability" else "_GR"
    limits = lambda name, values: dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    in_nM = lambda name, values: {key.replace(name, f"{name}_nM"): value for key, value in limits(name, values).items()}
    area = area_under(dose, y)
    return {
        **in_nM(absolute, (curve.absolute, curve.absolute_low, curve.absolute_high)),
        **in_nM(relative, (curve.relative, curve.relative_low, curve.relative_high)),
        **limits(bottom, (curve.bottom, curve.bottom_low, curve.bottom_high)),
        **limits(highest, at_highest(dose, y)),
        hill: curve.hill,
        f"top{suffix}": curve.top,
        f"p{suffix}": curve.p,
        f"r2{suffix}": curve.r2,
        f"fit{suffix}": curve.fit,
        **({"AUC": area} if measure == "viability" else {"GR_AOC": 1.0 - area}),
    }
