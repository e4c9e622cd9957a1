"""Derivatives along many directions at once, beside the value.

``jax.vmap(jax.jvp(...))`` puts the directions on a new axis of every array of a step, which then no longer fit the cache, and
treats all of them as dense. Here a program is read as a jaxpr. In the body of its innermost time loops the value is computed once
and JAX linearises it; a loop over the directions applies the linear part to one after another, so that its arrays are no larger
than those of the value. Directions that move different things go in groups: what a group does not move, through loops too, costs
it nothing. Derivatives of each operation are JAX's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from trialsim.engine.interval import scan_ahead
from trialsim.engine.structure import INLINED

Row = list[Any]  # for each group of directions the derivatives of one value, (directions of the group, ...); None: zero


def push(function: Callable[..., Any], arguments: Any, directions: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Value and derivatives of ``function``.

    Args:
        arguments: a tree of arrays, its only argument.
        directions: for each group a tree like it, with leaves (directions, ...), or None for leaves that do not move.

    Returns:
        ``function(arguments)``, and for each group a tree like it, leaves (directions, ...).
    """
    leaves, structure = jax.tree.flatten(arguments)
    shapes: list[Any] = []

    def flat(*leaves):
        out, shape = jax.tree.flatten(function(jax.tree.unflatten(structure, leaves)))
        shapes.append(shape)
        return out

    closed = jax.make_jaxpr(flat)(*leaves)
    moves = [jax.tree.flatten(d, is_leaf=lambda leaf: leaf is None)[0] for d in directions]
    sizes = [next(len(leaf) for leaf in move if leaf is not None) for move in moves]
    values, rows = _follow(closed, leaves, [list(row) for row in zip(*moves, strict=True)], sizes)
    filled = [
        [jnp.zeros((size, *v.shape), v.dtype) if row[g] is None else row[g] for v, row in zip(values, rows, strict=True)]
        for g, size in enumerate(sizes)
    ]
    unflatten = lambda leaves: jax.tree.unflatten(shapes[0], leaves)
    return unflatten(values), [unflatten(one) for one in filled]


def _follow(closed: Any, values: Sequence[Any], rows: Sequence[Row], sizes: Sequence[int]) -> tuple[list[Any], list[Row]]:
    """Values and derivatives of a jaxpr's outputs."""
    still: Row = [None] * len(sizes)
    seen = dict(zip(closed.jaxpr.constvars, ((c, still) for c in closed.consts), strict=True))
    seen.update(zip(closed.jaxpr.invars, zip(values, rows, strict=True), strict=True))
    read = lambda atom: (atom.val, still) if isinstance(atom, Literal) else seen[atom]
    for equation in closed.jaxpr.eqns:
        inputs, moving = zip(*(read(atom) for atom in equation.invars), strict=True) if equation.invars else ((), ())
        inner = equation.params.get("jaxpr")
        if equation.primitive.name == "scan":
            found = _scan(equation, inputs, moving, sizes)
        elif equation.primitive.name in INLINED and inner is not None:
            inner = inner if isinstance(inner, ClosedJaxpr) else ClosedJaxpr(inner, ())
            found = _follow(inner, inputs, moving, sizes)
        else:
            found = _apply(*_bound(equation), inputs, moving, len(sizes), jax.vmap)
        seen.update(zip(equation.outvars, zip(*found, strict=True), strict=True))
    out = [read(atom) for atom in closed.jaxpr.outvars]
    return [v for v, _ in out], [row for _, row in out]


def _bound(equation: Any) -> tuple[Callable[..., list[Any]], list[int]]:
    """The operation of an equation as a function of some of its inputs, and which."""
    distinct = list(dict.fromkeys(atom for atom in equation.invars if not isinstance(atom, Literal)))
    run = jaxpr_as_fun(ClosedJaxpr(Jaxpr((), distinct, equation.outvars, [equation]), ()))
    return run, [equation.invars.index(atom) for atom in distinct]


def _apply(function, places: Sequence[int], inputs, rows, groups: int, mapped) -> tuple[list[Any], list[Row]]:
    """Value of a function without loops, and its derivatives, direction by direction through ``mapped``."""
    inputs, rows = [inputs[i] for i in places], [rows[i] for i in places]
    out: list[Row] = []
    values = None
    for g in range(groups):
        moved = [i for i, row in enumerate(rows) if row[g] is not None]
        if not moved:
            out.append(None)
            continue
        along = lambda *some, moved=moved: function(*_replaced(inputs, moved, some))
        values, change = jax.linearize(along, *(inputs[i] for i in moved))
        out.append(mapped(lambda *some, change=change: change(*some))(*(rows[i][g] for i in moved)))
    values = function(*inputs) if values is None else values
    clean = lambda change: None if change is None or change.dtype == jax.dtypes.float0 else change
    return values, [[None if group is None else clean(group[i]) for group in out] for i in range(len(values))]


