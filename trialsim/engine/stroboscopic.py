"""Repeated doses: a few intervals solved, the others interpolated between them.

Where the same dose follows at the same interval, the change of the slow states over one interval, d(n), and the fast states at its
end are smooth in the interval's number n once the first intervals have passed. So d is computed at intervals that lie ever
farther apart (all of them at once, as one wider batch), with its derivative J in the slow states, and

    y(n+1) = y(n) + d(n) + J(n) (y(n) - y*(n))

is run through all intervals with d, J and the fast states interpolated by local cubics; y* are the slow states that d was computed
at. Kinetics are exact at every n. A sampled interval starts from the fast states at the end of the interval before it, which come
from the previous sweep (the first: from a run of the interval's later half). One sweep is enough where the fast states forget
within an interval and the slow ones act linearly; otherwise more are needed. (Stroboscopic averaging: Calvo, Chartier, Murua,
Sanz-Serna, Found Comput Math 2011;11:697-713, here with collocation in place of differences.)

A dose that differs from the one before, in any patient, begins a new stretch, whose first intervals are solved one by one.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.daily import Begun, Course, flow_of, joined, run_daily
from trialsim.engine.interval import Flow, advance_amounts, concentration, dosed, run_steps
from trialsim.engine.mesh import Table
from trialsim.engine.model import Model
from trialsim.engine.plan import Plan
from trialsim.engine.structure import dependencies

DEGREE = 3


def stretches(doses: np.ndarray) -> tuple[tuple[int, int], ...]:
    """(first interval, number) of each stretch of equal doses; doses (intervals,) or (patients, intervals)."""
    changed = np.any(np.diff(np.atleast_2d(doses), axis=1) != 0.0, axis=0)
    edges = [0, *(np.flatnonzero(changed) + 1).tolist(), np.shape(doses)[-1]]
    return tuple((a, b - a) for a, b in zip(edges[:-1], edges[1:], strict=True))


def sampled(length: int, growth: float) -> np.ndarray:
    """Numbers of the intervals to solve out of ``length``: consecutive at first, then ``growth`` times farther apart each."""
    found, gap = [0, 1, 2], 1.0
    while found[-1] + round(gap) < length - 1:
        found.append(found[-1] + round(gap))
        gap *= growth
    return np.array([*found, length - 1])


def interpolation(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Matrix (at, nodes) of local cubic interpolation."""
    matrix = np.zeros((len(at), len(nodes)))
    width = min(DEGREE + 1, len(nodes))
    for row, n in enumerate(at):
        first = int(np.clip(np.searchsorted(nodes, n) - width // 2, 0, len(nodes) - width))
        local = nodes[first : first + width].astype(float)
        for i in range(width):
            others = np.delete(local, i)
            matrix[row, first + i] = np.prod((n - others) / (local[i] - others))
    return matrix


def run_stroboscopic(
    model: Model, begun: Begun, doses: jax.Array, nodes: np.ndarray, parts: tuple[tuple[int, int], ...], wanted: tuple[int, ...],
    plan: Plan,
) -> Course:  # fmt: skip
    """States at the ends of the intervals ``wanted`` (1: the first; 0: the start), leaves (wanted, patients)."""
    last = (len(nodes) - 1,)
    found = {0: Course(begun.x, begun.y, jnp.zeros_like(begun.amounts[0]))}

    def explicit(begun: Begun, first: int, count: int) -> Begun:
        course, (x, y, amounts, _) = run_daily(model, begun, doses[first : first + count], nodes, last, keep_double=True)
        for n in set(wanted) & set(range(first + 1, first + count + 1)):
            found[n] = jax.tree.map(lambda leaf, n=n: leaf[n - first - 1, 0], course)
        return begun._replace(x=x, y=y, amounts=amounts)

    for first, length in parts:
        head = min(plan.explicit, length)
        tail = length - head
        numbers = sampled(tail, plan.growth) if tail else np.zeros(0, int)
        if (plan.sweeps + 1) * len(numbers) >= tail:  # nothing to gain
            begun = explicit(begun, first, length)
            continue
        begun = explicit(begun, first, head)
        ends = np.array(sorted(n - first - head - 1 for n in set(wanted) if first + head < n <= first + length), int)
        begun, course = _stretch(model, begun, doses[first], nodes, numbers, ends, plan.sweeps)
        for i, n in enumerate(ends):
            found[n + first + head + 1] = jax.tree.map(lambda leaf, i=i: leaf[i], course)
    kind = begun.table.weight.dtype
    pick = lambda get, dtype: jnp.stack([get(found[n]).astype(dtype) for n in wanted])
    x = type(begun.x)(*(pick(lambda c, i=i: c.x[i], kind) for i in range(len(begun.x))))
    y = type(begun.y)(*(pick(lambda c, i=i: c.y[i], jnp.float64) for i in range(len(begun.y))))
    return Course(x, y, pick(lambda c: c.C, kind))


def _stretch(
    model: Model, begun: Begun, dose: jax.Array, nodes: np.ndarray, numbers: np.ndarray, ends: np.ndarray, sweeps: int
) -> tuple[Begun, Course]:
    """The tail of a stretch, intervals 0..numbers[-1]; states at the ends of the intervals ``ends``."""
    table, place, kind = begun.table, model.kinetics.dose_into, type(model.start(begun.p))
    dtype, length = table.weight.dtype, int(numbers[-1]) + 1
    flow = flow_of(model, begun.p, joined(kind, begun.x, begun.y))
    feeding = _feeding(flow, begun.x, begun.y)

    def drug(amounts, _):
        after = dosed(amounts, place, model.kinetics.dose(begun.p, dose.astype(dtype)))
        later = advance_amounts(table, after)
        return later, jnp.stack([jnp.stack(after), jnp.stack(later)])

    amounts, course = jax.lax.scan(drug, begun.amounts, None, length=length)
    starts = [course[numbers, 0, i] for i in range(model.kinetics.size)]
    wide = (len(numbers), *begun.y[0].shape)
    x = jax.tree.map(lambda v: jnp.broadcast_to(v, wide), begun.x)
    y = jax.tree.map(lambda v: jnp.broadcast_to(v.astype(dtype), wide), begun.y)
    every = interpolation(numbers, np.arange(length))
    before = interpolation(numbers, np.maximum(numbers - 1, 0))

    # the later half of the interval, from a guess: what the fast states are at its end hardly depends on it any more
    half = len(nodes) // 2
    late = Table(table.weight[half:], table.slope[half:], table.end)
    alone = Flow(lambda x, _, C: flow.fast(x, y, C), lambda *_: (), flow.structure)
    ended, _, _ = run_steps(alone, late, nodes[half:], starts, x, ())

    for _ in range(sweeps):
        shifted = jax.tree.map(lambda v: _weighted(before, v), ended)
        x = jax.tree.map(lambda new, first: new.at[0].set(first), shifted, begun.x)
        ended, change, slopes = _solve_sampled(flow, table, nodes, starts, x, y, feeding)
        # what y(n+1) = y(n) + b(n) + J(n) y(n) needs, at the sampled intervals
        b = [c - sum(slopes[j][i] * y[j] for j in feeding) for i, c in enumerate(change)]
        course_y = _recur(begun.y, b, slopes, every.astype(dtype), feeding)
        y = type(y)(*(course_y[numbers, i].astype(dtype) for i in range(len(y))))

    at_ends = interpolation(numbers, ends)
    seen = Course(
        x=jax.tree.map(lambda v: _weighted(at_ends, v), ended),
        y=type(begun.y)(*(course_y[ends + 1, i] for i in range(len(begun.y)))),
        C=concentration(table.weight[-1], [course[ends, 0, i] for i in range(model.kinetics.size)]),
    )
    y_end = type(begun.y)(*(course_y[length, i] for i in range(len(begun.y))))
    return begun._replace(x=jax.tree.map(lambda v: v[-1], ended), y=y_end, amounts=amounts), seen


def _weighted(matrix: np.ndarray, values: jax.Array) -> jax.Array:
    """(rows, sampled) times (sampled, patients); written as a sum, as each row has four entries that are not zero."""
    rows = []
    for row in matrix:
        rows.append(sum(float(w) * values[k] for k, w in enumerate(row) if w != 0.0))
    return jnp.stack(rows) if rows else jnp.zeros((0, *values.shape[1:]), values.dtype)


def _feeding(flow: Flow, x: Any, y: Any) -> tuple[int, ...]:
    """Numbers of the slow states on which some rate depends."""
    p_free = lambda x, y, C: (tuple(v for v in flow.fast(x, y, C)), flow.slow(x, y, C))
    size = jnp.shape(y[0])
    like = lambda tree: jax.tree.map(lambda _: jax.ShapeDtypeStruct(size, jnp.float32), tree)
    found = frozenset().union(*dependencies(p_free, like(x), like(y), jax.ShapeDtypeStruct(size, jnp.float32)))
    return tuple(i for i in range(len(y)) if len(x) + i in found)


def _solve_sampled(flow: Flow, table, nodes: np.ndarray, amounts: list, x: Any, y: Any, feeding: tuple[int, ...]):
    """Fast states at the ends of the sampled intervals, change of the slow ones, and its derivative in those that feed back."""

    def run(*fed):
        values = list(y)
        for j, value in zip(feeding, fed, strict=True):
            values[j] = value
        ended, change, _ = run_steps(flow, table, nodes, amounts, x, type(y)(*values))
        return change, ended

    fed = tuple(y[j] for j in feeding)
    if not fed:
        change, ended = run()
        return ended, change, {}
    slopes = {}
    for k, j in enumerate(feeding):
        direction = tuple(jnp.ones_like(v) if i == k else jnp.zeros_like(v) for i, v in enumerate(fed))
        change, slopes[j], ended = jax.jvp(run, fed, direction, has_aux=True)
    return ended, change, slopes


def _recur(y: Any, b: list, slopes: dict, every: np.ndarray, feeding: tuple[int, ...]) -> jax.Array:
    """Slow states before each interval and after the last, (intervals + 1, states, patients), double precision."""
    size, used = len(b), every != 0.0
    width = int(used.sum(axis=1).max())
    first = np.minimum(used.argmax(axis=1), every.shape[1] - width)
    weights = np.stack([row[f : f + width] for row, f in zip(every, first, strict=True)])
    stacked = jnp.stack([*b, *(slopes[j][i] for j in feeding for i in range(size))], axis=1)  # (sampled, quantities, patients)

    def step(values, inputs):
        weight, start = inputs
        local = jax.lax.dynamic_slice_in_dim(stacked, start, width)
        now = sum(weight[k] * local[k] for k in range(width))
        change = now[:size]
        for place, j in enumerate(feeding):
            change = change + now[size * (place + 1) : size * (place + 2)] * values[j].astype(now.dtype)
        return values + change, values

    last, course = jax.lax.scan(step, jnp.stack(list(y)), (jnp.asarray(weights), jnp.asarray(first)))
    return jnp.concatenate([course, last[None]])
