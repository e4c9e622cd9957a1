"""3+3 against exact probabilities and hand-played trials."""

import numpy as np
import pytest

from trialsim.designs.escalation import probability_of_escalation, three_plus_three


def play(dlt_rows, start=0, evaluable=None):
    dlt = np.array(dlt_rows, bool)
    return three_plus_three(dlt, np.ones_like(dlt) if evaluable is None else np.array(evaluable, bool), start)


def always(patients, first_toxic_level, levels=4):
    dlt = np.zeros((patients, levels), bool)
    dlt[:, first_toxic_level:] = True
    return dlt


def test_mtd_is_the_level_below_certain_toxicity():
    result = play(always(26, 3))
    assert result.mtd == 2 and result.decided
    # 3 at levels 0 and 1, 3 at 2, 3 at 3 (all toxic), 3 more at 2, then expansion at 2
    assert list(result.level[:15]) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3 + [2] * 3
    assert np.all(result.level[15:] == 2) and np.all(result.phase[15:] == "expansion")


def test_no_level_is_safe():
    result = play(always(26, 0))
    assert result.mtd == -1 and result.decided
    assert np.sum(result.level == 0) == 3 and np.all(result.level[3:] == -1)


def test_highest_level_needs_six():
    result = play(always(26, 4))
    assert result.mtd == 3 and np.sum((result.level == 3) & (result.phase == "escalation")) == 6


def test_one_of_three_expands_to_six():
    dlt = np.zeros((26, 2), bool)
    dlt[1, 0] = True
    result = play(dlt)
    assert list(result.level[:7]) == [0] * 6 + [1]


def test_patients_that_cannot_be_judged_are_replaced():
    evaluable = np.ones((26, 4), bool)
    evaluable[0] = False
    assert list(play(always(26, 4), evaluable=evaluable).level[:5]) == [0, 0, 0, 0, 1]


def test_queue_may_end_before_a_decision():
    result = play(always(4, 4))
    assert result.mtd == -1 and not result.decided


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_analytic_probability_of_passing_a_level(rate):
    """Storer 1989: 0/3 or 1/3 then 0/3. 4,000 trials, seed 1, four standard errors (false alarm 6e-5)."""
    generator = np.random.default_rng(1)
    passed = [
        np.any(
            three_plus_three(np.column_stack([generator.random(12) < rate, np.zeros(12, bool)]), np.ones((12, 2), bool), 0).level
            == 1
        )
        for _ in range(4000)
    ]
    exact = probability_of_escalation(rate)
    assert abs(np.mean(passed) - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)
