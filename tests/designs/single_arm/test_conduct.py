"""Trials played by hand, and simulated error rates against the exact ones.

Monte Carlo: 20,000 replicates, fixed seed, four standard errors (false alarm 6e-5 a comparison).
"""

import numpy as np
import pytest

from trialsim.designs.single_arm.binomial import looks, positive_probability, single_stage, stops
from trialsim.designs.single_arm.conduct import Responses, plain_responses, play
from trialsim.designs.single_arm.predictive import Prior, look_sizes, predictive_looks
from trialsim.designs.single_arm.simon import minimax, optimal, two_stage_looks

REPLICATES = 20_000
DESIGNS = {
    "single stage": single_stage(0.4, 0.6, 0.1, 0.1)[0].looks,
    "optimal": optimal(0.4, 0.6, 0.1, 0.1).looks,
    "minimax": minimax(0.4, 0.6, 0.1, 0.1).looks,
    "predictive": predictive_looks(look_sizes(10, 5, 41), 21, Prior(0.4, 0.6), 0.05, 0.97),
}


def close(share, exact):
    return abs(share - exact) <= 4 * np.sqrt(max(exact * (1 - exact), 0) / REPLICATES) + 1e-12


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("rate", [0.4, 0.6])
def test_simulated_trials_agree_with_the_exact_design(name, rate):
    design = DESIGNS[name]
    patients = plain_responses(rate, REPLICATES, 60, 4, np.random.default_rng(11))
    played, exact = play(design, patients, halt=False, replace=False), stops(design, rate)
    assert close(played.decision.mean(), exact.positive.sum())
    for k in range(len(design.n)):
        assert close((played.look == k).mean(), exact.negative[k] + exact.positive[k])
    spread = played.analysed.std() / np.sqrt(REPLICATES)
    assert abs(played.analysed.mean() - exact.expected_n) <= 4 * spread
    assert abs(played.umvue.mean() - rate) < 4 * played.umvue.std() / np.sqrt(REPLICATES)
    assert np.all(played.estimate == played.responders / played.analysed)
    assert np.all(played.stopped_early == (played.look < len(design.n) - 1))


def test_a_wrong_critical_value_would_be_seen():
    """The comparison above turns red for bounds that are off by one."""
    right, wrong = two_stage_looks(7, 18, 22, 46), two_stage_looks(7, 18, 21, 46)
    played = play(wrong, plain_responses(0.4, REPLICATES, 60, 4, np.random.default_rng(11)), halt=False, replace=False)
    assert not close(played.decision.mean(), positive_probability(right, 0.4))
    early = play(two_stage_looks(6, 18, 22, 46), plain_responses(0.4, REPLICATES, 60, 4, np.random.default_rng(11)), False, False)
    assert not close(early.stopped_early.mean(), stops(right, 0.4).negative[0])


def test_conduct_on_the_calendar_does_not_change_the_decision():
    design = DESIGNS["optimal"]
    patients = plain_responses(0.5, 500, 60, 4, np.random.default_rng(3))
    halted, going = (play(design, patients, halt, replace=False) for halt in (True, False))
    for name in ("decision", "look", "responders", "analysed", "umvue"):
        assert np.array_equal(getattr(halted, name), getattr(going, name))
    assert np.all(halted.enrolled == halted.analysed)
    assert np.all(going.enrolled >= going.analysed) and going.enrolled[going.stopped_early].mean() > 20  # 4 months of overrun
    assert np.all(going.end_day <= halted.end_day) and going.end_day.mean() < halted.end_day.mean() - 50


def one(arrival, response, known, evaluable=None):
    rows = [np.array([values], float) for values in (arrival, response, known)]
    judged = np.ones_like(rows[0], bool) if evaluable is None else np.array([evaluable], bool)
    return Responses(rows[0], rows[1].astype(bool), rows[2], judged)


