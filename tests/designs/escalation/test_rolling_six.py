"""Rolling six against its published decision table and hand-played trials."""

import numpy as np
import pytest
from hand_made import always, queue

from trialsim.designs.escalation.conduct import Conduct
from trialsim.designs.escalation.played import ESCALATION
from trialsim.designs.escalation.queue import plain_queue
from trialsim.designs.escalation.rolling_six import DOWN, STAY, UP, WAIT, RollingSix, decide, play
from trialsim.designs.escalation.three_plus_three import ThreePlusThree
from trialsim.designs.escalation.three_plus_three import play as play_three_plus_three

# enrolled, judged, DLTs, decision: column "rolling 6" of Table 2 of Frankel et al., JAMA Netw Open 2020;3:e204787 (PMC7221509),
# the rule of Skolnik et al. 2008; a range of the table is written as its ends
TABLE = [
    (1, 0, 0, STAY), (5, 0, 0, STAY), (6, 0, 0, WAIT),
    (1, 1, 0, STAY), (5, 1, 0, STAY), (6, 1, 0, WAIT),
    (2, 2, 0, STAY), (5, 2, 0, STAY), (6, 2, 0, WAIT),
    (3, 3, 0, UP), (4, 3, 0, STAY), (5, 3, 0, STAY), (6, 3, 0, WAIT),
    (4, 4, 0, UP), (5, 4, 0, STAY), (6, 4, 0, WAIT),
    (5, 5, 0, UP), (6, 5, 0, UP), (6, 6, 0, UP),
    (1, 1, 1, STAY), (5, 1, 1, STAY), (5, 5, 1, STAY),
    (6, 1, 1, WAIT), (6, 3, 1, WAIT), (6, 4, 1, WAIT), (6, 5, 1, WAIT), (6, 6, 1, UP),
    (2, 2, 2, DOWN), (6, 2, 2, DOWN), (6, 6, 2, DOWN), (3, 3, 3, DOWN), (6, 4, 3, DOWN),
]  # fmt: skip


@pytest.mark.parametrize(("enrolled", "judged", "toxic", "decision"), TABLE)
def test_decision_table(enrolled, judged, toxic, decision):
    assert decide(toxic, judged - toxic, enrolled - judged) == decision


def test_nobody_waits_until_six_have_started():
    """A patient a day, no DLT: six at the first level; accrual reopens on day 32, as the fifth is judged free of DLT."""
    found = play(queue(always(26, 4)), RollingSix())
    assert list(found.level[0, :12]) == [0] * 6 + [1] * 6
    assert list(found.start_day[0, :8]) == [0, 1, 2, 3, 4, 5, 33, 34]
    assert list(found.step[0, :7]) == [1] * 6 + [2]


def test_three_judged_open_the_next_level_for_the_fourth():
    """A patient every 40 days: each is judged before the next one comes."""
    found = play(queue(always(26, 4), gap=40.0), RollingSix())
    assert list(found.level[0, :15]) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 6
    assert found.mtd[0] == 3 and np.sum(found.phase[0] == ESCALATION) == 14
    assert found.end_day[0] == 13 * 40 + 28  # the fifth at the highest level, the fourteenth of all, has been judged


def test_the_decision_does_not_wait_for_what_cannot_change_it():
    """Six a day apart at the only level: with five free of DLT the sixth result is not waited for."""
    found = play(queue(always(26, 1, levels=1)), RollingSix())
    assert found.mtd[0] == 0 and found.end_day[0] == 4 + 28


def test_two_dlts_bar_the_level_and_the_one_below_is_filled_up():
    """40 days apart, level 1 toxic: 3, then 2 at level 1 (two DLTs), 2 more below, five free of DLT there."""
    found = play(queue(always(26, 1), gap=40.0), RollingSix())
    assert list(found.level[0, :8]) == [0] * 3 + [1] * 2 + [0] * 3
    assert found.mtd[0] == 0 and np.sum(found.phase[0] == ESCALATION) == 7
    assert list(found.step[0, :9]) == [1] * 3 + [2] * 2 + [3] * 2 + [4] * 2


def test_who_cannot_be_judged_is_replaced_by_the_next():
    evaluable = np.ones((26, 4), bool)
    evaluable[2] = False
    found = play(queue(always(26, 4), gap=40.0, evaluable=evaluable), RollingSix())
    assert list(found.level[0, :5]) == [0, 0, 0, 0, 1]


def test_the_mtd_has_at_most_one_dlt_in_six_and_comes_sooner_than_by_three_plus_three():
    patients = plain_queue([0.05, 0.15, 0.3, 0.5], 4000, 40, 28.0, 3.0, np.random.default_rng(4), evaluable=0.9)
    found = play(patients, RollingSix())
    other = play_three_plus_three(patients, ThreePlusThree())
    has = found.mtd >= 0
    at = (found.level == found.mtd[:, None]) & (found.phase == ESCALATION)
    own = np.maximum(found.level, 0)[..., None]
    judged = at & np.take_along_axis(patients.evaluable, own, axis=2)[..., 0]
    toxic = at & np.isfinite(np.take_along_axis(patients.dlt_day, own, axis=2)[..., 0])
    early = at & (np.nan_to_num(found.start_day) + 28 > found.end_day[:, None])  # the sixth may still be followed
    assert np.all((judged & ~toxic & ~early).sum(axis=1)[has] >= 5)
    assert np.all((toxic & ~early).sum(axis=1)[has] <= 1)
    both = found.decided & other.decided
    assert both.mean() > 0.9
    assert found.end_day[both].mean() < 0.9 * other.end_day[both].mean()


def test_patients_who_wait_start_together():
    found = play(queue(always(26, 4)), RollingSix(Conduct(suspend=False)))
    assert list(found.start_day[0, 6:12]) == [32.0] * 6
