"""One dosing interval of many patients: exact kinetics, implicit fast states, slow states by quadrature along them.

Slow states y, y' = g(x, y, C), take the corrected trapezoid rule, of fourth order, over each step:

    y1 = y0 + h/2 (g0 + g1) + h^2/12 (g0' - g1'),    g' = dg/dx x' + dg/dy y' + dg/dC C'

with y1 in g1 predicted by its Taylor series. g and x' are evaluated once a node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.kinetics import Kinetics
from trialsim.engine.mesh import Table
from trialsim.engine.rosenbrock import Structure, rodas3_step

Rates = Callable[[Any, Any, jax.Array], tuple[Any, Any]]  # (fast, slow, C) -> (dfast/dt, dslow/dt)


class Flow(NamedTuple):
    """The nonlinear part of a model, cut in two.

    Attributes:
        fast: (x, y, C) -> dx/dt. slow: (x, y, C) -> dy/dt, a tuple. structure: sparsity of the fast part.
    """

    fast: Callable[[Any, Any, jax.Array], Any]
    slow: Callable[[Any, Any, jax.Array], tuple[jax.Array, ...]]
    structure: Structure


def tabulate(kinetics: Kinetics, p: Any, nodes: np.ndarray, dtype: Any) -> Table:
    """Kinetics of each patient over the nodes of the mesh, from parameters in double precision."""
    at = lambda _, t: (None, jnp.stack(kinetics.rows(p, t)).astype(dtype))
    _, both = jax.lax.scan(at, None, jnp.asarray(nodes, jnp.result_type(p[0])))
    end = kinetics.propagator(p, jnp.asarray(nodes[-1], jnp.result_type(p[0])))
    return Table(both[:, 0], both[:, 1], end.astype(dtype))


def dosed(amounts: list[jax.Array], place: int, dose: jax.Array) -> list[jax.Array]:
    """Amounts just after a dose."""
    return [amount + dose if i == place else amount for i, amount in enumerate(amounts)]


def concentration(weight: jax.Array, amounts: list[jax.Array]) -> jax.Array:
    return sum(weight[i] * amount for i, amount in enumerate(amounts))


def run_steps(flow: Flow, table: Table, nodes: np.ndarray, amounts: list[jax.Array], x: Any, y: Any) -> tuple[Any, Any]:
    """Fast states at the last node of ``nodes``, and the change of the slow ones since the first.

    Args:
        table: weights and slopes of these nodes. amounts: just after the dose that the table counts from.
        x, y: states at the first node.
    """
    h = np.diff(nodes)
    zero = [jnp.zeros_like(value) for value in y]

    def at_node(x, change, g, g_slope, h_before, C, C_slope):
        """Rates at a node, and the slow states corrected with them."""
        ahead = [c + h_before * (a + 0.5 * h_before * b) for c, a, b in zip(change, g, g_slope, strict=True)]
        there = jax.tree.unflatten(jax.tree.structure(y), [a + b for a, b in zip(y, ahead, strict=True)])
        moving = flow.fast(x, there, C)
        g_now = tuple(flow.slow(x, there, C))
        _, g_slope_now = jax.jvp(flow.slow, (x, there, C), (moving, type(there)(*g_now), C_slope))
        change = [
            c + 0.5 * h_before * (a + a_now) + h_before**2 / 12.0 * (b - b_now)
            for c, a, a_now, b, b_now in zip(change, g, g_now, g_slope, g_slope_now, strict=True)
        ]
        return change, list(g_now), list(g_slope_now), there

    def step(carry, node):
        x, change, g, g_slope = carry
        h_before, h, weight, slope, weight_next = node
        C, C_slope, C_next = (concentration(w, amounts) for w in (weight, slope, weight_next))
        change, g, g_slope, there = at_node(x, change, g, g_slope, h_before, C, C_slope)
        rates = lambda x, C: flow.fast(x, there, C)
        x = rodas3_step(rates, flow.structure, x, C, C_slope, C_next, h)
        return (x, change, g, g_slope), None

    dtype = table.weight.dtype
    before = jnp.asarray(np.concatenate([[0.0], h[:-1]]), dtype)
    inputs = (before, jnp.asarray(h, dtype), table.weight[:-1], table.slope[:-1], table.weight[1:])
    (x, change, g, g_slope), _ = jax.lax.scan(step, (x, zero, zero, zero), inputs)
    C, C_slope = concentration(table.weight[-1], amounts), concentration(table.slope[-1], amounts)
    if zero:
        change, *_ = at_node(x, change, g, g_slope, jnp.asarray(h[-1], dtype), C, C_slope)
    return x, change


def advance_amounts(table: Table, amounts: list[jax.Array]) -> list[jax.Array]:
    """Amounts at the end of the interval, from those just after its dose."""
    return [sum(table.end[i, j] * amount for j, amount in enumerate(amounts)) for i in range(len(amounts))]
