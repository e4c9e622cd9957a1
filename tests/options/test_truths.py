"""Endpoints of one world against the functions that the rest of trialsim uses, and their errors against theory."""

import numpy as np
import pandas as pd
import pytest

from trialsim.endpoints.comparison import kaplan_meier
from trialsim.options import truths
from trialsim.units import DAYS_PER_MONTH

RNG = np.random.default_rng(3)
N = 400
IDS = np.arange(N)
TIME, EVENT = RNG.exponential(150.0, N), RNG.random(N) < 0.8
WEIGHT = truths.weights(1, IDS, 200)


def test_weights_belong_to_the_patient_and_count_one_on_average():
    np.testing.assert_array_equal(truths.weights(1, IDS[100:140], 200), WEIGHT[:, 100:140])
    assert (WEIGHT[0] == 1).all()
    assert WEIGHT[1:].mean() == pytest.approx(1.0, abs=4 / np.sqrt(200 * N)) and WEIGHT[1:].var() == pytest.approx(1.0, abs=0.05)


def test_survival_is_kaplan_and_meiers():
    days, curve = truths.free(TIME, EVENT, WEIGHT[:3])
    known = kaplan_meier(TIME, EVENT)
    np.testing.assert_allclose(curve[0], known.at(days)[0], atol=1e-12)
    doubled = np.repeat(IDS, WEIGHT[2].astype(int))  # a weight of two is the patient twice
    known = kaplan_meier(TIME[doubled], EVENT[doubled]).at(days)[0]
    np.testing.assert_allclose(curve[2], np.where(days <= TIME[doubled].max(), known, curve[2]), atol=1e-12)


def test_medians_and_shares_are_of_those_who_have_a_value():
    values = np.array([3.0, np.nan, 1.0, 2.0])
    assert truths.median(values, np.ones((1, 4))).tolist() == [2.0]
    assert truths.median(values, np.array([[5.0, 9.0, 1.0, 1.0]])).tolist() == [3.0]
    assert np.isnan(truths.median(np.full(4, np.nan), np.ones((1, 4)))).all()
    assert truths.share(np.array([True, False, True]), np.ones((1, 3)), np.array([True, True, False])).tolist() == [0.5]


def test_the_error_of_a_share_is_binomial_and_that_of_a_difference_knows_the_patients_are_the_same():
    flag = RNG.random(N) < 0.3
    assert truths.error(truths.share(flag, WEIGHT)) == pytest.approx(np.sqrt(0.3 * 0.7 / N), rel=0.2)
    other = flag.copy()
    other[:4] = ~other[:4]  # four of 400 differ
    difference = truths.share(flag, WEIGHT) - truths.share(other, WEIGHT)
    assert truths.error(difference) == pytest.approx(np.sqrt(4) / N, rel=0.35)


def test_the_same_course_has_a_hazard_ratio_of_exactly_one_and_half_the_hazard_about_a_half():
    table = pd.DataFrame({"pfs_days": TIME, "pfs_event": EVENT})
    assert (truths.log_ratio(table, table.copy(), WEIGHT) == 0.0).all()
    found = truths.log_ratio(table.assign(pfs_days=2.0 * TIME), table, WEIGHT)
    assert found[0] == pytest.approx(np.log(0.5), abs=0.25) and truths.error(found) < 0.12


def test_seen_events_are_those_before_a_uniform_cut_off():
    months = np.array([1.0, 12.0, 15.0, 21.0, 30.0, 2.0])
    table = pd.DataFrame({"pfs_days": months * DAYS_PER_MONTH, "pfs_event": [True] * 5 + [False]})
    expected = (1 + 1 + 0.75 + 0.25 + 0 + 0) / 6  # cut-offs 12 to 24 months after entry
    assert truths.seen_events(table, 12.0, 12.0) == pytest.approx(expected)
    assert truths.seen_events(table, 0.0, 12.0) == pytest.approx(2 / 6)
