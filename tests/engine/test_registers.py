"""The kernel that keeps patients in registers against the plain path, in the interpreter; and that the GPU compiler takes it."""

import logging
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from models import Seen, bench1, effect

from trialsim.benchmark import data
from trialsim.engine import Model, ModelError, Plan, Regimen, registers, simulate
from trialsim.engine.algebra import inverse, power, three_halves
from trialsim.engine.daily import begin, run_daily
from trialsim.engine.mesh import graded_mesh
from trialsim.engine.registers import PATIENTS, or_plain, run_registers
from trialsim.engine.rewrite import rewritten
from trialsim.engine.simulate import prepare

NODES = graded_mesh(24.0, 24)
ONE = {"k": np.linspace(0.05, 0.2, 5), "ke": 1.5, "g": 0.01}


class Only(NamedTuple):
    E: jax.Array


def other(name, start, rates, slow):
    """A variant of the effect model."""
    return Model(name, effect.parameters, effect.kinetics, start, rates, lambda x, C, p: Seen(C, x.E, x.E), slow)


# what the kernel's compiler does not know by itself (square roots, powers, functions with a derivative of their own), and choices
def rough_rates(x, C, p):
    loss = jnp.sqrt(1.0 + C) * x.E + (1.0 + x.E) ** 0.7 - 1.0
    gain = three_halves(C) * inverse(1.0 + C) + power(1.0 + C, 1.3) - 1.0 + (2.0 + x.E) ** -2
    gain = jnp.where(C > 1.0, jnp.minimum(gain, 3.0), gain) * jnp.exp(-0.1 * x.E) + jnp.tanh(jnp.clip(C, 0.0, 2.0)) * 0.1
    return type(x)(p.ke * (gain - loss), p.g * (1.0 - x.E))


rough = other("rough", lambda p: type_of_effect()(jnp.ones_like(p.k), jnp.zeros_like(p.k)), rough_rates, ("log_size",))
fast_only = other("fast only", lambda p: Only(jnp.zeros_like(p.k)), lambda x, C, p: Only(p.ke * (C - x.E)), ())
# rates that are the same for all: constants, which lie in registers another way
steady = other(
    "steady",
    lambda p: type_of_effect()(jnp.zeros_like(p.k), jnp.zeros_like(p.k)),
    lambda x, C, p: type(x)(jnp.full_like(x.E, 0.5) - x.E, jnp.full_like(x.E, 0.01)),
    ("log_size",),
)


def type_of_effect():
    return type(effect.start(prepare(effect, {"k": 1.0, "ke": 1.0, "g": 1.0}, 1)))


def doses(patients, intervals, full):
    """Full, halved, held."""
    return full * np.random.default_rng(0).choice([0.0, 0.5, 1.0], (intervals, patients))


def both(model, p, given, stops):
    """(plain, kernel): course and end."""
    with jax.enable_x64(True):
        run = lambda how: jax.jit(lambda p, d: how(model, begin(model, p, NODES, np.float32), d, NODES, stops))(p, given)
        return run(run_daily), run(run_registers)


def compare(plain, kernel, rounding=3e-6):
    """The order of the operations is the same; what the compiler makes of them (a product and a sum in one) may differ by single
    precision's rounding, 6e-8, in each, which a stable scheme does not build up: 3e-6 is 50 times that."""
    a, b = jax.tree.flatten(plain), jax.tree.flatten(kernel)
    assert a[1] == b[1]
    for one, two in zip(a[0], b[0], strict=True):
        assert one.shape == two.shape and one.dtype == two.dtype
        assert np.isfinite(one).all()
        np.testing.assert_allclose(two, one, rtol=rounding, atol=rounding * float(np.max(np.abs(one))))


