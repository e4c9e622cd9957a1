"""Posterior probabilities against integrals and double sums."""

import numpy as np
import pytest
from scipy import integrate, stats

from trialsim.designs.adaptive.posterior import Prior, beliefs, success_ahead


def integral(k, responders, n, prior, rivals):
    rate = [stats.beta(prior.a + x, prior.b + m - x) for x, m in zip(responders, n, strict=True)]
    f = lambda p: rate[k].pdf(p) * np.prod([rate[j].cdf(p) for j in rivals if j != k])
    return integrate.quad(f, 0, 1, points=[rate[k].mean()], limit=400, epsabs=1e-10)[0]


@pytest.mark.parametrize("prior", [Prior(1, 1), Prior(0.5, 0.5), Prior(2, 5)])
@pytest.mark.parametrize(
    "responders, n",
    [([3, 5, 7], [10, 9, 11]), ([0, 0, 3], [10, 12, 9]), ([100, 140, 120], [300, 300, 290]), ([9, 1, 10], [10, 10, 10])],
)
def test_beliefs_are_the_integrals(responders, n, prior):
    found = beliefs(np.array([responders]), np.array([n]), prior)
    for k in range(3):
        assert found.best[0, k] == pytest.approx(integral(k, responders, n, prior, range(3)), abs=1e-4)
    for k in (1, 2):
        assert found.better[0, k] == pytest.approx(integral(k, responders, n, prior, (0, k)), abs=1e-4)


def test_arms_with_the_same_data_are_equally_good():
    found = beliefs(np.array([[4, 4, 4, 4]]), np.array([[11, 11, 11, 11]]), Prior(1, 1))
    assert found.best[0] == pytest.approx([0.25] * 4) and found.better[0] == pytest.approx([0, 0.5, 0.5, 0.5], abs=1e-6)


def test_closed_arms_are_not_rivals():
    open_arms = np.array([[True, False, True]])
    found = beliefs(np.array([[3, 9, 5]]), np.array([[10, 10, 10]]), Prior(1, 1), open_arms)
    assert found.best[0, 1] == 0 and found.best[0].sum() == pytest.approx(1)
    assert found.best[0, 2] == pytest.approx(integral(2, [3, 9, 5], [10] * 3, Prior(1, 1), (0, 2)), abs=1e-4)


def test_many_replicates_in_chunks_are_each_on_their_own():
    rng = np.random.default_rng(0)
    n = rng.integers(1, 40, (4100, 2))
    x = rng.binomial(n, 0.4)
    found = beliefs(x, n, Prior(1, 1))
    for i in (0, 1999, 2000, 4099):
        assert found.best[i] == pytest.approx(beliefs(x[[i]], n[[i]], Prior(1, 1)).best[0])


@pytest.mark.parametrize("x, n, ahead", [((10, 16), (40, 40), 35), ((14, 12), (40, 40), 35), ((12, 20), (40, 50), 50)])
def test_predictive_probability_of_success_is_near_the_double_sum(x, n, ahead):
    """The normal approximation, within 0.04 of the exact beta-binomial sum over both arms' patients to come."""
    prior, threshold = Prior(1, 1), 0.95
    exact = 0.0
    future = [stats.betabinom(ahead, 1 + a, 1 + m - a).pmf(np.arange(ahead + 1)) for a, m in zip(x, n, strict=True)]
    y0, y1 = (y.ravel() for y in np.meshgrid(np.arange(ahead + 1), np.arange(ahead + 1), indexing="ij"))
    ends = np.array(n) + ahead
    better = beliefs(np.stack([x[0] + y0, x[1] + y1], axis=1), np.broadcast_to(ends, (len(y0), 2)), prior).better[:, 1]
    exact = (future[0][y0] * future[1][y1])[better > threshold].sum()
    found = success_ahead(np.array([x]), np.array([n]), ends[None], prior, threshold)[0, 1]
    assert found == pytest.approx(exact, abs=0.04)


def test_with_nothing_ahead_success_is_known():
    chance = success_ahead(np.array([[5, 30, 5]]), np.array([[40, 40, 40]]), np.array([[40, 40, 40]]), Prior(1, 1), 0.95)
    assert chance[0, 1:].tolist() == [1.0, 0.0]
