"""Basket trials against exact enumeration, hand-played trials and their own calibration."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.basket.hyperpriors import HalfNormal
from trialsim.designs.basket.models import Independent, Pooled, berry, posterior, prepare
from trialsim.designs.basket.operating import calibrate, plain_responses
from trialsim.designs.basket.trial import BasketDesign, Futility, Responses, play, predictive

K = 5
NULL = np.full(K, 0.1)
INDEPENDENT = Independent(np.full(K, 0.1), np.full(K, 0.9))
BERRY = berry(np.full(K, 0.3), -1.35, 3.18, HalfNormal(1.0))
REPLICATES = 20_000
FUTILITY = Futility("posterior", 0.1, np.full(K, 0.2))


def design(model=INDEPENDENT, caps=25, gamma=0.9, looks=(10, 18), futility=FUTILITY, **more):
    full = dict(caps=np.full(K, caps), gamma=np.full(K, gamma), least_estimate=np.zeros(K), looks=looks, futility=futility)
    return BasketDesign(model, NULL, **(full | more))


def exact(rate, caps, gamma, looks, below, efficacy=2.0):
    """Probability of success and expected patients of one basket by itself, by recursion over the looks."""
    tail = lambda cut, y, n: stats.beta.sf(cut, 0.1 + y, 0.9 + n - y)
    alive, before, success, size = np.ones(1), 0, 0.0, 0.0
    for n in (*looks, caps):
        grown = np.convolve(alive, stats.binom.pmf(np.arange(n - before + 1), n - before, rate))
        y, before = np.arange(n + 1), n
        if n == caps:
            return success + grown[tail(0.1, y, n) > gamma].sum(), size + n * grown.sum()
        wins = tail(0.1, y, n) > efficacy
        ends = wins | (tail(0.2, y, n) < below)
        success, size = success + grown[wins].sum(), size + n * grown[ends].sum()
        alive = np.where(ends, 0.0, grown)
    raise AssertionError


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_analytic_independent_baskets(rate):
    """Type I error, power and size, 20,000 trials of five baskets, seed 1, four errors (false alarm 1e-3). A threshold that is
    wrong by one responder is seen.
    """
    responses = plain_responses(np.full(K, rate), 25, REPLICATES, np.random.default_rng(1))
    played = play(design(efficacy=0.999), responses)
    success, size = exact(rate, 25, 0.9, (10, 18), 0.1, 0.999)
    error = np.sqrt(success * (1 - success) / REPLICATES)
    assert np.all(np.abs(played.positive.mean(axis=0) - success) < 4 * error)
    assert np.all(np.abs(played.enrolled.mean(axis=0) - size) < 4 * played.enrolled.std(axis=0) / np.sqrt(REPLICATES))
    for wrong in (exact(rate, 25, 0.97, (10, 18), 0.1, 0.999)[0], exact(rate, 25, 0.9, (10, 18), 0.3, 0.999)[0]):
        assert np.all(np.abs(played.positive.mean(axis=0) - wrong) > 4 * error)


@pytest.mark.parametrize("error", [pytest.param("basket", marks=pytest.mark.slow), "family"])
def test_calibrated_error_holds_in_new_trials(error):
    """Berry's model; calibrated on 20,000 trials (seed 2), tried on 20,000 others (seed 3): four errors of the difference."""
    null = plain_responses(NULL, 25, REPLICATES, np.random.default_rng(2))
    start = design(BERRY, looks=(12,) if error == "basket" else ())
    gamma = calibrate(start, null, 0.1, error)
    fresh = play(start._replace(gamma=gamma), plain_responses(NULL, 25, REPLICATES, np.random.default_rng(3)))
    found = fresh.positive.any(axis=1).mean() if error == "family" else fresh.positive.mean(axis=0)
    assert np.all(np.abs(found - 0.1) < 4 * np.sqrt(0.09 * 2 / REPLICATES) + 0.002)  # and the steps of a discrete statistic
    stricter = play(start._replace(gamma=gamma + 0.03), null).positive
    assert np.all((stricter.any(axis=1) if error == "family" else stricter).mean(axis=0) < 0.09)


def test_analytic_calibration_of_a_beta_model():
    """One look at the end: the smallest number of responders whose tail is at most alpha."""
    null = plain_responses(NULL, 25, REPLICATES, np.random.default_rng(4))
    gamma = calibrate(design(looks=(), futility=None), null, 0.1)
    first = np.argmax(stats.binom.sf(np.arange(25) - 1, 25, 0.1) <= 0.1)
    tail = lambda y: stats.beta.sf(0.1, 0.1 + y, 25.9 - y)
    assert np.all((tail(first - 1) <= gamma + 1e-12) & (gamma < tail(first)))


def test_calibration_says_when_it_cannot():
    null = plain_responses(NULL, 25, 500, np.random.default_rng(4))
    with pytest.raises(ValueError, match="interim threshold"):
        calibrate(design(efficacy=0.2), null, 0.01)
    with pytest.raises(ValueError, match="binding=False"):
        calibrate(design(futility=Futility("predictive", 0.05)), null, 0.1)


