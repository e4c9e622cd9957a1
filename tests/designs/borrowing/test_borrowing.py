"""Historical borrowing against closed forms, limits and simulation; the published rows are in reference_basket.py."""

import numpy as np
import pytest
from scipy import special, stats

from trialsim.designs.basket.hyperpriors import Exchangeable, Fixed, HalfNormal
from trialsim.designs.borrowing.decision import (
    ControlledDesign,
    critical_responders,
    detectable_difference,
    noninferiority_power,
    one_arm_success,
    power,
    probability_greater,
    success_table,
)
from trialsim.designs.borrowing.map_prior import _maximise, fit_mixture, map_prior
from trialsim.designs.borrowing.mixture import (
    BetaMixture,
    beta_mixture,
    robustify,
    size_elir,
    size_moments,
    size_morita,
    update,
)

WIDE = Exchangeable(0.0, 2.0, HalfNormal(1.0))
Y, N = [4, 7, 3], [30, 41, 22]


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.5), (4.0, 16.0), (11.0, 32.0)])
def test_analytic_a_beta_distribution_is_worth_a_plus_b(a, b):
    prior = beta_mixture((1.0, a, b))
    assert size_elir(prior) == pytest.approx(a + b, rel=1e-4)
    assert size_moments(prior) == pytest.approx(a + b)
    mode = (a - 1) / (a + b - 2)  # information there over that of a patient drawn from the prior, the vague prior's subtracted
    info = lambda a, b: (a - 1) / mode**2 + (b - 1) / (1 - mode) ** 2
    patient = a / (a + b) / mode**2 + b / (a + b) / (1 - mode) ** 2
    assert size_morita(prior) == pytest.approx((info(a, b) - info(mode / 100, (1 - mode) / 100)) / patient, rel=1e-5)


def test_a_uniform_distribution_has_no_local_information():
    assert size_elir(beta_mixture((1.0, 1.0, 1.0))) == pytest.approx(0.0, abs=1e-12)


def test_elir_is_predictively_consistent():
    """Neuenschwander 2020: the expected size after 10 patients is the size before plus 10."""
    prior = beta_mixture((0.6, 19.0, 58.0), (0.4, 3.5, 9.4))
    y = np.arange(11)
    chance = sum(w * stats.betabinom.pmf(y, 10, a, b) for w, a, b in zip(*prior, strict=True))
    after = [size_elir(update(prior, int(k), 10)) for k in y]
    assert chance.sum() == pytest.approx(1.0)
    assert chance @ after == pytest.approx(size_elir(prior) + 10, rel=1e-6)


def test_elir_says_where_it_diverges():
    with pytest.raises(ValueError, match="at least 1"):
        size_elir(beta_mixture((1.0, 0.5, 1.0)))


def test_mixture_update_by_brute_force():
    prior, p = beta_mixture((0.7, 3.0, 9.0), (0.3, 1.0, 1.0)), np.linspace(5e-5, 1 - 5e-5, 10_000)
    product = prior.density(p) * p**8 * (1 - p) ** 4
    after = update(prior, 8, 12)
    assert after.density(p) == pytest.approx(product / product.sum() * 10_000, rel=1e-4)
    assert after.mean() == pytest.approx(product @ p / product.sum(), rel=1e-6)
    conflict = update(robustify(beta_mixture((1.0, 20.0, 80.0)), 0.1), 18, 20)
    assert conflict.weight[-1] > 0.99  # data that contradict the history leave it behind


def test_no_spread_pools_the_studies():
    """tau 0: the posterior of one rate whose log odds have the prior of mu."""
    prior = map_prior(Y, N, Exchangeable(0.0, 2.0, Fixed(0.0)))
    t = np.linspace(-6, 4, 20_001)
    f = stats.norm.pdf(t, 0, 2) * special.expit(t) ** sum(Y) * special.expit(-t) ** (sum(N) - sum(Y))
    assert prior.moments()[0] == pytest.approx(f @ special.expit(t) / f.sum(), abs=1e-6)


def test_without_history_the_prior_is_what_it_was():
    prior = map_prior([], [], Exchangeable(0.0, 2.0, Fixed(1.5)))
    p = np.array([0.05, 0.3, 0.5, 0.9])
    assert prior.cdf(p) == pytest.approx(stats.norm.cdf(special.logit(p), 0, 2.5), abs=1e-4)
    assert prior.quantile(0.5) == pytest.approx(0.5, abs=1e-6)


def test_spread_between_studies_costs_information():
    alike, apart = map_prior([5, 5, 5], [25] * 3, WIDE), map_prior([0, 5, 10], [25] * 3, WIDE)
    assert alike.tau_summary()[0] < apart.tau_summary()[0]
    assert alike.moments()[1] < 0.7 * apart.moments()[1]


@pytest.mark.parametrize("criterion", [pytest.param("aic", marks=pytest.mark.slow), "bic"])
def test_the_mixture_is_the_prior_in_distribution(criterion):
    prior, grid = map_prior(Y, N, WIDE), np.linspace(0.005, 0.95, 190)
    fit = fit_mixture(prior, criterion=criterion)
    assert np.abs(fit.cdf(grid) - prior.cdf(grid)).max() < (0.01 if criterion == "aic" else 0.015)  # BIC takes fewer components
    assert fit.weight.sum() == pytest.approx(1.0) and np.all(fit.a >= 1) and np.all(fit.b >= 1)
    one = fit_mixture(prior, components=1)
    assert np.abs(one.cdf(grid) - prior.cdf(grid)).max() > 0.02  # one beta distribution is not enough


