"""The one public call: a model, its parameters, a regimen and times in; observations out."""

from __future__ import annotations

import logging
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.daily import Course, begin, joined, run_daily
from trialsim.engine.mesh import graded_mesh, with_times
from trialsim.engine.model import Model, ModelError, Regimen, check_inputs
from trialsim.engine.plan import Plan, faults
from trialsim.engine.population import lanes
from trialsim.engine.registers import check_kernel, or_plain, run_registers
from trialsim.engine.stroboscopic import run_stroboscopic, stretches
from trialsim.engine.xla import compile_loops

log = logging.getLogger(__name__)


class Moments(NamedTuple):
    """Where the times asked for lie: interval number (0: before the first) and stop within it; which of ``stops`` each is."""

    interval: tuple[int, ...]
    stop: tuple[int, ...]
    offsets: tuple[float, ...]


def locate(times: np.ndarray, interval: float) -> Moments:
    """Times as (interval, offset); the start of an interval is the end of the one before, before its dose."""
    number = np.ceil(times / interval - 1e-9).astype(int)
    part = np.where(number > 0, times / interval - (number - 1), 1.0)
    part = np.where(np.abs(part - 1.0) < 1e-9, 1.0, np.round(part, 12))  # of the interval; equal times are one stop
    parts = tuple(sorted({*part.tolist(), 1.0}))
    stop = tuple(parts.index(value) for value in part.tolist())
    offsets = tuple(interval if value == 1.0 else value * interval for value in parts)
    return Moments(tuple(number.tolist()), stop, offsets)


def prepare(model: Model, parameters: Mapping[str, Any], patients: int) -> Any:
    """Parameters as a NamedTuple of (patients,) arrays in double precision, fixed ones filled in."""
    kind = parameter_type(model)
    merged = dict(model.fixed) | dict(parameters)
    return kind(*(np.broadcast_to(np.asarray(merged[name], np.float64), (patients,)) for name in kind._fields))


@cache
def parameter_type(model: Model) -> type:
    return namedtuple("Parameters", tuple(model.parameters))


Parts = tuple[tuple[int, int], ...]


def block_program(model: Model, plan: Plan, moments: Moments, interval: float, parts: Parts, dtype: Any) -> Any:
    """(parameters, doses) -> observations (times, patients) of one block, for tracing.

    Args:
        doses: stretches of repeated doses, see `stroboscopic.stretches`; empty: every interval is solved.
    """
    nodes = with_times(graded_mesh(interval, plan.steps, plan.grading), np.array(moments.offsets))
    stops = tuple(int(np.argmin(np.abs(nodes - offset))) for offset in moments.offsets)

    def program(p, amounts):
        begun = begin(model, p, nodes, dtype)
        kind = type(model.start(begun.p))
        if parts:
            wanted = tuple(moments.interval)
            found = run_stroboscopic(model, begun, amounts, nodes, parts, wanted, plan)
        else:
            run_all = run_registers if plan.kernel == "registers" else run_daily
            course, _ = run_all(model, begun, amounts, nodes, stops)
            flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), course)
            first = Course(begun.x, begun.y, jnp.zeros_like(begun.amounts[0]))
            whole = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, flat)
            place = [0 if n == 0 else 1 + (n - 1) * len(stops) + s for n, s in zip(moments.interval, moments.stop, strict=True)]
            found = jax.tree.map(lambda leaf: leaf[np.array(place)], whole)
        seen = model.observe(joined(kind, found.x, found.y), found.C, begun.p)
        if not hasattr(seen, "_fields"):
            raise ModelError(f"observe of model {model.name}: {type(seen).__name__}; allowed: a NamedTuple")
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, found.C.shape), seen)

    return program


class Task(NamedTuple):
    """A call to the engine with its inputs checked. Hashable but for the arrays, which come last.

    Attributes:
        model, plan, moments, interval: see `simulate`. stretches: of repeated doses. block: patients a program call.
        doses: (intervals,) or (patients, intervals). p: parameters, leaves (patients,). patients: their number.
    """

    model: Model
    plan: Plan
    moments: Moments
    interval: float
    stretches: Parts
    block: int
    doses: np.ndarray
    p: Any
    patients: int

    @property
    def program(self) -> Callable[[Any, Any], Any]:
        """(parameters, doses) -> observations of one block, see `block_program`."""
        return block_program(self.model, self.plan, self.moments, self.interval, self.stretches, np.dtype(self.plan.precision))

    @property
    def examples(self) -> tuple[Any, Any]:
        """Shapes of the arguments of `program`."""
        numbers = lambda *shape: jax.ShapeDtypeStruct(shape, np.float64)
        kind, intervals = parameter_type(self.model), self.doses.shape[-1]
        doses = numbers(intervals) if self.doses.ndim == 1 else numbers(intervals, self.block)
        return kind(*[numbers(self.block)] * len(kind._fields)), doses

    @property
    def key(self) -> tuple[Any, ...]:
        """What a compiled program depends on."""
        return *self[:6], self.doses.shape[-1], self.doses.ndim, jax.default_backend()


