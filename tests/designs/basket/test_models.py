"""Posteriors of basket models against published analyses, closed forms, a fine grid and Markov chain Monte Carlo."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from trialsim.designs.basket.hyperpriors import FAST, FINE, Exchangeable, Fixed, HalfNormal, InverseGamma
from trialsim.designs.basket.models import Independent, Pooled, berry, exnex, posterior, prepare

# Imatinib in ten sarcomas (Chugh, J Clin Oncol 2009;27:3148-53) as analysed by Neuenschwander, Pharm Stat 2016;15:123-34, appendix
# 5.3; posterior means with more digits as printed in the vignette "reproduceExNex" of the R package bhmbasket (50,000 draws).
SARCOMA_N = np.array([15, 13, 12, 28, 29, 29, 26, 5, 2, 20])
SARCOMA_Y = np.array([2, 0, 1, 6, 7, 3, 5, 1, 0, 3])
SARCOMA_MEAN = [0.15077, 0.05287, 0.12700, 0.18849, 0.20513, 0.13141, 0.17670, 0.17858, 0.13020, 0.15732]
SARCOMA_SD = [0.063, 0.059, 0.068, 0.060, 0.066, 0.051, 0.057, 0.104, 0.114, 0.058]
SARCOMA = exnex(
    (Exchangeable(-1.735, 0.146**-0.5, HalfNormal(1.0)), Exchangeable(0.847, 0.266**-0.5, HalfNormal(1.0))),
    np.array([0.5, 0.0, 0.5]),
    np.full(10, -1.734),
    np.full(10, 0.128**-0.5),
)

# Neuenschwander 2016, table V (four baskets of 20, 20, 10, 10): per cent of 10,000 trials with Pr(p > 0.1) > 0.9 or 0.8 and
# E[p] > 0.2, of each basket and of any, as reproduced to 1 percentage point in the same vignette (versions 0.9.1 to 0.9.5).
PHASE2_N = np.array([20, 20, 10, 10])
PHASE2 = {
    (0.1, 0.1, 0.1, 0.1): ([5, 5, 8, 8], 21, [0.34, 0.33, 0.56, 0.56]),
    (0.1, 0.1, 0.3, 0.3): ([10, 10, 69, 68], 87, [0.37, 0.38, 1.65, 1.64]),
    (0.1, 0.1, 0.1, 0.5): ([7, 7, 15, 95], 95, [0.37, 0.37, 0.66, 2.32]),
}
TWO = (Exchangeable(special.logit(0.1), 3.18, HalfNormal(1.0)), Exchangeable(special.logit(0.3), 1.94, HalfNormal(1.0)))
PHASE2_MODEL = exnex(TWO, np.array([0.25, 0.25, 0.5]), np.full(4, special.logit(0.2)), np.full(4, 2.5))

BERRY = berry(np.full(3, 0.3), -0.5, 2.0, HalfNormal(1.0))


def alone(mean: float, sd: float, y: int, n: int, rate: float) -> tuple[float, float]:
    """Pr(p > rate) and E[p] of one basket with logit p ~ N(mean, sd^2), by adaptive quadrature."""
    f = lambda t: stats.norm.pdf(t, mean, sd) * special.expit(t) ** y * special.expit(-t) ** (n - y)
    cut, ends = special.logit(rate), (mean - 10 * sd, mean + 10 * sd)
    whole = lambda g: sum(integrate.quad(g, a, b, limit=400, epsabs=0, epsrel=1e-9)[0] for a, b in ((ends[0], cut), (cut, ends[1])))
    total = whole(f)
    above = integrate.quad(f, cut, ends[1], limit=400, epsabs=0, epsrel=1e-9)[0]
    return above / total, whole(lambda t: f(t) * special.expit(t)) / total


def test_published_imatinib_in_sarcoma():
    """To four Monte Carlo errors of a mean of 50,000 draws, of which one in ten counts."""
    found = posterior(prepare(SARCOMA, np.full(10, 0.2), FINE), SARCOMA_Y, SARCOMA_N).estimate[0]
    assert np.all(np.abs(found - SARCOMA_MEAN) < 4 * np.array(SARCOMA_SD) / np.sqrt(5000) + 1e-5)


@pytest.mark.parametrize(("rates", "published"), PHASE2.items())
def test_published_operating_characteristics_of_exnex(rates, published):
    """20,000 trials, seed 5; rounding and four errors of the difference (false alarm below 1e-3 for all 27 numbers)."""
    go, any_go, mse = published
    y = np.random.default_rng(5).binomial(PHASE2_N, rates, (20_000, 4))
    found = posterior(prepare(PHASE2_MODEL, np.full(4, 0.1)), y, np.broadcast_to(PHASE2_N, y.shape))
    passed = (found.probability > [0.9, 0.9, 0.8, 0.8]) & (found.estimate > 0.2)
    shares = 100 * np.append(passed.mean(axis=0), passed.any(axis=1).mean())
    expected = np.append(go, any_go)
    error = np.sqrt(shares * (100 - shares) * (1 / 10_000 + 1 / 20_000))
    assert np.all(np.abs(shares - expected) < 0.5 + 4 * error)
    squares = 100 * (found.estimate - rates) ** 2
    assert np.all(np.abs(squares.mean(axis=0) - mse) < 0.005 + 4 * squares.std(axis=0) * np.sqrt(1 / 10_000 + 1 / 20_000))


@pytest.mark.parametrize(
    "tau", [HalfNormal(1.0), *(pytest.param(tau, marks=pytest.mark.slow) for tau in (HalfNormal(0.5), InverseGamma(2.0, 0.2)))]
)
def test_independent_fine_grid(tau):
    """Plain sums over 8,000 nodes of (mu, tau) and steps of 0.01 of theta, which share no code with the quadrature."""
    y, n, rate = np.array([1, 6, 3]), np.array([12, 20, 9]), 0.2
    offset = special.logit(0.3)
    cut = special.logit(rate) - offset
    theta = cut + 0.01 * np.arange(-1400, 1401)
    half = np.where(theta == cut, 0.5, (theta > cut).astype(float))
    spread = (np.arange(80) + 0.5) * 0.05
    mu = cut + 0.1 * np.arange(-85, 76)
    density = stats.halfnorm.pdf(spread, scale=tau.scale) if isinstance(tau, HalfNormal) else (
        stats.invgamma.pdf(spread**2, tau.shape, scale=tau.rate) * spread
    )  # fmt: skip
    joint = np.outer(stats.norm.pdf(mu, -0.5, 2.0), density)
    p = special.expit(theta + offset)
    parts = []
    for k in range(3):
        f = p ** y[k] * (1 - p) ** (n[k] - y[k])
        by_node = lambda g: np.stack([stats.norm.pdf(theta, m, spread[:, None]) @ g for m in mu]) * 0.01  # noqa: B023
        parts.append([by_node(f), by_node(f * half), by_node(f * p)])
    weight = joint * np.prod([part[0] for part in parts], axis=0)
    expected = np.array([[np.sum(weight * part[i] / part[0]) / weight.sum() for part in parts] for i in (1, 2)])
    for resolution, slack in ((FINE, 2e-4), (FAST, 5e-4 if isinstance(tau, HalfNormal) else 3e-3)):
        found = posterior(prepare(berry(np.full(3, 0.3), -0.5, 2.0, tau), np.full(3, rate), resolution), y, n)
        assert found.probability[0] == pytest.approx(expected[0], abs=slack)
        assert found.estimate[0] == pytest.approx(expected[1], abs=slack)


@pytest.mark.slow
def test_independent_monte_carlo():
    """NUTS, 4 chains of 5,000; four errors with one draw in four counted."""
    import jax
    import numpyro
    from numpyro.distributions import BinomialLogits, Normal
    from numpyro.distributions import HalfNormal as HalfNormalDistribution
    from numpyro.infer import MCMC, NUTS

    y, n = np.array([0, 2, 8, 1]), np.array([8, 15, 20, 3])

    def model():
        mu, tau = numpyro.sample("mu", Normal(-0.5, 2.0)), numpyro.sample("tau", HalfNormalDistribution(1.0))
        z = numpyro.sample("z", Normal(0.0, 1.0).expand([4]).to_event(1))
        theta = numpyro.deterministic("theta", special.logit(0.3) + mu + tau * z)
        numpyro.sample("y", BinomialLogits(theta, n).to_event(1), obs=y)

    chains = MCMC(NUTS(model, target_accept_prob=0.95), num_warmup=1000, num_samples=20_000, progress_bar=False)
    chains.run(jax.random.key(2))
    p = special.expit(np.asarray(chains.get_samples()["theta"]))
    found = posterior(prepare(berry(np.full(4, 0.3), -0.5, 2.0, HalfNormal(1.0)), np.full(4, 0.2)), y, n)
    for exact, draws in ((found.probability[0], p > 0.2), (found.estimate[0], p)):
        assert np.all(np.abs(exact - draws.mean(axis=0)) < 4 * draws.std(axis=0) / np.sqrt(5000))


def test_no_spread_is_one_rate_for_all():
    """tau 0: the log odds of the one rate have the prior of mu, whatever the baskets are called."""
    y, n = np.array([2, 0, 5]), np.array([14, 6, 20])
    expected = alone(special.logit(0.3) - 0.5, 2.0, 7, 40, 0.2)
    for spread in (Fixed(0.0), HalfNormal(1e-3)):
        found = posterior(prepare(berry(np.full(3, 0.3), -0.5, 2.0, spread), np.full(3, 0.2), FINE), y, n)
        assert found.probability[0] == pytest.approx([expected[0]] * 3, abs=1e-4)
        assert found.estimate[0] == pytest.approx([expected[1]] * 3, abs=1e-4)


def test_no_exchange_is_every_basket_by_itself():
    y, n = np.array([2, 0, 5, 3]), np.array([14, 6, 20, 3])
    model = exnex(TWO, np.array([0.0, 0.0, 1.0]), np.full(4, special.logit(0.2)), np.full(4, 2.5))
    found = posterior(prepare(model, np.full(4, 0.1)), y, n)
    expected = [alone(special.logit(0.2), 2.5, int(a), int(b), 0.1) for a, b in zip(y, n, strict=True)]
    assert np.column_stack([found.probability[0], found.estimate[0]]) == pytest.approx(np.array(expected), abs=1e-5)


def test_two_distributions_are_a_sum_over_who_belongs_where():
    """Brute force: each of the 3^3 memberships of three baskets, its evidence and posterior from models without a choice."""
    y, n, rate = np.array([1, 6, 3]), np.array([12, 20, 9]), np.full(3, 0.2)
    weights, own = np.array([0.3, 0.45, 0.25]), (special.logit(0.2), 2.5)
    models = [exnex((component,), np.array([1.0, 0.0]), np.zeros(3), np.ones(3)) for component in TWO]
    models.append(exnex((TWO[0],), np.array([0.0, 1.0]), np.full(3, own[0]), np.full(3, own[1])))
    ready = [prepare(model, rate, FINE) for model in models]
    total, tail, mean = 0.0, np.zeros(3), np.zeros(3)
    for member in np.ndindex(3, 3, 3):
        evidence, above, estimate = np.prod(weights[list(member)]), np.zeros(3), np.zeros(3)
        for c in range(3):
            inside = np.array(member) == c  # baskets elsewhere count as without patients
            part = posterior(ready[c], y * inside, n * inside)
            evidence *= np.exp(part.log_evidence[0])
            above[inside], estimate[inside] = part.probability[0][inside], part.estimate[0][inside]
        total, tail, mean = total + evidence, tail + evidence * above, mean + evidence * estimate
    found = posterior(prepare(exnex(TWO, weights, np.full(3, own[0]), np.full(3, own[1])), rate, FINE), y, n)
    assert found.probability[0] == pytest.approx(tail / total, abs=1e-5)
    assert found.estimate[0] == pytest.approx(mean / total, abs=1e-5)
    assert found.log_evidence[0] == pytest.approx(np.log(total), abs=1e-5)


@pytest.mark.parametrize("model", [BERRY, exnex(TWO, np.array([0.3, 0.3, 0.4]), np.zeros(3), np.full(3, 2.0))])
def test_baskets_of_a_kind_can_be_exchanged(model):
    ready = prepare(model, np.full(3, 0.2))
    y, n = np.array([[1, 6, 3], [4, 4, 4]]), np.array([[12, 20, 9], [15, 15, 15]])
    found, turned = posterior(ready, y, n), posterior(ready, y[:, [2, 0, 1]], n[:, [2, 0, 1]])
    assert turned.probability == pytest.approx(found.probability[:, [2, 0, 1]], abs=1e-12)
    assert np.ptp(found.estimate[1]) < 1e-12


def test_a_basket_borrows_from_the_others_and_one_without_patients_is_told_by_them():
    ready = prepare(BERRY, np.full(3, 0.2))
    low, high = posterior(ready, [3, 0, 0], [20, 20, 0]), posterior(ready, [3, 12, 0], [20, 20, 0])
    assert np.all(high.probability[0, [0, 2]] > low.probability[0, [0, 2]] + 0.05)
    even = prepare(berry(np.full(3, 0.5), 0.0, 2.0, HalfNormal(1.0)), np.full(3, 0.5))
    nothing = posterior(even, [0, 0, 0], [0, 0, 0])
    assert nothing.probability[0] == pytest.approx([0.5] * 3, abs=2e-5)
    assert nothing.estimate[0] == pytest.approx([0.5] * 3, abs=2e-5)


def test_analytic_beta_models():
    y, n = np.array([[2, 0, 5]]), np.array([[14, 0, 20]])
    found = posterior(prepare(Independent(np.full(3, 0.1), np.full(3, 0.9)), np.full(3, 0.1)), y, n)
    assert found.probability[0] == pytest.approx(stats.beta.sf(0.1, 0.1 + y[0], 0.9 + n[0] - y[0]))
    assert found.estimate[0, 1] == pytest.approx(0.1)  # no patient: the prior
    pooled = posterior(prepare(Pooled(0.1, 0.9), np.array([0.1, 0.2, 0.1])), y, n)
    assert pooled.probability[0] == pytest.approx(stats.beta.sf([0.1, 0.2, 0.1], 7.1, 0.9 + 27))
    assert pooled.estimate[0] == pytest.approx([7.1 / 35] * 3)


def test_nobody_and_everybody_responds():
    ready = prepare(BERRY, np.full(3, 0.2))
    found = posterior(ready, [[0, 0, 0], [30, 30, 30]], [[30, 30, 30], [30, 30, 30]])
    assert np.all(found.probability[0] < 0.01) and np.all(found.probability[1] > 0.9999)
    assert np.all(np.isfinite(found.log_evidence))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="between 0 and"):
        posterior(prepare(BERRY, np.full(3, 0.2)), [3, 0, 0], [2, 1, 1])
    with pytest.raises(ValueError, match="add up to 1"):
        exnex(TWO, np.array([0.5, 0.5, 0.5]), np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match="at most 8 baskets"):
        exnex(TWO, np.array([0.5, 0.3, 0.2]), np.zeros(9), np.ones(9))
