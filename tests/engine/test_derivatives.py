"""Derivatives through whole courses, against finite differences in float64 and against closed forms."""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from models import bench1, effect

from trialsim.benchmark import data
from trialsim.engine import ModelError, Plan, Regimen, gradient, sensitivities, simulate

DOUBLE = Plan(24, precision="float64")
HOLDS = Regimen(np.array([1e4, 1e4, 1e4, 0, 0, 5e3, 5e3, 0, 5e3, 1e4, 0, 1e4]))  # held, reduced, missed
TIMES = [24.0, 60.0, 168.0, 288.0]


def difference(run, parameters, name, step=1e-4):
    """Central difference of observations in one parameter."""
    moved = [run(parameters | {name: np.asarray(parameters[name], float) * (1 + s * step)}) for s in (1, -1)]
    return type(moved[0])(*((a - b) / (2 * step * np.asarray(parameters[name])[..., None]) for a, b in zip(*moved, strict=True)))


def test_analytic_sensitivity_of_a_concentration():
    """d C / d k = -t C after one dose."""
    parameters = {"k": np.array([0.05, 0.1]), "ke": 1.5, "g": 0.01}
    seen, slopes = sensitivities(effect, parameters, Regimen(np.array([2.0])), [6.0, 24.0], DOUBLE, ["k"])
    t, k = np.array([6.0, 24.0]), parameters["k"][:, None]
    assert np.allclose(seen.C, 2.0 * np.exp(-k * t), rtol=1e-10)
    assert np.allclose(slopes["k"].C, -t * 2.0 * np.exp(-k * t), rtol=1e-9)


THROUGH_HOLDS = ["CL", "Vp", "K", "a_fb", "kg", "V0"]


@pytest.fixture(scope="module")
def slopes():
    return sensitivities(bench1().model, data.parameters(4), HOLDS, TIMES, DOUBLE, THROUGH_HOLDS)[1]


@pytest.mark.parametrize("name", THROUGH_HOLDS)
def test_independent_forward_derivatives_through_holds_equal_finite_differences(name, slopes):
    bench, patients = bench1(), data.parameters(4)
    expected = difference(lambda p: simulate(bench.model, p, HOLDS, TIMES, DOUBLE), patients, name)
    for found, wanted in zip(slopes[name], expected, strict=True):
        scale = np.max(np.abs(wanted), axis=1, keepdims=True)
        assert np.all(np.abs(found - wanted) <= 1e-6 * scale + 1e-12)


@pytest.mark.slow
def test_invariant_reverse_and_forward_agree(slopes):
    bench, patients = bench1(), data.parameters(4)
    loss = lambda seen: jnp.sum(seen.T * jnp.array([0.5, 1.0, -2.0, 3.0])[:, None], axis=0) + seen.pS6K[1]
    values, backward = gradient(bench.model, patients, HOLDS, TIMES, DOUBLE, loss)
    weighed = lambda s: s.T @ np.array([0.5, 1.0, -2.0, 3.0]) + s.pS6K[:, 1]
    assert np.allclose(values, weighed(simulate(bench.model, patients, HOLDS, TIMES, DOUBLE)), rtol=1e-12)
    for name in THROUGH_HOLDS:
        assert np.allclose(backward[name], weighed(slopes[name]), rtol=1e-8, atol=1e-12), name


@pytest.mark.slow
def test_invariant_repeated_doses_exploited_have_the_same_derivatives():
    bench, patients = bench1(), data.parameters(3)
    regimen, times = Regimen.repeated(1e4, 56), [672.0, 1344.0]
    loss = lambda seen: jnp.log(seen.T[-1])
    _, daily = gradient(bench.model, patients, regimen, times, DOUBLE, loss)
    _, sampled = gradient(bench.model, patients, regimen, times, DOUBLE._replace(regular=True), loss)
    for name in patients:
        assert np.allclose(sampled[name], daily[name], rtol=2e-3, atol=1e-5 / np.mean(patients[name])), name


def test_unknown_parameter_is_named():
    bench = bench1()
    with pytest.raises(ModelError, match="names: CLX not allowed"):
        sensitivities(bench.model, data.parameters(2), HOLDS, TIMES, DOUBLE, ["CLX"])
