"""CRM and TITE-CRM against numerical integration, every path of a small trial, and the restrictions that they promise."""

from functools import cache

import numpy as np
import pytest
from hand_made import always, assert_distributed, exact_mtd, queue
from scipy import integrate, special

from trialsim.designs.escalation import crm
from trialsim.designs.escalation.conduct import Conduct
from trialsim.designs.escalation.crm_model import Model, edges_of_mtd, log_rates
from trialsim.designs.escalation.queue import plain_queue
from trialsim.designs.escalation.tite import TimeToEvent

PRIOR = (0.05, 0.1, 0.2, 0.35)
RATES = [0.1, 0.2, 0.35, 0.5]
EMPIRIC = Model(PRIOR)
LOGISTIC = Model(PRIOR, "logistic", 1.0, 3.0)
RULE = crm.CRM(target=0.2, model=EMPIRIC, cohort=3, max_patients=12, toxic_limit=0.9)


def rate(model, level, beta):
    if model.kind == "empiric":
        return model.skeleton[level] ** np.exp(beta)
    x = special.logit(model.skeleton[level]) - model.intercept
    return special.expit(model.intercept + np.exp(beta) * x)


def expectation(model, level, toxic, weight, what, low=-np.inf, high=np.inf):
    """Posterior expectation of ``what(beta)`` between two values, patient by patient, by adaptive quadrature."""

    def density(beta):
        p = np.array([rate(model, j, beta) for j in level])
        likelihood = np.prod(np.where(toxic, p, 1 - np.asarray(weight) * p))
        return likelihood * np.exp(-0.5 * (beta / model.scale) ** 2)

    ends = -12 * model.scale, 12 * model.scale
    area = lambda f, a, b: integrate.quad(f, a, b, epsabs=0, epsrel=1e-10, limit=400, points=[0.0] if a < 0 < b else None)[0]
    inside = area(lambda beta: what(beta) * density(beta), max(low, ends[0]), min(high, ends[1]))
    return inside / area(density, *ends)


def at_levels(level, which, levels=4):
    return np.bincount(np.asarray(level)[which], minlength=levels)


@pytest.mark.parametrize("model", [EMPIRIC, LOGISTIC], ids=["empiric", "logistic"])
@pytest.mark.parametrize("seed", [1, 2])
def test_posterior_is_the_integral(model, seed):
    """Ten patients, some still followed: mean, variance and probabilities to 1e-7 (those of an interval to 1e-4, see below)."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 4, 10)
    toxic = rng.random(10) < 0.3
    weight = np.where(toxic | (rng.random(10) < 0.5), 1.0, rng.random(10))
    still = ~toxic & (weight < 1)
    found = crm.update(
        at_levels(level, toxic), at_levels(level, ~still), model, 0.25, np.where(still, level, -1), np.where(still, weight, 0.0)
    )
    mean = expectation(model, level, toxic, weight, lambda b: b)
    assert found.beta == pytest.approx(mean, abs=1e-7)
    assert found.variance == pytest.approx(expectation(model, level, toxic, weight, lambda b: (b - mean) ** 2), abs=1e-7)
    assert found.p == pytest.approx([rate(model, j, mean) for j in range(4)], abs=1e-7)
    # a node's share of an interval is cut linearly: second order in the distance of nodes, 0.065 prior standard deviations
    one = lambda b: 1.0
    edges = [-np.inf, *edges_of_mtd(model, 0.25), np.inf]
    exact = [expectation(model, level, toxic, weight, one, a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    assert found.chance == pytest.approx(exact, abs=2e-3)
    toxic_share = expectation(model, level, toxic, weight, lambda b: float(rate(model, 0, b) > 0.25))
    assert found.too_toxic == pytest.approx(toxic_share, abs=2e-3)


@pytest.mark.parametrize("kind", ["empiric", "logistic"])
def test_skeleton_gives_the_indifference_intervals(kind):
    """Where the model is between two levels, their rates are target - and + the half-width (Lee & Cheung 2009)."""
    model = Model(crm.skeleton(0.06, 0.25, 2, 6, kind, 3.0), kind)
    assert model.skeleton[2] == pytest.approx(0.25)
    for j, beta in enumerate(edges_of_mtd(model, 0.25)):
        assert np.exp(log_rates(model, beta)[0])[j : j + 2] == pytest.approx([0.19, 0.31], abs=1e-9)


def test_more_patients_buy_more_accuracy():
    sizes = [crm.sample_size(a, 0.25, 5, 1.8) for a in (0.5, 0.6, 0.7)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]
    assert crm.sample_size(0.6, 0.25, 5, 1.8, correction=False) != crm.sample_size(0.6, 0.25, 5, 1.8)
    assert crm.sample_size(0.6, 0.25, 5, 2.5) < crm.sample_size(0.6, 0.25, 5, 1.5)


def written_out(rule: crm.CRM):
    """The CRM of one trial, restrictions and all, by adaptive quadrature."""

    @cache
    def decide(state):
        level, barred, n, y, last_toxic, last_size = state
        patients = np.repeat(np.arange(len(n)), n)
        toxic = np.concatenate([np.arange(n[j]) < y[j] for j in range(len(n))])
        beta = expectation(rule.model, patients, toxic, 1.0, lambda b: b)
        best = int(np.argmin([abs(rate(rule.model, j, beta) - rule.target) for j in range(len(n))]))
        edge = edges(rule)
        if expectation(rule.model, patients, toxic, 1.0, lambda b: 1.0, -np.inf, edge) > rule.toxic_limit:
            return "stop", -1
        if sum(n) >= rule.max_patients:
            return "stop", min(best, max(j for j in range(len(n)) if n[j]))
        following = best if rule.skipping else min(best, level + 1)
        if rule.coherent and last_toxic / last_size >= rule.target:
            following = min(following, level)
        return "treat", following, min(rule.cohort, rule.max_patients - sum(n)), barred

    return decide


def edges(rule):
    """beta at which the lowest level's rate is the target, for the empiric model: target = s ^ exp(beta)."""
    return np.log(np.log(rule.target) / np.log(rule.model.skeleton[0]))


