"""Trials played on patients: by hand, at the edges, and against exact power and type I error."""

import numpy as np
import pytest

from trialsim.designs.randomised.bounds import Futility, WangTsiatis, group_sequential
from trialsim.designs.randomised.conduct import Decision, Trial, play
from trialsim.designs.randomised.expected import expected
from trialsim.designs.randomised.outcomes import Candidates, IllnessDeath, candidates, illness_death, plain_candidates
from trialsim.designs.randomised.piecewise import piecewise
from trialsim.designs.randomised.randomise import allocate
from trialsim.designs.randomised.sizes import one_stratum, schoenfeld_events, strata_of
from trialsim.designs.randomised.spending import Spending
from trialsim.designs.randomised.weighted import weighted_power
from trialsim.endpoints.comparison import log_rank

HALVES = group_sequential([0.5, 1.0], 0.025, Spending("lan_demets_pocock"), power=0.9)
ONE = group_sequential([1.0], 0.025, WangTsiatis(0.0), power=0.9)


def alike(arrival, time, event):
    """Candidates of one trial whose time does not depend on the arm."""
    pair = lambda x: np.repeat(np.asarray(x)[None, :, None], 2, axis=2)
    return Candidates(np.asarray(arrival, float)[None], pair(np.asarray(time, float)), pair(np.asarray(event, bool)))


def setting(hr, patients=400, drop_out=0.0002):
    return one_stratum(np.log(2) / 300, hr, patients / 500, 500.0, drop_out=drop_out)


def share(played, decision):
    return np.mean(played.decision == decision)


def agrees(found, wanted, trials):
    """Within four standard errors (a false alarm in 16,000) and 0.004, by which the log-rank test of 250 events errs."""
    return abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / trials) + 0.004


def test_a_trial_by_hand():
    """Events on days 4, 7, 12 and, of the last of five patients, 29; one is lost on day 9. Looks come at the second and fourth."""
    here = alike([0, 1, 2, 3, 20, 21], [4, 6, 7, 9, 9, 9], [True, True, False, True, True, True])
    trial = Trial(HALVES, np.array([2, 4]), patients=5, blocks=None)
    found = play(np.random.default_rng(0), here, trial)
    assert found.day.tolist() == [[7.0, 29.0]]
    assert found.seen.tolist() == [[2, 4]]
    assert found.enrolled.tolist() == [5] and found.end_day.tolist() == [29.0]
    assert found.decision.tolist() == [Decision.NONE]


def test_a_look_sees_the_log_rank_test_of_the_data_by_then():
    rng = np.random.default_rng(1)
    here = plain_candidates(rng, 1, 60, setting(0.3, 60))
    trial = Trial(HALVES, np.array([15, 30]), patients=60)
    found = play(np.random.default_rng(2), here, trial)
    arm = allocate(np.random.default_rng(2), 1, 60, (1, 1), [4])[0]
    own = lambda x: x[0, np.arange(60), arm]
    arrival, time, event = here.arrival[0], own(here.time), own(here.event)
    day = np.sort((arrival + time)[event])[14]
    in_trial = arrival <= day
    test = log_rank(np.minimum(time, day - arrival), event & (arrival + time <= day), arm == 1, included=in_trial)
    assert found.day[0, 0] == day and found.z[0, 0] == pytest.approx(-test.z)
    assert found.information[0, 0] == pytest.approx(test.variance)


@pytest.mark.filterwarnings("error")
def test_edges_have_an_answer():
    trial = Trial(HALVES, np.array([2, 4]), patients=4, blocks=None)
    nothing = play(np.random.default_rng(0), alike([0, 1, 2, 3], [9] * 4, [False] * 4), trial)
    assert nothing.decision[0] == Decision.NONE and nothing.look[0] == 1 and nothing.events[0] == 0
    assert np.isnan(nothing.log_hr[0]) and nothing.end_day[0] == 12.0  # when the last is out of view
    together = play(np.random.default_rng(0), alike([0] * 4, [5] * 4, [True] * 4), trial)
    assert together.decision[0] == Decision.NONE and np.all(together.information == 0)
    early = trial._replace(days=np.array([1.0, 20.0]))
    futility = Futility(Spending("lan_demets_pocock"))
    stops_early = group_sequential([0.5, 1.0], 0.025, Spending("lan_demets_obf"), power=0.9, futility=futility)
    first = play(np.random.default_rng(0), alike([0, 1, 2, 3], [9] * 4, [True] * 4), early._replace(bounds=stops_early))
    assert first.look[0] == 1 and first.seen[0, 0] == 0  # a look before the first event stops nothing
    one_arm = play(np.random.default_rng(0), alike([0, 1, 2, 3], [9] * 4, [True] * 4), trial._replace(ratio=(0, 1)))
    assert one_arm.decision[0] == Decision.NONE and np.all(one_arm.z == 0)
    with pytest.raises(ValueError, match="randomise 5"):
        play(np.random.default_rng(0), alike([0], [1], [True]), trial._replace(patients=5))


