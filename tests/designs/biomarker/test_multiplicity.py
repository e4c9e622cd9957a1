"""Claims on normal scores: family-wise error under every truth, exact levels, published constants."""

import numpy as np
import pytest
from marked_trials import ALPHA, error, four_errors, truths
from scipy import stats

from trialsim.designs.biomarker.multiplicity import (
    Claims,
    Fallback,
    FixedSequence,
    MarkerSequential,
    OverallOnly,
    Scores,
    bivariate_normal,
    interaction,
    intersection,
)
from trialsim.designs.biomarker.size import interaction_power

N = 400_000
STRATEGIES = {
    "fixed_sequence": FixedSequence(ALPHA),
    "fallback": Fallback(ALPHA, 0.015),
    "song_chi": Fallback(ALPHA, 0.015, 0.3),
}


class Naive:
    """Both at the whole alpha: what the check must catch."""

    def claims(self, z):
        c = stats.norm.isf(ALPHA)
        return Claims(z.overall >= c, z.positive >= c, np.zeros(z.overall.shape, bool))


def scores(fraction, positive=0.0, negative=0.0, seed=0, n=N):
    one, other = np.random.default_rng(seed).standard_normal((2, n)) + np.array([[positive], [negative]])
    return Scores(np.sqrt(fraction) * one + np.sqrt(1 - fraction) * other, one, other, np.full(n, fraction))


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", STRATEGIES)
def test_family_wise_error_under_every_truth(name, fraction):
    """400,000 trials a truth; four standard errors above alpha (false alarm 3e-5 each)."""
    limit = ALPHA + four_errors(ALPHA, N)
    for truth in truths(fraction).values():
        claims = STRATEGIES[name].claims(scores(fraction, truth.positive, truth.negative))
        assert error(claims, truth.false).mean() < limit
    nobody = truths(fraction)["nobody"]
    # all of alpha is spent where nobody gains
    assert error(STRATEGIES[name].claims(scores(fraction)), nobody.false).mean() > ALPHA - four_errors(ALPHA, N)
    assert error(Naive().claims(scores(fraction)), nobody.false).mean() > limit


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_exact_marker_sequential_test(fraction):
    """By quadrature over Z+, whatever the effect in positive patients: claims that reach negative ones, who gain nothing."""

    def wrong(alpha_positive, drift):
        z = np.linspace(drift - 9, drift + 9, 20001)
        c, c_all = stats.norm.isf([alpha_positive, ALPHA - alpha_positive])
        beyond = stats.norm.sf((c_all - np.sqrt(fraction) * z) / np.sqrt(1 - fraction))
        reached = np.where(z >= c, ALPHA, beyond)
        return np.trapezoid(stats.norm.pdf(z - drift) * reached, z)

    worst = max(wrong(0.022, drift) for drift in np.linspace(0, 6, 25))
    assert 0.02 < worst <= ALPHA + 1e-6
    if 0.2 < fraction < 0.8:
        assert max(wrong(0.01, drift) for drift in np.linspace(0, 6, 25)) > 1.5 * ALPHA  # not every split will do
    design, drift = MarkerSequential(ALPHA, 0.022), 1.5
    claims = design.claims(scores(fraction, drift, seed=1))
    expected = wrong(0.022, drift)
    assert abs(np.mean(claims.negative | claims.overall) - expected) < four_errors(expected, N)
    null = design.claims(scores(fraction, seed=2))
    assert error(null, ("overall", "positive", "negative")).mean() < ALPHA + four_errors(ALPHA, N)


def test_published_equal_levels_are_those_of_pocock():
    """Two looks, the first at half the information, one-sided 2.5 %: 2.178 (Pocock, Biometrika 1977;64:191-9)."""
    assert Fallback(ALPHA, stats.norm.sf(2.17827)).critical(0.5) == pytest.approx(2.17827, abs=2e-4)


def test_analytic_levels_without_correlation_and_with_all():
    alone = stats.norm.sf(Fallback(ALPHA, 0.015).critical(np.array([0.0, 0.5])))
    assert alone[0] == pytest.approx(1 - (1 - ALPHA) / (1 - 0.015)) and alone[1] > alone[0]
    # everybody positive: the same test twice
    assert stats.norm.sf(Fallback(ALPHA, 0.015).critical(np.array([1.0]))) == pytest.approx(ALPHA)


def test_power_of_the_fixed_sequence_is_a_product_where_groups_share_nothing():
    """The share of trials with each claim, against the bivariate normal."""
    fraction, drift = 0.4, (2.5, 1.0)
    z = scores(fraction, *drift, seed=4)
    claims = FixedSequence(ALPHA).claims(z)
    c, overall = stats.norm.isf(ALPHA), np.sqrt(0.4) * drift[0] + np.sqrt(0.6) * drift[1]
    positive = stats.norm.sf(c - drift[0])
    both = float(bivariate_normal(drift[0] - c, overall - c, np.sqrt(fraction)))
    assert abs(claims.positive.mean() - positive) < four_errors(positive, N)
    assert abs(claims.overall.mean() - both) < four_errors(both, N)
    assert np.array_equal(OverallOnly(ALPHA).claims(z).overall, z.overall >= c)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9, -0.5])
def test_independent_bivariate_normal(rho):
    points = [(0.0, 0.0), (0.0, -1.0), (1.2, -0.7), (-2.0, -2.5), (3.0, 2.0), (0.0, 1.5)]
    expected = [stats.multivariate_normal.cdf(p, cov=[[1, rho], [rho, 1]]) for p in points]
    assert bivariate_normal(*np.array(points).T, rho) == pytest.approx(expected, abs=1e-7)
    assert bivariate_normal([np.inf, -np.inf], [0.3, 0.3], rho) == pytest.approx([stats.norm.cdf(0.3), 0.0])
    assert bivariate_normal([0.3, 0.5, 0.0], [0.5, 0.5, 0.0], 1.0) == pytest.approx(stats.norm.cdf([0.3, 0.5, 0.0]))


@pytest.mark.parametrize("method", ["simes", "correlated"])
def test_intersection_holds_its_level_and_is_the_overall_test_at_the_edges(method):
    z = scores(0.3, seed=5)
    share = np.mean(intersection(z, method) >= stats.norm.isf(ALPHA))
    assert share < ALPHA + four_errors(ALPHA, N)
    if method == "correlated":
        assert share > ALPHA - four_errors(ALPHA, N)
    edge = Scores(*np.array([[1.0, 2.0], [0.0, 2.0], [1.0, 0.0], [0.0, 1.0]]))
    assert np.array_equal(intersection(edge, method), [1.0, 2.0])


def test_interaction_has_its_level_and_power():
    """Estimates with the variance 4 / events; 400,000 trials, four standard errors."""
    events, share = 300.0, 0.4
    se = 2.0 / np.sqrt(events * np.array([share, 1 - share]))
    noise = np.random.default_rng(6).standard_normal((2, N)) * se[:, None]
    for log_ratio in (0.0, np.log(0.6)):
        found = np.mean(interaction((noise[0] + log_ratio, noise[1]), (se[0], se[1])) >= stats.norm.isf(ALPHA))
        expected = interaction_power(log_ratio, share, events, ALPHA)
        assert abs(found - expected) < four_errors(expected, N)
    assert np.array_equal(interaction(([np.nan, 0.0], [0.1, 0.0]), ([np.nan, 0.2], [0.1, np.nan])), [0.0, 0.0])
