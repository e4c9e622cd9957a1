"""Bad chains are called bad, in words that say what to do."""

import numpy as np
import pytest
from arviz_base import from_dict
from scipy import stats

from trialsim.inference.diagnostics import combine, diagnose, predictive_p
from trialsim.schema.inference import DiagnosticThresholds

LIMITS = DiagnosticThresholds()


def tree(seed=0, observed=(3, 5, 4), **changes):
    """A sound fit of three binomial counts, 4 chains of 500 independent draws; ``changes`` replace what is given."""
    rng = np.random.default_rng(seed)
    n, y = np.full(3, 20), np.array(observed)
    p = rng.beta(13, 49, (4, 500))  # posterior of the common rate of 12 of 60
    p = changes.get("p", p)
    mu = np.log(p / (1 - p))
    energy = changes.get("energy", rng.normal(0, 1, (4, 500)))
    return from_dict({
        "posterior": {"mu": changes.get("mu", mu), "cohort_probability": p},
        "sample_stats": {"diverging": changes.get("diverging", np.zeros((4, 500), bool)), "energy": energy},
        "log_likelihood": {"y": stats.binom.logpmf(y, n, p[..., None])},
        "posterior_predictive": {"y": rng.binomial(n, np.broadcast_to(p[..., None], (4, 500, 3)))},
        "observed_data": {"y": y},
    })  # fmt: skip


def test_sound_chains_pass():
    verdict = diagnose(tree(), LIMITS)
    assert verdict.ok and not verdict.messages and verdict.max_rhat < 1.01 and verdict.min_ess > 400
    assert verdict.elpd_loo < 0 and verdict.max_pareto_k < 0.7


def test_two_modes_are_flagged():
    rng = np.random.default_rng(1)
    mu = rng.normal(0, 1, (4, 500)) + np.array([0, 0, 0, 4])[:, None]
    verdict = diagnose(tree(mu=mu), LIMITS)
    assert not verdict.ok and verdict.max_rhat > 1.1 and "inference.warmup" in " ".join(verdict.messages)


def test_sticky_chains_are_flagged():
    mu = np.repeat(np.random.default_rng(2).normal(0, 1, (4, 10)), 50, axis=1)
    verdict = diagnose(tree(mu=mu), LIMITS)
    assert not verdict.ok and verdict.min_ess < 400 and "inference.samples" in " ".join(verdict.messages)


def test_a_chain_that_never_moves_is_flagged():
    assert not diagnose(tree(mu=np.zeros((4, 500))), LIMITS).ok


def test_divergences_are_flagged():
    diverging = np.zeros((4, 500), bool)
    diverging[2, 10:13] = True
    verdict = diagnose(tree(diverging=diverging), LIMITS)
    assert not verdict.ok and verdict.divergences == 3 and "target_accept" in verdict.messages[0]


def test_slow_energy_is_flagged():
    walk = np.cumsum(np.random.default_rng(3).normal(0, 0.1, (4, 500)), axis=1)
    verdict = diagnose(tree(energy=walk), LIMITS)
    assert not verdict.ok and verdict.min_bfmi < 0.3 and "E-BFMI" in verdict.messages[0]


def test_counts_that_the_model_cannot_make_are_flagged():
    assert predictive_p(tree()) > 0.05
    verdict = diagnose(tree(observed=(0, 20, 0)), LIMITS)
    assert not verdict.ok and verdict.predictive_p < 0.001 and "does not describe" in " ".join(verdict.messages)


def test_predictive_p_is_not_small_when_the_model_is_right():
    """Conservative: over 40 data sets the smallest p stays above 0.001 (false alarm below 0.04)."""
    rng = np.random.default_rng(7)
    draws = [rng.binomial(20, 0.2, 3) for _ in range(40)]
    made = [tree(seed, y, p=np.random.default_rng(seed).beta(1 + y.sum(), 61 - y.sum(), (4, 500))) for seed, y in enumerate(draws)]
    assert min(predictive_p(fit) for fit in made) > 0.001


def test_a_high_pareto_k_is_told_and_does_not_condemn_the_posterior():
    verdict = diagnose(tree(), LIMITS.model_copy(update={"max_pareto_k": 0.01}))
    assert verdict.ok and "leave-one-out" in verdict.messages[-1]


@pytest.mark.parametrize(("bad", "ok"), [(False, True), (True, False)])
def test_the_run_is_as_good_as_its_worst_fit(bad, ok):
    diverging = np.zeros((4, 500), bool)
    diverging[0, 0] = bad
    found = combine({"simulated": diagnose(tree(), LIMITS), "published": diagnose(tree(1, diverging=diverging), LIMITS)})
    assert found["ok"] is ok and found["divergences"] == int(bad) and set(found["fits"]) == {"simulated", "published"}
    assert all(message.startswith("published: ") for message in found["messages"])
    assert combine({"simulated": diagnose(tree(), LIMITS)}, ("solver error",))["ok"] is False