def test_the_last_day_ends_a_trial_with_the_events_it_has():
    here = plain_candidates(np.random.default_rng(0), 50, 100, setting(0.7, 100))
    trial = Trial(HALVES, np.array([40, 80]), patients=100, last_day=600.0)
    found = play(np.random.default_rng(1), here, trial)
    assert np.all(found.end_day <= 600.0) and np.all(found.seen[:, 1] < 80)
    # all that is left of the error is spent at the last look, at the information that it has
    again = HALVES.at(found.seen / 80)[1]
    assert found.upper == pytest.approx(again, abs=1e-3)


@pytest.mark.parametrize("name", ["one look", "two looks", "futility"])
def test_type_one_error_and_power_of_simulated_trials(name):
    futility = Futility(Spending("hwang_shih_decani", -2.0))
    bounds = {
        "one look": ONE,
        "two looks": HALVES,
        "futility": group_sequential([0.3, 0.6, 1.0], 0.025, Spending("lan_demets_obf"), power=0.9, futility=futility),
    }[name]
    events = np.ceil(bounds.fraction * bounds.inflation * schoenfeld_events(np.log(0.65), 0.025, 0.9)).astype(int)
    trial, trials = Trial(bounds, events, 400), 2000
    for hr, drift in ((1.0, 0.0), (0.65, bounds.drift)):
        played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), trials, 400, setting(hr)), trial)
        assert agrees(share(played, Decision.EFFICACY), bounds.power(drift), trials)
        fraction = (played.events / events[-1]).mean()
        assert fraction == pytest.approx(bounds.expected_fraction(drift), abs=0.03)


@pytest.mark.slow
def test_type_one_error_and_power_of_20000_simulated_trials():
    bounds = group_sequential([1 / 3, 2 / 3, 1.0], 0.05, Spending("lan_demets_obf"), sides=2, power=0.9)
    events = np.ceil(bounds.fraction * bounds.inflation * schoenfeld_events(np.log(0.7), 0.025, 0.9)).astype(int)
    trial, trials = Trial(bounds, events, 400), 20_000
    for hr, drift in ((1.0, 0.0), (0.7, bounds.drift)):
        played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), trials, 400, setting(hr)), trial)
        exact = bounds.crossing(drift)
        assert agrees(share(played, Decision.EFFICACY), exact.upper.sum(), trials)
        assert agrees(share(played, Decision.HARM), max(exact.lower.sum(), 1e-4), trials)
    unadjusted = trial._replace(bounds=bounds._replace(upper=np.full(3, 1.96), lower=np.full(3, -1.96)))
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), trials, 400, setting(1.0)), unadjusted)
    assert not agrees(share(played, Decision.EFFICACY), 0.025, trials)


def test_looks_on_the_calendar_spend_by_their_events():
    bounds = group_sequential([0.5, 1.0], 0.025, Spending("lan_demets_pocock"))
    trial = Trial(bounds, np.array([125, 250]), 400, days=np.array([350.0, 1100.0]))
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 2000, 400, setting(1.0)), trial)
    assert len(np.unique(played.upper[:, 0])) > 20
    assert np.all(np.argsort(played.seen[:, 0])[0] == np.argmin(played.seen[:, 0]))
    assert np.corrcoef(played.seen[:, 0], played.upper[:, 0])[0, 1] < -0.9  # more events spend more
    assert agrees(share(played, Decision.EFFICACY), 0.025, 2000)


def test_late_effects_against_numerical_integration():
    late = strata_of(
        [0.4, 0.6],
        [piecewise(0.002), piecewise(0.003)],
        [piecewise([0.002, 0.001], [0.0, 200.0]), piecewise([0.003, 0.0015], [0.0, 200.0])],
        piecewise(1.0),
        400.0,
        drop_out=0.0002,
    )
    fraction, day, trials = np.array([0.6, 1.0]), 1000.0, 2000
    last = expected(late, day).events.sum()
    bounds = group_sequential(fraction, 0.025, Spending("lan_demets_obf"))
    here = plain_candidates(np.random.default_rng(0), trials, 400, late)
    power = {}
    for gamma in (0.0, 1.0):
        trial = Trial(bounds, np.ceil(fraction * last).astype(int), 400, stratified=True, gamma=gamma)
        played = play(np.random.default_rng(1), here, trial)
        times = weighted_power(late, day, fraction, bounds.upper, gamma=gamma)
        power[gamma] = share(played, Decision.EFFICACY)
        assert abs(power[gamma] - times.rejected[-1]) < 0.04  # asymptotic, and spent by events rather than by weighted information
    assert power[1.0] > power[0.0] + 0.1


