"""A bad fit must be called bad."""

import numpy as np
import pytest
import xarray as xr

from trialsim.inference.diagnostics import combine, diagnose, predictive_p
from trialsim.schema.inference import DiagnosticThresholds

THRESHOLDS = DiagnosticThresholds()
N, CHAINS, DRAWS = 8, 4, 800


def fit(mu=None, diverging=0, y=None, seed=0):
    """A tree as the fits make it: mu ~ posterior of a common rate over eight cells of 40 patients."""
    rng = np.random.default_rng(seed)
    mu = rng.normal(0.0, 0.1, (CHAINS, DRAWS)) if mu is None else mu
    p = 1 / (1 + np.exp(-mu))[..., None] * np.ones(N)
    y = rng.binomial(40, 0.5, N) if y is None else np.asarray(y)
    loglik = y * np.log(p) + (40 - y) * np.log1p(-p)
    flags = np.zeros((CHAINS, DRAWS), bool)
    flags[0, :diverging] = True
    dims = ("chain", "draw")
    cells = {"observation": np.arange(N)}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mu": (dims, mu)}),
            "sample_stats": xr.Dataset({"diverging": (dims, flags), "energy": (dims, rng.normal(size=(CHAINS, DRAWS)))}),
            "log_likelihood": xr.Dataset({"y": ((*dims, "observation"), loglik)}, coords=cells),
            "posterior_predictive": xr.Dataset({"y": ((*dims, "observation"), rng.binomial(40, p))}, coords=cells),
            "observed_data": xr.Dataset({"y": ("observation", y)}, coords=cells),
            "constant_data": xr.Dataset({"n": ("observation", np.full(N, 40))}, coords=cells),
        }
    )


def test_a_good_fit_is_good():
    verdict = diagnose(fit(), THRESHOLDS)
    assert verdict.ok and verdict.max_rhat < 1.01 and verdict.min_ess > 2000 and not verdict.messages


def test_a_chain_in_another_mode_is_caught():
    rng = np.random.default_rng(1)
    mu = rng.normal(0.0, 0.1, (CHAINS, DRAWS))
    mu[0] += 1.0
    verdict = diagnose(fit(mu), THRESHOLDS)
    assert not verdict.ok and any("R-hat" in text for text in verdict.messages)


def test_a_sticky_chain_is_caught():
    rng = np.random.default_rng(2)
    mu = np.repeat(rng.normal(0.0, 0.1, (CHAINS, DRAWS // 40)), 40, axis=1)
    verdict = diagnose(fit(mu), THRESHOLDS)
    assert not verdict.ok and any("effective sample size" in text for text in verdict.messages)


def test_one_divergence_is_caught_and_says_what_to_do():
    verdict = diagnose(fit(diverging=1), THRESHOLDS)
    assert not verdict.ok and verdict.divergences == 1 and "inference.target_accept" in verdict.messages[0]


def test_counts_that_the_model_cannot_make_are_caught():
    """Eight cells of one rate cannot give 2 and 38 of 40 by turns."""
    verdict = diagnose(fit(y=[2, 38] * 4), THRESHOLDS)
    assert not verdict.ok and verdict.predictive_p < 0.001


def test_predictive_p_is_not_small_when_the_model_is_right():
    """Conservative: over 40 data sets the smallest p stays above 0.001 (false alarm below 0.04)."""
    assert min(predictive_p(fit(seed=seed)) for seed in range(40)) > 0.001


def test_one_bad_fit_spoils_the_run():
    together = combine({"a": diagnose(fit(), THRESHOLDS), "b": diagnose(fit(diverging=3), THRESHOLDS)})
    assert not together["ok"] and together["divergences"] == 3 and together["messages"][0].startswith("b:")
    assert combine({"a": diagnose(fit(), THRESHOLDS)})["ok"]
    assert not combine({"a": diagnose(fit(), THRESHOLDS)}, ("numerical error",))["ok"]


@pytest.mark.parametrize("name", ["max_rhat", "min_ess", "divergences"])
def test_verdict_has_the_keys_of_the_summary(name):
    assert name in diagnose(fit(), THRESHOLDS).as_dict()
