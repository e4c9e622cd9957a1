"""Inference after looks, by exact enumeration of all outcomes."""

import numpy as np
import pytest

from trialsim.designs.single_arm.binomial import looks, reached
from trialsim.designs.single_arm.estimate import at_least, infer, rate_at, umvue
from trialsim.designs.single_arm.simon import two_stage_looks
from trialsim.endpoints.proportions import clopper_pearson

DESIGNS = {
    "two stages": two_stage_looks(7, 18, 22, 46),
    "with efficacy": looks([15, 30, 45], [3, 9, 17], [11, 16, 18]),
    "many looks": looks(list(range(10, 37)), [0] * 7 + [1] * 4 + [2] * 3 + [3] * 3 + [4] * 2 + [5] * 2 + [6] * 2 + [7, 8, 9, 10],
                        [*range(11, 37), 11]),
}  # fmt: skip
RATES = [0.02, 0.2, 0.4, 0.63, 0.97]


def outcomes(design, rate):
    """(look, responders, probability) of every way to end."""
    for m, chance in enumerate(reached(design, rate)):
        last = m + 1 == len(design.n)
        for x, p in enumerate(chance):
            if last or x <= design.futility[m] or x >= design.efficacy[m]:
                yield m, x, p


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("rate", RATES)
def test_umvue_is_unbiased_exactly(name, rate):
    design, mean, naive, total = DESIGNS[name], 0.0, 0.0, 0.0
    estimate = umvue(design)
    for m, x, p in outcomes(design, rate):
        if p > 0:
            mean += p * estimate[m, x]
            naive += p * x / design.n[m]
            total += p
    assert total == pytest.approx(1.0, abs=1e-12)
    assert mean == pytest.approx(rate, abs=1e-12)
    if 0.1 < rate < 0.6:
        assert abs(naive - rate) > 1e-3  # the naive estimate is biased: the test above can fail


def test_umvue_after_the_first_look_is_the_share():
    design = DESIGNS["with efficacy"]
    assert umvue(design)[0, [0, 3, 11, 15]] == pytest.approx(np.array([0, 3, 11, 15]) / 15)
    assert np.all(np.isnan(umvue(design)[0, 4:11]))  # the trial goes on


@pytest.mark.parametrize("name", DESIGNS)
def test_p_values_are_valid_and_match_the_decision(name):
    """P(p-value <= a) <= a at every a, and the least favourable positive outcome has the design's type I error."""
    design, p0 = DESIGNS[name], 0.3
    every = [(at_least(design, m, x, p0), p, x >= design.efficacy[m]) for m, x, p in outcomes(design, p0) if p > 0]
    p_value, chance, positive = (np.array(column) for column in zip(*every, strict=True))
    for level in np.unique(p_value):
        assert chance[p_value <= level].sum() == pytest.approx(level, abs=1e-10)
    assert p_value[positive].max() < p_value[~positive].min()
    assert p_value[positive].max() == pytest.approx(chance[positive].sum())


@pytest.mark.parametrize("name", ["two stages", "with efficacy"])
def test_intervals_cover_at_least_as_often_as_they_say(name):
    design = DESIGNS[name]
    limits = {(m, x): infer(design, m, x, 0.3, level=0.90)[3:] for m, x, p in outcomes(design, 0.5) if p > 0}
    for rate in RATES:
        ends = {(m, x): p for m, x, p in outcomes(design, rate) if (m, x) in limits}
        assert sum(ends.values()) == pytest.approx(1)
        covered = sum(p for end, p in ends.items() if limits[end][0] <= rate <= limits[end][1])
        assert covered >= 0.90 - 1e-9
    assert any(low > 0.3 for low, _ in limits.values()) and any(high < 0.3 for _, high in limits.values())


def test_without_a_look_it_is_the_clopper_pearson_interval():
    design = looks([41], [20], [21])
    for x in (0, 7, 25, 41):
        found, exact = infer(design, 0, x, 0.4, level=0.95), clopper_pearson(x, 41)
        assert (found.mle, found.umvue) == pytest.approx((x / 41, x / 41))
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-8)


def test_nobody_and_everybody_responds():
    design = DESIGNS["two stages"]
    none, everybody = infer(design, 0, 0, 0.4), infer(design, 1, 46, 0.4)
    assert none.low == 0 and none.umvue == 0 and none.p_value == pytest.approx(1)
    assert everybody.high == 1 and everybody.umvue == 1 and everybody.p_value < 1e-12
    assert rate_at(design, 0, 0, 0.95) == 0.0


def test_an_impossible_end_is_refused():
    with pytest.raises(ValueError, match="cannot end at look 1 with 9"):
        infer(DESIGNS["two stages"], 0, 9, 0.4)
    with pytest.raises(ValueError, match="look = 2"):
        at_least(DESIGNS["two stages"], 2, 9, 0.4)
