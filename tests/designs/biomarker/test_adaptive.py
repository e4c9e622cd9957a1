"""Adaptive enrichment: the error holds whatever chose the population, power as of its scores, the edges."""

import numpy as np
import pytest
from marked_trials import ALPHA, by_hand, error, four_errors, plain, truths
from scipy import stats

from trialsim.designs.biomarker.adaptive import (
    InterimRule,
    Stages,
    choose,
    combined_claims,
    play_adaptive,
    power_at_end,
)
from trialsim.designs.biomarker.assay import Assay
from trialsim.designs.biomarker.conduct import Choice
from trialsim.designs.biomarker.multiplicity import Claims, Scores
from trialsim.endpoints.comparison import LogRank

N = 400_000
HALF = 0.5  # weight of the first stage
STAGES = Stages(80, 30, 60, 80, 60, 60, 45)
RULES = {
    "all": InterimRule("hazard_ratio", 2e9, 1e-9),
    "positive": InterimRule("hazard_ratio", 1e-9, 2e9),
    "both": InterimRule("hazard_ratio", 2e9, 2e9),
    "stop": InterimRule("hazard_ratio", 1e-9, 1e-9),
    "promising": InterimRule("hazard_ratio", 0.9, 0.75),
    "power": InterimRule("conditional_power", 0.3, 0.3),
}


def stage(fraction, positive, negative, rng, n=N):
    one, other = rng.standard_normal((2, n)) + np.array([[positive], [negative]]) * np.sqrt(0.5)
    return Scores(np.sqrt(fraction) * one + np.sqrt(1 - fraction) * other, one, other, np.full(n, fraction))


def greedy(z):
    """Whichever looks better goes on, at any price; close ones both."""
    best = np.where(z.positive > z.overall, Choice.POSITIVE, Choice.ALL)
    return np.where(np.abs(z.positive - z.overall) < 0.2, Choice.BOTH, best)


@pytest.mark.parametrize("method", ["simes", "correlated"])
@pytest.mark.parametrize("fraction", [0.3, 0.7])
def test_family_wise_error_whatever_chose_the_population(method, fraction):
    """400,000 trials a truth, seed 1; four standard errors above alpha (false alarm 3e-5 each)."""
    limit = ALPHA + four_errors(ALPHA, N)
    for name, truth in truths(fraction).items():
        rng = np.random.default_rng(1)
        one, two = (stage(fraction, truth.positive, truth.negative, rng) for _ in range(2))
        if name == "nobody":
            def naive(z_1, z_2):  # the chosen population tested as if it had always been the one
                total = [np.sqrt(HALF) * (x + y) for x, y in zip(z_1[:2], z_2[:2], strict=True)]
                reached = np.where(greedy(z_1) == Choice.POSITIVE, total[1], total[0]) >= stats.norm.isf(ALPHA)
                return Claims(reached, reached, reached)

            assert error(naive(one, two), truth.false).mean() > limit
        for choice in (greedy(one), np.full(N, Choice.BOTH), np.where(one.overall > 0, Choice.BOTH, Choice.STOP)):
            assert error(combined_claims(choice, one, two, HALF, ALPHA, method), truth.false).mean() < limit


def test_a_population_that_was_dropped_is_never_claimed():
    rng = np.random.default_rng(2)
    one, two = (stage(0.4, 5.0, 5.0, rng, 1000) for _ in range(2))
    for choice, claimed in ((Choice.ALL, (1, 0)), (Choice.POSITIVE, (0, 1)), (Choice.BOTH, (1, 1)), (Choice.STOP, (0, 0))):
        found = combined_claims(np.full(1000, choice), one, two, HALF, ALPHA, "correlated")
        for share, expected in zip((found.overall.mean(), found.positive.mean()), claimed, strict=True):
            assert share == 0 if expected == 0 else share > 0.95


