"""What an assay's mistakes do, against simulation."""

import numpy as np
import pytest

from trialsim.designs.biomarker.assay import Assay, diluted_log_hr, predictive_values, read
from trialsim.designs.biomarker.candidates import plain_candidates
from trialsim.endpoints.hazards import cox

POOR = Assay(sensitivity=0.8, specificity=0.85, failure=0.1)


def test_analytic_a_perfect_assay_tells_the_truth():
    truth = np.random.default_rng(0).random((50, 40)) < 0.3
    assert np.array_equal(read(truth, Assay(), np.random.default_rng(1)), truth.astype(float))
    found = predictive_values([0.2, 0.0, 1.0], Assay())
    assert np.array_equal(found.called, [0.2, 0.0, 1.0]) and np.array_equal(found.screened, [5.0, np.inf, 1.0])
    assert np.array_equal(found.positive, [1.0, np.nan, 1.0], equal_nan=True)
    assert np.array_equal(found.negative, [1.0, 1.0, np.nan], equal_nan=True)


def test_an_assay_that_always_fails_has_no_result():
    assert np.isnan(read(np.ones(9, bool), Assay(failure=1.0), np.random.default_rng(0))).all()
    assert np.isinf(predictive_values(0.3, Assay(failure=1.0)).screened)


def test_predictive_values_agree_with_simulation():
    """400,000 samples, seed 2; four standard errors of shares of at least 90,000 (false alarm 6e-5 each)."""
    truth = np.random.default_rng(1).random(400_000) < 0.25
    told = read(truth, POOR, np.random.default_rng(2))
    found, known = predictive_values(0.25, POOR), np.isfinite(told)
    for share, of in ((found.called, told[known] == 1), (found.positive, truth[told == 1]), (found.negative, ~truth[told == 0])):
        assert abs(of.mean() - share) < 4 * np.sqrt(share * (1 - share) / len(of))
    assert len(truth) / np.sum(told == 1) == pytest.approx(float(found.screened), rel=0.01)


@pytest.mark.parametrize("prognosis", [1.0, 2.0])
def test_the_effect_in_those_called_positive_agrees_with_simulation(prognosis):
    """Cox's estimate in 150,000 patients, seed 3; four standard errors."""
    rng = np.random.default_rng(3)
    assay = Assay(0.7, 0.7)
    c = plain_candidates(1, 400_000, rng, per_month=1e6, median=100.0, prevalence=0.4, hr_positive=0.4, hr_negative=1.2,
                         prognosis=prognosis, follow_up=300.0, assay=assay)  # fmt: skip
    arm, kept = rng.random(c.marker.shape) < 0.5, c.marker == 1
    time, event = (np.where(arm, x[..., 1], x[..., 0])[kept] for x in (c.time, c.event))
    fit = cox(time, event, arm[kept])
    share = float(predictive_values(0.4, assay).positive)
    rate = np.log(2.0) / 100.0
    expected = diluted_log_hr(share, (prognosis * rate, rate), (np.log(0.4), np.log(1.2)), 300.0)
    assert abs(fit.log_hr - expected) < 4 * fit.se
    if prognosis > 1.0:  # the mean of the two log hazard ratios is then no answer
        assert abs(fit.log_hr - share * np.log(0.4) - (1 - share) * np.log(1.2)) > 4 * fit.se


def test_analytic_nothing_is_diluted_where_all_are_positive_or_effects_are_alike():
    assert diluted_log_hr(1.0, (0.01, 0.02), (-0.5, 0.3), 200.0) == pytest.approx(-0.5)
    assert diluted_log_hr(0.0, (0.01, 0.02), (-0.5, 0.3), 200.0) == pytest.approx(0.3)
    assert diluted_log_hr(0.6, (0.01, 0.01), (-0.5, -0.5), 200.0, ratio=2.0) == pytest.approx(-0.5)
    # small effects: the mean of the two
    assert diluted_log_hr(0.6, (0.01, 0.01), (-0.02, 0.0), 200.0) == pytest.approx(-0.012, rel=0.01)
