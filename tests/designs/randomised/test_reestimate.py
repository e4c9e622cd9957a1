"""Sample-size re-estimation keeps the type I error and does what it is for."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.randomised.bounds import group_sequential
from trialsim.designs.randomised.conduct import Decision, Trial, play
from trialsim.designs.randomised.expected import expected
from trialsim.designs.randomised.outcomes import plain_candidates
from trialsim.designs.randomised.reestimate import Blinded, PromisingZone, conditional_power, promising, weighted_by_plan
from trialsim.designs.randomised.sizes import one_stratum
from trialsim.designs.randomised.spending import Spending

HALVES = group_sequential([0.5, 1.0], 0.025, Spending("lan_demets_obf"), power=0.9)
ZONE = PromisingZone(look=0, lowest=0.1, target=0.9, most=3.0)


def brownian(rng, drift, trials, zone=ZONE):
    """Looks at half and at a re-estimated end; scores and information, (trials, 2), plan: 1."""
    s1 = drift / 2 + np.sqrt(0.5) * rng.standard_normal(trials)
    factor = promising(zone, s1 / np.sqrt(0.5), 0.5, HALVES.upper[-1])
    rest = factor - 0.5
    s2 = s1 + drift * rest + np.sqrt(rest) * rng.standard_normal(trials)
    return np.stack([s1, s2], axis=1), np.stack([np.full(trials, 0.5), factor], axis=1), factor


def rejected(z):
    return np.mean((z >= HALVES.upper).any(axis=1))


def test_the_weights_of_the_plan_keep_the_error_and_others_do_not():
    """200,000 trials without an effect, within four standard errors (a false alarm in 16,000), with more events where the trend is
    poor: a statistic without the weights then rejects too often.
    """
    poor = PromisingZone(look=0, lowest=1e-4, target=0.3, most=5.0)
    score, variance, factor = brownian(np.random.default_rng(0), 0.0, 200_000, poor)
    error = 4 * np.sqrt(0.025 * 0.975 / 200_000)
    assert factor.max() == 5.0 and (factor > 1).mean() > 0.05
    assert rejected(weighted_by_plan(score, variance, HALVES.fraction)) == pytest.approx(0.025, abs=error)
    assert rejected(score / np.sqrt(variance)) > 0.025 + error


def test_more_events_raise_the_power_of_a_weak_effect():
    drift = 0.8 * HALVES.drift
    score, variance, _ = brownian(np.random.default_rng(1), drift, 50_000)
    assert rejected(weighted_by_plan(score, variance, HALVES.fraction)) > HALVES.power(drift) + 0.03


def test_analytic_as_planned_the_weighted_statistic_is_the_statistic():
    score = np.array([[1.0, 3.0]])
    variance = np.array([[20.0, 40.0]])
    assert weighted_by_plan(score, variance, np.array([0.5, 1.0])) == pytest.approx(score / np.sqrt(variance))
    same = np.array([[20.0, 20.0]])  # a look that adds nothing
    assert weighted_by_plan(score, same, np.array([0.5, 1.0]))[0, 1] == pytest.approx(1 / np.sqrt(20) * np.sqrt(0.5))


def test_conditional_power_of_simulated_rests():
    z, drift = 1.2, 2.5
    found = conditional_power(np.array(z), 0.5, 0.8, 2.0, np.array(drift))
    own = drift * np.sqrt(0.8) + np.random.default_rng(2).standard_normal(100_000)
    wins = np.mean(np.sqrt(0.5) * z + np.sqrt(0.5) * own >= 2.0)
    assert found == pytest.approx(wins, abs=4 * np.sqrt(0.25 / 100_000))


def test_a_promising_trial_gets_the_events_that_reach_the_target():
    z = np.linspace(-1.0, 4.0, 200)
    factor = promising(ZONE, z, 0.5, 2.0)
    reached = conditional_power(z, 0.5, factor - 0.5, 2.0)
    raised = (factor > 1) & (factor < 3)
    assert raised.any() and reached[raised] == pytest.approx(0.9)
    planned = conditional_power(z, 0.5, 0.5, 2.0)
    assert np.all(factor[(planned < 0.1) | (planned >= 0.9)] == 1.0)
    assert stats.spearmanr(z[factor > 1], factor[factor > 1]).statistic < 0  # the less promising, the more


def setting(hazard, hr=1.0):
    return one_stratum(hazard, hr, 1.0, 300.0, drop_out=0.0003)


@pytest.mark.parametrize("plan", [ZONE, Blinded(0, 700.0, 600)])
def test_the_error_is_kept_by_trials_of_patients(plan):
    trial = Trial(HALVES, np.array([80, 160]), 300, reestimation=plan)
    here = plain_candidates(np.random.default_rng(0), 2000, 900, setting(0.0017))
    played = play(np.random.default_rng(1), here, trial)
    assert played.patients.max() > 330
    assert np.mean(played.decision == Decision.EFFICACY) == pytest.approx(0.025, abs=4 * np.sqrt(0.025 * 0.975 / 2000) + 0.004)


def test_promising_trials_grow_in_events_and_patients():
    trial = Trial(HALVES, np.array([80, 160]), 300, reestimation=ZONE)
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(0), 300, 1600, setting(0.003, 0.75)), trial)
    grown = played.planned_events > 160
    assert grown.any() and np.all(played.seen[grown, 1] == played.planned_events[grown])
    assert np.all(played.patients[grown] > 300) and np.all(played.patients[~grown] == 300)
    assert played.patients[grown] == pytest.approx(300 * played.planned_events[grown] / 160, abs=3)


def test_a_blinded_look_adds_what_a_low_rate_lacks_and_nothing_otherwise():
    """160 events by day 700 need about so many patients as the expected events say."""
    plan = Blinded(0, 700.0, 900)
    trial = Trial(HALVES, np.array([60, 160]), 300, reestimation=plan)
    for hazard in (0.004, 0.0012):
        played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(0), 300, 1200, setting(hazard)), trial)
        as_planned = expected(setting(hazard), 700.0).events.sum()
        if as_planned > 200:
            assert np.all(played.patients == 300)
        else:
            assert as_planned < 140 and np.median(played.patients) > 330
            assert np.median(played.day[:, 1]) == pytest.approx(700.0, abs=40.0)


def test_patients_who_are_added_come_after_the_look():
    """Accrual of 300 ended by about day 300; the look comes later, and the added patients later still."""
    trial = Trial(HALVES, np.array([120, 160]), 300, reestimation=Blinded(0, 600.0, 400))
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(0), 100, 1500, setting(0.0015)), trial)
    assert np.all(played.day[:, 0] > 330.0) and np.any(played.patients > 300)
    before = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(0), 100, 1500, setting(0.0015)), trial._replace(
        reestimation=None
    ))  # fmt: skip
    assert np.array_equal(played.z[:, 0], before.z[:, 0]) and np.array_equal(played.seen[:, 0], before.seen[:, 0])
