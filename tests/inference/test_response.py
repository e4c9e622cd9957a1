"""The response model: exact limits, hard data, calibration against known parameters."""

from dataclasses import replace

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from trialsim.evidence import monotherapy_counts
from trialsim.inference.diagnostics import diagnose
from trialsim.inference.response import PARAMETERS, centring, draw_prior, fit_response, model_arguments
from trialsim.inference.response import model as response_model
from trialsim.inference.sampling import draw_posterior
from trialsim.inference.tables import count_patients, count_published, response_data
from trialsim.schema.inference import InferenceSettings

DEFAULT = InferenceSettings()


def one_cell(n, y):
    return pd.DataFrame({"tumour_type": ["a"], "endpoint": ["orr"], "n": [n], "y": [y]})


@pytest.mark.parametrize(("n", "y"), [(20, 3), (18, 0), (30, 30)])
def test_analytic_one_type_no_covariates_is_beta(n, y):
    """Flat prior on the rate: Beta(y + 1, n - y + 1). Tolerance: 4.5 Monte Carlo standard errors (false alarm 7e-6 each)."""
    tree = fit_response(one_cell(n, y), DEFAULT, seed=3)
    draws = tree["posterior"]["cohort_probability"].to_numpy()[..., 0].astype(float)
    exact = stats.beta(y + 1, n - y + 1)
    assert set(tree["posterior"].data_vars) == {"mu", "cell_probability", "probability", "cohort_probability"}
    error = exact.std() / np.sqrt(float(arviz_stats.ess(draws, chain_axis=0, draw_axis=1, method="mean")))
    assert abs(draws.mean() - exact.mean()) < 4.5 * error
    for probability in (0.05, 0.5, 0.95):
        size = float(arviz_stats.ess(draws, chain_axis=0, draw_axis=1, method="quantile", prob=probability))
        off = (draws <= exact.ppf(probability)).mean() - probability
        assert abs(off) < 4.5 * np.sqrt(probability * (1 - probability) / size)


HARD = {
    "no responses in a small mixed cohort": dict(n=59, rates=(1e-9, 0.6, 0.35), types=tuple("abcdefghijklmnop")),
    "one tumour type, few patients": dict(n=18, rates=(1e-9, 0.5, 0.5), types=("a",)),
    "all types alike, many patients": dict(n=5000, rates=(0.017, 0.6, 0.35), types=tuple("abcdefgh"), spread=0.0),
    "types far apart, many patients": dict(n=5000, rates=(0.05, 0.5, 0.5), types=tuple("abcdefgh"), spread=2.0),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case.startswith("all types") else []) for case in HARD]
)
def test_hard_data_are_sampled_well(make_patients, case):
    tree = fit_response(count_patients(make_patients(**HARD[case]), DEFAULT), DEFAULT, seed=1)
    verdict = diagnose(tree, DEFAULT.thresholds)
    assert verdict.ok and verdict.divergences == 0 and verdict.max_rhat < 1.01 and verdict.min_ess > 400, verdict


def test_published_counts_are_sampled_well_and_pooled():
    counts = count_published(monotherapy_counts())
    tree = fit_response(counts, DEFAULT, seed=1)
    assert diagnose(tree, DEFAULT.thresholds).ok
    means = tree["posterior"]["probability"].mean(("chain", "draw")).sel(endpoint="orr")
    raw = counts[counts["endpoint"] == "orr"].groupby("tumour_type")[["y", "n"]].sum()
    pooled = raw["y"].sum() / raw["n"].sum()
    extreme = (raw["y"] / raw["n"]).idxmax()
    assert pooled < float(means.sel(tumour_type=extreme)) < raw.loc[extreme, "y"] / raw.loc[extreme, "n"], (
        "shrunk towards the others"
    )
    assert float(means.sel(tumour_type="colorectal")) > 0, "none of 71 is not zero"


def test_groups_names_and_seeds(make_patients, quick):
    counts = count_patients(make_patients(100), quick)
    tree, again, other = (fit_response(counts, quick, seed) for seed in (5, 5, 6))
    groups = {"posterior", "sample_stats", "log_likelihood", "posterior_predictive", "prior", "prior_predictive", "observed_data"}
    assert groups <= set(tree.children)
    assert tree["posterior"]["effect"].dims == ("chain", "draw", "endpoint", "tumour_type")
    assert list(tree["posterior"]["endpoint"].to_numpy()) == ["orr", "dcr", "clinical_benefit_rate"]
    assert tree["log_likelihood"]["y"].sizes["observation"] == len(counts)
    for name in PARAMETERS:
        np.testing.assert_array_equal(tree["posterior"][name], again["posterior"][name])
        assert not np.array_equal(tree["posterior"][name], other["posterior"][name])


def test_log_likelihood_is_that_of_the_counts(make_patients, quick):
    counts = count_patients(make_patients(60), quick)
    tree, data = fit_response(counts, quick, seed=1), response_data(counts)
    p = tree["posterior"]["cell_probability"].to_numpy()[1, 7].astype(float)
    expected = stats.binom.logpmf(data.y, data.n, p[data.obs_endpoint, data.obs_cell])
    np.testing.assert_allclose(tree["log_likelihood"]["y"].to_numpy()[1, 7], expected, rtol=1e-4, atol=1e-4)


