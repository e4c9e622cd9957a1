"""Cox's hazard ratio of two arms against statsmodels, weights against repeated patients."""

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg

from trialsim.endpoints.hazards import log_hazard_ratio


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    arm, stratum = rng.random(500) < 0.4, rng.integers(4, size=500)
    time = np.ceil(rng.exponential(60 * np.exp(0.5 * arm + 0.3 * stratum)) / 14)  # heavy ties, as scans give
    censored = np.ceil(rng.exponential(150, 500) / 14)
    return np.minimum(time, censored), time <= censored, arm, stratum


def statsmodels(time, event, arm, stratum=None):
    return PHReg(time, arm[:, None].astype(float), event.astype(int), ties="efron", strata=stratum).fit().params[0]


def test_independent_statsmodels_agrees_with_and_without_strata(data):
    time, event, arm, stratum = data
    once = np.ones((1, 500))
    assert log_hazard_ratio(time, event, arm, once)[0] == pytest.approx(statsmodels(time, event, arm), abs=1e-8)
    assert log_hazard_ratio(time, event, arm, once, stratum)[0] == pytest.approx(statsmodels(time, event, arm, stratum), abs=1e-8)


def test_a_weight_is_a_patient_repeated(data):
    """Exactly so without ties; with them Efron's terms use the mean weight of those tied."""
    time, event, arm, stratum = data
    weight = np.random.default_rng(1).multinomial(500, np.full(500, 1 / 500), size=3)
    for row, found in zip(weight, log_hazard_ratio(time, event, arm, weight, stratum), strict=True):
        again = np.repeat(np.arange(500), row)
        assert found == pytest.approx(statsmodels(*(x[again] for x in data)), abs=0.02)


def test_resamples_do_not_know_of_each_other(data):
    time, event, arm, _ = data
    weight = np.random.default_rng(2).multinomial(500, np.full(500, 1 / 500), size=5)
    assert np.allclose(log_hazard_ratio(time, event, arm, weight)[3], log_hazard_ratio(time, event, arm, weight[3:4])[0], atol=1e-9)


def test_the_spread_over_resamples_is_the_standard_error(data):
    time, event, arm, _ = data
    weight = np.random.default_rng(3).multinomial(500, np.full(500, 1 / 500), size=400)
    se = PHReg(time, arm[:, None].astype(float), event.astype(int), ties="efron").fit().bse[0]
    assert log_hazard_ratio(time, event, arm, weight).std() == pytest.approx(se, rel=0.15)


def test_an_arm_without_events_has_no_hazard_ratio(data):
    time, event, arm, _ = data
    assert np.isnan(log_hazard_ratio(time, event & ~arm, arm, np.ones((1, 500)))[0])
    assert log_hazard_ratio(time, event, arm, np.ones((1, 500)))[0] == pytest.approx(
        -log_hazard_ratio(time, event, ~arm, np.ones((1, 500)))[0]
    )