@pytest.mark.parametrize("name", ["all", "positive", "both"])
def test_power_is_that_of_the_scores(name):
    """2,000 trials against scores with Schoenfeld's drift; four standard errors and two points for the approximation."""
    hr, share, n = (0.5, 0.75), 0.4, 2000
    found = play_adaptive(plain(n, 300, seed=3, hr=hr), STAGES, RULES[name], ALPHA, np.random.default_rng(4))
    rng, drift = np.random.default_rng(5), lambda events: -np.log(hr) * np.sqrt(np.asarray(events) / 4.0)
    f = found.events_positive.mean() / found.events.mean() if name != "positive" else share

    def scores(events):
        one, other = rng.standard_normal((2, 100_000)) + drift([f * events, (1 - f) * events])[:, None]
        return Scores(np.sqrt(f) * one + np.sqrt(1 - f) * other, one, other, np.full(100_000, f))

    one, two = scores(STAGES.events), scores(STAGES.next_events)
    if name == "positive":
        only = rng.standard_normal(100_000) + drift(STAGES.next_events_positive)[0]
        two = two._replace(positive=only)
    choice = np.full(100_000, {"all": Choice.ALL, "positive": Choice.POSITIVE, "both": Choice.BOTH}[name])
    expected = combined_claims(choice, one, two, STAGES.weight, ALPHA, "correlated")
    assert set(np.unique(found.choice)) == {choice[0]}
    for which in ("overall", "positive"):
        power = getattr(expected, which).mean()
        assert abs(getattr(found, f"declared_{which}").mean() - power) < four_errors(power, n) + 0.02
    assert np.array_equal(found.declared_overall.any(), name != "positive")


def test_only_positive_patients_enter_after_they_were_chosen():
    """Without a wait for events the look falls on the entry of the last patient of stage 1: nobody is randomised in between."""
    candidates = plain(200, 400, seed=6)
    found = play_adaptive(candidates, STAGES._replace(interim_events=0), RULES["positive"], ALPHA, np.random.default_rng(0))
    chosen = found.choice == Choice.POSITIVE
    negatives = (candidates.marker[:, :80] == 0).sum(axis=1)
    assert chosen.mean() > 0.9
    assert np.array_equal((found.randomised - found.randomised_positive)[chosen], negatives[chosen])
    # all patients go on: as many as planned, and one screened for each, as nothing fails
    both = play_adaptive(candidates, STAGES, RULES["both"], ALPHA, np.random.default_rng(0))
    assert np.all(both.randomised == 160) and np.all(both.screened == 160)
    assert found.screened[chosen].mean() > 200


def test_by_hand_a_trial_that_stops():
    """Ten patients, one a day; stage 1 is the first four, its second event on day 8: four more have come by then."""
    times = [50, 50, 5, 3] + [99] * 6
    stop = InterimRule("hazard_ratio", 1e-9, 1e-9)
    marker = [1, 0, 1, 0] * 2 + [1, 0]
    found = play_adaptive(by_hand(marker, times), Stages(4, 2, 3, 6, 3, 3, 2), stop, ALPHA, np.random.default_rng(0))
    assert (found.choice[0], found.end_day[0], found.randomised[0]) == (Choice.STOP, 8.0, 8)
    assert (found.screened[0], found.events[0]) == (8, 2)
    # the other trial on the same patients: stage 1 is analysed on day 51, stage 2 on day 7 + 99
    found = play_adaptive(by_hand(marker, times), Stages(4, 2, 3, 6, 3, 3, 2), RULES["both"], ALPHA, np.random.default_rng(0))
    assert (found.choice[0], found.end_day[0], found.randomised[0], found.events[0]) == (Choice.BOTH, 106.0, 10, 7)


def test_interim_before_the_first_event_goes_on_as_planned():
    candidates = plain(50, 300, seed=7, median=1e7)
    stages, rng = STAGES._replace(interim_events=0), np.random.default_rng(0)
    found = play_adaptive(candidates, stages, RULES["promising"], ALPHA, rng, last_day=400.0)
    assert np.all(found.choice == Choice.BOTH) and not found.treats_positive.any() and np.all(found.end_day == 400.0)


