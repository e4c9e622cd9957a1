"""Assurance against closed forms and against trials that are played."""

import numpy as np
import pytest
from scipy import stats

from trialsim.endpoints.comparison import log_rank
from trialsim.options import sizes

ALPHA, Z = 0.025, stats.norm.isf(0.025)


def test_log_rank_power_is_schoenfelds():
    """510 events for 90 % power at a hazard ratio of 0.75 (Schoenfeld 1981: 4 (1.96 + 1.2816)^2 / ln(0.75)^2 = 507.8)."""
    events = 4 * (Z + stats.norm.isf(0.1)) ** 2 / np.log(0.75) ** 2
    assert events == pytest.approx(507.8, abs=0.1)
    power = sizes.power_log_rank(np.array([np.log(0.75)]), np.array([1.0]), np.array([events]), ALPHA)
    assert power[0, 0] == pytest.approx(0.9, abs=1e-6)


def test_log_rank_power_is_that_of_trials_played():
    """1,000 trials of 60 an arm, exponential with a hazard ratio of 0.6, all events seen; 4 SE are 0.055."""
    rng = np.random.default_rng(2)
    time = np.concatenate([rng.exponential(1.0, (1000, 60)), rng.exponential(1 / 0.6, (1000, 60))], axis=1)
    arm = np.broadcast_to(np.repeat([0, 1], 60), time.shape)
    played = float(np.mean(log_rank(time, np.ones(time.shape, bool), arm).z < -Z))
    power = sizes.power_log_rank(np.log([0.6]), np.array([2.0]), np.array([60]), ALPHA)[0, 0]
    assert played == pytest.approx(power, abs=0.055)


def test_assurance_of_endless_trials_is_the_share_of_worlds_with_a_benefit():
    log_hr = np.array([-0.4, -0.1, -0.01, 0.0, 0.2])
    power = sizes.power_log_rank(log_hr, np.full(5, 1.5), np.array([50, 10**9]), ALPHA)
    assert power[1].mean() == pytest.approx(np.mean(log_hr < 0) + ALPHA / 5)  # and a false alarm where there is none
    assert power[0].mean() < power[1].mean()


def test_misfit_draws_power_to_one_half_and_none_changes_nothing():
    arguments = (np.array([-0.5, 0.3]), np.array([1.5, 1.5]), np.array([400]), ALPHA)
    plain, none, some = (sizes.power_log_rank(*arguments, misfit=tau) for tau in (0.0, np.zeros(2), np.full(2, 0.4)))
    np.testing.assert_array_equal(plain, none)
    assert 0.5 < some[0, 0] < plain[0, 0] and plain[0, 1] < some[0, 1] < 0.5


def test_response_power_is_the_sum_of_binomial_terms():
    """20 patients, null 5 %: 4 responders are needed, P(X >= 4 | 0.05) = 0.0159, P(X >= 3 | 0.05) = 0.0755."""
    x = np.arange(4, 21)
    expected = [float(np.sum(stats.binom.pmf(x, 20, p))) for p in (0.05, 0.3)]
    found = sizes.power_response(np.array([0.05, 0.3]), 0.05, np.array([20]), ALPHA)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found[0] == pytest.approx(0.0159, abs=1e-4) and found[0] <= ALPHA


def test_the_smallest_size_is_that_of_the_grid_or_none():
    grid, found = np.array([20, 40, 80]), np.array([0.5, 0.81, 0.9])
    assert sizes.smallest(grid, found, 0.8) == 40 and sizes.smallest(grid, found, 0.95) is None
