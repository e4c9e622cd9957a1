"""Shares worked out by hand."""

import numpy as np
import pytest

from trialsim.designs.adaptive.allocation import shares

BEST = np.array([[0.7, 0.2, 0.1]])
ALL = np.ones((1, 3), bool)


def test_power_one_is_the_probability_and_power_zero_is_equal():
    assert shares(BEST, ALL, 1.0, 0.0, 1.0, None)[0] == pytest.approx([0.7, 0.2, 0.1])
    assert shares(BEST, ALL, 0.0, 0.0, 1.0, None)[0] == pytest.approx([1 / 3] * 3)
    root = np.sqrt([0.7, 0.2, 0.1])
    assert shares(BEST, ALL, 0.5, 0.0, 1.0, None)[0] == pytest.approx(root / root.sum())


def test_what_a_bound_takes_or_gives_is_shared_by_the_others():
    assert shares(BEST, ALL, 1.0, 0.16, 1.0, None)[0] == pytest.approx([0.84 * 7 / 9, 0.84 * 2 / 9, 0.16])
    assert shares(BEST, ALL, 1.0, 0.0, 0.4, None)[0] == pytest.approx([0.4, 0.4, 0.2])  # 0.2 and 0.1 doubled


def test_the_control_may_keep_its_share():
    assert shares(np.array([[0.0, 0.75, 0.25]]), ALL, 1.0, 0.1, 0.9, 0.4)[0] == pytest.approx([0.4, 0.45, 0.15])


def test_closed_arms_get_nobody_and_bounds_give_way():
    two = np.array([[True, False, True]])
    assert shares(np.array([[0.9, 0.0, 0.1]]), two, 1.0, 0.2, 0.6, None)[0] == pytest.approx([0.6, 0.0, 0.4])
    alone = np.array([[True, False, False]])
    for control in (None, 0.4):
        assert shares(np.array([[1.0, 0.0, 0.0]]), alone, 1.0, 0.2, 0.6, control)[0] == pytest.approx([1.0, 0.0, 0.0])


def test_rows_sum_to_one_within_bounds():
    rng = np.random.default_rng(1)
    found = shares(rng.dirichlet([0.1] * 4, 2000), np.ones((2000, 4), bool), 1.3, 0.05, 0.6, None)
    assert found.sum(axis=1) == pytest.approx(1.0) and found.min() > 0.05 - 1e-9 and found.max() < 0.6 + 1e-9
