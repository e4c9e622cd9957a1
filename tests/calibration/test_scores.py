"""Scores of predictive distributions against closed forms."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from trialsim.calibration.judging import summary
from trialsim.calibration.scores import crps, inside, rank, scored


def test_crps_of_a_normal_is_the_closed_form():
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for y in (-1.0, 0.0, 2.5):
        exact = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)  # Gneiting & Raftery 2007, eq. 5
        assert crps(z, y) == pytest.approx(exact, abs=2e-4)
    assert crps(np.array([3.0]), 5.0) == 2.0


def test_times_and_ratios_are_scored_on_the_log_scale():
    draws = np.exp(np.random.default_rng(0).normal(size=4000))
    assert scored(draws, 2.0, "median_pfs") == pytest.approx(scored(10 * draws, 20.0, "median_pfs"))
    assert scored(draws, 2.0, "orr") == crps(draws, 2.0)


def test_ranks_of_what_was_drawn_from_the_same_are_uniform():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.4, 400)
    draws, values = rng.binomial(30, p[:, None], (400, 500)) / 30, rng.binomial(30, p) / 30
    ranks = [rank(x, y, 1e-9, rng) for x, y in zip(draws, values, strict=True)]
    assert kstest(ranks, "uniform").pvalue > 0.001  # false alarms: 1 in 1,000; the seed is fixed


def test_an_interval_holds_a_value_as_far_as_its_rounding_tells():
    draws = np.linspace(0.0, 1.0, 1001)
    assert inside(draws, 0.954, 90, 0.005) and not inside(draws, 0.96, 90, 0.005)


def test_the_summary_weighs_endpoints_by_their_numbers():
    import pandas as pd

    rows = []
    study = {"orr": ["A", "B", "C"], "pfs_hr": ["A"]}
    for model, orr, hr in (("statistical", 0.1, 0.2), ("mechanistic", 0.05, 0.2)):
        for endpoint, score in (("orr", orr), ("pfs_hr", hr)):
            row = {"endpoint": endpoint, "model": model, "crps": score, "inside_50": True, "inside_80": True, "inside_90": False}
            rows += [row | {"study": name} for name in study[endpoint]]
    found = summary(pd.DataFrame(rows)).set_index(["model", "endpoint"])
    assert found.loc[("mechanistic", "orr"), "ratio"] == pytest.approx(0.5)
    assert found.loc[("mechanistic", "all"), "ratio"] == pytest.approx((0.5 * 3 + 1.0 * 1) / 4)
    assert found.loc[("mechanistic", "all"), "inside_90"] == 0.0 and found.loc[("mechanistic", "all"), "inside_90_high"] < 0.7
    # every study has the same scores, so that resampling them changes only how endpoints are weighed
    whole = found.loc[("mechanistic", "orr")]
    assert whole["ratio_low"] == pytest.approx(0.5) and whole["ratio_high"] == pytest.approx(0.5)
    assert 0.5 <= found.loc[("mechanistic", "all"), "ratio_low"] < found.loc[("mechanistic", "all"), "ratio_high"] <= 1.0
