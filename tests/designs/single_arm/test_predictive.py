"""Predictive probability against Lee & Liu's paper and its closed form."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.single_arm.binomial import positive_probability, stops
from trialsim.designs.single_arm.predictive import (
    Prior,
    design_of,
    look_sizes,
    posterior_exceeds,
    predictive_looks,
    predictive_probabilities,
    responders_needed,
    search,
)


def steps(design):
    """(n, most responders that stop) wherever the futility bound rises."""
    return [
        (int(n), int(r)) for n, r, before in zip(design.n, design.futility, [-1, *design.futility[:-1]], strict=True) if r > before
    ]


def test_predictive_probability_of_the_papers_example():
    """Lee & Liu 2008, table 1: 16 of 23 respond, N = 40, Beta(0.6, 0.4), p0 = 0.6, theta_T = 0.90: PP = 0.5656."""
    prior = Prior(0.6, 0.4)
    table = predictive_probabilities(40, responders_needed(40, 0.6, prior, 0.90), prior)
    assert table[23][16] == pytest.approx(0.5656, abs=5e-5)


def test_search_finds_the_papers_design():
    """Lee & Liu 2008: p0 = 0.2, p1 = 0.4, errors 0.1, Beta(0.2, 0.8), looks from the tenth patient: N = 36, theta_L = 0.001,
    theta_T = 0.852 to 0.922, positive from 11; type I 0.088, power 0.906, 27.67 patients and 86 % stopped early under p0."""
    found = search(0.2, 0.4, 0.1, 0.1, Prior(0.2, 0.8), range(25, 51))
    assert (found.looks.n[-1], found.needed, found.theta_l) == (36, 11, 0.001)
    assert found.theta_t[0] < 0.852 < 0.922 < found.theta_t[1] and found.theta_t == pytest.approx((0.852, 0.922), abs=1.1e-3)
    assert steps(found.looks) == [
        (10, 0), (17, 1), (21, 2), (24, 3), (27, 4), (29, 5), (31, 6), (33, 7), (34, 8), (35, 9), (36, 10)
    ]  # fmt: skip
    assert (round(found.type1, 3), round(found.power, 3), round(found.expected_n, 2)) == (0.088, 0.906, 27.67)
    assert stops(found.looks, 0.2).negative[:-1].sum() == pytest.approx(0.86, abs=0.005)


def test_bounds_of_another_published_example():
    """Futility of N = 40, Beta(0.6, 1.4), p0 = 0.3, theta_T = 0.85, theta_L = 0.05: manual of the R package ph2bayes."""
    prior = Prior(0.6, 1.4)
    design = predictive_looks(range(1, 41), responders_needed(40, 0.3, prior, 0.85), prior, 0.05)
    shown = [(4, 0), (8, 1), (11, 2), (14, 3), (17, 4), (20, 5), (22, 6), (25, 7), (27, 8), (29, 9)]
    assert steps(design)[: len(shown)] == shown


def test_predictive_probability_is_beta_binomial():
    prior, total, needed = Prior(0.7, 1.9), 30, 12
    table = predictive_probabilities(total, needed, prior)
    for n in (0, 1, 13, 29):
        x = np.arange(n + 1)
        exact = stats.betabinom.sf(needed - x - 1, total - n, prior.a + x, prior.b + n - x)
        np.testing.assert_allclose(table[n], np.where(x >= needed, 1.0, exact), atol=1e-12)
    assert table[30].tolist() == [0.0] * 12 + [1.0] * 19


def test_needed_is_where_the_posterior_passes_the_threshold():
    prior = Prior(0.4, 0.6)
    for theta in (0.5, 0.9, 0.99):
        s = responders_needed(41, 0.4, prior, theta)
        assert posterior_exceeds(s - 1, 41, 0.4, prior) <= theta < posterior_exceeds(s, 41, 0.4, prior)
    assert responders_needed(2, 0.9, prior, 0.99) == 3


def test_search_takes_the_smallest_trial_that_keeps_both_errors():
    """Every smaller N fails for every threshold and every number needed; efficacy stops as well."""
    prior, grid = Prior(0.4, 0.6), (0.01, 0.05)
    found = search(0.4, 0.65, 0.1, 0.2, prior, range(10, 41), first=5, every=5, theta_l=grid, theta_u=0.95)
    total = int(found.looks.n[-1])
    assert np.any(found.looks.efficacy[:-1] <= found.looks.n[:-1])
    assert found.type1 == pytest.approx(positive_probability(found.looks, 0.4)) and found.type1 <= 0.1
    assert found.power == pytest.approx(positive_probability(found.looks, 0.65)) and found.power >= 0.8
    for n in range(10, total + 1):
        works = []
        for needed in range(1, n + 1):
            for low in grid:
                design = design_of(look_sizes(5, 5, n), needed, 0.4, 0.65, prior, low, 0.95)
                if design.type1 <= 0.1 and design.power >= 0.8:
                    works.append(design.power)
        assert bool(works) == (n == total)
    assert found.power == pytest.approx(max(works))


def test_efficacy_is_never_stopped_at_a_threshold_of_one():
    design = predictive_looks(range(5, 21), 8, Prior(1, 1), 0.05, 1.0)
    assert np.all(design.efficacy[:-1] == design.n[:-1] + 1)
