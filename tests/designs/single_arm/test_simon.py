"""Two-stage designs against a plain search, and against what defines them."""

import numpy as np
import pytest

from trialsim.designs.single_arm.binomial import positive_probability, stops
from trialsim.designs.single_arm.simon import admissible, frontier, minimax, optimal, two_stage, two_stage_looks


def plain_search(p0, p1, alpha, beta, largest):
    """Every design (r1, n1, r, n) that keeps both error rates, with its EN0."""
    found = {}
    for n in range(2, largest + 1):
        for n1 in range(1, n):
            for r1 in range(n1):
                for r in range(r1, n):
                    design = two_stage_looks(r1, n1, r, n)
                    if positive_probability(design, p0) <= alpha:
                        if positive_probability(design, p1) >= 1 - beta:
                            found[r1, n1, r, n] = stops(design, p0).expected_n
                        break  # larger r has less power
    return found


@pytest.mark.parametrize("p0, p1, alpha, beta, largest", [(0.2, 0.6, 0.1, 0.2, 14), (0.6, 0.9, 0.1, 0.2, 17)])
def test_search_misses_nothing(p0, p1, alpha, beta, largest):
    every = plain_search(p0, p1, alpha, beta, largest)
    best = min(every, key=lambda key: (every[key], key[3]))
    smallest = min(every, key=lambda key: (key[3], every[key]))
    assert optimal(p0, p1, alpha, beta, largest)[:4] == best
    assert minimax(p0, p1, alpha, beta, largest)[:4] == smallest
    for weight in np.linspace(0.01, 0.99, 21):
        chosen = next(one.design for one in admissible(p0, p1, alpha, beta, largest) if one.low <= weight)
        least = min(weight * key[3] + (1 - weight) * en for key, en in every.items())
        assert weight * chosen.n + (1 - weight) * chosen.en0 == pytest.approx(least)


@pytest.mark.parametrize("p0, p1", [(0.05, 0.2), (0.4, 0.55), (0.75, 0.9)])
def test_every_design_keeps_its_errors_and_says_what_it_does(p0, p1):
    designs = frontier(p0, p1, 0.05, 0.1)
    assert len(designs) > 1
    for design in designs:
        assert design == pytest.approx(two_stage(*design[:4], p0, p1))
        assert design.type1 <= 0.05 and design.power >= 0.9
        fewer = two_stage(design.r1, design.n1, design.r - 1, design.n, p0, p1)
        assert fewer.type1 > 0.05  # a critical value that is off by one breaks the type I error
    assert np.all(np.diff([design.n for design in designs]) > 0) and np.all(np.diff([design.en0 for design in designs]) < 0)


def test_weights_of_admissible_designs_join_up():
    found = admissible(0.3, 0.5, 0.05, 0.2)
    assert found[0].high == 1.0 and found[-1].low == 0.0
    assert [one.low for one in found[:-1]] == [one.high for one in found[1:]]
    assert found[0].design == minimax(0.3, 0.5, 0.05, 0.2) and found[-1].design == optimal(0.3, 0.5, 0.05, 0.2)


def test_no_design_of_the_size():
    assert frontier(0.3, 0.4, 0.05, 0.1, 40) == [] and optimal(0.3, 0.4, 0.05, 0.1, 40) is None
    assert minimax(0.3, 0.4, 0.05, 0.1, 40) is None and admissible(0.3, 0.4, 0.05, 0.1, 40) == []
