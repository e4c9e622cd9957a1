"""Designs without an interim choice: trials played by hand, error, power and screening against theory, the edges."""

import numpy as np
import pytest
from marked_trials import ALPHA, by_hand, four_errors, plain

from trialsim.designs.biomarker.assay import Assay, predictive_values
from trialsim.designs.biomarker.fixed import play_all_comers, play_enriched, play_stratified
from trialsim.designs.biomarker.multiplicity import Fallback, FixedSequence, MarkerSequential, OverallOnly
from trialsim.designs.biomarker.size import size
from trialsim.designs.randomised.sizes import schoenfeld_power

EVERY = {
    "all_comers": lambda c, rng: play_all_comers(c, 30, 20, ALPHA, rng),
    "enriched": lambda c, rng: play_enriched(c, 30, 20, ALPHA, rng, turnaround=10.0),
    "stratified": lambda c, rng: play_stratified(c, 30, 20, FixedSequence(ALPHA), rng, events_positive=5, turnaround=10.0),
    "fallback": lambda c, rng: play_stratified(c, 30, 20, Fallback(ALPHA, 0.015), rng, turnaround=10.0),
}


MARKERS = [1, 0, np.nan, 1, 1, 0, 1, 1]
TIMES = [50, 5, 6, 20, 30, 7, 1, 1]


def test_by_hand_enriched():
    found = play_enriched(by_hand(MARKERS, TIMES), 3, 2, ALPHA, np.random.default_rng(0), turnaround=10.0)
    # days 1, 4 and 5, randomised on 11, 14 and 15, events on 61, 34 and 45; the fifth who came was the third positive
    assert (found.randomised[0], found.screened[0], found.end_day[0], found.events[0]) == (3, 5, 45.0, 2)
    entering = play_enriched(by_hand(MARKERS, TIMES), 3, 2, ALPHA, np.random.default_rng(0), failed="enter", turnaround=10.0)
    # the third comes in without a result, and has the first event on day 19
    assert (entering.randomised[0], entering.randomised_positive[0], entering.screened[0], entering.end_day[0]) == (3, 2, 4, 34.0)


def test_by_hand_stratified_waits_for_both_kinds_of_events():
    play = lambda **given: play_stratified(by_hand(MARKERS, TIMES), 5, 2, FixedSequence(ALPHA), np.random.default_rng(0), **given)
    # days 1, 2, 4, 5, 6 with a result: events on 51, 7, 24, 35, 13
    soon, late = play(), play(events_positive=2)
    assert (soon.end_day[0], soon.events[0], soon.events_positive[0], soon.screened[0], soon.randomised[0]) == (13.0, 2, 0, 6, 5)
    assert (late.end_day[0], late.events[0], late.events_positive[0]) == (35.0, 4, 2)


def test_by_hand_accrual_ends_with_the_analysis_or_the_last_day():
    found = play_all_comers(by_hand(MARKERS, [1.5] + [99] * 7), 8, 1, ALPHA, np.random.default_rng(0))
    assert (found.end_day[0], found.randomised[0], found.screened[0]) == (2.5, 2, 0)
    found = play_enriched(by_hand(MARKERS, [99] * 8), 8, 1, ALPHA, np.random.default_rng(0), last_day=4.5)
    assert (found.end_day[0], found.randomised[0], found.screened[0], found.events[0]) == (4.5, 2, 4, 0)


def test_a_perfect_assay_is_no_assay():
    for play in EVERY.values():
        assays = (None, Assay(1.0, 1.0, 0.0))
        found = [play(plain(20, 120, hr=(0.5, 1.0), assay=assay), np.random.default_rng(3)) for assay in assays]
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(*found, strict=True))


def test_enriched_trial_takes_what_the_formulae_say():
    """Hazard ratio 0.6, power 90 %: 2,000 replicates, seed 1, four standard errors and one point for Schoenfeld's approximation."""
    assay = Assay(0.9, 1.0, 0.1, 14.0)  # no false positives: the effect is not diluted
    q = float(predictive_values(0.4, assay).called)
    planned = size(np.log(0.6), 0.8, (1 - assay.failure) * q, ALPHA, 0.9)
    candidates = plain(2000, 800, seed=1, hr=(0.6, 1.0), assay=assay)
    patients = int(planned.randomised)
    found = play_enriched(candidates, patients, int(planned.events), ALPHA, np.random.default_rng(2), turnaround=assay.turnaround)
    power = found.declared_positive.mean()
    assert abs(power - schoenfeld_power(np.log(0.6), planned.events, ALPHA)) < four_errors(0.9, 2000) + 0.01
    assert np.all(found.events == planned.events) and np.all(found.randomised == patients)
    assert found.screened.mean() == pytest.approx(float(planned.screened), rel=0.01)
    assert not found.declared_overall.any() and np.array_equal(found.treats_positive, found.declared_positive)
    # estimates without bias worth the name, and standard errors that are their spread
    assert np.mean(found.log_hr_positive) == pytest.approx(np.log(0.6), abs=0.02)
    assert np.std(found.log_hr_positive) == pytest.approx(np.mean(found.log_hr_positive_se), rel=0.07)