def test_a_trial_played_by_hand():
    """Two of two needed at stage 1, three of four at the end. Patient 1 is known on day 110, patient 2 on day 70; accrual halts
    from day 20 to 110, so that patients 3 and 4 enter 90 days later, on days 120 and 130, and are known on days 140 and 230."""
    design = two_stage_looks(1, 2, 2, 4)
    patients = one([10, 20, 30, 40, 50], [1, 1, 0, 1, 1], [100, 50, 20, 100, 10])
    halted, going = (play(design, patients, halt, replace=False) for halt in (True, False))
    assert (halted.enrolled[0], halted.analysed[0], halted.responders[0], halted.look[0]) == (4, 4, 3, 1)
    assert halted.decision[0] and not halted.stopped_early[0]
    assert halted.end_day[0] == 230 and going.end_day[0] == 140


def test_every_halt_moves_all_later_patients():
    """One patient a look, known after 100 days: the second enters on day 120 for 20, the third on day 230 for 30."""
    design = looks([1, 2, 3], [-1, -1, 1], [2, 3, 2])
    patients = one([10, 20, 30], [1, 1, 0], [100, 100, 100])
    halted, going = (play(design, patients, halt, replace=False) for halt in (True, False))
    assert halted.end_day[0] == 330 and going.end_day[0] == 130 and halted.decision[0]


def test_overrun_is_enrolled_but_not_analysed():
    """Look 1 is known on day 110; by then all four patients that the trial may take have come."""
    patients = one([10, 20, 30, 40, 50], [1, 0, 1, 1, 1], [100, 50, 20, 100, 10])
    played = play(two_stage_looks(1, 2, 2, 4), patients, halt=False, replace=False)
    assert (played.enrolled[0], played.analysed[0], played.responders[0], played.end_day[0]) == (4, 2, 1, 110)
    assert not played.decision[0] and played.stopped_early[0]


def test_patients_who_cannot_be_judged():
    patients = one([10, 20, 30, 40, 50], [1, 1, 1, 0, 1], [100, 50, 20, 100, 10], [True, False, True, True, True])
    counted = play(two_stage_looks(0, 2, 2, 4), patients, halt=True, replace=False)
    assert (counted.enrolled[0], counted.responders[0], counted.decision[0]) == (4, 2, False)
    replaced = play(two_stage_looks(0, 2, 2, 4), patients, halt=True, replace=True)
    assert (replaced.enrolled[0], replaced.analysed[0], replaced.responders[0], replaced.decision[0]) == (5, 4, 3, True)


@pytest.mark.parametrize("rate, decision, look", [(0.0, False, 0), (1.0, True, 1)])
def test_nobody_or_everybody_responds(rate, decision, look):
    played = play(DESIGNS["optimal"], plain_responses(rate, 50, 46, 4, np.random.default_rng(0)), halt=True, replace=False)
    assert np.all(played.decision == decision) and np.all(played.look == look) and np.all(played.umvue == rate)


def test_too_few_patients_are_refused():
    patients = plain_responses(0.5, 10, 45, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="10 of 10 replicates .* 46"):
        play(DESIGNS["optimal"], patients, halt=True, replace=False)


def test_plain_responses_are_as_asked():
    """Rates within four standard errors (false alarm 6e-5 each) of 1,000 trials of 100 patients."""
    made = plain_responses(0.3, 1000, 100, 5.0, np.random.default_rng(2), known_day=112, evaluable=0.9)
    assert abs(made.response.mean() - 0.3) < 4 * np.sqrt(0.21 / 1e5) and abs(made.evaluable.mean() - 0.9) < 4 * np.sqrt(0.09 / 1e5)
    gaps = np.diff(made.arrival, axis=1) / 30.4375
    assert gaps.min() >= 0 and abs(gaps.mean() - 0.2) < 4 * 0.2 / np.sqrt(gaps.size)
    assert np.all(made.known_day == 112)
