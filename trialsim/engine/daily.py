"""Every dosing interval solved, one after another: the general path, for any doses."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.interval import Flow, advance_amounts, concentration, dosed, remembered, run_steps, tabulate
from trialsim.engine.mesh import Table
from trialsim.engine.model import Model
from trialsim.engine.rosenbrock import structure_of
from trialsim.engine.structure import example


class Course(NamedTuple):
    """States at the moments of interest, (moments, patients) a leaf: fast x, slow y, concentration C."""

    x: Any
    y: Any
    C: jax.Array


class Begun(NamedTuple):
    """A block of patients ready to run.

    Attributes:
        p: parameters in the working precision. table: kinetics over the mesh.
        x, y: states at time 0, y in double precision. amounts: drug at time 0.
    """

    p: Any
    table: Table
    x: Any
    y: Any
    amounts: list[jax.Array]


def split(model: Model, state: Any) -> tuple[Any, Any]:
    """Fast and slow part of a state, each a NamedTuple of its own."""
    fast, slow = parts(type(state), model.slow)
    return fast(*(getattr(state, name) for name in fast._fields)), slow(*(getattr(state, name) for name in slow._fields))


def parts(state: type, slow: tuple[str, ...]) -> tuple[type, type]:
    if (state, slow) not in _PARTS:  # one class each, or equal trees would not compare equal
        fast = [name for name in state._fields if name not in slow]
        make = lambda name, fields: NamedTuple(name, [(field, Any) for field in fields])
        _PARTS[state, slow] = make("Fast", fast), make("Slow", [name for name in state._fields if name in slow])
    return _PARTS[state, slow]


_PARTS: dict[Any, tuple[type, type]] = {}


def joined(state: type, x: Any, y: Any) -> Any:
    """The model's own state from its two parts."""
    return state(**x._asdict(), **y._asdict())


def flow_of(model: Model, p: Any, state: Any) -> Flow:
    """The model's rates for parameters ``p``, cut into fast and slow, with the sparsity of the fast part."""
    kind = type(state)
    x, y = split(model, state)
    rates = lambda x, y, C, p: model.rates(joined(kind, x, y), C, p)
    only = lambda names, derivative: (getattr(derivative, name) for name in names)
    fast = lambda x, y, C, p: type(x)(*only(x._fields, rates(x, y, C, p)))
    scalar = jax.ShapeDtypeStruct((), jnp.float32)
    structure = structure_of(
        lambda x, C: fast(x, example(y), C, example(p)), jax.tree.map(lambda _: scalar, x), scalar
    )  # what depends on what is the same for all patients
    return Flow(
        fast=lambda x, y, C: fast(x, y, C, p),
        slow=lambda x, y, C: tuple(only(y._fields, rates(x, y, C, p))),
        structure=structure,
    )


def begin(model: Model, p: Any, nodes: np.ndarray, dtype: Any) -> Begun:
    """Initial states and kinetics of a block; ``p`` in double precision, leaves (patients,)."""
    shape = jnp.shape(p[0])
    table = tabulate(model.kinetics, p, nodes, dtype)
    x, y = split(model, model.start(p))
    whole = lambda tree, kind: jax.tree.map(lambda v: jnp.broadcast_to(jnp.asarray(v, kind), shape), tree)
    amounts = [jnp.zeros(shape, dtype)] * model.kinetics.size
    return Begun(whole(p, dtype), table, whole(x, dtype), whole(y, jnp.float64), amounts)


def run_daily(
    model: Model, begun: Begun, doses: jax.Array, nodes: np.ndarray, stops: tuple[int, ...], keep_double: bool = False
) -> tuple[Course, Any]:
    """All intervals in order.

    Args:
        doses: (intervals, patients) or (intervals,).
        stops: numbers of the mesh nodes at which the state is kept, ascending; the last is the end of the interval.
        keep_double: keep the slow states in double precision.

    Returns:
        States at the stops of each interval, leaves (intervals, stops, patients), and the state after the last interval.
    """
    kind = type(model.start(begun.p))
    record = jnp.float64 if keep_double else begun.table.weight.dtype
    flow = flow_of(model, begun.p, joined(kind, begun.x, begun.y))
    table, place = begun.table, model.kinetics.dose_into
    dtype = table.weight.dtype

    def interval(carry, dose):
        x, y, amounts = carry
        amounts = dosed(amounts, place, dose)
        kept, first = [], 0
        for stop in stops:
            piece = slice(first, stop + 1)
            part = Table(table.weight[piece], table.slope[piece], table.end)
            low = jax.tree.map(lambda v: v.astype(dtype), y)
            x, change, _ = run_steps(flow, part, nodes[piece], amounts, x, low)
            y = type(y)(*(a + b for a, b in zip(y, change, strict=True)))
            kept.append([*x, *y, concentration(table.weight[stop], amounts)])
            first = stop
        amounts = advance_amounts(table, amounts)
        # one array a moment: the compiler then writes it in place, where it copies the whole record for each of many arrays
        return (x, y, amounts), jnp.stack([jnp.stack([v.astype(record) for v in moment]) for moment in kept], axis=1)

    after, course = jax.lax.scan(remembered(interval), (begun.x, begun.y, begun.amounts), doses.astype(dtype))
    fields = [course[:, i] for i in range(course.shape[1])]
    sizes = len(begun.x), len(begun.y)
    x, y = type(begun.x)(*fields[: sizes[0]]), type(begun.y)(*fields[sizes[0] : -1])
    return Course(x, y, fields[-1]), after
