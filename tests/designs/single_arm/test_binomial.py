"""Exact looks against enumeration of every sequence of outcomes."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.single_arm.binomial import (
    critical_value,
    exact_power,
    looks,
    positive_probability,
    single_stage,
    stops,
)


def enumerated(design, rate):
    """Stops by going through all 2^N sequences."""
    negative, positive, size = np.zeros(len(design.n)), np.zeros(len(design.n)), 0.0
    for outcome in product((0, 1), repeat=int(design.n[-1])):
        chance = rate ** sum(outcome) * (1 - rate) ** (len(outcome) - sum(outcome))
        for k, n in enumerate(design.n):
            x = sum(outcome[:n])
            if x <= design.futility[k]:
                negative[k] += chance
            elif x >= design.efficacy[k]:
                positive[k] += chance
            elif k + 1 < len(design.n):
                continue
            size += chance * n
            break
    return negative, positive, size


@pytest.mark.parametrize("rate", [0.1, 0.35, 0.8])
@pytest.mark.parametrize(
    "bounds",
    [([4, 7, 12], [0, 2, 5], [4, 6, 6]), ([1, 2, 12], [-1, -1, 3], [2, 3, 9]), ([5, 12], [1, 4], [6, 5])],
    ids=["both", "gap at the end", "two stages"],
)
def test_recursion_is_the_sum_over_all_sequences(bounds, rate):
    design = looks(*bounds)
    negative, positive, size = enumerated(design, rate)
    found = stops(design, rate)
    np.testing.assert_allclose(found.negative, negative, atol=1e-14)
    np.testing.assert_allclose(found.positive, positive, atol=1e-14)
    assert found.expected_n == pytest.approx(size, abs=1e-12)


def test_nobody_or_everybody_responds():
    design = looks([10, 30], [2, 9], [11, 10])
    none, all_ = stops(design, 0.0), stops(design, 1.0)
    assert none.negative.tolist() == [1.0, 0.0] and none.expected_n == 10
    assert all_.positive.tolist() == [0.0, 1.0] and all_.expected_n == 30


@pytest.mark.parametrize("n, p0, alpha", [(25, 0.05, 0.025), (41, 0.4, 0.1), (3, 0.5, 0.05), (1, 0.9, 0.05)])
def test_critical_value_is_the_smallest_that_keeps_alpha(n, p0, alpha):
    b = critical_value(n, p0, alpha)
    assert stats.binom.sf(b - 1, n, p0) <= alpha < stats.binom.sf(b - 2, n, p0)
    assert exact_power(n, p0, p0, alpha) <= alpha
    assert exact_power(n, p0, 1.0, alpha) == (b <= n)


def test_single_stage_options_are_all_sizes_that_work():
    found = {design.n: design for design in single_stage(0.1, 0.3, 0.05, 0.2, options=5)}
    for n in range(1, max(found) + 1):
        works = exact_power(n, 0.1, 0.3, 0.05) >= 0.8
        assert works == (n in found)
    for design in found.values():
        assert design.type1 == pytest.approx(positive_probability(design.looks, 0.1)) and design.type1 <= 0.05
        assert design.power == pytest.approx(positive_probability(design.looks, 0.3)) and design.power >= 0.8
        assert stats.binom.sf(design.r - 1, design.n, 0.1) > 0.05  # one responder fewer would not do
    assert single_stage(0.1, 0.11, 0.05, 0.2, max_patients=50) == []


@pytest.mark.parametrize(
    "bounds, words",
    [(([5, 5], [0, 1], [6, 2]), "increase"), (([5], [2], [2]), "below"), (([5, 9], [0], [6, 2]), "one entry")],
)
def test_impossible_looks_are_refused(bounds, words):
    with pytest.raises(ValueError, match=words):
        looks(*bounds)
