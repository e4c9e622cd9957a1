"""The check itself: its p-value is exact, right models pass, and wrong ones are found."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from trialsim.designs.escalation import crm_model
from trialsim.sbc import designs
from trialsim.sbc.judge import FALSE_ALARM, coverage, judged, limits, p_value, stays_within
from trialsim.sbc.ranks import LEVELS, RANKS, among_draws, below_truth, towards_data


def uniform(repetitions: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, RANKS + 1, repetitions)


def test_p_values_of_uniform_ranks_are_as_often_small_as_they_say():
    """400 sets: at most alpha, as the statistic is discrete, and not far below. False alarm 1e-5 a level."""
    p = np.array([p_value(uniform(60, seed)) for seed in range(400)])
    for alpha in (0.05, 0.2, 0.5):
        assert 0.3 * alpha * 400 < (p <= alpha).sum() <= stats.binom.ppf(1 - 1e-5, 400, alpha)


def test_the_probability_to_stay_within_a_band_is_that_of_simulation():
    """Tolerance: 4.5 standard errors of 4,000 sets (false alarm 7e-6)."""
    band = limits(60, 0.01)
    counts = np.array([np.searchsorted(np.sort(uniform(60, seed)), np.arange(1, RANKS + 1)) for seed in range(4000)])
    inside = ((counts >= band.low) & (counts <= band.high)).all(axis=1).mean()
    exact = stays_within(60, band)
    assert 0.85 < exact < 0.99 and abs(inside - exact) < 4.5 * np.sqrt(exact * (1 - exact) / 4000)


def test_a_band_that_allows_all_holds_all():
    assert stays_within(30, limits(30, 0.0)) == pytest.approx(1.0, abs=1e-12)
    assert p_value(np.zeros(50, int)) < 1e-30 or p_value(np.zeros(50, int)) == pytest.approx(0.0, abs=1e-12)


def test_intervals_are_whole_ranks():
    every = pd.DataFrame({"a": np.arange(RANKS + 1)})
    assert [coverage(every, level).covered for level in LEVELS] == [level / 100 for level in LEVELS]


def test_coverage_counts_repetitions_and_not_quantities():
    """Twenty quantities that all say the same tell no more than one."""
    ranks = pd.DataFrame({str(k): uniform(200, 1) for k in range(20)})
    apart = pd.DataFrame({str(k): uniform(200, k) for k in range(20)})
    together, alone, many = (coverage(table, 80) for table in (ranks, ranks[["0"]], apart))
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert many.high - many.low < 0.4 * (alone.high - alone.low)


def test_ties_are_broken_at_random_and_the_draws_that_count_lie_apart():
    rng = np.random.default_rng(0)
    ranks = [among_draws({"a": (0.0, np.zeros((2, 500)))}, rng).ranks["a"] for _ in range(400)]
    assert p_value(np.array(ranks)) > 1e-4
    draws = np.repeat(np.arange(RANKS + 1.0), 25)[None]  # a chain that moves every 25 steps
    assert among_draws({"a": (20.0 - 0.5, draws)}, rng).ranks["a"] in (19, 20)


# ---- right models pass, wrong ones do not


def repeated(once, repetitions: int) -> pd.DataFrame:
    return pd.DataFrame([below_truth(once(np.random.default_rng(seed))).ranks for seed in range(repetitions)])


def a_rate(patients_counted: float = 1.0, prior_weight: float = 1.0, heeds: bool = True):
    """A rate with prior Beta(2, 4) of which 20 patients tell; the posterior is wrong in one way or another."""

    def once(rng: np.random.Generator) -> dict[str, float]:
        p = rng.beta(2, 4)
        y = rng.binomial(20, p)
        told = patients_counted if heeds else 0.0
        share = special.betainc(2 * prior_weight + told * y, 4 * prior_weight + told * (20 - y), p)
        return {"rate": share, "towards data": towards_data(share, y > 7)}

    return once


def test_a_right_posterior_passes():
    assert judged(repeated(a_rate(), 1000)).faults == []


@pytest.mark.parametrize(("wrong", "repetitions"), [
    ({"patients_counted": 2.0}, 400),  # the likelihood counts every patient twice
    ({"prior_weight": 4.0}, 400),  # the prior has half its standard deviation
    ({"heeds": False}, 100),  # the posterior is the prior: only what depends on the data sees it
], ids=str)  # fmt: skip
def test_a_wrong_posterior_is_found(wrong, repetitions):
    ranks = repeated(a_rate(**wrong), repetitions)
    verdict = judged(ranks)
    assert min(verdict.p.values()) < verdict.limit == FALSE_ALARM / 2
    if not wrong.get("heeds", True):
        assert verdict.p["rate"] > verdict.limit


def test_a_design_with_a_wrong_prior_is_found(monkeypatch):
    """CRM: truths of twice the standard deviation that the posterior assumes."""
    right = crm_model.Model(designs.SKELETON)
    batch = designs.crm("empiric")
    assert judged(pd.DataFrame([one.ranks for one in batch(range(400))])).faults == []
    posterior = crm_model.posterior
    narrow = right._replace(scale=right.scale / 2)
    monkeypatch.setattr(crm_model, "posterior", lambda model, *data: posterior(narrow, *data))
    monkeypatch.setattr(crm_model, "nodes", lambda model, nodes=crm_model.nodes: nodes(narrow))
    assert judged(pd.DataFrame([one.ranks for one in batch(range(400))])).faults
