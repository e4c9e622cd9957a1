"""The ratio of growth before and on treatment: exact for exponential tumours, and every way of not having one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialsim.endpoints import growth_ratio

LN = np.log(1.3)
SCANS = np.arange(1, 14) * 56.0


def course(
    rate_before, rate_on, interval=56.0, scans=SCANS, baseline_day=0.0, death=np.inf, new=None, interpolate=True
):
    """One patient whose volume grows exponentially, at `rate_before` until day 0 and at `rate_on` after it."""
    base = 10.0 * np.exp(rate_before * baseline_day)
    before = growth_ratio.time_before(
        np.array([base * np.exp(-rate_before * interval)]), np.array([base]), np.array([interval])
    )
    new = np.zeros((1, len(scans)), bool) if new is None else np.array([new])
    on, progressed = growth_ratio.time_on(
        np.array([base]), np.array([baseline_day]), scans[None], 10.0 * np.exp(rate_on * scans)[None], new,
        np.array([death]), interpolate=interpolate,
    )  # fmt: skip
    return growth_ratio.ttp_ratio(before, on, progressed)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.002, 0.03), st.floats(0.002, 0.03))
def test_ratio_of_exponential_growth_is_the_ratio_of_rates(before, on):
    found = course(before, on)
    assert found.before_days[0] == pytest.approx(LN / before)
    assert found.on_days[0] == pytest.approx(LN / on)
    assert found.ratio[0] == pytest.approx(on / before)
    assert found.benefit[0] == (on / before < 0.7) or on / before == pytest.approx(0.7)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.002, 0.03), st.floats(20, 120))
def test_a_drug_without_effect_gives_one_whatever_the_earlier_interval(rate, interval):
    assert course(rate, rate, interval).ratio[0] == pytest.approx(1.0)


def test_dates_of_scans_alone_favour_fast_tumours():
    """Why volume progression is interpolated: untreated growth of 2 % a day would count as benefit."""
    assert course(0.02, 0.02, interpolate=False).on_days[0] == 56
    assert course(0.02, 0.02, interpolate=False).benefit[0]
    assert not course(0.02, 0.02).benefit[0]


def test_example_by_hand():
    """Growth by 30 % in 40 days before; on treatment 10 -> 11 ml at day 56, 16.9 at 112: passes 13 at 78 days."""
    before = growth_ratio.time_before(np.array([10 / 1.3]), np.array([10.0]), np.array([40.0]))
    on, progressed = growth_ratio.time_on(
        np.array([10.0]), np.array([-7.0]), np.array([[56.0, 112.0]]), np.array([[11.0, 16.9]]),
        np.zeros((1, 2), bool), np.array([np.inf]),
    )  # fmt: skip
    expected = 56 + 56 * np.log(13 / 11) / np.log(16.9 / 11)
    assert before[0] == pytest.approx(40)
    assert on[0] == pytest.approx(expected) and progressed[0]
    found = growth_ratio.ttp_ratio(before, on, progressed)
    assert found.ratio[0] == pytest.approx(40 / expected) and found.benefit[0]


def test_exactly_thirty_percent_is_progression():
    on, progressed = growth_ratio.time_on(
        np.array([10.0]),
        np.array([0.0]),
        np.array([[56.0]]),
        np.array([[13.0]]),
        np.zeros((1, 1), bool),
        np.array([np.inf]),
    )
    assert progressed[0] and on[0] == pytest.approx(56)


@pytest.mark.parametrize("rate", [0.0, -0.005])
def test_tumour_that_did_not_grow_before_has_no_ratio(rate):
    found = course(rate, 0.005)
    assert np.isnan(found.before_days[0]) and np.isnan(found.ratio[0]) and not found.benefit[0]


def test_new_lesion_and_death_are_progression():
    assert course(0.01, 0.0, new=[False, True] + [False] * 11).on_days[0] == 112
    assert course(0.01, 0.0, death=70.0).on_days[0] == 70
    assert course(0.01, 0.0, death=70.0).progressed[0]
    assert course(0.01, 0.01, new=[False, True] + [False] * 11).on_days[0] == pytest.approx(
        LN / 0.01
    )  # the volume came first


def test_new_lesion_before_treatment_caps_the_time():
    times = growth_ratio.time_before(
        np.array([10.0, 10.0, 10.0]), np.array([9.0, 11.0, 20.0]), np.full(3, 56.0), np.ones(3, bool)
    )
    np.testing.assert_allclose(times, [56.0, 56.0, LN / (np.log(2) / 56)])


def test_censored_ratio_counts_only_when_it_proves_benefit():
    long = course(0.01, 0.0)  # TTP1 26 days, no progression in 728 days: the ratio is at most 0.04
    assert not long.progressed[0] and long.benefit[0] and long.ratio[0] == pytest.approx(LN / 0.01 / 728)
    short = course(0.01, 0.0, scans=np.array([28.0]))  # at most 0.94: not determined
    assert not short.progressed[0] and np.isnan(short.ratio[0]) and not short.benefit[0]


def test_unassessable_patients_have_no_ratio():
    none = np.full((1, 3), np.nan)
    on, progressed = growth_ratio.time_on(
        np.array([10.0]), np.array([0.0]), none, none, np.zeros((1, 3), bool), np.array([np.nan])
    )
    found = growth_ratio.ttp_ratio(np.array([30.0]), on, progressed)
    assert np.isnan(found.on_days[0]) and np.isnan(found.ratio[0]) and not found.benefit[0]
    assert np.isnan(growth_ratio.time_before(np.array([np.nan]), np.array([10.0]), np.array([56.0]))[0])


def test_missed_scan_is_bridged():
    day, volume = np.array([[56.0, 112.0]]), np.array([[np.nan, 20.0]])
    on, _ = growth_ratio.time_on(
        np.array([10.0]), np.array([0.0]), day, volume, np.zeros((1, 2), bool), np.array([np.inf])
    )
    assert on[0] == pytest.approx(112 * np.log(1.3) / np.log(2))


def test_regrowth_after_disappearance_is_dated_between_the_scans():
    on, progressed = growth_ratio.time_on(
        np.array([10.0]),
        np.array([0.0]),
        np.array([[56.0, 112.0]]),
        np.array([[0.0, 14.0]]),
        np.zeros((1, 2), bool),
        np.array([np.inf]),
    )
    assert progressed[0] and 56 < on[0] <= 112