def test_fit_finds_a_beta_distribution_again():
    points = stats.beta.ppf((np.arange(2000) + 0.5) / 2000, 6.0, 17.0)
    fit, _ = _maximise(points, 1)
    assert (fit.a[0], fit.b[0]) == pytest.approx((6.0, 17.0), rel=0.01)


def test_analytic_probability_that_one_rate_is_greater():
    """Closed form for whole a_1: sum of beta functions (Thompson, Biometrika 1933;25:285-94)."""
    first, second = (5, 9), (3, 14)
    k = np.arange(first[0])
    closed = np.sum(np.exp(
        special.betaln(second[0] + k, second[1] + first[1]) - np.log(first[1] + k)
        - special.betaln(1 + k, first[1]) - special.betaln(*second)
    ))  # fmt: skip
    one, two = (beta_mixture((1.0, *map(float, pair))) for pair in (first, second))
    assert probability_greater(one, two).item() == pytest.approx(closed, abs=1e-10)
    assert probability_greater(two, one).item() == pytest.approx(1 - closed, abs=1e-10)
    half = beta_mixture((1.0, 0.5, 0.5))
    assert probability_greater(half, half).item() == pytest.approx(0.5, abs=1e-8)
    for margin in (-0.2, 0.1):
        grid = np.linspace(0, 1, 20_001)
        direct = np.trapezoid(one.density(grid) * two.cdf(np.clip(grid - margin, 0, 1)), grid)
        assert probability_greater(one, two, margin).item() == pytest.approx(direct, abs=1e-7)


@pytest.mark.parametrize("n_control", [12, 0])
def test_operating_characteristics_by_simulation(n_control):
    """20,000 trials, seed 9, each judged from its own posterior; four errors. A wrong threshold is seen."""
    control = robustify(beta_mixture((0.6, 19.0, 58.0), (0.4, 3.5, 9.4)), 0.2)
    design = ControlledDesign(beta_mixture((1.0, 1.0, 1.0)), control, 24, n_control, 0.9)
    generator = np.random.default_rng(9)
    for p_treated, p_control in ((0.25, 0.25), (0.5, 0.25)):
        y = generator.binomial(24, p_treated, 20_000), generator.binomial(n_control, p_control, 20_000)
        rows, which = np.unique(np.column_stack(y), axis=0, return_inverse=True)
        single = [
            probability_greater(update(design.treated, t, 24), update(control, c, n_control)).item() > 0.9 for t, c in rows
        ]
        simulated = np.array(single)[which.reshape(-1)].mean()
        exact = power(success_table(design), p_treated, p_control)
        error = 4 * np.sqrt(exact * (1 - exact) / 20_000)
        assert abs(simulated - exact) < error
        assert abs(simulated - power(success_table(design._replace(gamma=0.97)), p_treated, p_control)) > error


def test_more_responders_never_undo_a_success():
    control = robustify(beta_mixture((1.0, 8.0, 30.0)), 0.3)
    table = success_table(ControlledDesign(beta_mixture((1.0, 1.0, 1.0)), control, 20, 10, 0.95))
    assert np.all(np.diff(table.astype(int), axis=0) >= 0)
    critical = critical_responders(table)
    assert all(table[c:, k].all() and not table[:c, k].any() for k, c in enumerate(critical))
    never = critical_responders(np.zeros((5, 3), bool))
    assert never.tolist() == [5, 5, 5]
    assert np.isnan(detectable_difference(np.zeros((5, 3), bool), 0.2, 0.8))
    assert detectable_difference(np.ones((5, 3), bool), 0.2, 0.8) == 0.0


def test_analytic_one_arm():
    success = one_arm_success(beta_mixture((1.0, 1.0, 1.0)), 30, 0.2, 0.95)
    assert np.array_equal(success, stats.beta.sf(0.2, 1 + np.arange(31), 31 - np.arange(31)) > 0.95)


def test_analytic_noninferiority_with_a_flat_prior():
    """The critical value is margin - z sigma / sqrt(n); an informative prior moves it as the conjugate formula says."""
    assert noninferiority_power(0.4, 2.0, 155, 0.4, 0.95) == pytest.approx(0.05)
    better = stats.norm.cdf(0.4 * np.sqrt(155) / 2 - stats.norm.ppf(0.95))
    assert noninferiority_power(0.0, 2.0, 155, 0.4, 0.95) == pytest.approx(better)
    means = np.random.default_rng(10).normal(0.1, 2 / np.sqrt(50), 20_000)
    precision = 50 / 4 + 1 / 0.25
    posterior = stats.norm.cdf(0.4, (50 / 4 * means + 0.3 / 0.25) / precision, precision**-0.5)
    found, simulated = noninferiority_power(0.1, 2.0, 50, 0.4, 0.8, 0.3, 0.5), np.mean(posterior > 0.8)
    assert abs(found - simulated) < 4 * np.sqrt(found * (1 - found) / 20_000)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="add up to 1"):
        beta_mixture((0.5, 1.0, 1.0))
    with pytest.raises(ValueError, match="between 0 and"):
        map_prior([4], [3], WIDE)
    assert isinstance(robustify(beta_mixture((1.0, 2.0, 3.0)), 0.5), BetaMixture)