@pytest.mark.parametrize("rule", ["promising", "power"])
@pytest.mark.parametrize("prevalence", [0.0, 1.0])
def test_nobody_or_everybody_positive(rule, prevalence):
    candidates = plain(100, 300, seed=8, hr=(0.4, 0.4), prevalence=prevalence)
    found = play_adaptive(candidates, STAGES, RULES[rule], ALPHA, np.random.default_rng(0))
    assert np.all(np.isfinite(found.end_day)) and np.mean(found.declared_overall | found.declared_positive) > 0.9
    if prevalence == 0.0:
        assert not found.declared_positive.any() and not found.randomised_positive.any()
    else:
        goes_on = found.choice == Choice.BOTH
        assert np.array_equal(found.declared_overall[goes_on], found.declared_positive[goes_on])


def test_all_assays_fail():
    candidates = plain(5, 60, assay=Assay(failure=1.0))
    found = play_adaptive(candidates, STAGES, RULES["promising"], ALPHA, np.random.default_rng(0), turnaround=10.0)
    assert not found.randomised.any() and np.all(found.screened == 60) and not found.treats_positive.any()
    assert np.array_equal(found.end_day, candidates.arrival[:, -1] + 10.0)
    entering = play_adaptive(candidates, STAGES, RULES["both"], ALPHA, np.random.default_rng(0), failed="enter")
    assert np.all(entering.randomised == 60) and not entering.declared_positive.any()


def test_analytic_choice():
    """Observed less expected over the variance: log hazard ratios of 0 and log 0.5, and nothing known."""
    def test(log_hr, variance=10.0):
        v = np.array([variance])
        return LogRank(log_hr * np.sqrt(v), log_hr**2 * v, log_hr * v, 0.0 * v, v, 4.0 * v)

    final = (np.array([80.0]), np.array([80.0]))
    go = lambda rule, one, other: int(choose(rule, (one, other), final, ALPHA)[0])
    ratio = InterimRule("hazard_ratio", 0.8, 0.8)
    good, bad, unknown = test(np.log(0.5)), test(0.0), test(0.0, 0.0)
    assert [go(ratio, *x) for x in ((good, bad), (bad, good), (good, good), (bad, bad))] == [1, 2, 3, 0]
    assert go(ratio, bad, unknown) == Choice.POSITIVE and go(ratio, unknown, bad) == Choice.ALL
    power = InterimRule("predictive_power", 0.5, 0.5)
    assert [go(power, *x) for x in ((good, bad), (bad, good))] == [1, 2]


def test_conditional_and_predictive_power_agree_with_simulation():
    """One million paths from a score of 1.2 at 40 % of the information, seed 9; four standard errors."""
    z, t, n, rng = 1.2, 0.4, 1_000_000, np.random.default_rng(9)
    c, b = stats.norm.isf(ALPHA), z * np.sqrt(t)
    for predictive in (False, True):
        drift = b / t + predictive * rng.standard_normal(n) / np.sqrt(t)
        share = np.mean(b + drift * (1 - t) + rng.standard_normal(n) * np.sqrt(1 - t) >= c)
        found = float(power_at_end(np.array(z), np.array(t), ALPHA, predictive))
        assert abs(share - found) < four_errors(found, n)
    assert np.array_equal(power_at_end(np.array([1.9, 2.0]), np.array([1.0, 1.0]), ALPHA, True), [0.0, 1.0])


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["promising", "power"])
@pytest.mark.parametrize(("hr", "false"), [((1.0, 1.0), ("overall", "positive")), ((1.0, 0.4), ("positive",))])
def test_family_wise_error_of_the_survival_trial(rule, hr, false):
    """20,000 replicates, seed 10; four standard errors and 0.15 points that log-rank scores are not normal with 60 events."""
    n, wrong = 20_000, 0
    for seed in range(10):
        found = play_adaptive(plain(n // 10, 240, seed=seed, hr=hr), STAGES, RULES[rule], ALPHA, np.random.default_rng([10, seed]))
        wrong += np.sum(np.any([getattr(found, f"declared_{name}") for name in false], axis=0))
    assert wrong / n < ALPHA + four_errors(ALPHA, n) + 0.0015