def test_analytic_predictive_probability():
    """Beta-binomial sum for a basket by itself; for the pooled model with the other baskets as they stand."""
    y, n, k, full = np.array([[3, 1, 2, 0, 1]]), np.array([[12, 10, 9, 0, 11]]), np.array([0]), np.array([25])
    x = np.arange(14)
    ready = prepare(INDEPENDENT, NULL)
    success = stats.beta.sf(0.1, 3.1 + x, 0.9 + 22 - x) > 0.9
    found = predictive(ready, posterior(ready, y, n), y, n, k, full, np.full(K, 0.9))
    assert found[0] == pytest.approx(stats.betabinom.pmf(x, 13, 3.1, 9.9)[success].sum())
    ready = prepare(Pooled(0.1, 0.9), NULL)
    success = stats.beta.sf(0.1, 7.1 + x, 0.9 + 48 - x) > 0.9
    found = predictive(ready, posterior(ready, y, n), y, n, k, full, np.full(K, 0.9))
    assert found[0] == pytest.approx(stats.betabinom.pmf(x, 13, 7.1, 35.9)[success].sum())
    everything = predictive(prepare(BERRY, NULL), posterior(prepare(BERRY, NULL), y, n), y, n, k, full, np.full(K, -1.0))
    assert everything[0] == pytest.approx(1.0, abs=1e-3)  # the predictive distribution adds up to 1


def test_predictive_futility_stops_hopeless_baskets():
    rule = design(looks=(10,), futility=Futility("predictive", 0.05))
    played = play(rule, plain_responses(NULL, 25, 2000, np.random.default_rng(6)))
    x = np.arange(16)
    hopeless = np.array([
        stats.betabinom.pmf(x, 15, 0.1 + y, 10.9 - y)[stats.beta.sf(0.1, 0.1 + y + x, 25.9 - y - x) > 0.9].sum() < 0.05
        for y in range(11)
    ])  # fmt: skip
    assert hopeless[0] and not hopeless[3]
    at_look = played.stopped_look == 1
    assert np.array_equal(np.unique(played.responders[at_look]), np.flatnonzero(hopeless))


def one_trial(basket, response, delay=0.0, evaluable=None):
    basket = np.array([basket])
    arrival = np.arange(1.0, basket.shape[1] + 1)[None]
    judged = np.ones(basket.shape, bool) if evaluable is None else np.array([evaluable], bool)
    return Responses(basket, arrival, np.array([response], bool), arrival + delay, judged)


def pair(looks=(2,), caps=4, **more):
    rule = Futility("posterior", 0.5, np.full(2, 0.4))
    model = Independent(np.full(2, 0.5), np.full(2, 0.5))
    return BasketDesign(model, np.full(2, 0.1), np.full(2, caps), np.full(2, 0.9), np.zeros(2), looks, rule, **more)


def test_hand_played_stop_ends_accrual_of_its_basket_only():
    # basket 0: two failures, stopped on day 3; basket 1: two responses, goes on to four
    played = play(pair(), one_trial([0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 1, 0, 1, 0]))
    assert played.enrolled.tolist() == [[2, 4]] and played.stopped_look.tolist() == [[1, 0]]
    assert played.responders.tolist() == [[0, 2]] and played.positive.tolist() == [[False, True]]
    assert played.end_day.tolist() == [8.0]
    assert played.probability[0, 0] == pytest.approx(stats.beta.sf(0.1, 0.5, 2.5))


def test_hand_played_outcomes_that_are_late():
    # outcomes after 2.5 days: the look at basket 0 (patients of days 1 and 2) is on day 4.5; days 3 and 4 are enrolled meanwhile
    flow = one_trial([0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1], delay=2.5)
    overrun = play(pair(caps=6), flow)
    assert overrun.enrolled[0, 0] == 4 and overrun.responders[0, 0] == 2 and overrun.stopped_look[0, 0] == 1
    held = play(pair(caps=6, hold=True), flow)
    assert held.enrolled[0, 0] == 2 and held.stopped_look[0, 0] == 1
    waits = play(pair(caps=3, hold=True)._replace(futility=None), flow)
    assert waits.enrolled[0, 0] == 3 and waits.end_day[0] == 7.5  # days 3 and 4 turned away, day 5 taken, known on 7.5


def test_patients_that_cannot_be_judged_are_replaced_and_count_as_enrolled():
    played = play(pair(looks=(), caps=2), one_trial([0, 0, 0, 0], [1, 1, 0, 1], evaluable=[0, 1, 1, 1]))
    assert played.enrolled[0, 0] == 3 and played.evaluable[0, 0] == 2 and played.responders[0, 0] == 1


def test_a_basket_without_patients_is_never_positive():
    model = berry(np.full(2, 0.3), 0.0, 2.0, HalfNormal(0.1))
    rule = pair(looks=(), caps=20)._replace(model=model, futility=None)
    played = play(rule, one_trial([0] * 20, [1] * 20))
    assert played.positive.tolist() == [[True, False]] and played.probability[0, 1] > 0.95
    nobody = play(rule, Responses(*(np.zeros((3, 0), kind) for kind in (int, float, bool, float, bool))))
    assert not nobody.positive.any() and nobody.end_day.tolist() == [0.0] * 3


def test_least_estimate_is_a_second_criterion():
    responses = plain_responses(np.full(K, 0.2), 25, 2000, np.random.default_rng(7))
    loose, strict = (play(design(looks=(), least_estimate=np.full(K, least)), responses) for least in (0.0, 0.3))
    assert np.array_equal(strict.positive, loose.positive & (loose.estimate > 0.3)) and loose.positive.sum() > strict.positive.sum()


def test_shares_and_accrual_of_plain_responses():
    flow = plain_responses([0.1, 0.6], 200, 500, np.random.default_rng(8), shares=[0.25, 0.75], per_day=2.0, known_after=5.0)
    assert np.mean(flow.basket == 0) == pytest.approx(0.25, abs=4 * np.sqrt(0.1875 / 1e5))
    assert flow.arrival[:, -1].mean() == pytest.approx(100.0, abs=4 * np.sqrt(200) / 2 / np.sqrt(500))
    assert np.all(flow.known_day - flow.arrival == pytest.approx(5.0))
    assert flow.response[flow.basket == 1].mean() == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 7.5e4))
