"""The scheme against exact solutions, its order, and its behaviour on stiff networks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.engine.integrate import graded_mesh, rates, sdirk2_step


class Chain(NamedTuple):
    a: jax.Array
    b: jax.Array


def chain(x, u, relax):
    """a -> b, with a fed by u."""
    a = relax.a(u, 3.0)
    b = relax.b(3.0 * a, 0.5)
    return Chain(a, b)


def loop(x, u, relax):
    """Negative feedback: b holds a down."""
    a = relax.a(2.0 / (1.0 + x.b), 1.0)
    b = relax.b(a, 0.7)
    return Chain(a, b)


def integrate(flow, x, hours, steps, u=0.0, sweeps=2):
    h = hours / steps
    with jax.enable_x64(True):
        x = jax.tree.map(lambda v: jnp.asarray(v, jnp.float64), x)
        step = lambda x, _: (sdirk2_step(flow, x, jnp.float64(u), jnp.float64(u), jnp.float64(h), sweeps), None)
        return jax.tree.map(np.asarray, jax.lax.scan(step, x, length=steps)[0])


def exact_chain(t):
    """a(0) = 1, b(0) = 0, u = 0 (closed form)."""
    return Chain(np.exp(-3 * t), 3.0 / 2.5 * (np.exp(-0.5 * t) - np.exp(-3 * t)))


def test_analytic_chain_has_second_order():
    errors = [abs(integrate(chain, Chain(1.0, 0.0), 2.0, n).b - exact_chain(2.0).b) for n in (20, 40, 80, 160)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(np.abs(orders - 2.0) < 0.15), orders


def test_feedback_loop_has_second_order_with_enough_sweeps():
    reference = integrate(loop, Chain(1.0, 0.0), 4.0, 4000, sweeps=6).a
    errors = [abs(integrate(loop, Chain(1.0, 0.0), 4.0, n, sweeps=4).a - reference) for n in (16, 32, 64)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(np.abs(orders - 2.0) < 0.3), orders


def test_rates_are_the_same_equations():
    derivative = rates(chain, Chain(jnp.asarray(0.4), jnp.asarray(0.2)), 0.7)
    assert derivative.a == pytest.approx(0.7 - 3.0 * 0.4)
    assert derivative.b == pytest.approx(3.0 * 0.4 - 0.5 * 0.2)


def test_l_stable_huge_step_lands_on_the_steady_state():
    x = integrate(chain, Chain(5.0, 9.0), 1e6, 2, u=1.5)
    assert x.a == pytest.approx(0.5, rel=1e-5)
    assert x.b == pytest.approx(3.0, rel=1e-5)


def test_mesh_starts_and_ends_right_and_is_graded():
    mesh = np.asarray(graded_mesh(24.0, 12))
    assert mesh[0] == 0.0 and mesh[-1] == pytest.approx(24.0)
    assert np.all(np.diff(np.diff(mesh)) > 0)