def test_a_weighted_test_keeps_its_error_though_its_information_lags_behind_the_events():
    trial = Trial(HALVES, np.array([120, 240]), 400, gamma=1.0)
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 2000, 400, setting(1.0)), trial)
    assert np.mean(played.information[:, 0] / played.information[:, 1]) < 0.3
    assert agrees(share(played, Decision.EFFICACY), 0.025, 2000)


def test_restricted_means_decide_where_asked():
    trial = Trial(ONE, np.array([220]), 400, rmst_days=500.0)
    null = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 2000, 400, setting(1.0)), trial)
    assert agrees(share(null, Decision.EFFICACY), 0.025, 2000)
    good = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 300, 400, setting(0.6)), trial)
    assert share(good, Decision.EFFICACY) > 0.85


def test_stratified_trials_keep_their_error_where_strata_differ():
    apart = strata_of([0.5, 0.5], [piecewise(0.001), piecewise(0.01)], [piecewise(0.001), piecewise(0.01)], piecewise(1.0), 300.0)
    here = plain_candidates(np.random.default_rng(0), 2000, 300, apart)
    played = play(np.random.default_rng(1), here, Trial(ONE, np.array([200]), 300, stratified=True))
    assert agrees(share(played, Decision.EFFICACY), 0.025, 2000)


def test_more_leave_and_the_trial_takes_longer():
    trial = Trial(ONE, np.array([150]), 300)
    ends = [
        play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 100, 300, setting(0.7, 300, loss)), trial).end_day
        for loss in (0.0, 0.001)
    ]
    assert np.all(ends[1] > ends[0])


def test_estimates_are_those_of_the_data_at_the_end():
    trial = Trial(ONE, np.array([250]), 400)
    played = play(np.random.default_rng(1), plain_candidates(np.random.default_rng(2), 1000, 400, setting(0.7)), trial)
    error = (played.log_hr - np.log(0.7)) / played.se
    assert abs(error.mean()) < 0.15 and error.std() == pytest.approx(1.0, abs=0.1)


MODEL = IllnessDeath((0.006, 0.002), (0.0005, 0.0005), (0.003, 0.003), 0.0015, 0.8)


def test_illness_and_death_have_their_hazards():
    found = illness_death(np.random.default_rng(0), 1, 200_000, MODEL)
    first, overall, switched = found.progression_free[0], found.overall[0], found.overall_crossover[0]
    assert first.mean(axis=0) == pytest.approx([1 / 0.0065, 1 / 0.0025], rel=0.01)
    progressed = np.array([0.006 / 0.0065, 0.002 / 0.0025])
    assert overall.mean(axis=0) == pytest.approx(first.mean(axis=0) + progressed / 0.003, rel=0.01)
    assert np.array_equal(switched[:, 1], overall[:, 1])  # nobody switches from the drug
    gain = switched[:, 0].mean() - overall[:, 0].mean()
    assert gain == pytest.approx(0.8 * progressed[0] * (1 / 0.0015 - 1 / 0.003), rel=0.03)
    assert np.mean(found.switched) == pytest.approx(0.8 * progressed[0], abs=0.005)
    assert np.all(overall >= first)


def test_crossover_dilutes_the_effect_on_survival_and_not_that_on_progression():
    rng = np.random.default_rng(3)
    courses = illness_death(rng, 200, 300, MODEL)
    arrival = np.sort(rng.uniform(0, 300, (200, 300)), axis=1)
    never = np.full((200, 300), np.inf)
    trial = Trial(ONE, np.array([180]), 300)
    run = lambda time: np.exp(play(np.random.default_rng(4), candidates(arrival, time, never), trial).log_hr.mean())
    progression, without, with_crossover = (run(x) for x in (courses.progression_free, courses.overall, courses.overall_crossover))
    assert progression < without < with_crossover < 1.2
    assert progression == pytest.approx(0.0025 / 0.0065, abs=0.05)


def test_a_seed_plays_the_same_trial_whatever_the_number_of_replicates_after_it():
    here = plain_candidates(np.random.default_rng(0), 30, 100, setting(0.7, 100))
    trial = Trial(HALVES, np.array([30, 60]), 100)
    again = [play(np.random.default_rng(1), here, trial) for _ in range(2)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*again, strict=True))
