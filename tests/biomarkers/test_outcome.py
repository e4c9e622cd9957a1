"""Landmarks and censoring: who is asked, and what censored patients count."""

import numpy as np
import pytest
from synthetic import MEDIAN_DAYS, twins_of

from trialsim.biomarkers.discrimination import auc
from trialsim.biomarkers.outcome import censoring_weight, landmarks, outcome

HORIZON = 182.0


def ask(pairs, name="progression_free", landmark=0):
    return outcome(pairs, name, landmark, HORIZON, 56.0)


def test_the_landmark_leaves_out_who_progressed_or_was_lost_before():
    pairs = twins_of(500)
    for name in ("progression_free", "clinical_benefit", "benefit"):
        assert (pairs["pfs_days_treated"].iloc[ask(pairs, name, 61).rows] > 61).all()
    assert len(ask(pairs, "clinical_benefit").rows) == 500
    left = (pairs["pfs_days_treated"] > 61).sum()
    assert len(ask(pairs, "clinical_benefit", 61).rows) == left < 500


def test_immortal_time_makes_a_useless_marker_look_good_and_the_landmark_does_not():
    """A marker of pure noise that is "positive" once it is seen: those who live longer have more chances to be."""
    pairs = twins_of(3000, censored_after=5000.0)
    rng = np.random.default_rng(1)
    seen_on = rng.uniform(0, 120, 3000)
    positive = (seen_on < pairs["pfs_days_treated"]).astype(float)
    naive, landmark = ask(pairs), ask(pairs, landmark=120)
    assert auc(positive[naive.rows], naive.happened, naive.weight).estimate > 0.6
    found = auc(-seen_on[landmark.rows], landmark.happened, landmark.weight)
    assert found.low < 0.5 < found.high


def test_analytic_weights_undo_censoring():
    pairs = twins_of(4000, censored_after=250.0)  # from day 125 on
    found = ask(pairs)
    assert len(found.rows) < 4000  # some were censored before the horizon
    share = np.average(found.happened, weights=found.weight)
    truth = 0.5 ** (HORIZON / MEDIAN_DAYS)
    assert share == pytest.approx(truth, abs=0.03)  # 4 standard errors
    assert found.weight.sum() == pytest.approx(4000, rel=0.05)


def test_without_censoring_every_patient_counts_once():
    pairs = twins_of(200, censored_after=1e6)
    assert ask(pairs).weight.tolist() == [1.0] * 200
    nobody = censoring_weight(np.ones(3), np.ones(3, bool), np.zeros(3, bool), 10.0)
    assert nobody.tolist() == [0.0] * 3


def test_a_response_seen_before_the_landmark_is_not_foretold():
    pairs = twins_of(300)
    responders = pairs["responder_treated"].to_numpy()
    assert ask(pairs, "response").happened.sum() == responders.sum() > 0
    assert ask(pairs, "response", 61).happened.sum() == 0  # all on day 56


def test_landmarks_are_when_everybody_has_been_looked_at():
    from trialsim import compose

    config = compose("biomarkers", {"endpoint.scan_interval_weeks": 6})
    assert landmarks(config, 4) == {"baseline": 0, "biopsy": 28, "blood": 28, "scan": 47}
    assert landmarks(config, 1)["blood"] == 16  # the trough of day 15
