"""The dose-toxicity model rises with the dose, survives tiny data and covers known truths."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from trialsim.inference.diagnostics import diagnose
from trialsim.inference.dlt import fit_dlt
from trialsim.schema import ConfigError
from trialsim.schema.inference import InferenceSettings

DOSES = [2.1, 3.0, 5.0, 6.5]


def counts(n, y, doses=DOSES):
    return pd.DataFrame({"dose": doses, "n": n, "y": y})


@pytest.mark.parametrize(
    "data",
    [counts([3, 3, 6, 6], [0, 0, 0, 3]), counts([300] * 4, [5, 10, 40, 90]), counts([3], [0], [2.1]), counts([6] * 4, [0] * 4)],
)
def test_hard_data_are_sampled_well_and_the_curve_rises(data):
    settings = InferenceSettings()
    tree = fit_dlt(data, settings, seed=2)
    verdict = diagnose(tree, settings.thresholds)
    assert verdict.ok, verdict
    curve = tree["posterior"]["dlt_probability"].to_numpy()
    assert (np.diff(curve, axis=-1) >= 0).all() and tree["posterior"]["dlt_probability"].dims[-1] == "dose_level"


def test_strata_share_the_slope(quick):
    data = pd.concat([counts([50] * 4, [1, 3, 9, 15]).assign(stratum="a"), counts([6] * 4, [0, 0, 1, 2]).assign(stratum="b")])
    tree = fit_dlt(data, quick, seed=1)
    assert tree["posterior"]["alpha"].sizes["stratum"] == 2 and tree["posterior"]["log_slope"].dims == ("chain", "draw")
    slope = np.exp(tree["posterior"]["log_slope"].to_numpy())[..., None]
    rise = np.diff(special.logit(tree["posterior"]["dlt_probability"].to_numpy().astype(float)), axis=-1)
    np.testing.assert_allclose(rise[..., 0, :], slope * np.diff(np.log(DOSES)), rtol=2e-3)
    np.testing.assert_allclose(rise[..., 1, :], rise[..., 0, :], rtol=2e-3)


def test_calibration_of_the_90_percent_intervals(quick):
    """20 data sets with truths from the prior; alpha and log slope are covered 90 % of the time. False alarm 1e-4 each."""
    rng, prior = np.random.default_rng(5), quick.dlt_priors
    scaled = np.log(np.array(DOSES)) - np.log(DOSES).mean()
    inside = []
    for index in range(20):
        alpha = rng.normal(special.logit(prior.reference_rate), prior.intercept_sd)
        log_slope = rng.normal(prior.log_slope_mean, prior.log_slope_sd)
        y = rng.binomial(12, special.expit(alpha + np.exp(log_slope) * scaled))
        tree = fit_dlt(counts([12] * 4, y), quick, seed=index)
        found = [tree["posterior"][name].to_numpy().ravel() for name in ("alpha", "log_slope")]
        inside.append(
            [
                np.quantile(draws, 0.05) <= truth <= np.quantile(draws, 0.95)
                for draws, truth in zip(found, (alpha, log_slope), strict=True)
            ]
        )
    low, high = stats.binom.ppf([5e-5, 1 - 5e-5], 20, 0.9)
    assert (np.sum(inside, axis=0) >= low).all() and (np.sum(inside, axis=0) <= high).all(), np.mean(inside, axis=0)


@pytest.mark.parametrize("data", [counts([0], [0], [5]), counts([3], [4], [5]), counts([3], [0], [0])])
def test_impossible_counts_are_refused(data):
    with pytest.raises(ConfigError):
        fit_dlt(data, InferenceSettings(), seed=1)
