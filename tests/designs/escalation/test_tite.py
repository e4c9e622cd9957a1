"""Patients who are still followed: what they weigh, and when the trial waits for them."""

import numpy as np
from hand_made import queue

from trialsim.designs.escalation import boin, crm
from trialsim.designs.escalation.conduct import Conduct, Seen, conduct
from trialsim.designs.escalation.tite import TimeToEvent, too_many_pending, weights

TITE = TimeToEvent(28.0, 0.5)


def seen(level: int, judged, toxic, pending=(0, 0, 0, 0), cohort: int = 3, cohort_toxic: int = 0) -> Seen:
    """One trial of four levels with nothing barred, ten patients used; nobody's days are looked at."""
    one = lambda value: np.array([value])
    counts = (np.array([values]) for values in (judged, toxic, pending))
    return Seen(one(level), one(4), one(cohort), one(cohort_toxic), one(10), *counts, np.full((1, 1), -1), np.full((1, 1), np.nan))


def test_weight_is_the_share_of_the_window_on_the_day_of_the_decision():
    """Patients a week apart, asked after the third: 14, 7 and 0 of 28 days, at the level of the cohort; then with one judged."""
    looks = []

    def choose(now: Seen):
        looks.append((now.open_level[0].tolist(), weights(now, TITE)[0].tolist(), now.pending[0].tolist()))
        return boin.choose(now, boin.BOIN(0.2, 3, 6, tite=TITE))

    conduct(queue(np.zeros((4, 2)), gap=7.0), Conduct(suspend=False), choose, 3, whole_cohorts=False)
    assert looks[0] == ([0, 0, 0, -1], [0.5, 0.25, 0.0, 0.0], [3, 0])
    assert looks[1] == ([-1, 0, 0, -1], [0.0, 0.75, 0.5, 0.0], [2, 0])


def test_the_trial_waits_while_more_than_the_share_are_followed():
    assert too_many_pending(seen(0, [1, 0, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]), TITE)
    assert not too_many_pending(seen(0, [2, 0, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]), TITE)
    assert not too_many_pending(seen(0, [2, 0, 0, 0], [0, 0, 0, 0], [0, 9, 0, 0]), TITE)  # those at other levels are no matter


def test_coherence_holds_back_what_the_model_would_raise():
    """One DLT in fifteen at a level thought to have a rate of 0.1: the model goes up, coherence does not after one of three."""
    rule = crm.CRM(0.2, crm.Model((0.05, 0.1, 0.2, 0.35)), 3, 30)
    now = seen(1, [0, 15, 0, 0], [0, 1, 0, 0], cohort_toxic=1)
    assert crm.choose(now, rule).level[0] == 1
    assert crm.choose(now, rule._replace(coherent=False)).level[0] == 2
    assert crm.choose(now._replace(cohort=np.array([6])), rule).level[0] == 2  # one of six is less than the target
    free = seen(0, [12, 0, 0, 0], [0, 0, 0, 0])
    assert (crm.choose(free, rule).level[0], crm.choose(free, rule._replace(skipping=True)).level[0]) == (1, 3)


def test_no_level_is_opened_before_enough_have_been_judged():
    now = seen(1, [3, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], cohort=1)
    model = crm.Model((0.05, 0.1, 0.2, 0.35))
    for design, rule in ((crm, crm.CRM(0.2, model, 1, 30)), (boin, boin.BOIN(0.2, 1, 30))):
        for enough, level in ((1, 2), (2, 1)):
            assert design.choose(now, rule._replace(tite=TITE._replace(min_judged=enough))).level[0] == level
