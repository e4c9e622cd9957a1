"""3+3 against exact probabilities, hand-played trials and the rule written out for one trial."""

import numpy as np
import pytest
from hand_made import always, assert_distributed, exact_mtd, queue

from trialsim.designs.escalation.conduct import Conduct
from trialsim.designs.escalation.played import ESCALATION, EXPANSION, PHASES
from trialsim.designs.escalation.queue import plain_queue
from trialsim.designs.escalation.three_plus_three import ThreePlusThree, mtd_probabilities, play, probability_of_escalation


def played(dlt, start=0, deescalate=True, **more):
    found = play(queue(dlt, **more), ThreePlusThree(deescalate, how=Conduct(start)))
    return type(found)(*(field[0] for field in found))


def test_mtd_is_the_level_below_certain_toxicity():
    result = played(always(26, 3))
    assert result.mtd == 2 and result.decided
    # 3 at levels 0 and 1, 3 at 2, 3 at 3 (all toxic), 3 more at 2, then expansion at 2
    assert list(result.level[:15]) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3 + [2] * 3
    assert np.all(result.level[15:] == 2) and np.all(result.phase[15:] == EXPANSION)
    assert list(result.step) == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3 + [5] * 3 + [6] * 11


def test_without_deescalation_the_level_below_is_the_mtd_as_it_stands():
    result = played(always(26, 3), deescalate=False)
    assert result.mtd == 2 and np.sum(result.phase == ESCALATION) == 12
    top = played(always(26, 4), deescalate=False)
    assert top.mtd == 3 and np.sum((top.level == 3) & (top.phase == ESCALATION)) == 3


def test_a_level_below_the_start_is_tried_before_it_is_declared():
    result = played(always(26, 2), start=2, deescalate=False)
    assert list(result.level[:6]) == [2] * 3 + [1] * 3 and result.mtd == 1


def test_no_level_is_safe():
    result = played(always(26, 0))
    assert result.mtd == -1 and result.decided
    assert np.sum(result.level == 0) == 3 and np.all(result.level[3:] == -1)


def test_highest_level_needs_six():
    result = played(always(26, 4))
    assert result.mtd == 3 and np.sum((result.level == 3) & (result.phase == ESCALATION)) == 6


def test_one_of_three_expands_to_six():
    dlt = np.zeros((26, 2), bool)
    dlt[1, 0] = True
    assert list(played(dlt).level[:7]) == [0] * 6 + [1]


def test_patients_that_cannot_be_judged_are_replaced():
    evaluable = np.ones((26, 4), bool)
    evaluable[0] = False
    assert list(played(always(26, 4), evaluable=evaluable).level[:5]) == [0, 0, 0, 0, 1]


def test_queue_may_end_before_a_decision():
    result = played(always(4, 4))
    assert result.mtd == -1 and not result.decided and np.isnan(result.end_day)


def test_the_next_cohort_waits_until_the_last_patient_of_the_one_before_has_been_judged():
    """Patients a day apart, window 28 days: the third starts on day 2, the fourth a day after accrual reopens on day 30."""
    assert list(played(always(26, 4)).start_day[:5]) == [0, 1, 2, 31, 32]
    waits = play(queue(always(26, 4)), ThreePlusThree(how=Conduct(suspend=False)))
    assert list(waits.start_day[0, :7]) == [0, 1, 2, 30, 30, 30, 58]


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_probability_of_passing_a_level(rate):
    """20,000 trials, seed 1, four standard errors (false alarm 6e-5)."""
    found = play(plain_queue([rate, 0.0], 20_000, 12, 28.0, 5.0, np.random.default_rng(1)), ThreePlusThree())
    exact = probability_of_escalation(rate)
    assert abs(np.mean((found.level == 1).any(axis=1)) - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def storer(state):
    """3+3 with de-escalation, one trial (Storer 1989)."""
    level, barred, n, y, _, _ = state
    if y[level] >= 2:
        barred, level = level, level - 1
        if level < 0 or n[level] >= 6:
            return "stop", level
    elif n[level] >= 6 or y[level] == 0:
        if level + 1 < barred:
            level += 1
        elif n[level] >= 6:
            return "stop", level
    return "treat", level, min(3, 6 - n[level]), barred


@pytest.mark.parametrize("rates", [[0.05, 0.1, 0.2, 0.3, 0.5], [0.2, 0.4, 0.6], [0.3]])
@pytest.mark.parametrize("deescalate", [True, False])
def test_mtd_is_distributed_as_it_must(rates, deescalate):
    """20,000 trials, seed 2, against every path of the rule; false alarm 1e-4 a case."""
    patients = plain_queue(rates, 20_000, 6 * len(rates), 28.0, 5.0, np.random.default_rng(2))
    exact = exact_mtd(rates, 3, storer) if deescalate else mtd_probabilities(rates)
    found = play(patients, ThreePlusThree(deescalate))
    assert found.decided.all()
    assert_distributed(found.mtd, exact)


def one_trial(dlt, evaluable, start):
    """The rule in the order of the queue, without a calendar: level, phase and cohort of each patient, MTD, decided."""
    patients, levels = dlt.shape
    given, phase, step = np.full(patients, -1), np.full(patients, "", object), np.zeros(patients, int)
    n, y = [0] * levels, [0] * levels
    nxt, cohort, level, barred = 0, 0, start, levels
    size = 3
    while True:
        cohort += 1
        toxic, left = 0, size
        while left:
            if nxt == patients:
                return given, phase, step, -1, False
            given[nxt], phase[nxt], step[nxt] = level, "escalation", cohort
            if evaluable[nxt, level]:
                n[level], y[level], left = n[level] + 1, y[level] + dlt[nxt, level], left - 1
            nxt += 1
        decision = storer((level, barred, tuple(n), tuple(y), toxic, size))
        if decision[0] == "stop":
            if decision[1] >= 0:
                given[nxt:], phase[nxt:], step[nxt:] = decision[1], "expansion", cohort + 1
            return given, phase, step, decision[1], True
        _, level, size, barred = decision


@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("suspend", [True, False])
def test_the_calendar_changes_no_decision(start, suspend):
    patients = plain_queue([0.1, 0.2, 0.3, 0.4], 1000, 26, 28.0, 3.0, np.random.default_rng(3), evaluable=0.8)
    found = play(patients, ThreePlusThree(how=Conduct(start, suspend)))
    for i in range(1000):
        level, phase, step, mtd, decided = one_trial(np.isfinite(patients.dlt_day[i]), patients.evaluable[i], start)
        assert np.array_equal(found.level[i], level) and np.array_equal(found.step[i], step)
        assert np.array_equal(PHASES[found.phase[i]], phase) and (found.mtd[i], found.decided[i]) == (mtd, decided)
