"""Every dosing interval solved, one after another: the general path, for any doses."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.interval import Flow, advance_amounts, concentration, dosed, run_steps, tabulate
from trialsim.engine.mesh import Table
from trialsim.engine.model import Model


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


def joined(model: Model, state: type, x: Any, y: Any) -> Any:
    """The model's own state from its two parts."""
    return state(**x._asdict(), **y._asdict())


def flow_of(model: Model, p: Any, state: Any) -> Flow:
    """The model's rates for parameters ``p``, cut into fast and slow."""
    kind = type(state)
    x, y = split(model, state)
    rates = lambda x, y, C, p: model.rates(joined(model, kind, x, y), C, p)
    fast = lambda x, y, C: type(x)(*(getattr(rates(x, y, C, p), name) for name in x._fields))
    slow = lambda x, y, C: tuple(getattr(rates(x, y, C, p), name) for name in y._fields)
    from trialsim.engine.structure import example

    ones = example(p)
    found = lambda x, y, C: type(x)(*(getattr(rates(x, y, C, ones), name) for name in x._fields))
    from trialsim.engine.interval import make_flow

    return Flow(fast, slow, make_flow(found, slow, x, y).structure)


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

    Returns:
        States at the stops of each interval, leaves (intervals, stops, patients), and the state after the last interval.
    """
    kind = type(model.start(begun.p))
    flow = flow_of(model, begun.p, joined(model, kind, begun.x, begun.y))
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
            x, change = run_steps(flow, part, nodes[piece], amounts, x, low)
            y = type(y)(*(a + b for a, b in zip(y, change, strict=True)))
            kept.append([*x, *y, concentration(table.weight[stop], amounts)])
            first = stop
        amounts = advance_amounts(table, amounts)
        # one array a moment: the compiler then writes it in place, where it copies the whole record for each of many arrays
        return (x, y, amounts), jnp.stack([jnp.stack([v.astype(record) for v in moment]) for moment in kept], axis=1)

    record = jnp.float64 if keep_double else dtype
    after, course = jax.lax.scan(interval, (begun.x, begun.y, begun.amounts), doses.astype(dtype))
    fields = [course[:, i] for i in range(course.shape[1])]
    sizes = len(begun.x), len(begun.y)
    x, y = type(begun.x)(*fields[: sizes[0]]), type(begun.y)(*fields[sizes[0] : -1])
    return Course(x, y, fields[-1]), after
