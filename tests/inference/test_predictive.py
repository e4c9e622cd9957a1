"""The prediction for a study of the published size against closed forms."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from trialsim.evidence import PublishedEndpoint
from trialsim.inference import predictive


def tree(draws):
    """A posterior in which the population's rate has the given draws."""
    data = xr.Dataset({"cohort_probability": (("chain", "draw", "endpoint"), np.asarray(draws)[None, :, None])}, coords={"endpoint": ["dcr"]})
    return xr.DataTree.from_dict({"posterior": data})


def published(name, value, n=59):
    return PublishedEndpoint(name, value, None, None, n, "as defined", "a source")


PATIENTS = pd.DataFrame(
    {
        "replicate": np.repeat(np.arange(10), 6),
        "dose_level": np.tile([1.0, 1.0, 1.0, 2.0, 2.0, 2.0], 10),
        "dlt": np.tile([False, False, False, True, False, True], 10),
        "dlt_evaluable": np.tile([True, True, True, True, True, False], 10),
        "pfs_days": np.tile([30.0, 60.0, 90.0, 120.0, 150.0, 180.0], 10),
        "pfs_event": True,
        "os_days": 100.0,
        "os_event": False,
    }
)


def test_analytic_known_rate_gives_the_binomial():
    """With the rate known exactly, quantiles are those of Binomial(59, 0.4)/59."""
    x = predictive.rate(tree(np.full(2000, 0.4)), "dcr", 59, 20000, np.random.default_rng(1))
    for q in (0.05, 0.5, 0.95):
        assert abs(np.quantile(x, q) * 59 - stats.binom.ppf(q, 59, 0.4)) <= 1


def test_analytic_beta_posterior_gives_the_beta_binomial():
    rng = np.random.default_rng(2)
    x = predictive.rate(tree(rng.beta(9, 21, 20000)), "dcr", 30, 20000, rng)
    exact = stats.betabinom(30, 9, 21)
    assert np.mean(x * 30) == pytest.approx(exact.mean(), abs=0.1) and np.std(x * 30) == pytest.approx(exact.std(), rel=0.03)


def test_interval_and_verdict():
    found, missing = predictive.compare(
        [published("dcr", 0.61), published("median_pfs_months", 3.0, 60), published("dlt_count_2mg", 1.0, None)],
        PATIENTS, tree(np.full(500, 0.4)), None, "mg", 59, 4000, np.random.default_rng(3),
    )
    assert not found["dcr"]["inside_90"] and found["dcr"]["high_90"] < 0.61
    assert found["median_pfs_months"]["low_90"] < 105 / 30.4375 < found["median_pfs_months"]["high_90"]
    assert found["dlt_count_2mg"]["predicted"] == 1.0 and found["dlt_count_2mg"]["inside_90"]  # the third is not evaluable
    assert missing == ["orr", "clinical_benefit_rate", "median_os_months", "dlt_count_1mg"]


def test_coverage_of_the_predictive_interval():
    """A study drawn from the truth lies inside the 90 % interval in at least 90 % of cases (discreteness adds). 400 studies;
    four standard errors below 0.90 is 0.84 (false alarm 3e-5)."""
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(400):
        p = rng.uniform(0.1, 0.9)
        seen = rng.binomial(500, p)
        posterior = tree(rng.beta(1 + seen, 501 - seen, 400))
        entry = predictive._entry(published("dcr", rng.binomial(59, p) / 59), predictive.rate(posterior, "dcr", 59, 1000, rng))
        inside += entry["inside_90"]
    assert 0.84 < inside / 400 < 0.99


def test_unreached_median_is_infinite():
    x = predictive.median_months(PATIENTS, "os", 30, 20, np.random.default_rng(5))
    assert np.all(np.isinf(x))
