"""Adaptive trials: conduct, and the type I error at 20,000 replicates (fixed seeds, four standard errors, false alarm 6e-5)."""

import numpy as np
import pytest

from trialsim.designs.adaptive.outcomes import Outcomes, plain_outcomes
from trialsim.designs.adaptive.posterior import Prior
from trialsim.designs.adaptive.randomised import Rules, calibrate, play
from trialsim.designs.adaptive.selection import dunnett_critical

REPLICATES, SIZE, ALPHA = 20_000, 120, 0.05
EQUAL = Rules(
    burn_in=30, block=30, power=0.0, low=0.1, high=0.9, control_share=None, drop="none", drop_below=0.1, drop_looks=(),
    final="test", threshold=dunnett_critical(2, ALPHA), success=0.95, prior=Prior(0.5, 0.5),
)  # fmt: skip
ADAPTIVE = EQUAL._replace(power=1.0)


def outcomes(rates, replicates=2000, drift=0.0, seed=1, known_day=56.0):
    return plain_outcomes(rates, replicates, SIZE, 10, np.random.default_rng(seed), known_day, drift)


def error_of(share, exact, replicates=REPLICATES):
    """By how many standard errors a simulated share is off."""
    return (share - exact) / np.sqrt(exact * (1 - exact) / replicates)


def test_type_one_error_and_what_a_time_trend_does_to_it():
    """Equal shares keep the nominal familywise error, trend or none; adaptive shares keep it without a trend only, and the more so
    the less the control's share adapts. The critical value of a single comparison would be seen to be wrong."""
    flat, trend = (outcomes((0.4, 0.4, 0.4), REPLICATES, drift) for drift in (0.0, 2.0))
    error = lambda rules, patients: error_of(play(rules, patients, np.random.default_rng(7)).decision.mean(), ALPHA)
    assert abs(error(EQUAL, flat)) < 4
    assert error(EQUAL, trend) < 4
    assert error(ADAPTIVE, flat) < 4
    inflated, guarded = error(ADAPTIVE, trend), error(ADAPTIVE._replace(control_share=1 / 3), trend)
    assert inflated > 40 and guarded < inflated / 2
    assert error(EQUAL._replace(threshold=1.645), flat) > 10


@pytest.mark.parametrize(
    "rules",
    [
        ADAPTIVE._replace(final="posterior", power=None),
        EQUAL._replace(final="posterior", drop="predictive", drop_looks=(60, 90)),
    ],
    ids=["adaptive", "dropping"],
)
def test_a_calibrated_threshold_keeps_the_type_one_error_on_other_patients(rules):
    """Both the threshold and the error are measured at 20,000: four standard errors of a difference."""
    made = calibrate(rules, outcomes((0.4, 0.4, 0.4), REPLICATES, seed=2), ALPHA, np.random.default_rng(3))
    share = play(made, outcomes((0.4, 0.4, 0.4), REPLICATES, seed=4), np.random.default_rng(5)).decision.mean()
    assert abs(error_of(share, ALPHA)) < 4 * np.sqrt(2)


def test_adapting_treats_more_patients_with_the_better_arm():
    patients = outcomes((0.2, 0.2, 0.5))
    equal, adaptive = (play(rules, patients, np.random.default_rng(0)) for rules in (EQUAL, ADAPTIVE))
    assert equal.n.mean(axis=0) == pytest.approx([40, 40, 40], abs=4 * 5 / np.sqrt(2000))
    assert adaptive.n[:, 2].mean() > 55 and adaptive.responders.sum(axis=1).mean() > equal.responders.sum(axis=1).mean() + 3
    assert np.all(adaptive.chosen[adaptive.decision] > 0) and (adaptive.chosen == 2).mean() > 0.5
    assert np.all(equal.enrolled == SIZE) and np.all(equal.n.sum(axis=1) == SIZE)


def test_burn_in_is_balanced_and_a_fixed_control_share_is_kept():
    played = play(ADAPTIVE._replace(control_share=0.4), outcomes((0.2, 0.2, 0.5)), np.random.default_rng(0))
    for arm in range(3):
        assert np.all((played.assigned[:, :30] == arm).sum(axis=1) == 10)
        assert np.all((played.assigned[:, :3] == arm).sum(axis=1) == 1)
    assert abs((played.assigned[:, 30:] == 0).mean() - 0.4) < 4 * np.sqrt(0.24 / (2000 * 90))


def test_outcomes_not_yet_known_change_nothing():
    late = play(ADAPTIVE, outcomes((0.1, 0.1, 0.9), known_day=5000.0), np.random.default_rng(0))
    equal = play(EQUAL, outcomes((0.1, 0.1, 0.9), known_day=5000.0), np.random.default_rng(0))
    assert np.array_equal(late.assigned, equal.assigned)
    assert late.decision.mean() > 0.99  # they are known at the end
    assert np.all(late.end_day > 5000)


def test_twins_respond_in_every_arm_of_a_higher_rate():
    made = outcomes((0.2, 0.5, 0.5))
    assert np.all(made.response[..., 1] >= made.response[..., 0]) and np.array_equal(made.response[..., 1], made.response[..., 2])
    early, late = outcomes((0.4, 0.4), drift=2.0).response[..., 0][:, [0, -1]].mean(axis=0)
    assert early == pytest.approx(1 / (1 + 1.5 * np.e), abs=0.05) and late == pytest.approx(np.e / (np.e + 1.5), abs=0.05)


@pytest.mark.parametrize("drop", ["posterior", "predictive", "loser"])
def test_a_dropped_arm_gets_nobody_any_more(drop):
    rules = EQUAL._replace(drop=drop, drop_below=0.3, drop_looks=(60, 90))
    played = play(rules, outcomes((0.4, 0.2, 0.5)), np.random.default_rng(0))
    assert np.all(played.dropped_after[:, 0] == -1)
    for after in (60, 90):
        for arm in (1, 2):
            assert not np.any(played.assigned[played.dropped_after[:, arm] == after][:, after:] == arm)
    dropped = played.dropped_after[:, 1:] >= 0
    assert dropped[:, 0].mean() > dropped[:, 1].mean() and not np.any(played.better[:, 1:][dropped])
    if drop == "loser":
        assert np.all(dropped.sum(axis=1) == 1) and np.all(played.enrolled == SIZE)
    else:
        ended = dropped.all(axis=1)
        assert ended.any() and np.all(played.enrolled[ended] == played.dropped_after[ended].max(axis=1))
        assert np.all(played.enrolled[~ended] == SIZE) and not np.any(played.decision[ended])


@pytest.mark.parametrize("everybody", [False, True])
def test_nobody_or_everybody_responds(everybody):
    shape = (200, SIZE, 3)
    arrival = np.broadcast_to(np.arange(SIZE, dtype=float), shape[:2])
    patients = Outcomes(arrival, np.full(shape, everybody), np.full(shape, 10.0))
    for rules in (ADAPTIVE, ADAPTIVE._replace(final="posterior", threshold=0.95)):
        played = play(rules, patients, np.random.default_rng(0))
        assert not played.decision.any() and np.all(played.chosen == -1) and np.all(np.isfinite(played.evidence[:, 1:]))
        assert np.all(played.responders == (played.n if everybody else 0)) and np.all(played.end_day == SIZE - 1 + 10)


def test_looks_between_updates_are_refused():
    with pytest.raises(ValueError, match="drop_looks"):
        play(EQUAL._replace(drop="loser", drop_looks=(61,)), outcomes((0.4, 0.4), 5), np.random.default_rng(0))