def test_power_of_the_stratified_trial_is_that_of_its_groups():
    """Both claims against Schoenfeld's power of each group: 2,000 replicates, seed 4, four standard errors and 1.5 points."""
    found = play_stratified(plain(2000, 400, seed=4, hr=(0.5, 0.8)), 400, 300, FixedSequence(ALPHA), np.random.default_rng(5))
    events = found.events_positive.mean()
    expected = schoenfeld_power(np.log(0.5), events, ALPHA)
    assert abs(found.declared_positive.mean() - expected) < four_errors(expected, 2000) + 0.015
    interaction = np.mean(found.interaction)
    assert interaction == pytest.approx(np.log(0.8 / 0.5) * np.sqrt(300 * 0.25 * (events / 300) * (1 - events / 300)), rel=0.05)
    assert not np.any(found.declared_overall & ~found.declared_positive)


@pytest.mark.parametrize("prevalence", [0.0, 1.0])
@pytest.mark.parametrize("name", EVERY)
def test_nobody_or_everybody_positive(name, prevalence):
    found = EVERY[name](plain(40, 60, seed=6, hr=(0.2, 0.2), prevalence=prevalence), np.random.default_rng(7))
    assert np.all(np.isfinite(found.end_day)) and not np.isnan(found.interaction).any()
    if prevalence == 1.0:
        assert np.all(found.events == found.events_positive) and np.all(found.randomised == 30)
        assert np.mean(found.declared_overall | found.declared_positive) > 0.7
        # the log-rank test of all is then that of positive patients
        assert name not in ("stratified", "fallback") or np.array_equal(found.declared_overall, found.declared_positive)
    else:
        assert not found.declared_positive.any() and not found.randomised_positive.any()
        assert np.isnan(found.log_hr_positive).all()
        assert np.all(found.randomised == (0 if name == "enriched" else 30))


@pytest.mark.parametrize("name", EVERY)
def test_all_assays_fail(name):
    candidates = plain(5, 60, assay=Assay(failure=1.0))
    found = EVERY[name](candidates, np.random.default_rng(0))
    if name == "all_comers":
        assert np.all(found.randomised == 30)
    else:
        assert not found.randomised.any() and np.all(found.screened == 60) and not found.treats_positive.any()
        assert np.array_equal(found.end_day, candidates.arrival[:, -1] + 10.0) and np.isnan(found.log_hr).all()


def test_candidates_who_never_come_do_not_count():
    candidates = plain(5, 60)
    some = candidates._replace(arrival=np.where(np.arange(60) < 20, candidates.arrival, np.inf))
    for play in EVERY.values():
        found = play(some, np.random.default_rng(0))
        assert np.all(found.randomised <= 20) and np.all(found.screened <= 20) and np.all(np.isfinite(found.end_day))


@pytest.mark.slow
@pytest.mark.parametrize("hr", [(1.0, 1.0), (1.0, 0.5), (0.5, 1.0)])
def test_family_wise_error_of_the_survival_trials(hr):
    """20,000 replicates, seed 8; four standard errors and 0.15 points that the log-rank score is not normal with 120 events."""
    n = 20_000
    limit = ALPHA + four_errors(ALPHA, n) + 0.0015
    designs = [FixedSequence(ALPHA), Fallback(ALPHA, 0.015), MarkerSequential(ALPHA, 0.022), OverallOnly(ALPHA)]
    false = {(1.0, 1.0): ("overall", "positive", "negative"), (1.0, 0.5): ("positive",), (0.5, 1.0): ()}[hr]
    wrong = np.zeros(len(designs))
    for seed in range(10):
        candidates = plain(n // 10, 160, seed=seed, hr=hr)
        for i, design in enumerate(designs):
            found = play_stratified(candidates, 160, 120, design, np.random.default_rng([8, seed]))
            claims = {name: getattr(found, f"declared_{name}") for name in ("overall", "positive", "negative")}
            if isinstance(design, MarkerSequential) and hr != (1.0, 1.0):
                # its claim: negative patients are not reached where only positive ones gain
                wrong[i] += np.sum(found.treats_negative) if hr == (0.5, 1.0) else 0
            elif false:
                wrong[i] += np.sum(np.any([claims[name] for name in false], axis=0))
    assert np.all(wrong / n < limit), dict(zip(map(type, designs), wrong / n, strict=True))


def test_a_test_at_twice_the_level_is_noticed():
    """All comers without an effect at 2.5 %, and at 5 % for the check: 4,000 replicates, seed 9."""
    candidates, limit = plain(4000, 120, seed=9), ALPHA + four_errors(ALPHA, 4000)
    share = [play_all_comers(candidates, 120, 90, a, np.random.default_rng(1)).declared_overall.mean() for a in (ALPHA, 2 * ALPHA)]
    assert 2 * ALPHA - limit < share[0] < limit < share[1]