def test_centring_changes_the_sampling_and_not_the_posterior(make_patients, quick):
    data = response_data(count_patients(make_patients(400, spread=1.0), quick))
    arguments = model_arguments(data, quick)
    made = [draw_posterior(response_model, arguments | {"centring": np.full_like(arguments["centring"], w)}, quick, 1, "w")[0]
            for w in (0.0, 0.5)]  # fmt: skip
    for name in ("cohort_probability", "tau"):
        one, two = (draws[name].reshape(-1, 3).astype(float) for draws in made)
        np.testing.assert_allclose(one.mean(0), two.mean(0), atol=0.25 * one.std(0).max())


def test_mu_is_the_logit_of_an_average_patient(make_patients, quick):
    data = response_data(count_patients(make_patients(200), quick))
    arguments = model_arguments(data, quick)
    np.testing.assert_allclose(arguments["weight"] @ arguments["design"], 0.0, atol=1e-12)
    assert set(np.ptp(arguments["design"], axis=0)) == {1.0}, "a log odds ratio is that of yes against no"


def test_centring_follows_what_the_counts_say():
    n = np.full((1, 8), 500.0)
    alike, apart = np.full((1, 8), 250.0), np.linspace(50, 450, 8)[None]
    assert centring(n, alike).max() < 0.01 < 0.9 < centring(n, apart).min()
    assert centring(np.full((1, 8), 3.0), np.array([[0, 0, 1, 0, 0, 0, 0, 0.0]])).max() < 0.1
    assert np.isfinite(centring(np.array([[5.0]]), np.array([[0.0]]))).all(), "one type"


def _coverage(data, settings, sets, seed):
    """Draw truths from the prior and counts from them; how often the central 90 % interval holds the truth, by parameter."""
    rng = np.random.default_rng(seed)
    inside: dict[str, list[np.ndarray]] = {}
    for index in range(sets):
        prior = draw_prior(data, settings, rng)
        truth = {name: values[0, 0] for name, values in prior.items()}
        y = rng.binomial(data.n, truth["cell_probability"][data.obs_endpoint, data.obs_cell])
        draws, _ = draw_posterior(response_model, model_arguments(replace(data, y=y), settings), settings, index, "coverage")
        for name in ("mu", "beta", "tau", "cohort_probability"):
            low, high = np.quantile(draws[name].astype(float), (0.05, 0.95), axis=(0, 1))
            inside.setdefault(name, []).append(((low <= truth[name]) & (truth[name] <= high)).ravel())
    return {name: np.concatenate(flags) for name, flags in inside.items()}


def _within_false_alarm(flags, alarm):
    """Coverage 90 % of independent truths: both tails of the binomial at the stated false-alarm rate."""
    n = len(flags)
    return stats.binom.ppf(alarm / 2, n, 0.9) <= flags.sum() <= stats.binom.ppf(1 - alarm / 2, n, 0.9)


def test_calibration_of_the_90_percent_intervals(make_patients, quick):
    """20 data sets of the adult study's size, truths from the prior. False alarm 1e-4 for each of the parameters."""
    data = response_data(count_patients(make_patients(59), quick))
    for name, flags in _coverage(data, quick, sets=20, seed=11).items():
        assert _within_false_alarm(flags, 1e-4), (name, flags.mean(), len(flags))


@pytest.mark.slow
def test_calibration_of_the_90_percent_intervals_many(make_patients, quick):
    """The same with 200 data sets, which sees a miscalibration of a few per cent. False alarm 1e-4 each."""
    data = response_data(count_patients(make_patients(59), quick))
    for name, flags in _coverage(data, quick, sets=200, seed=12).items():
        assert _within_false_alarm(flags, 1e-4), (name, flags.mean(), len(flags))


def test_prior_in_numpy_is_the_prior_of_the_model(make_patients, quick):
    """The model without data (n = 0) samples its own prior; tolerance 4.5 standard errors of the ESS."""
    data = response_data(count_patients(make_patients(59), quick))
    arguments = model_arguments(data, quick)
    nothing = {"n": np.zeros_like(arguments["n"]), "y": np.zeros_like(arguments["y"]), "centring": 0 * arguments["centring"]}
    draws, _ = draw_posterior(response_model, arguments | nothing, quick, 1, "prior")
    prior = draw_prior(data, quick, np.random.default_rng(0))
    for name in ("mu", "tau"):
        ours = prior[name].reshape(-1, 3)
        for endpoint in range(3):
            theirs = draws[name][..., endpoint].astype(float)
            size = min(float(arviz_stats.ess(theirs, chain_axis=0, draw_axis=1)), len(ours)) / 2
            assert abs(theirs.mean() - ours[:, endpoint].mean()) < 4.5 * ours[:, endpoint].std() / np.sqrt(size)
    assert special.expit(prior["mu"]).std() == pytest.approx(1 / np.sqrt(12), abs=0.03), "uniform on the rate"
