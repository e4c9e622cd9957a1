"""Predictive against prognostic, on twins whose effects are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import twins_of

from trialsim.biomarkers import effects


def in_trial(seed, n=300, **truth):
    trial = effects.randomised(twins_of(n, seed, **truth), None, seed)
    return effects.in_trial(trial, trial["marked"].to_numpy(float), None)


def check_false_alarms(trials, n):
    """A marker that halves the hazard with and without the drug: P < 0.05 for the interaction is a false alarm, of which there are
    Binomial(trials, 0.05); the true ratio, 1, is inside its interval whenever there is none. The limit is passed by chance in 1 of
    2,000 runs, and the seeds are fixed."""
    found = [in_trial(seed, n, prognostic=np.log(0.5), log_hr=np.log(0.7)) for seed in range(trials)]
    alarms = sum(one["p"] < 0.05 for one in found)
    assert alarms <= stats.binom.ppf(0.9995, trials, 0.05)
    assert sum(one["interaction_low"] <= 1.0 <= one["interaction_high"] for one in found) == trials - alarms
    assert np.exp(np.mean(np.log([one["prognostic"] for one in found]))) == pytest.approx(0.5, rel=0.1)


def test_a_purely_prognostic_marker_is_called_predictive_at_the_nominal_rate():
    check_false_alarms(60, 150)  # at most 10


@pytest.mark.slow
def test_a_purely_prognostic_marker_is_called_predictive_at_the_nominal_rate_in_many_trials():
    check_false_alarms(1000, 300)  # at most 73


def test_a_purely_predictive_marker_is_found_and_not_called_prognostic():
    found = [in_trial(seed, n=400, interaction=np.log(0.4)) for seed in range(15)]
    assert sum(one["p"] < 0.05 for one in found) >= 13  # power 0.99
    mean = lambda name: np.exp(np.mean(np.log([one[name] for one in found])))
    assert mean("hr_positive") == pytest.approx(0.4, rel=0.12) and mean("hr_negative") == pytest.approx(1.0, rel=0.12)
    assert mean("interaction") == pytest.approx(0.4, rel=0.15) and mean("prognostic") == pytest.approx(1.0, rel=0.12)


def test_twins_tell_the_truth_with_less_noise_than_a_trial():
    pairs = twins_of(1500, 3, log_hr=np.log(0.8), interaction=np.log(0.5), prognostic=np.log(0.7))
    marked, weight = pairs["marked"].to_numpy(float), effects.resamples(1500, 200, 0)
    true = effects.in_twins(pairs, marked, weight, pairs["tumour_type"].to_numpy())
    for name, value in (("hr_positive", 0.4), ("hr_negative", 0.8), ("interaction", 0.5), ("prognostic", 0.7)):
        assert true[name] == pytest.approx(value, rel=0.1)
        assert true[f"{name}_low"] < true[name] < true[f"{name}_high"]
    trial = effects.randomised(pairs, None, 1)
    one = effects.in_trial(trial, marked, None)
    wide = lambda found, name: np.log(found[f"{name}_high"] / found[f"{name}_low"])
    assert wide(true, "hr_positive") < 0.7 * wide(one, "hr_positive")


def test_a_trial_has_each_patient_in_one_arm():
    pairs = twins_of(400, log_hr=np.log(0.5))
    trial = effects.randomised(pairs, 100, 7)
    assert len(trial) == 100 and 30 < trial["drug"].sum() < 70  # 5 standard deviations
    own = np.where(trial["drug"], trial["pfs_days_treated"], trial["pfs_days_control"])
    assert (trial["time"] == own).all()
    more = effects.randomised(pairs, None, 7)
    assert more.head(100)["drug"].tolist() == trial["drug"].tolist()


def test_few_events_are_told_as_such():
    pairs = twins_of(60, share=0.02)
    trial = effects.randomised(pairs, None, 1)
    assert np.isnan(effects.in_trial(trial, trial["marked"].to_numpy(float), None)["hr_positive"])
    assert np.isnan(effects.in_twins(pairs, pairs["marked"].to_numpy(float), effects.resamples(60, 5, 0), None)["hr_positive"])


def test_strata_that_are_the_marker_are_not_used():
    stratum = np.array(["a", "a", "b", "b"])
    assert effects.strata_for(np.array([1.0, 1.0, 0.0, 0.0]), stratum) is None
    assert effects.strata_for(np.array([1.0, 0.0, 0.0, np.nan]), stratum) is stratum


def test_holms_correction_counts_the_markers_that_were_tested():
    found = effects.adjusted(pd.Series([0.01, np.nan, 0.03, 0.04]))
    assert np.allclose(found, [0.03, np.nan, 0.06, 0.06], equal_nan=True)
    assert np.isnan(effects.adjusted(pd.Series([np.nan]))).all()