@pytest.mark.parametrize("stops", [pytest.param((24,), marks=pytest.mark.slow), (7, 15, 24)])
def test_double_programming_benchmark_model(stops):
    model = bench1().model
    p = prepare(model, data.parameters(64), 64)
    plain, kernel = both(model, p, doses(64, 10, 1e4), stops)
    assert plain[0].C.shape == (10, len(stops), 64)
    compare(plain, kernel)
    assert len(np.unique(np.asarray(kernel[0].y.log_Vs[-1, -1]))) == 64


@pytest.mark.parametrize("model", [effect, rough, fast_only, steady], ids=lambda model: model.name)
def test_double_programming_small_models(model):
    """More patients than one block, not a multiple of it."""
    patients = PATIENTS + 5
    p = prepare(model, {"k": np.linspace(0.05, 0.2, patients), "ke": 1.5, "g": 0.01}, patients)
    compare(*both(model, p, doses(patients, 4, 2.0), (5, 24)))


def test_doses_shared_by_all():
    p = prepare(effect, ONE, 5)
    given = np.array([1.0, 0.0, 2.0])
    alone, each = (both(effect, p, d, (24,))[1] for d in (given, np.repeat(given[:, None], 5, axis=1)))
    compare(alone, each, 0.0)


def lowered(model, p, given, stops):
    program = lambda p, d: run_registers(model, begin(model, p, NODES, np.float32), d, NODES, stops, interpret=False)
    with jax.enable_x64(True):
        return jax.jit(program).trace(p, given).lower(lowering_platforms=("cuda",)).as_text()


@pytest.mark.parametrize("stops", [(24,), (7, 24)])
def test_gpu_compiler_takes_the_benchmark_model(stops):
    """Lowering only: nothing is run. One kernel for the whole run."""
    pytest.importorskip("absl", reason="the GPU compiler needs absl-py")
    model = bench1().model
    text = lowered(model, prepare(model, data.parameters(300), 300), doses(300, 10, 1e4), stops)
    assert text.count("custom_call @mosaic_gpu") == 1


@pytest.mark.parametrize("model", [effect, rough, fast_only, steady], ids=lambda model: model.name)
def test_gpu_compiler_takes_small_models(model):
    pytest.importorskip("absl", reason="the GPU compiler needs absl-py")
    text = lowered(model, prepare(model, ONE, 5), doses(5, 4, 2.0), (24,))
    assert text.count("custom_call @mosaic_gpu") == 1


def test_rewriting_keeps_values():
    x = jnp.array([0.0, 0.25, 1.0, 7.3])
    function = lambda x: {"root": jnp.sqrt(x), "real": (1.0 + x) ** 0.7, "whole": (1.0 + x) ** -3, "own": three_halves(x)}
    known, found = function(x), rewritten(function)(x)
    assert all(np.allclose(found[name], known[name], rtol=1e-6) for name in known)
    names = {equation.primitive.name for equation in jax.make_jaxpr(rewritten(function))(x).eqns}
    assert not names & {"sqrt", "pow", "custom_jvp_call"}


def test_simulate_takes_the_kernel():
    regimen, times = Regimen(np.array([1.0, 0.0, 2.0])), [0.0, 3.0, 24.0, 51.5, 72.0]
    plain, kernel = (simulate(effect, ONE, regimen, times, Plan(24, kernel=name)) for name in ("xla", "registers"))
    compare(plain, kernel)


def test_falls_back_with_one_warning(caplog):
    def build(plan):
        if plan.kernel == "registers":
            raise NotImplementedError("no such primitive\nand more")
        return "plain"

    registers._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [or_plain(build, Plan(kernel="registers")) for _ in range(2)] == ["plain", "plain"]
    assert [record.getMessage().endswith("(NotImplementedError: no such primitive)") for record in caplog.records] == [True]


@pytest.mark.parametrize(
    "plan", [Plan(kernel="registers", precision="float64"), Plan(kernel="registers", regular=True), Plan(kernel="fast")]
)
def test_bad_plan_says_what_is_allowed(plan):
    with pytest.raises(ModelError, match="allowed"):
        simulate(effect, ONE, Regimen(np.array([1.0])), [24.0], plan)