def task_of(
    model: Model, parameters: Mapping[str, Any], regimen: Regimen, times: Sequence[float], plan: Plan
) -> Task:
    """Checks the inputs of a call; raises `ModelError`."""
    at = np.asarray(times, float)
    patients = check_inputs(model, parameters, regimen, at)
    if wrong := faults(plan):
        raise ModelError("; ".join(wrong))
    check_kernel(model, plan)
    moments = locate(at, regimen.interval)
    doses = np.asarray(regimen.doses, float)
    # not where there are stops within an interval, nothing that is slow, or a state upstream that remembers for days
    sampled = plan.regular and set(moments.offsets) == {regimen.interval} and bool(model.slow) and model.upstream is None
    block = lanes() // 2 if plan.regular else lanes()  # sampled intervals are solved together, which is wider
    repeats = stretches(doses) if sampled else ()
    return Task(model, plan, moments, regimen.interval, repeats, block, doses, prepare(model, parameters, patients), patients)


_PROGRAMS: OrderedDict[Any, Any] = OrderedDict()  # the last used
KEPT = 64


def in_blocks(task: Task, wrap: Callable[[Any], Any], name: Any, data: Any = None) -> Any:
    """Run ``wrap(program)`` over all patients in blocks; leaves (..., patients) of double precision on the host.

    Args:
        wrap: program -> function of the same arguments and ``data``. name: tells it from others, for keeping what was compiled.
        data: arrays with patients last, for `wrap`'s function; None: it takes none.
    """
    extra = () if data is None else (data,)
    mine_of = lambda leaf, part: _padded(np.asarray(leaf)[..., part].T, task.block).T
    slices = lambda part: jax.tree.map(lambda leaf: mine_of(leaf, part), extra)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), slices(slice(0, 1)))
    key = (task.key, name, str(shapes))

    def build(plan: Plan) -> Any:
        return compile_loops(jax.jit(wrap(task._replace(plan=plan).program)), *task.examples, *shapes)

    with jax.enable_x64(True):
        if key not in _PROGRAMS:
            _PROGRAMS[key] = or_plain(build, task.plan, *task.examples, *shapes)
        _PROGRAMS.move_to_end(key)
        while len(_PROGRAMS) > KEPT:
            _PROGRAMS.popitem(last=False)
        run, out = _PROGRAMS[key], []
        for start in range(0, task.patients, task.block):
            part = slice(start, start + task.block)
            mine = jax.tree.map(lambda leaf, part=part: _padded(leaf[part], task.block), task.p)
            doses = task.doses if task.doses.ndim == 1 else np.ascontiguousarray(_padded(task.doses[part], task.block).T)
            out.append(run(mine, doses, *slices(part)))
        host = [jax.tree.map(np.asarray, one) for one in out]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1)[..., : task.patients].astype(float), *host)


def simulate(
    model: Model,
    parameters: Mapping[str, Any],
    regimen: Regimen,
    times: Sequence[float],
    plan: Plan,
) -> Any:
    """Simulate a cohort.

    Args:
        model: see `engine.model`. parameters: name -> number, or one value a patient.
        regimen: doses at the start of equal intervals.
        times: when to observe, in the model's unit of time; at the start of an interval the value is that before the dose.
        plan: from `engine.choose`, which takes an accuracy, or made by hand.

    Returns:
        What ``model.observe`` returns, leaves (patients, times), float64. Values that are not finite are warned of.
    """
    task = task_of(model, parameters, regimen, times, plan)
    seen = jax.tree.map(np.transpose, in_blocks(task, lambda program: program, "observations"))
    warn_of_lost([leaf.T for leaf in jax.tree.leaves(seen)])
    return seen


def warn_of_lost(leaves: Sequence[np.ndarray]) -> None:
    """Log the patients (last axis) for whom some value is not finite."""
    lost = ~np.logical_and.reduce([np.isfinite(leaf).all(axis=tuple(range(leaf.ndim - 1))) for leaf in leaves])
    if lost.any():
        log.warning(
            "%d of %d patients without a finite result, the first %d: more steps are needed, or the model or its slope is not "
            "finite, such as a logarithm or a power of a concentration of 0 (see engine.algebra.hill)",
            lost.sum(), lost.size, lost.argmax(),
        )  # fmt: skip


def _padded(leaf: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([leaf, np.repeat(leaf[-1:], size - len(leaf), axis=0)]) if len(leaf) < size else leaf
