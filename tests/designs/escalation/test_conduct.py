"""The calendar that all escalations share: edge cases of every design, accrual, replacement, backfilling, expansion."""

import numpy as np
import pytest
from hand_made import WINDOW, always, queue

from trialsim.designs.escalation import boin, crm, rolling_six, three_plus_three
from trialsim.designs.escalation.conduct import Backfill, Conduct
from trialsim.designs.escalation.crm_model import Model
from trialsim.designs.escalation.played import BACKFILL, ESCALATION, EXPANSION
from trialsim.designs.escalation.queue import plain_queue
from trialsim.designs.escalation.tite import TimeToEvent

TITE = TimeToEvent(WINDOW, 0.5, 1)


def rule_for(name: str, levels: int, how: Conduct):
    if name == "3+3":
        return three_plus_three, three_plus_three.ThreePlusThree(how=how)
    if name == "rolling six":
        return rolling_six, rolling_six.RollingSix(how)
    tite = TITE if name.startswith("TITE") else None
    if name.endswith("CRM"):
        model = Model(crm.skeleton(0.06, 0.25, levels // 2, levels))
        return crm, crm.CRM(0.25, model, 1 if tite else 3, 18, tite=tite, how=how)
    return boin, boin.BOIN(0.25, 3, 18, tite=tite, how=how)


DESIGNS = ["3+3", "rolling six", "CRM", "TITE-CRM", "BOIN", "TITE-BOIN"]
every_design = pytest.mark.parametrize("name", DESIGNS)


def play(name, patients, how=Conduct()):  # noqa: B008
    module, rule = rule_for(name, patients.dlt_day.shape[2], how)
    return module.play(patients, rule)


@every_design
def test_everybody_has_a_dlt(name):
    found = play(name, queue(always(30, 0)))
    assert found.decided[0] and found.mtd[0] == -1 and np.isfinite(found.end_day[0])
    assert set(found.level[0]) == {-1, 0} and not np.any(found.phase == EXPANSION)
    assert np.sum(found.level[0] == 0) <= 6


@every_design
def test_nobody_has_a_dlt(name):
    found = play(name, queue(always(40, 4)))
    assert found.decided[0] and found.mtd[0] == 3
    assert found.phase[0, -1] == EXPANSION and found.level[0, -1] == 3


@every_design
@pytest.mark.parametrize("toxic", [False, True])
def test_one_level(name, toxic):
    found = play(name, queue(always(30, 0 if toxic else 1, levels=1)))
    assert found.decided[0] and found.mtd[0] == (-1 if toxic else 0)


@every_design
def test_the_patients_run_out(name):
    found = play(name, queue(always(5, 4)))
    assert not found.decided[0] and found.mtd[0] == -1 and np.isnan(found.end_day[0])
    assert np.all(found.level[0] >= 0)


@every_design
def test_patients_who_never_come_are_never_treated(name):
    patients = queue(always(30, 4))
    arrival = patients.arrival.copy()
    arrival[:, 4:] = np.inf
    found = play(name, patients._replace(arrival=arrival))
    assert not found.decided[0] and np.sum(found.level[0] >= 0) == 4


@every_design
def test_nobody_can_be_judged(name):
    found = play(name, queue(always(30, 4), evaluable=np.zeros((30, 4), bool)))
    assert not found.decided[0] and found.mtd[0] == -1
    assert set(found.level[0]) == {0}


@pytest.mark.parametrize("name", ["CRM", "TITE-CRM", "BOIN", "TITE-BOIN"])
def test_without_replacement_the_trial_ends_without_an_mtd_if_nobody_could_be_judged(name):
    found = play(name, queue(always(30, 4), evaluable=np.zeros((30, 4), bool)), Conduct(replace=False))
    assert found.mtd[0] == -1 and np.sum(found.level[0] >= 0) == 18


@every_design
@pytest.mark.parametrize("suspend", [True, False])
def test_what_always_holds(name, suspend):
    patients = plain_queue([0.05, 0.15, 0.3, 0.5], 500, 30, WINDOW, 4.0, np.random.default_rng(1), evaluable=0.85)
    found = play(name, patients, Conduct(start=1, suspend=suspend, expansion=5))
    treated = found.level >= 0
    assert np.array_equal(treated, np.isfinite(found.start_day)) and np.array_equal(treated, found.phase > 0)
    assert np.array_equal(treated, found.step > 0)
    assert not np.any(~treated[:, :-1] & treated[:, 1:])  # in the order of the queue
    start = np.where(treated, found.start_day, np.inf)
    assert np.all(start[:, 1:] >= start[:, :-1]) and np.all(start >= np.where(treated, patients.arrival, 0))
    assert np.all(found.level[:, 0] == 1) and np.array_equal(found.decided, np.isfinite(found.end_day))
    assert np.sum(found.phase == EXPANSION, axis=1).max() == 5
    assert np.all(start[found.phase == EXPANSION] >= np.broadcast_to(found.end_day[:, None], start.shape)[found.phase == EXPANSION])
    step = np.diff(found.level, axis=1)[(found.phase[:, 1:] == ESCALATION)]
    assert step.max() == 1
    assert np.any(found.mtd == 0) and np.any(found.mtd == 2)


@every_design
def test_same_patients_same_trial_whatever_the_others_are(name):
    patients = plain_queue([0.05, 0.15, 0.3, 0.5], 20, 30, WINDOW, 4.0, np.random.default_rng(2), evaluable=0.85)
    one = type(patients)(*(None if field is None else field[7:8] for field in patients))
    for alone, among in zip(play(name, one), play(name, patients), strict=True):
        assert np.array_equal(alone[0], among[7], equal_nan=np.issubdtype(alone.dtype, np.floating))


def test_a_patient_who_leaves_is_replaced_when_that_is_known():
    """A patient a day; the first leaves on day 7: the fourth starts on the next day at the level of the cohort."""
    evaluable = np.ones((20, 3), bool)
    evaluable[0] = False
    patients = queue(always(20, 3, levels=3), evaluable=evaluable)
    found = play("BOIN", patients)
    assert list(found.start_day[0, :5]) == [0, 1, 2, 8, 37] and list(found.level[0, :5]) == [0, 0, 0, 0, 1]
    without = play("BOIN", patients, Conduct(replace=False))
    assert list(without.start_day[0, :4]) == [0, 1, 2, 31] and without.level[0, 3] == 1


def test_lower_levels_are_backfilled_while_the_next_cohort_waits():
    """A patient a day, no DLT: three at level 0; from day 33 three at level 1, and while these are followed two more at level 0."""
    how = Conduct(backfill=Backfill(cap=5, max_rate=0.3))
    found = play("BOIN", queue(always(40, 4)), how)
    assert list(found.level[0, :8]) == [0, 0, 0, 1, 1, 1, 0, 0]
    assert list(found.phase[0, :8]) == [ESCALATION] * 6 + [BACKFILL] * 2
    assert list(found.start_day[0, 5:8]) == [33, 34, 35]
    assert np.sum(found.level[0][found.phase[0] != EXPANSION] == 0) == 5
    assert np.sum(found.phase[0] == ESCALATION) == 18  # backfilling uses up no place of the escalation


def test_a_level_is_not_backfilled_above_its_limit_or_without_a_response():
    dlt = np.zeros((40, 4), bool)
    dlt[0, 0] = True  # one of six at level 0, which BOIN passes
    for limit, filled in ((0.1, False), (0.3, True)):
        found = play("BOIN", queue(dlt), Conduct(backfill=Backfill(cap=9, max_rate=limit)))
        assert found.level[0, 6] == 1
        assert np.any((found.phase[0] == BACKFILL) & (found.level[0] == 0)) == filled
    answered = np.zeros((40, 4), bool)
    answered[4, 1] = True
    needs = Conduct(backfill=Backfill(cap=9, max_rate=1.0, needs_response=True))
    found = play("BOIN", queue(always(40, 4), response=answered), needs)
    assert {int(level) for level in found.level[0][found.phase[0] == BACKFILL]} == {1, 2}
    with pytest.raises(ValueError, match="responses"):
        play("BOIN", queue(always(40, 4)), needs)


def test_dlts_of_backfilling_count_in_boin_and_not_in_three_plus_three():
    """All three backfilled at level 0 have a DLT, as has everybody at level 1. BOIN waits for them and bars level 0 too."""
    dlt = np.zeros((60, 2), bool)
    dlt[6:9, 0] = True
    dlt[:, 1] = True
    count, ignore = (Conduct(backfill=Backfill(cap=6, max_rate=0.3, counts=counts)) for counts in (True, False))
    rule = boin.BOIN(0.25, 3, 6, toxic_limit=0.85, how=count)
    counted, ignored = (boin.play(queue(dlt), rule._replace(how=how)) for how in (count, ignore))
    assert np.sum(counted.phase[0] == BACKFILL) == 3
    assert counted.mtd[0] == -1 and ignored.mtd[0] == 0
    assert three_plus_three.play(queue(dlt), three_plus_three.ThreePlusThree(how=count)).mtd[0] == 0


def test_plain_queue_is_what_it_says():
    """Virtual twins, rates, gaps, days; 20,000 patients, four standard errors (false alarm 6e-5 each)."""
    rates, n = np.array([0.1, 0.3]), 20_000
    found = plain_queue(rates, 1000, 20, WINDOW, 3.0, np.random.default_rng(5), evaluable=0.9, response_rates=[0.2, 0.2])
    toxic = np.isfinite(found.dlt_day)
    assert not np.any(toxic[..., 0] & ~toxic[..., 1])
    judged = found.evaluable[..., 0]
    assert np.all(np.abs(toxic[judged].mean(axis=0) - rates) < 4 * np.sqrt(rates * (1 - rates) / (0.9 * n)))
    assert abs(judged.mean() - 0.9) < 4 * np.sqrt(0.09 / n) and not np.any(toxic & ~found.evaluable)
    assert np.all(found.arrival[:, 0] == 0) and np.all(np.diff(found.arrival) >= 0)
    gap = 30.4375 / 3
    assert abs(np.diff(found.arrival).mean() - gap) < 4 * gap / np.sqrt(19_000)
    assert np.all(found.known_day[toxic] == found.dlt_day[toxic])
    assert np.all(found.known_day[found.evaluable & ~toxic] == WINDOW) and found.known_day[~found.evaluable].max() < WINDOW
    days = found.dlt_day[toxic]
    assert days.max() <= WINDOW and abs(days.mean() - WINDOW / 2) < 4 * WINDOW / np.sqrt(12 * n * 0.1)
    late = plain_queue(rates, 100, 20, WINDOW, 3.0, np.random.default_rng(5), latency="late")
    assert late.dlt_day.min() >= WINDOW / 2
