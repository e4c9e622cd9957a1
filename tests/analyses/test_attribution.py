"""Shapley values, smallest combinations and bootstrap intervals against closed forms."""

import numpy as np
import pytest

from trialsim.analyses.attribution import members, ratio_intervals, shapley, smallest
from trialsim.endpoints.proportions import clopper_pearson

HELD = members(3)


def test_a_combination_is_a_number_of_bits():
    assert HELD.shape == (8, 3)
    assert HELD[0b101].tolist() == [True, False, True]
    assert (HELD @ [1, 2, 4]).tolist() == list(range(8))


def test_analytic_additive_factors_keep_what_they_add():
    effect = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 0.0]])
    assert np.allclose(shapley(7.0 + effect @ HELD.T), effect)


def test_analytic_factors_that_work_only_together_share_evenly():
    both = (HELD[:, 0] & HELD[:, 1]).astype(float)
    either = (HELD[:, 0] | HELD[:, 1]).astype(float)
    for game in (both, either):
        assert np.allclose(shapley(game), [0.5, 0.5, 0.0])


def test_analytic_glove_game():
    """One left glove, two right ones; a pair is worth 1 (Shapley & Shubik 1969): 2/3 and 1/6 each."""
    pair = (HELD[:, 0] & (HELD[:, 1] | HELD[:, 2])).astype(float)
    assert np.allclose(shapley(pair), [2 / 3, 1 / 6, 1 / 6])


def test_independent_average_over_all_orders():
    """Brute force: what each factor adds when factors come one by one, over all orders."""
    from itertools import permutations

    values = np.random.default_rng(1).normal(size=(5, 32))
    wanted = np.zeros((5, 5))
    orders = list(permutations(range(5)))
    for order in orders:
        so_far = 0
        for i in order:
            wanted[:, i] += values[:, so_far | 1 << i] - values[:, so_far]
            so_far |= 1 << i
    found = shapley(values)
    assert np.allclose(found, wanted / len(orders))
    assert np.allclose(found.sum(axis=1), values[:, -1] - values[:, 0])


def test_smallest_sets_are_split_between_equals():
    reached = np.array([
        (HELD[:, 0] | HELD[:, 1]),  # either alone
        HELD[:, 1] & HELD[:, 2],  # both
        np.zeros(8, bool),  # nothing helps
        np.ones(8, bool),  # nothing is needed
    ])  # fmt: skip
    size, weight = smallest(reached)
    assert size.tolist() == [1, 2, -1, 0]
    assert weight[0].tolist() == [0, 0.5, 0.5, 0, 0, 0, 0, 0]
    assert weight[1].tolist() == [0, 0, 0, 0, 0, 0, 1, 0]
    assert weight.sum(axis=1).tolist() == [1, 1, 0, 1]


def test_smallest_set_may_lie_below_larger_ones_that_fail():
    """Not every outcome is monotone in what is cut."""
    size, weight = smallest((HELD[:, 0] & ~HELD[:, 1])[None])
    assert size[0] == 1 and weight[0, 0b001] == 1


def test_bootstrap_interval_of_a_share_is_near_the_exact_one():
    outcome = np.arange(400) < 120
    low, high = ratio_intervals(outcome[:, None].astype(float), np.ones((400, 1)), 2000, np.random.default_rng(3))
    exact = clopper_pearson(120, 400)
    assert low[0] == pytest.approx(exact.low, abs=0.01) and high[0] == pytest.approx(exact.high, abs=0.01)


def test_bootstrap_of_a_part_counts_that_part_only():
    """Ratio of sums: patients outside the denominator change nothing but how many of the part a resample holds."""
    here = np.arange(300) < 100
    numerator = np.column_stack([here * 0.25, here * 0.0, here * 0.25 * 0.0])
    denominator = np.column_stack([here, here, np.zeros(300)]).astype(float)
    low, high = ratio_intervals(numerator, denominator, 200, np.random.default_rng(1))
    assert low[0] == pytest.approx(0.25) and high[0] == pytest.approx(0.25)
    assert (low[1], high[1]) == (0.0, 0.0) and np.isnan(low[2]) and np.isnan(high[2])
