"""Cross-validated predictions and their calibration."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from trialsim.biomarkers import models
from trialsim.biomarkers.discrimination import auc
from trialsim.biomarkers.outcome import Outcome


def drawn(n, seed=0, spread=1.0):
    """True probabilities, and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-0.5, spread, n)
    return logit, rng.random(n) < special.expit(logit)


def test_analytic_the_truth_is_calibrated():
    logit, happened = drawn(20_000)
    found = models.calibration(special.expit(logit), happened, np.ones(20_000))
    assert found["slope"] == pytest.approx(1.0, abs=0.1) and found["slope_low"] < 1 < found["slope_high"]
    assert found["intercept"] == pytest.approx(0.0, abs=0.1) and found["intercept_low"] < 0 < found["intercept_high"]
    p = special.expit(logit)
    assert found["brier"] == pytest.approx(np.mean(p * (1 - p)), abs=0.005)
    assert 0 < found["brier_scaled"] < 1


def test_analytic_predictions_twice_too_extreme_have_half_the_slope():
    logit, happened = drawn(20_000)
    assert models.calibration(special.expit(2 * logit), happened, np.ones(20_000))["slope"] == pytest.approx(0.5, abs=0.05)
    shifted = models.calibration(special.expit(logit + 1.0), happened, np.ones(20_000))
    assert shifted["intercept"] == pytest.approx(-1.0, abs=0.1)


def test_a_weight_counts_patients():
    logit, happened = drawn(400)
    p, weight = special.expit(logit), np.random.default_rng(1).integers(1, 4, 400)
    again = np.repeat(np.arange(400), weight)
    one, other = (
        models.calibration(p, happened, weight.astype(float)),
        models.calibration(p[again], happened[again], np.ones(len(again))),
    )
    for name in ("slope", "intercept", "brier"):
        assert one[name] == pytest.approx(other[name])


def test_the_curve_holds_every_patient_once_and_the_observed_share():
    logit, happened = drawn(997)
    p = special.expit(logit)
    curve = models.calibration_curve(p, happened, np.ones(997))
    assert len(curve) == 10 and curve["n"].sum() == 997 and curve["predicted"].is_monotonic_increasing
    assert np.average(curve["observed"], weights=curve["n"]) == pytest.approx(happened.mean())
    assert ((curve["low"] <= curve["observed"]) & (curve["observed"] <= curve["high"])).all()


def test_nothing_to_judge_is_told_as_such():
    assert np.isnan(models.calibration(np.full(50, 0.3), np.arange(50) < 10, np.ones(50))["slope"])
    assert models.calibration_curve(np.full(5, np.nan), np.ones(5, bool), np.ones(5)).empty


def ask(x, happened):
    asked = Outcome(np.arange(len(happened)), happened, np.ones(len(happened)))
    types = pd.Series(np.where(np.arange(len(happened)) % 2, "a", "b"))
    return auc(models.predict(x, types, asked, 5, 0), happened)


def test_noise_does_not_predict_though_there_is_much_of_it():
    """40 markers of noise would reach an AUC of 0.8 in the patients that they were fitted to."""
    rng = np.random.default_rng(2)
    found = ask(pd.DataFrame(rng.normal(size=(300, 40))), rng.random(300) < 0.4)
    assert found.low < 0.5 < found.high


def test_a_real_marker_predicts_also_where_values_are_missing():
    logit, happened = drawn(2000, spread=1.5)
    x = pd.DataFrame({"real": logit, "never": np.nan, "noise": np.random.default_rng(3).normal(size=2000)})
    whole = ask(x, happened).estimate
    assert whole == pytest.approx(auc(logit, happened).estimate, abs=0.01)
    x.loc[:600, "real"] = np.nan
    assert 0.6 < ask(x, happened).estimate < whole


def test_too_few_cases_are_not_fitted():
    assert np.isnan(ask(pd.DataFrame({"x": np.arange(100.0)}), np.arange(100) < 5).estimate)
