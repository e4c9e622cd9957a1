"""The engine against closed forms and the adaptive solver: order, repeated doses, irregular doses, blocks, bad input."""

import sys
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from models import bench1, effect

from trialsim.benchmark import data
from trialsim.engine import Compartments, Model, ModelError, Plan, Regimen, simulate

ONE = {"k": 0.1, "ke": 1.5, "g": 0.01}


def closed_form(t, doses, interval=24.0, k=0.1, ke=1.5, g=0.01):
    """C, E and int g (1 - E) dt by superposition of single doses."""
    C = E = area = 0.0
    for i, dose in enumerate(doses):
        s = t - i * interval
        if s > 0:
            C += dose * np.exp(-k * s)
            E += dose * ke / (ke - k) * (np.exp(-k * s) - np.exp(-ke * s))
            area += dose * ke / (ke - k) * ((1 - np.exp(-k * s)) / k - (1 - np.exp(-ke * s)) / ke)
    return C, E, g * (t - area)


def test_analytic_effect_compartment():
    doses = [1.0, 0.0, 2.0, 1.0, 1.0]
    times = [0.0, 3.0, 24.0, 51.5, 72.0, 120.0]
    seen = simulate(effect, ONE, Regimen(np.array(doses)), times, Plan(steps=384, precision="float64"))
    for j, t in enumerate(times):
        C, E, log_size = closed_form(t, doses)
        assert seen.C[0, j] == pytest.approx(C, rel=1e-9, abs=1e-12)
        assert seen.E[0, j] == pytest.approx(E, rel=3e-5, abs=1e-9)
        assert seen.log_size[0, j] == pytest.approx(log_size, rel=2e-5, abs=1e-9)


def test_analytic_order_of_the_step_is_three():
    """Rodas3 on a linear problem that is not stiff for these steps: order 3 of the effect at the end of a day."""
    exact = closed_form(24.0, [1.0])[1]
    errors = []
    for steps in (256, 512, 1024):
        seen = simulate(effect, ONE, Regimen(np.array([1.0])), [24.0], Plan(steps, precision="float64"))
        errors.append(abs(seen.E[0, 0] - exact))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(np.abs(orders - 3.0) < 0.4), orders


@pytest.fixture(scope="module")
def bench():
    return bench1()


@pytest.fixture(scope="module")
def patients():
    return data.parameters(128)


def test_published_benchmark_every_interval_solved(bench, patients):
    """99 % of patients within 1e-4 of the shipped reference solution."""
    seen = simulate(bench.model, patients, bench.regimen, bench.times, Plan(24))
    error = np.abs(seen.T / data.reference().tumour_mm[:128] - 1.0)
    assert np.quantile(error[:, -1], 0.99) < 1e-4
    assert np.allclose(seen.C, data.reference().C_ng_ml[:128], rtol=1e-4, atol=1e-4)


def test_published_benchmark_repeated_doses_exploited(bench, patients):
    seen = simulate(bench.model, patients, bench.regimen, bench.times, Plan(24, regular=True))
    error = np.abs(seen.T / data.reference().tumour_mm[:128] - 1.0)
    assert np.quantile(error[:, -1], 0.99) < 1e-4


def test_dose_change_begins_a_new_stretch(bench, patients):
    """Repeated doses with a reduction and a hold of all: the same as every interval solved."""
    doses = np.r_[np.full(50, 1e4), np.zeros(6), np.full(50, 5e3)]
    some = {name: value[:32] for name, value in patients.items()}
    times = [24.0 * day for day in (0, 49, 50, 51, 55, 80, 106)]
    runs = [simulate(bench.model, some, Regimen(doses), times, Plan(24, regular)) for regular in (False, True)]
    assert np.max(np.abs(runs[1].T / runs[0].T - 1.0)) < 2e-4
    assert np.max(np.abs(runs[1].pS6K - runs[0].pS6K)) < 1e-3


@pytest.mark.parametrize("regular", [False, True])
def test_bit_identical_in_any_cohort_and_order(bench, patients, regular):
    times, plan = [1344.0], Plan(12, regular)
    regimen = Regimen.repeated(1e4, 56)
    whole = simulate(bench.model, patients, regimen, times, plan).T
    some = simulate(bench.model, {k: v[:40] for k, v in patients.items()}, regimen, times, plan).T
    turned = simulate(bench.model, {k: v[::-1].copy() for k, v in patients.items()}, regimen, times, plan).T
    assert np.array_equal(whole[:40], some)
    assert np.array_equal(whole, turned[::-1])


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(parameters={"k": 0.1, "ke": 1.0}), "g \\(1/h\\) missing"),
        (dict(parameters={**ONE, "CL": 1.0}), "CL not allowed"),
        (dict(parameters={**ONE, "k": np.ones(3), "ke": np.ones(2)}), "one value a patient"),
        (dict(regimen=Regimen(np.array([-1.0]))), "finite amounts >= 0"),
        (dict(times=[25.0]), "end of the regimen, 24"),
    ],
)
def test_bad_input_says_what_is_allowed(change, message):
    good = dict(parameters=ONE, regimen=Regimen(np.array([1.0])), times=[24.0])
    with pytest.raises(ModelError, match=message):
        simulate(effect, *(good | change).values(), Plan(8))


class Area(NamedTuple):
    E: jax.Array
    area: jax.Array


class SeenArea(NamedTuple):
    area: jax.Array


def test_analytic_order_of_the_slow_states_is_four():
    """Area under C^2 after one dose, in closed form: the corrected trapezoid rule."""
    model = Model(
        name="area",
        parameters={"k": "1/h"},
        kinetics=Compartments(("central",), "central", lambda p: {("central", None): p.k}, lambda p: {"central": 1.0}),
        start=lambda p: Area(0.0, 0.0),
        rates=lambda x, C, p: Area(-x.E, C * C),
        slow=("area",),
        observe=lambda x, C, p: SeenArea(x.area),
    )
    exact = (1.0 - np.exp(-2 * 0.3 * 24.0)) / (2 * 0.3)
    run = lambda steps: simulate(model, {"k": 0.3}, Regimen(np.array([1.0])), [24.0], Plan(steps, precision="float64"))
    errors = np.array([abs(run(steps).area[0, 0] - exact) for steps in (8, 16, 32, 64)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert np.all(np.abs(orders - 4.0) < 0.1), orders


@pytest.mark.slow
def test_repeated_doses_converge_to_every_interval_solved(bench, patients):
    """Gaps that grow more slowly sample more intervals; interpolation is cubic. Same steps, so only the sampling differs."""
    few = {name: value[:32] for name, value in patients.items()}
    run = lambda **change: simulate(bench.model, few, bench.regimen, bench.times, Plan(24, precision="float64", **change))
    daily = run()
    errors = [np.max(np.abs(run(regular=True, growth=growth).pS6K / daily.pS6K - 1.0)) for growth in (2.0, 1.6, 1.3)]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