@pytest.mark.parametrize("changes", [{}, {"skipping": True, "coherent": False}], ids=["restricted", "free"])
def test_mtd_is_distributed_as_it_must(changes):
    """20,000 trials of 12, seed 5, against every path of the design; false alarm 1e-4 a case."""
    rule = RULE._replace(**changes)
    patients = plain_queue(RATES, 20_000, 12, 28.0, 5.0, np.random.default_rng(5))
    found = crm.play(patients, rule)
    assert found.decided.all()
    assert_distributed(found.mtd, exact_mtd(RATES, 3, written_out(rule)))


def test_no_escalation_right_after_a_dlt_and_no_level_skipped():
    """One patient at a time, all results known: coherence (Cheung 2005), at most one level up."""
    patients = plain_queue(RATES, 2000, 24, 28.0, 5.0, np.random.default_rng(6))
    found = crm.play(patients, RULE._replace(cohort=1, max_patients=24, how=Conduct(expansion=0)))
    toxic = np.isfinite(np.take_along_axis(patients.dlt_day, np.maximum(found.level, 0)[..., None], axis=2)[..., 0])
    step = np.diff(found.level, axis=1)
    both = (found.level[:, 1:] >= 0) & (found.level[:, :-1] >= 0)
    assert step[both].max() == 1
    assert not np.any(both & toxic[:, :-1] & (step > 0))


@pytest.mark.parametrize("cohort", [1, 2])
def test_tite_is_the_crm_when_everybody_has_been_judged(cohort):
    """Patients more than a window apart. (Of two in a cohort, TITE may stop for toxicity before the second is judged: not here.)"""
    patients = plain_queue(RATES, 500, 14, 28.0, 5.0, np.random.default_rng(7))
    patients = patients._replace(arrival=np.broadcast_to(30.0 * np.arange(14), (500, 14)))
    rule = RULE._replace(cohort=cohort, toxic_limit=None, how=Conduct(suspend=False))
    plain, tite = crm.play(patients, rule), crm.play(patients, rule._replace(tite=TimeToEvent(28.0, 1.0)))
    for one, other in zip(plain, tite, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype == float)


def test_tite_counts_follow_up_on_the_day_that_a_patient_comes():
    """A patient a week, no DLT: the fourth is dosed with the others followed for 21, 14 and 7 of 28 days, nobody waiting."""
    found = crm.play(queue(always(12, 4), gap=7.0), RULE._replace(cohort=1, skipping=True, tite=TimeToEvent(28.0, 1.0)))
    assert np.array_equal(found.start_day[0], 7.0 * np.arange(12))
    first = found.level[0, :3]
    beta = expectation(EMPIRIC, first, np.zeros(3, bool), [0.75, 0.5, 0.25], lambda b: b)
    assert found.level[0, 3] == np.argmin([abs(rate(EMPIRIC, j, beta) - 0.2) for j in range(4)])
    assert found.end_day[0] == 7 * 11 + 28  # the last of twelve has been judged


def test_tite_opens_no_level_before_enough_have_been_judged():
    patients = plain_queue(RATES, 500, 24, 28.0, 5.0, np.random.default_rng(8))
    found = crm.play(patients, RULE._replace(cohort=1, max_patients=24, tite=TimeToEvent(28.0, 1.0, 2)))
    for i in range(500):
        done = found.start_day[i] + np.take_along_axis(patients.known_day[i], np.maximum(found.level[i], 0)[:, None], axis=1)[:, 0]
        for k in np.flatnonzero((np.diff(found.level[i]) > 0) & (found.phase[i, 1:] == 1)) + 1:
            assert np.sum((found.level[i] == found.level[i, k - 1]) & (done <= found.start_day[i, k])) >= 2


def test_stopping_by_size_at_a_level_and_by_confidence():
    patients = plain_queue(RATES, 500, 40, 28.0, 5.0, np.random.default_rng(9))
    at_level = crm.play(patients, RULE._replace(max_patients=36, max_at_level=9, how=Conduct(expansion=0)))
    counts = np.stack([(at_level.level == j).sum(axis=1) for j in range(4)], axis=1)
    assert counts.max() == 9 and np.all(counts[at_level.mtd >= 0].max(axis=1) == 9)
    sure = crm.play(patients, RULE._replace(max_patients=36, confidence=0.6, how=Conduct(expansion=0)))
    early = (sure.mtd >= 0) & ((sure.level >= 0).sum(axis=1) < 36)
    assert early.any()
    for i in np.flatnonzero(early)[:50]:
        level = sure.level[i][sure.level[i] >= 0]
        toxic = np.isfinite(patients.dlt_day[i, np.arange(len(level)), level])
        found = crm.update(at_levels(level, toxic), at_levels(level, level >= 0), EMPIRIC, 0.2)
        assert found.chance.max() >= 0.6
