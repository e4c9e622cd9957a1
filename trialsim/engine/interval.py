"""One dosing interval of many patients: exact kinetics, implicit fast states, slow states by quadrature along them.

Slow states y, y' = g(x, y, C), take the corrected trapezoid rule, of fourth order, over each step:

    y1 = y0 + h/2 (g0 + g1) + h^2/12 (g0' - g1'),    g' = dg/dx x' + dg/dy y' + dg/dC C'

with y1 in g1 predicted by its Taylor series. g and x' are evaluated once a node.

Between the concentration and the fast states there may stand a `Drive`: a state that only the concentration moves, with a step of
its own, so that a nonlinearity upstream (a target that saturates) is never extrapolated by the linearisation of what lies behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.kinetics import Kinetics
from trialsim.engine.loops import remembered, scan_ahead
from trialsim.engine.mesh import Table
from trialsim.engine.rosenbrock import Structure, rodas3_step

Rates = Callable[[Any, Any, jax.Array], tuple[Any, Any]]  # (fast, slow, C) -> (dfast/dt, dslow/dt)


class Drive(NamedTuple):
    """A state d upstream of the fast ones.

    Attributes:
        rate: (d, C) -> dd/dt. step: (d, areas, h) -> d a step later, from the area under C since the start of the step at the
            ``parts`` of the table, exact however sharp the peak of C.
        input: (d, C) -> u, what the other rates see in place of C.
    """

    rate: Callable[[Any, jax.Array], Any]
    step: Callable[..., Any]
    input: Callable[[Any, jax.Array], Any]


NO_DRIVE = Drive(rate=lambda d, C: d, step=lambda d, areas, h: d, input=lambda d, C: C)


class Flow(NamedTuple):
    """The nonlinear part of a model, cut in two.

    Attributes:
        fast: (x, y, u) -> dx/dt. slow: (x, y, u) -> dy/dt, a tuple; u is C unless there is a drive.
        structure: sparsity of the fast part. drive: see `Drive`.
    """

    fast: Callable[[Any, Any, Any], Any]
    slow: Callable[[Any, Any, Any], tuple[jax.Array, ...]]
    structure: Structure
    drive: Drive = NO_DRIVE


def tabulate(kinetics: Kinetics, p: Any, nodes: np.ndarray, dtype: Any, parts: tuple[float, ...] = ()) -> Table:
    """Kinetics of each patient over the nodes of the mesh; ``parts`` of a step at which the area under C is wanted."""
    working = jnp.result_type(*jax.tree.leaves(p))
    at = lambda _, t: (None, jnp.stack(kinetics.rows(p, t)).astype(dtype))
    _, both = jax.lax.scan(at, None, jnp.asarray(nodes, working))
    end = kinetics.propagator(p, jnp.asarray(nodes[-1], working))
    area = None
    if parts:
        times = nodes[:-1, None] + np.diff(nodes)[:, None] * np.array(parts)
        _, area = jax.lax.scan(lambda _, t: (None, kinetics.accumulated(p, t)), None, jnp.asarray(times.ravel(), working))
        area = area.reshape(*times.shape, *area.shape[1:])
        before = jnp.concatenate([jnp.zeros_like(area[:1, -1]), area[:-1, -1]])
        area = (area - before[:, None]).astype(dtype)
    return Table(both[:, 0], both[:, 1], end.astype(dtype), area)


def dosed(amounts: list[jax.Array], place: int, dose: jax.Array) -> list[jax.Array]:
    """Amounts just after a dose."""
    return [amount + dose if i == place else amount for i, amount in enumerate(amounts)]


def concentration(weight: jax.Array | list[jax.Array], amounts: list[jax.Array]) -> jax.Array:
    return sum(weight[i] * amount for i, amount in enumerate(amounts))


class Carry(NamedTuple):
    """What one step hands to the next.

    Attributes:
        x, d: fast states and drive at the node reached.
        change: of the slow states since the first node, at the node before, where ``g`` and ``g_slope`` are their rates and
            the time derivatives of these. All three are zero at the first node.
    """

    x: Any
    d: Any
    change: list[jax.Array]
    g: list[jax.Array]
    g_slope: list[jax.Array]


class Step(NamedTuple):
    """The mesh and the drug along one step.

    Attributes:
        h_before: step before this one, 0 at the first node. h: this step.
        C, C_slope: concentration and its time derivative at the start. C_next: concentration at the end.
        areas: under C since the start, where the drive asks for them.
    """

    h_before: jax.Array
    h: jax.Array
    C: jax.Array
    C_slope: jax.Array
    C_next: jax.Array
    areas: list[jax.Array]


def start_carry(x: Any, y: Any, d: Any = ()) -> Carry:
    """At the first node; ``y`` gives the number and shape of the slow states."""
    zero = [jnp.zeros_like(value) for value in y]
    return Carry(x, d, zero, zero, zero)


def settle(flow: Flow, y: Any, carry: Carry, h_before: jax.Array, u: Any, u_slope: Any) -> tuple[Carry, Any]:
    """Slow states corrected with the rates at the node just reached: (carry, slow states there).

    Args:
        y: slow states at the first node. u, u_slope: input of the rates and its time derivative.
    """
    x, d, change, g, g_slope = carry
    ahead = [c + h_before * (a + 0.5 * h_before * b) for c, a, b in zip(change, g, g_slope, strict=True)]
    there = jax.tree.unflatten(jax.tree.structure(y), [a + b for a, b in zip(y, ahead, strict=True)])
    moving = flow.fast(x, there, u)
    g_now = tuple(flow.slow(x, there, u))
    _, g_slope_now = jax.jvp(flow.slow, (x, there, u), (moving, type(there)(*g_now), u_slope))
    change = [
        c + 0.5 * h_before * (a + a_now) + h_before**2 / 12.0 * (b - b_now)
        for c, a, a_now, b, b_now in zip(change, g, g_now, g_slope, g_slope_now, strict=True)
    ]
    return Carry(x, d, change, list(g_now), list(g_slope_now)), there


def driven(drive: Drive, d: Any, C: jax.Array, C_slope: jax.Array) -> tuple[Any, Any]:
    """Input of the rates and its time derivative."""
    return jax.jvp(drive.input, (d, C), (drive.rate(d, C), C_slope))


def take_step(flow: Flow, y: Any, carry: Carry, step: Step) -> Carry:
    """One step of the mesh. The loop around it is the caller's: `run_steps`, or one that keeps the state in registers."""
    drive, h = flow.drive, step.h
    u, u_slope = driven(drive, carry.d, step.C, step.C_slope)
    carry, there = settle(flow, y, carry, step.h_before, u, u_slope)
    d = drive.step(carry.d, step.areas, h)
    rates = lambda x, u: flow.fast(x, there, u)
    u_next = drive.input(d, step.C_next)
    if drive is not NO_DRIVE:  # the mean slope over the step: the one at its start may be that of a peak of minutes
        u_slope = jax.tree.map(lambda a, b: (b - a) / h, u, u_next)
    return carry._replace(x=rodas3_step(rates, flow.structure, carry.x, u, u_slope, u_next, h), d=d)


