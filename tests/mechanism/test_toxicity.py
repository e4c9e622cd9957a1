"""Hazards against their closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.mechanism import toxicity
from trialsim.mechanism.toxicity import ToxicityParameters

one = lambda value: jnp.array([value])
P = ToxicityParameters(
    drug_hazard=one(0.02),
    background_hazard=one(0.001),
    shape=one(1.0),
    slope=one(0.5),
    cut_2=one(0.0),
    cut_3=one(-2.0),
    cut_4=one(-5.0),
    grade_slope=one(0.6),
    recovery_on_days=one(20.0),
    recovery_off_days=one(5.0),
    reference_ng_ml=jnp.array(12.0),
    frailty=one(1.0),
)


def course(p, exposure, days, patients=4000, seed=0):
    """Grades (patients, days) under a constant exposure."""

    def patient(key):
        def day(g, t):
            u = jax.random.uniform(jax.random.fold_in(key, t), (1,))
            g = toxicity.next_grades(p, g, jnp.float32(exposure), toxicity.timing(p, t.astype(jnp.float32)), u)
            return g, g

        return jax.lax.scan(day, jnp.zeros(1, jnp.int32), jnp.arange(days))[1][:, 0]

    return np.asarray(jax.jit(jax.vmap(patient))(jax.random.split(jax.random.key(seed), patients)))


def test_analytic_first_onset_is_exponential():
    """P(onset by day 28) = 1 - exp(-28 h). 4,000 patients, four standard errors (false alarm 6e-5)."""
    happened = (course(P, 12.0, 28) > 0).any(axis=1).mean()
    exact = 1 - np.exp(-28 * 0.021)
    assert abs(happened - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)


def test_hazard_doubles_with_fourfold_exposure_at_slope_one_half():
    h = lambda c: float(toxicity.onset_hazard(P._replace(background_hazard=one(0.0)), jnp.float32(c), toxicity.timing(P, 0.0))[0])
    assert h(48.0) == pytest.approx(2 * h(12.0), rel=1e-5)


def test_no_drug_leaves_the_background_only():
    h = toxicity.onset_hazard(P, jnp.float32(0.0), toxicity.timing(P, 3.0))
    assert float(h[0]) == pytest.approx(0.001)


def test_grades_follow_the_cumulative_logits():
    u = jnp.linspace(0, 1, 20001)[1:-1]
    grades = np.asarray(jax.vmap(lambda v: toxicity.grade_at_onset(toxicity.grade_logits(P, 1.0), v[None]))(u))[:, 0]
    assert np.mean(grades >= 2) == pytest.approx(0.5, abs=1e-3)
    assert np.mean(grades >= 3) == pytest.approx(1 / (1 + np.exp(2.0)), abs=1e-3)
    higher = np.asarray(jax.vmap(lambda v: toxicity.grade_at_onset(toxicity.grade_logits(P, 2.0), v[None]))(u))[:, 0]
    assert np.mean(higher >= 3) == pytest.approx(1 / (1 + np.exp(2.0 - 0.6)), abs=1e-3)


def test_analytic_grade_of_an_onset_does_not_depend_on_its_hazard():
    """The chance that decided the onset is used again for the grade: still P(G >= 2) = 1/2 (4,000 patients, false alarm 6e-5)."""
    for hazard in (0.002, 0.3):
        seen = course(P._replace(drug_hazard=one(hazard)), 12.0, 60)
        first = seen[np.arange(len(seen)), (seen > 0).argmax(axis=1)]
        first = first[first > 0]
        assert abs(np.mean(first >= 2) - 0.5) < 4 * np.sqrt(0.25 / len(first))


def median_duration(exposure):
    never_again = P._replace(drug_hazard=one(0.0), background_hazard=one(0.0))

    def patient(key):
        def day(g, t):
            u = jax.random.uniform(jax.random.fold_in(key, t), (1,))
            g = toxicity.next_grades(never_again, g, jnp.float32(exposure), toxicity.timing(P, t.astype(jnp.float32)), u)
            return g, g

        return jnp.sum(jax.lax.scan(day, jnp.full(1, 2, jnp.int32), jnp.arange(200))[1][:, 0] > 0)

    return np.median(jax.jit(jax.vmap(patient))(jax.random.split(jax.random.key(1), 4000)))


def test_stopping_the_drug_speeds_recovery():
    assert median_duration(12.0) == pytest.approx(20, abs=1.5)
    assert median_duration(0.0) == pytest.approx(5, abs=1)


def test_smoothed_exposure_converges():
    e = jnp.float32(0.0)
    for _ in range(60):
        e = toxicity.smoothed_exposure(e, jnp.float32(10.0))
    assert float(e) == pytest.approx(10.0, rel=1e-3)
