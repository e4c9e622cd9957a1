"""Intervals of proportions and rates: published intervals, scipy's own functions, exact coverage."""

import numpy as np
import pytest
from scipy import stats

from trialsim.endpoints import proportions


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (8, 31, 0.119, 0.446),  # lenvatinib + everolimus, published 26 % (12-45), Eur Urol 2021;80:162-70
        (0, 16, 0.0, 0.206),
        (4, 33, 0.034, 0.282),
        (1, 59, 0.0004, 0.0909),
    ],
)
def test_clopper_pearson_known_intervals(k, n, low, high):
    found = proportions.clopper_pearson(k, n)
    assert (found.estimate, found.n, found.method) == (pytest.approx(k / n), n, "Clopper-Pearson")
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_agrees_with_scipy(level):
    for n in (1, 7, 30):
        for k in range(n + 1):
            for ours, method in ((proportions.clopper_pearson, "exact"), (proportions.wilson, "wilson")):
                found = ours(k, n, level)
                other = stats.binomtest(k, n).proportion_ci(level, method)
                assert (found.low, found.high) == (
                    pytest.approx(other.low, abs=1e-9),
                    pytest.approx(other.high, abs=1e-9),
                )


def test_exact_interval_never_undercovers():
    n = 18
    k = np.arange(n + 1)
    interval = proportions.clopper_pearson(k, n)
    for p in np.linspace(0.01, 0.99, 99):
        inside = (interval.low <= p) & (p <= interval.high)
        assert stats.binom.pmf(k, n, p)[inside].sum() >= 0.95


def test_arrays_and_no_patients():
    found = proportions.clopper_pearson([0, 3, 0], [10, 10, 0])
    assert found.estimate[:2].tolist() == [0.0, 0.3] and np.isnan(found.estimate[2])
    assert (found.low[2], found.high[2]) == (0.0, 1.0)
    assert proportions.wilson(0, 0).high == 1.0


def test_share_of_patients():
    assert proportions.share(np.array([True, False, False, False])).estimate == 0.25
    assert np.isnan(proportions.share(np.array([], bool)).estimate)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="between 0 and n"):
        proportions.clopper_pearson(5, 4)
    with pytest.raises(ValueError):
        proportions.event_rate(1, 0.0)


def test_event_rate():
    found = proportions.event_rate(10, 200.0)
    # 95 % exact limits of a count of 10 are 4.795 and 18.390 (tables of the Poisson distribution)
    assert (found.estimate, found.low, found.high) == (
        0.05,
        pytest.approx(4.795 / 200, rel=1e-3),
        pytest.approx(18.390 / 200, rel=1e-3),
    )
    assert proportions.event_rate(0, 10.0).low == 0
    assert stats.poisson.cdf(10, found.high * 200) == pytest.approx(0.025)
    assert stats.poisson.sf(9, found.low * 200) == pytest.approx(0.025)