def settle_last(flow: Flow, y: Any, carry: Carry, h: jax.Array, C: jax.Array, C_slope: jax.Array) -> list[jax.Array]:
    """Change of the slow states up to the last node, reached by a step ``h``."""
    u, u_slope = driven(flow.drive, carry.d, C, C_slope)
    return settle(flow, y, carry, h, u, u_slope)[0].change


def run_steps(
    flow: Flow, table: Table, nodes: np.ndarray, amounts: list[jax.Array], x: Any, y: Any, d: Any = ()
) -> tuple[Any, Any, Any]:
    """Fast states and drive at the last node of ``nodes``, and the change of the slow states since the first: (x, change, d).

    Args:
        table: weights and slopes of these nodes. amounts: just after the dose that the table counts from.
        x, y, d: states at the first node.
    """
    h, dtype = np.diff(nodes), table.weight.dtype
    before = np.concatenate([[0.0], h[:-1]])
    meshes = (jnp.asarray(before, dtype), jnp.asarray(h, dtype))
    output = lambda rows: concentration(rows, amounts)
    wide = amounts[0].ndim > 1
    if not wide:
        C, C_slope = (_along(rows, amounts) for rows in (table.weight, table.slope))
        drug = [C[:-1], C_slope[:-1], C[1:], *_areas(table, amounts)]
        read = list
    else:  # many intervals at once: C at all nodes would be large beside the rows it is made of
        drug = [table.weight[:-1], table.slope[:-1], table.weight[1:]]
        read = lambda rows: [output(row) for row in rows]

    def step(state, mesh):
        carry, drug = state
        C, C_slope, C_next, *areas = read(drug)
        return take_step(flow, y, carry, Step(*mesh, C, C_slope, C_next, areas))

    advance = step if wide else remembered(step)
    carry, _ = scan_ahead(lambda carry, now: (advance((carry, now[0]), now[1]), None), start_carry(x, y, d), (drug, meshes))
    if not carry.change:
        return carry.x, carry.change, carry.d
    return carry.x, settle_last(flow, y, carry, meshes[1][-1], output(table.weight[-1]), output(table.slope[-1])), carry.d


def _areas(table: Table, amounts: list[jax.Array]) -> list[jax.Array]:
    """Area under C since the start of each step, for each of the table's parts, (steps, patients); none without a drive."""
    if table.area is None:
        return []
    return [_along(table.area[:, part], amounts) for part in range(table.area.shape[1])]


def _along(rows: jax.Array, amounts: list[jax.Array]) -> jax.Array:
    """Weighted sums of the amounts at all nodes, for rows (nodes, compartments, patients)."""
    return sum(rows[:, i] * amount for i, amount in enumerate(amounts))


def advance_amounts(table: Table, amounts: list[jax.Array]) -> list[jax.Array]:
    """Amounts at the end of the interval, from those just after its dose."""
    return [sum(table.end[i, j] * amount for j, amount in enumerate(amounts)) for i in range(len(amounts))]