def _replaced(values: Sequence[Any], places: Sequence[int], new: Sequence[Any]) -> list[Any]:
    out = list(values)
    for place, value in zip(places, new, strict=True):
        out[place] = value
    return out


def _one_by_one(function):
    return lambda *stacked: scan_ahead(lambda _, some: ((), function(*some)), (), stacked)[1]


def _scan(equation: Any, inputs: Sequence[Any], rows: Sequence[Row], sizes: Sequence[int]) -> tuple[list[Any], list[Row]]:
    p = equation.params
    body, n_consts, first_x = p["jaxpr"], p["num_consts"], p["num_consts"] + p["num_carry"]
    innermost = not any(e.primitive.name in ("scan", "while") for e in body.jaxpr.eqns)
    moves = [[change is not None for change in row] for row in rows]
    while True:  # a carried value moves if what it starts from does, or what it becomes does
        after, leaving = _moved(body, moves, first_x - n_consts, sizes)
        both = [[a or b for a, b in zip(*pair, strict=True)] for pair in zip(moves[n_consts:first_x], after, strict=True)]
        if both == moves[n_consts:first_x]:
            break
        moves[n_consts:first_x] = both
    zeros = lambda value, size: jnp.zeros((size, *value.shape), value.dtype)
    started = [
        [zeros(value, size) if m and c is None else c for c, m, size in zip(row, moved, sizes, strict=True)]
        for value, row, moved in zip(inputs, rows, moves, strict=True)
    ]
    pack = lambda rows: [[c for c in row if c is not None] for row in rows]
    along = lambda rows: [[c if c is None else jnp.moveaxis(c, 0, 1) for c in row] for row in rows]  # (loop, directions, ...)
    back = lambda rows: [[c if c is None else jnp.moveaxis(c, 1, 0) for c in row] for row in rows]

    def unpack(packed, which):
        return [[next(left) if m else None for m in moved] for moved, left in zip(which, map(iter, packed), strict=True)]

    def step(carry, x):
        (c, dc), (v, dv) = carry, x
        values = [*inputs[:n_consts], *c, *v]
        moving = [*started[:n_consts], *unpack(dc, moves[n_consts:first_x]), *unpack(dv, moves[first_x:])]
        if innermost:
            out, changes = _apply(jaxpr_as_fun(body), range(len(values)), values, moving, len(sizes), _one_by_one)
        else:
            out, changes = _follow(body, values, moving, sizes)
        n = first_x - n_consts
        carried = [
            [(zeros(v, size) if c is None else c) if m else None for c, m, size in zip(row, moved, sizes, strict=True)]
            for v, row, moved in zip(out[:n], changes[:n], moves[n_consts:first_x], strict=True)
        ]
        left = [[(zeros(v, s) if c is None else c) if m else None for c, m, s in zip(row, moved, sizes, strict=True)]
                for v, row, moved in zip(out[n:], changes[n:], leaving, strict=True)]
        return (out[:n], pack(carried)), (out[n:], pack(left))

    carry = (list(inputs[n_consts:first_x]), pack(started[n_consts:first_x]))
    xs = (list(inputs[first_x:]), pack(along(started[first_x:])))
    (last, d_last), (ys, d_ys) = jax.lax.scan(step, carry, xs, length=p["length"], reverse=p["reverse"])
    return [*last, *ys], [*unpack(d_last, moves[n_consts:first_x]), *back(unpack(d_ys, leaving))]


def _moved(body: Any, moves: list[list[bool]], n_carry: int, sizes: Sequence[int]) -> tuple[list[list[bool]], list[list[bool]]]:
    """Which outputs of a loop's body move, given which inputs do, for each group: those carried on, those that leave."""
    found: list[Any] = []

    def probe(*leaves):
        rows = [[jnp.ones((1, *v.shape), v.dtype) if m else None for m in row] for v, row in zip(leaves, moves, strict=True)]
        values, changes = _follow(body, leaves, rows, [1] * len(sizes))
        found.append([[c is not None for c in row] for row in changes])
        return values

    jax.eval_shape(probe, *body.in_avals)
    return found[0][:n_carry], found[0][n_carry:]
