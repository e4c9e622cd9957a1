"""Fits of dose-response curves: recovery of known ones, and what is not known is not told."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialsim.assays import metrics
from trialsim.assays.metrics import fit_curve, fit_wells, logistic

DOSES = np.geomspace(0.01, 100.0, 9)
REPEATED = np.repeat(DOSES, 3)


@pytest.mark.parametrize(("bottom", "half", "hill"), [(-0.4, 0.3, 1.0), (0.2, 3.0, 2.0), (0.45, 0.08, 0.7)])
def test_an_exact_curve_is_recovered(bottom, half, hill):
    found = fit_curve(DOSES, logistic(DOSES, 1.0, bottom, half, hill), -1.0)
    assert found.fit == "sigmoid" and found.p < 1e-6 and found.r2 == pytest.approx(1.0)
    assert (found.bottom, found.relative, found.hill) == pytest.approx((bottom, half, hill), rel=1e-3)
    # GR50 = GEC50 ((1 - GRinf) / (1/2 - GRinf) - 1)^(1/h), Hafner 2016
    assert found.absolute == pytest.approx(half * ((1 - bottom) / (0.5 - bottom) - 1) ** (1 / hill), rel=2e-3)
    assert found.absolute_low == pytest.approx(found.absolute, rel=0.01) and found.relative_high == pytest.approx(half, rel=0.01)


def test_an_absolute_potency_beyond_the_doses_is_not_told():
    above = fit_curve(DOSES, logistic(DOSES, 1.0, 0.0, 300.0, 1.0), 0.0)
    assert above.fit == "sigmoid" and above.absolute == above.absolute_high == np.inf
    shallow = fit_curve(DOSES, logistic(DOSES, 1.0, 0.6, 1.0, 1.0), 0.0)
    assert shallow.absolute == np.inf and shallow.relative == pytest.approx(1.0, rel=1e-3)
    below = fit_curve(DOSES, logistic(DOSES, 0.4, 0.1, 1.0, 1.0), 0.0, top=0.4)
    assert below.absolute == -np.inf and below.relative == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(("level", "limit"), [(1.0, np.inf), (0.2, -np.inf)])
def test_noise_about_a_line_is_a_flat_fit_without_potency(level, limit):
    y = level + 0.05 * np.random.default_rng(2).standard_normal(len(REPEATED))
    found = fit_curve(REPEATED, y, -1.0)
    assert found.fit == "flat" and found.p > 0.05
    assert np.isnan(found.relative) and np.isnan(found.hill) and found.absolute == limit
    assert found.bottom_low < level < found.bottom_high


def test_too_few_points_and_no_variance_are_flat():
    assert fit_curve(DOSES[:3], np.array([1.0, 0.6, 0.2]), 0.0).fit == "flat"
    assert fit_curve(DOSES, np.ones(9), 0.0).fit == "flat"


def test_intervals_cover_the_truth_as_often_as_they_say():
    """120 noisy curves: coverage of 95 % intervals within the binomial limits of a false-alarm rate of 1e-3."""
    rng, n, truth = np.random.default_rng(7), 120, 1.0 * ((1 - 0.1) / (0.5 - 0.1) - 1) ** (1 / 1.2)
    inside = 0
    for _ in range(n):
        y = logistic(REPEATED, 1.0, 0.1, 1.0, 1.2) + 0.05 * rng.standard_normal(len(REPEATED))
        found = fit_curve(REPEATED, y, -1.0)
        inside += found.absolute_low < truth < found.absolute_high
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], n, 0.95)
    assert low <= inside <= high


def test_the_f_test_finds_flat_lines_as_often_as_it_says():
    """Of 120 flat ones at most 5 % and chance are called curves; the fit has a third parameter, so the test is a little strict."""
    rng, n = np.random.default_rng(8), 120
    called = sum(fit_curve(REPEATED, 1 + 0.05 * rng.standard_normal(len(REPEATED)), -1.0).fit == "sigmoid" for _ in range(n))
    assert called <= stats.binom.ppf(1 - 1e-3, n, 0.1)


def test_area_and_largest_effect_are_those_of_the_means():
    y = np.interp(np.log(REPEATED), np.log([0.01, 100.0]), [1.0, 0.0])
    assert metrics.area_under(REPEATED, y) == pytest.approx(0.5)
    assert metrics.at_highest(np.array([1.0, 2.0, 2.0]), np.array([9.0, 0.2, 0.4]))[0] == pytest.approx(0.3)
    assert metrics.mean_interval(np.array([0.2, 0.4]))[2] == pytest.approx(0.3 + stats.t.ppf(0.975, 1) * 0.1)
    assert np.isnan(metrics.mean_interval(np.array([0.2]))[1])


def test_wells_are_fitted_by_line_and_treatment_on_the_means_of_a_plate():
    rows = [
        {"line": line, "replicate": r, "plate": f"{line}-{r}", "treatment": treatment, "dose_nM": dose, "copy": copy}
        for line in ("a", "b") for r in (1, 2) for treatment in ("x", "y")
        for dose in ([0.0] if treatment == "y" else []) + [*DOSES] for copy in (0, 1)
    ]  # fmt: skip
    wells = pd.DataFrame([*rows, rows[0] | {"treatment": "vehicle"}, rows[0] | {"treatment": "blank"}])
    top = np.where(wells["treatment"] == "y", 0.7, 1.0)
    shift = np.where(wells["copy"] == 0, 0.01, -0.01)  # copies average out
    dose = wells["dose_nM"].where(wells["dose_nM"] > 0, 1e-9)
    wells["GR"] = logistic(dose, top, -0.2, np.where(wells["line"] == "a", 1.0, 5.0), 1.0) + shift
    wells["viability"] = logistic(dose, top, 0.1, np.where(wells["line"] == "a", 2.0, 6.0), 1.0) + shift
    fits = fit_wells(wells).set_index(["line", "treatment"])
    assert len(fits) == 4 and (fits["n"] == 18).all()
    assert fits["GEC50_nM"].to_dict() == pytest.approx({place: 1.0 if place[0] == "a" else 5.0 for place in fits.index}, rel=1e-3)
    assert fits.loc[("a", "x"), "EC50_nM"] == pytest.approx(2.0, rel=1e-3)
    assert fits.loc[("a", "y"), "top_GR"] == pytest.approx(0.7) and fits.loc[("a", "x"), "top_GR"] == 1.0
    assert (fits["GR_AOC"] > 0.3).all() and (fits["fit_GR"] == "sigmoid").all()
