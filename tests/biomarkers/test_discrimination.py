"""AUC and its interval against closed forms, scikit-learn, brute force and the bootstrap."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from trialsim.biomarkers.discrimination import FEWEST, auc, roc


def binormal(n, shift, seed):
    """Marker of cases N(shift, 1), of others N(0, 1): AUC = Phi(shift / sqrt 2)."""
    rng = np.random.default_rng(seed)
    happened = rng.random(n) < 0.4
    return rng.normal(shift * happened, 1.0), happened


def delong_se(x, y):
    """Standard error of the AUC from the kernel itself, pair by pair."""
    kernel = np.sign(x[y][:, None] - x[~y][None, :]) / 2 + 0.5
    return np.sqrt(kernel.mean(axis=1).var(ddof=1) / y.sum() + kernel.mean(axis=0).var(ddof=1) / (~y).sum())


def test_analytic_binormal_auc_is_recovered():
    found = auc(*binormal(20_000, 1.0, 0))
    assert found.estimate == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.01)
    assert found.low < found.estimate < found.high and found.high - found.low < 0.02


def test_independent_estimate_is_scikit_learns_and_variance_is_delongs():
    x, y = binormal(300, 0.7, 1)
    x = np.round(x, 1)  # ties
    found = auc(x, y)
    assert found.estimate == pytest.approx(metrics.roc_auc_score(y, x), abs=1e-12)
    half = stats.norm.ppf(0.975) * delong_se(x, y) / (found.estimate * (1 - found.estimate))
    logit = np.log(found.estimate / (1 - found.estimate))
    assert found.low == pytest.approx(1 / (1 + np.exp(-(logit - half))), abs=1e-12)
    assert found.high == pytest.approx(1 / (1 + np.exp(-(logit + half))), abs=1e-12)


def test_independent_interval_is_that_of_the_bootstrap():
    x, y = binormal(250, 0.8, 2)
    rng = np.random.default_rng(3)
    draws = [metrics.roc_auc_score(y[i], x[i]) for i in rng.integers(len(x), size=(1000, len(x)))]
    found, limits = auc(x, y), np.quantile(draws, (0.025, 0.975))
    assert np.allclose([found.low, found.high], limits, atol=0.015)


def test_coverage_is_nominal():
    """300 samples of 150: 95 % +- 4.4 points holds with probability 0.9995."""
    truth = stats.norm.cdf(0.8 / np.sqrt(2))
    inside = [(found := auc(*binormal(150, 0.8, seed))).low <= truth <= found.high for seed in range(300)]
    assert abs(np.mean(inside) - 0.95) < 0.044


def test_a_weight_counts_patients():
    x, y = binormal(200, 0.5, 4)
    weight = np.random.default_rng(5).integers(0, 4, len(x))
    again = np.repeat(np.arange(len(x)), weight)
    assert auc(x, y, weight.astype(float)).estimate == pytest.approx(auc(x[again], y[again]).estimate)
    assert auc(x, y, np.full(len(x), 7.0)) == auc(x, y)


def test_the_other_side_is_the_mirror_image():
    x, y = binormal(200, 0.5, 6)
    one, other = auc(x, y), auc(-x, y)
    assert [other.estimate, other.low, other.high] == pytest.approx([1 - one.estimate, 1 - one.high, 1 - one.low])


def test_too_few_cases_and_what_was_not_measured_are_left_out():
    x, y = binormal(200, 0.5, 7)
    few = np.zeros(200, bool)
    few[: FEWEST - 1] = True
    assert np.isnan(auc(x, few).estimate)
    assert auc(np.where(np.arange(200) < 50, np.nan, x), y) == auc(x[50:], y[50:])


def test_a_perfect_marker_has_no_interval():
    y = np.arange(40) < 20
    found = auc(y.astype(float), y)
    assert found.estimate == 1.0 and np.isnan(found.low)


def test_the_area_under_the_curve_drawn_is_the_auc():
    x, y = binormal(300, 0.6, 8)
    weight = np.random.default_rng(9).random(300)
    false, true = roc(x, y, weight)
    assert (false[0], true[0], false[-1], true[-1]) == pytest.approx((0, 0, 1, 1))
    assert np.trapezoid(true, false) == pytest.approx(auc(x, y, weight).estimate)
