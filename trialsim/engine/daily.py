"""Every dosing interval solved, one after another: the general path, for any doses."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.interval import NO_DRIVE, Drive, Flow, advance_amounts, concentration, dosed, run_steps, tabulate
from trialsim.engine.loops import remembered
from trialsim.engine.mesh import Table
from trialsim.engine.model import Model, ModelError
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
        p: what `Model.derive` makes of the parameters, in the working precision. table: kinetics over the mesh.
        x, y: states at time 0, y in double precision. amounts: drug at time 0. d: state upstream at time 0.
    """

    p: Any
    table: Table
    x: Any
    y: Any
    amounts: list[jax.Array]
    d: Any = ()


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

    def rates(x, y, u, p):
        """The model's, each of the precision and shape of its state, as a rate may be a constant or a NumPy number."""
        whole = joined(kind, x, y)
        found = model.rates(whole, u, p)
        if type(found) is not kind:
            raise ModelError(f"rates of model {model.name}: {type(found).__name__}; allowed: {kind.__name__}, as its start")
        size = jnp.broadcast_shapes(*(jnp.shape(leaf) for leaf in jax.tree.leaves((x, y, u))))
        like = lambda rate, state: jnp.broadcast_to(jnp.asarray(rate, jnp.result_type(state)), size)
        return kind(*(like(rate, state) for rate, state in zip(found, whole, strict=True)))

    only = lambda names, derivative: (getattr(derivative, name) for name in names)
    fast = lambda x, y, C, p: type(x)(*only(x._fields, rates(x, y, C, p)))
    scalar = jax.ShapeDtypeStruct((), jnp.float32)
    up = model.upstream
    u = jax.eval_shape(lambda C: up.input(up.start(example(p)), C, example(p)), scalar) if up else scalar
    structure = structure_of(
        lambda x, u: fast(x, example(y), u, example(p)), jax.tree.map(lambda _: scalar, x), jax.tree.map(lambda _: scalar, u)
    )  # what depends on what is the same for all patients
    return Flow(
        fast=lambda x, y, u: fast(x, y, u, p),
        slow=lambda x, y, u: tuple(only(y._fields, rates(x, y, u, p))),
        structure=structure,
        drive=drive_of(model, p),
    )


def drive_of(model: Model, p: Any) -> Drive:
    """What stands between concentration and rates, for parameters ``p``."""
    up = model.upstream
    if up is None:
        return NO_DRIVE
    return Drive(
        rate=lambda d, C: up.rate(d, C, p),
        step=lambda d, areas, h: up.step(d, areas, h, p),
        input=lambda d, C: up.input(d, C, p),
    )


def begin(model: Model, p: Any, nodes: np.ndarray, dtype: Any) -> Begun:
    """Initial states and kinetics of a block; ``p`` in double precision, leaves (patients,)."""
    shape = jnp.shape(p[0])
    p = model.derive(p)
    table = tabulate(model.kinetics, p, nodes, dtype, model.upstream.parts if model.upstream else ())
    start = model.start(p)
    if unknown := sorted(set(model.slow) - set(start._fields)):
        raise ModelError(f"slow of model {model.name}: {', '.join(unknown)}; allowed: {', '.join(start._fields)}")
    x, y = split(model, start)
    whole = lambda tree, kind: jax.tree.map(lambda v: jnp.broadcast_to(jnp.asarray(v, kind), shape), tree)
    amounts = [jnp.zeros(shape, dtype)] * model.kinetics.size
    d = whole(model.upstream.start(p), dtype) if model.upstream else ()
    p = jax.tree.map(lambda v: jnp.asarray(v, dtype), p)
    return Begun(p, table, whole(x, dtype), whole(y, jnp.float64), amounts, d)


def run_daily(
    model: Model, begun: Begun, doses: jax.Array, nodes: np.ndarray, stops: tuple[int, ...], keep_double: bool = False
) -> tuple[Course, Any]:
    """All intervals in order.

    Args:
        doses: (intervals, patients) or (intervals,).
        stops: numbers of the mesh nodes at which the state is kept, ascending; the last is the end of the interval.
        keep_double: keep the slow states in double precision.

    Returns:
        States at the stops of each interval, leaves (intervals, stops, patients), and x, y, amounts and d after the last.
    """
    kind = type(model.start(begun.p))
    record = jnp.float64 if keep_double else begun.table.weight.dtype
    flow = flow_of(model, begun.p, joined(kind, begun.x, begun.y))
    table, place = begun.table, model.kinetics.dose_into
    dtype = table.weight.dtype

    def interval(carry, dose):
        x, y, amounts, d = carry
        amounts = dosed(amounts, place, model.kinetics.dose(begun.p, dose))
        kept, first = [], 0
        for stop in stops:
            piece = slice(first, stop + 1)
            area = None if table.area is None else table.area[first:stop]
            part = Table(table.weight[piece], table.slope[piece], table.end, area)
            low = jax.tree.map(lambda v: v.astype(dtype), y)
            x, change, d = run_steps(flow, part, nodes[piece], amounts, x, low, d)
            y = type(y)(*(a + b for a, b in zip(y, change, strict=True)))
            kept.append([*x, *y, concentration(table.weight[stop], amounts)])
            first = stop
        amounts = advance_amounts(table, amounts)
        # one array a moment: the compiler then writes it in place, where it copies the whole record for each of many arrays
        return (x, y, amounts, d), jnp.stack([jnp.stack([v.astype(record) for v in moment]) for moment in kept], axis=1)

    after, course = jax.lax.scan(remembered(interval), (begun.x, begun.y, begun.amounts, begun.d), doses.astype(dtype))
    fields = [course[:, i] for i in range(course.shape[1])]
    sizes = len(begun.x), len(begun.y)
    x, y = type(begun.x)(*fields[: sizes[0]]), type(begun.y)(*fields[sizes[0] : -1])
    return Course(x, y, fields[-1]), after
