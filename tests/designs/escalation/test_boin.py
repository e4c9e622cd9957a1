"""BOIN and TITE-BOIN against published tables, every path of a small trial, and isotonic regression of scikit-learn."""

from functools import cache

import numpy as np
import pytest
from hand_made import assert_distributed, exact_mtd, queue
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from trialsim.designs.escalation import boin
from trialsim.designs.escalation.boin import BOIN, DOWN, STAY, UP
from trialsim.designs.escalation.conduct import Conduct
from trialsim.designs.escalation.queue import plain_queue
from trialsim.designs.escalation.tite import TimeToEvent

RATES = [0.08, 0.2, 0.3, 0.5]
RULE = BOIN(target=0.3, cohort=3, max_patients=15)

# TITE-BOIN, target 0.2: patients, DLTs, not judged yet, decision without and with full follow-up of these, STFT at which it
# changes (None: it does not). Table 1 of PMC9260438 (Contemp Clin Trials Commun 2022), after Yuan et al. 2018.
TITE_TABLE = [
    (3, 0, 1, UP, UP, None), (3, 1, 2, DOWN, DOWN, None), (3, 2, 1, DOWN, DOWN, None),
    (6, 0, 3, UP, UP, None), (6, 1, 3, STAY, STAY, None), (6, 2, 4, DOWN, DOWN, None),
    (9, 0, 4, UP, UP, None), (9, 1, 2, UP, UP, None), (9, 1, 3, STAY, UP, 0.77), (9, 1, 4, STAY, UP, 2.15),
    (9, 2, 0, STAY, STAY, None), (9, 2, 1, DOWN, STAY, 0.52), (9, 2, 2, DOWN, STAY, 1.59), (9, 2, 3, DOWN, STAY, 2.66),
    (9, 2, 4, DOWN, STAY, 3.73), (9, 3, 6, DOWN, DOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(("n", "y", "c", "before", "after", "change"), TITE_TABLE)
def test_tite_decision_table(n, y, c, before, after, change):
    decide = lambda stft: boin.decide(y, n, 0.2, pending=c, stft=stft)
    assert decide(0.0) == before and decide(float(c)) == after
    if change is not None:  # printed to two decimals
        assert decide(change - 0.005) == before and decide(change + 0.005) == after


@pytest.mark.parametrize(("n", "y"), [(3, 2), (6, 3), (9, 4)])
def test_tite_table_bars_the_level(n, y):
    """ "Y&Elim" of the same table: from that number of DLTs on."""
    assert boin.barred(y, n, 0.2, 0.95) and not boin.barred(y - 1, n, 0.2, 0.95)


def test_boundaries_are_where_two_rates_are_equally_likely():
    found = boin.boundaries(0.25)
    loglik = lambda share, p: share * np.log(p) + (1 - share) * np.log(1 - p)
    assert loglik(found.lambda_e, 0.15) == pytest.approx(loglik(found.lambda_e, 0.25))
    assert loglik(found.lambda_d, 0.35) == pytest.approx(loglik(found.lambda_d, 0.25))


def test_barring_needs_three_patients():
    assert boin.decision_table(0.3, [1, 2, 3, 6]).bar.tolist() == [-1, -1, 3, 4]


def chosen(n, y, target, limit):
    """MTD of one trial, by scikit-learn's isotonic regression."""
    out = [j for j in range(len(n)) if n[j] >= 3 and stats.beta.cdf(target, 1 + y[j], 1 + n[j] - y[j]) < 1 - limit]
    tried = [j for j in range(len(n)) if n[j] > 0]
    usable = [j for j in tried if not out or j < min(out)]
    if not usable:
        return -1
    a, b = np.array([y[j] + 0.05 for j in tried]), np.array([n[j] - y[j] + 0.05 for j in tried])
    p = IsotonicRegression().fit(np.arange(len(tried)), a / (a + b), 1 / stats.beta.var(a, b)).predict(np.arange(len(tried)))
    p = dict(zip(tried, p, strict=True))
    nearest = min(abs(p[j] - target) for j in usable)
    near = [j for j in usable if abs(p[j] - target) < nearest + 1e-9]
    return max(near) if p[near[0]] < target else min(near)


def test_mtd_selection_is_isotonic_regression():
    rng = np.random.default_rng(1)
    n = rng.integers(0, 5, (500, 5)) * 3
    y = rng.binomial(n, 0.3)
    found = boin.select_mtd(y, n, 0.3)
    assert found.mtd.tolist() == [chosen(n[i], y[i], 0.3, 0.95) for i in range(500)]
    assert np.all(np.diff(np.where(n > 0, found.p, -np.inf)[(n > 0).all(axis=1)], axis=1) >= -1e-12)


def test_no_patient_no_mtd():
    assert boin.select_mtd([0, 0], [0, 0], 0.3).mtd == -1


def written_out(rule: BOIN):
    """BOIN of one trial."""

    @cache
    def decide(state):
        level, barred, n, y, _, _ = state
        phi, low, high = rule.target, 0.6 * rule.target, 1.4 * rule.target
        up = np.log((1 - low) / (1 - phi)) / np.log(phi * (1 - low) / (low * (1 - phi)))
        down = np.log((1 - phi) / (1 - high)) / np.log(high * (1 - phi) / (phi * (1 - high)))
        if n[level] >= 3 and stats.beta.cdf(phi, 1 + y[level], 1 + n[level] - y[level]) < 0.05:
            barred = min(barred, level)
        if barred == 0:
            return "stop", -1
        if sum(n) >= rule.max_patients:
            return "stop", chosen(n, y, phi, 0.95)
        share = y[level] / n[level]
        following = level + 1 if share <= up else level - 1 if share >= down else level
        return "treat", max(min(following, barred - 1), 0), min(rule.cohort, rule.max_patients - sum(n)), barred

    return decide


def test_mtd_is_distributed_as_it_must():
    """20,000 trials of 15, seed 2, against every path of the design; false alarm 1e-4."""
    patients = plain_queue(RATES, 20_000, 15, 28.0, 5.0, np.random.default_rng(2))
    found = boin.play(patients, RULE)
    assert found.decided.all()
    assert_distributed(found.mtd, exact_mtd(RATES, 3, written_out(RULE)))


def test_tite_is_boin_when_everybody_has_been_judged():
    patients = plain_queue(RATES, 2000, 15, 28.0, 5.0, np.random.default_rng(3))
    patients = patients._replace(arrival=np.broadcast_to(30.0 * np.arange(15), (2000, 15)))
    rule = RULE._replace(how=Conduct(suspend=False))
    plain, tite = boin.play(patients, rule), boin.play(patients, rule._replace(tite=TimeToEvent(28.0, 0.5)))
    for one, other in zip(plain, tite, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype == float)


def test_tite_is_quicker_and_selects_as_well():
    """Patients every five days on average: decision earlier by a fifth at least, the share of right selections within 0.06."""
    patients = plain_queue(RATES, 4000, 30, 28.0, 6.0, np.random.default_rng(4))
    rule = RULE._replace(max_patients=24)
    plain, tite = boin.play(patients, rule), boin.play(patients, rule._replace(tite=TimeToEvent(28.0, 0.5)))
    assert np.nanmean(tite.end_day) < 0.8 * np.nanmean(plain.end_day)
    assert abs(np.mean(tite.mtd == 2) - np.mean(plain.mtd == 2)) < 0.06


def test_tite_by_hand():
    """Target 0.2, three patients two days apart, no DLT. The fourth waits until half have been judged: the second, on day 30.
    Suspended meanwhile, accrual goes on with the next patient two days later, who starts at level 1."""
    rule = BOIN(target=0.2, cohort=3, max_patients=9, tite=TimeToEvent(28.0, 0.5))
    found = boin.play(queue(np.zeros((12, 3)), gap=2.0), rule)
    assert list(found.start_day[0, :4]) == [0, 2, 4, 32]
    assert list(found.level[0, :6]) == [0, 0, 0, 1, 1, 1]


def test_two_dlts_send_the_next_cohort_down_while_others_are_followed():
    """The first cohort at level 1 has two DLTs within a day; the fourth patient, two days after the third, starts at level 0."""
    dlt = np.zeros((9, 3), bool)
    dlt[:2, 1] = True
    rule = BOIN(target=0.2, cohort=3, max_patients=6, tite=TimeToEvent(28.0, 0.5))
    found = boin.play(queue(dlt, gap=2.0, dlt_day=1.0), rule._replace(how=rule.how._replace(start=1)))
    assert found.level[0, 3] == 0 and found.start_day[0, 3] == 6.0


def test_enough_at_a_level_ends_the_trial():
    patients = plain_queue(RATES, 500, 60, 28.0, 5.0, np.random.default_rng(5))
    found = boin.play(patients, RULE._replace(max_patients=45, max_at_level=9, how=RULE.how._replace(expansion=0)))
    counts = np.stack([(found.level == j).sum(axis=1) for j in range(4)], axis=1)
    assert counts.max() == 9 and np.all(counts[found.mtd >= 0].max(axis=1) == 9)
