"""What is true over the worlds: variances freed of noise, probabilities whose value is known."""

import numpy as np
import pytest
from scipy import stats

from trialsim.options import spread

RNG = np.random.default_rng(1)


def test_truth_has_the_variance_between_worlds_and_not_that_of_few_patients():
    """SD 0.3 between worlds, 0.4 of error, 20,000 worlds: 4 SE of the estimate are 0.01."""
    true = RNG.normal(1.0, 0.3, 20_000)
    found = spread.truth(true + RNG.normal(0.0, 0.4, 20_000), np.full(20_000, 0.4))
    assert np.std(found) == pytest.approx(0.3, abs=0.012) and np.mean(found) == pytest.approx(1.0, abs=0.015)


def test_without_error_nothing_moves_and_with_nothing_else_all_meet_at_the_mean():
    values = np.array([1.0, 2.0, 6.0])
    np.testing.assert_array_equal(spread.truth(values, np.zeros(3)), values)
    np.testing.assert_allclose(spread.truth(values, np.full(3, 10.0)), 3.0)
    np.testing.assert_array_equal(spread.truth(np.array([1.0, np.inf]), np.zeros(2)), [1.0, np.inf])  # a median not reached


def test_an_option_equal_to_the_reference_is_never_better_and_shares_being_the_best():
    zero = np.zeros((2, 30))
    assert spread.probability_positive(zero[0], zero[0], 1).value == 0.0
    assert spread.probability_best(zero, zero, 1).value.tolist() == [0.5, 0.5]


def test_probabilities_are_those_of_the_normal_with_the_error_of_so_many_worlds():
    values = stats.norm.ppf((np.arange(400) + 0.5) / 400, loc=0.5)
    found = spread.probability_positive(values, np.zeros(400), 1)
    assert found.value == pytest.approx(stats.norm.cdf(0.5), abs=0.01)
    assert found.error == pytest.approx(np.sqrt(found.value * (1 - found.value) / 400), rel=0.15)
    certain = spread.probability_positive(np.ones(400), np.zeros(400), 1)
    assert certain.value == 1.0 and 0 < certain.error < 0.01  # of 400 worlds without an exception nobody knows the next


def test_where_noise_is_all_the_probability_is_that_of_the_mean():
    """The worlds do not differ: whether the common value is above 0 hangs on its standard error, 1 / sqrt(100)."""
    noise = stats.norm.ppf((np.arange(100) + 0.5) / 100)
    found = spread.probability_positive(noise + 0.1, np.full(100, 1.1), 1)
    assert found.value == pytest.approx(stats.norm.cdf(1.0), abs=0.06) and found.error > 0.2


def test_quantiles_rise_and_count_what_is_not_reached_as_late():
    found = spread.quantiles(np.array([1.0, 2.0, 3.0, np.inf, np.inf]))
    assert (found["median"], found["high_50"], found["low_90"]) == (3.0, np.inf, 1.0)
    assert np.isnan(spread.quantiles(np.array([np.nan]))["median"])
