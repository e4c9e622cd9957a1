"""Allocation in blocks and strata, accrual and drop-out."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.randomised.accrual import drop_out, poisson_arrivals, uniform_arrivals
from trialsim.designs.randomised.piecewise import piecewise
from trialsim.designs.randomised.randomise import allocate


def rng():
    return np.random.default_rng(0)


def test_every_block_is_balanced():
    arm = allocate(rng(), 50, 60, (1, 2), [6])
    assert np.all(arm.reshape(50, 10, 6).sum(axis=2) == 4)
    assert len(np.unique(arm[:, :6], axis=0)) > 8  # of 15 possible blocks


def test_every_order_of_a_block_is_as_likely():
    arm = allocate(rng(), 6000, 4, (1, 1), [4])
    _, count = np.unique(arm, axis=0, return_counts=True)
    assert len(count) == 6 and stats.chisquare(count).pvalue > 1e-4


def test_blocks_of_random_size_are_balanced_where_they_end():
    """With blocks of 2 and 4, the arms are never more than two apart, and even at least every fourth patient."""
    arm = allocate(rng(), 400, 40, (1, 1), [2, 4])
    lead = np.cumsum(2 * arm - 1, axis=1)
    assert np.abs(lead).max() == 2
    even = lead[:, 1::2] == 0
    assert np.all(even[:, :-1] | even[:, 1:])
    assert not np.all(even)


def test_strata_have_blocks_of_their_own():
    stratum = rng().integers(3, size=(30, 100))
    arm = allocate(np.random.default_rng(1), 30, 100, (1, 1), [4], stratum)
    for label in range(3):
        lead = np.cumsum(np.where(stratum == label, 2 * arm - 1, 0), axis=1)
        assert np.abs(lead).max() <= 2
    assert set(np.unique(arm)) == {0, 1}


def test_complete_randomisation_keeps_the_ratio_on_average_and_three_arms_work():
    arm = allocate(rng(), 100, 1000, (1, 2, 3))
    assert np.bincount(arm.ravel()) / 1e5 == pytest.approx([1 / 6, 1 / 3, 1 / 2], abs=0.007)
    assert arm.sum(axis=1).std() > 5  # not balanced within a trial
    assert np.array_equal(arm, allocate(rng(), 100, 1000, (1, 2, 3)))


def test_blocks_that_cannot_hold_the_ratio_are_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        allocate(rng(), 1, 10, (1, 2), [4])


def test_arrivals_follow_their_rate():
    rate = piecewise([1.0, 3.0], [0.0, 10.0])
    day = poisson_arrivals(rng(), 2000, 60, rate)
    assert np.all(np.diff(day, axis=1) >= 0)
    counts = np.array([np.sum(day <= 10, axis=1), np.sum((day > 10) & (day <= 15), axis=1)])
    assert counts.mean(axis=1) == pytest.approx([10.0, 15.0], abs=0.4)
    assert counts.var(axis=1) == pytest.approx([10.0, 15.0], rel=0.15)  # Poisson
    even = uniform_arrivals(rng(), 500, 40, 100.0)
    assert stats.kstest(even.ravel() / 100.0, "uniform").pvalue > 1e-4 and np.all(np.diff(even, axis=1) >= 0)


def test_rates_and_their_integrals_invert_each_other():
    rate = piecewise([0.5, 0.0, 2.0], [0.0, 2.0, 5.0])
    assert rate.at([0.0, 2.0, 5.0]) == pytest.approx([0.5, 0.0, 2.0])
    assert rate.cumulative([1.0, 2.0, 4.0, 6.0, -1.0]) == pytest.approx([0.5, 1.0, 1.0, 3.0, 0.0])
    assert rate.inverse([0.5, 3.0]) == pytest.approx([1.0, 6.0])
    assert piecewise(0.0).inverse(1.0) == np.inf
    with pytest.raises(ValueError, match="rising"):
        piecewise([1.0, 2.0], [0.0, 0.0])


def test_nobody_drops_out_at_a_rate_of_nothing():
    assert np.isinf(drop_out(rng(), (3,), 0.0)).all()
    assert drop_out(rng(), (20_000,), 0.1).mean() == pytest.approx(10.0, rel=0.03)
