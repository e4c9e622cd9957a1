"""Every dosing interval solved in one launch of a GPU kernel, the state of a patient kept in the registers of one thread.

On a GPU, XLA runs a time loop by launching its body's kernels again and again, and between launches the state goes through memory.
Here one kernel holds the whole loop: over intervals, over the steps of each, one thread a patient. It reads the kinetics over the
mesh and the doses from memory, and writes the states at the stops of each interval. A step is `interval.take_step`, the very
function that `daily.run_daily` loops over; that path is the reference which this one is tested against.

Written for Pallas' Mosaic GPU compiler (NVIDIA, Hopper or later; it needs the package absl-py). It has not been run or timed on a
GPU; hence it is taken only where a plan asks for it, ``Plan(kernel="registers")``, and not by itself where there is a GPU. Checked
without one:
    by the tests: the numbers of Pallas' interpreter against `run_daily`, and that the compiler accepts the kernel;
    once, by hand (jax 0.10.2, BENCH-1 over ten intervals): the machine code for Hopper takes 128 of 255 registers a thread and
    spills none, and its instructions (PTX), executed one by one in an emulator with quotients correctly rounded, which the
    hardware's are not, agree with `run_daily` to 2e-7 of the largest value of each state.

To be measured on a GPU: a call has 16 384 patients (`population.lanes`), 128 blocks, about one for each multiprocessor of an H100,
where four have room for their registers. More patients a call should then hide more of each other's waiting.

What that compiler asks for, and where it shows below:
    one vector of 128 numbers is one number a thread of a warpgroup: blocks of `PATIENTS`;
    arrays in GPU memory are passed whole, each block reads its own columns of them;
    what a loop carries must lie in registers the same way before and after its body, which a constant does not: `Held`;
    not all primitives exist: `rewrite.rewritten`. A model that needs another one cannot be lowered, and the caller falls back.
Slow states are summed in double precision as in the plain path: one addition each at every stop, which costs next to nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl

from trialsim.engine.daily import Begun, Course, flow_of, joined
from trialsim.engine.interval import Step, concentration, dosed, settle_last, start_carry, take_step
from trialsim.engine.model import Model, ModelError
from trialsim.engine.plan import Plan
from trialsim.engine.rewrite import rewritten

log = logging.getLogger(__name__)
PATIENTS = 128  # of a block
Held = Callable[[Any], Any]  # puts every array of a tree into registers, one number a thread


def check_kernel(model: Model, plan: Plan) -> None:
    """Raises `ModelError` where the plan asks for a kernel together with what it cannot do."""
    if plan.kernel == "registers" and (plan.regular or plan.precision != "float32"):
        raise ModelError("plan.kernel: registers computes every interval in single precision; allowed with regular=False, float32")
    if plan.kernel == "registers" and model.upstream is not None:
        raise ModelError(f"plan.kernel: registers does not take the state upstream of model {model.name}; allowed: xla")


def or_plain(build: Callable[[Plan], Any], plan: Plan, *examples: Any) -> Any:
    """The plan's compiled program, or that without the kernel where the kernel cannot be lowered, compiled or launched.

    Args:
        build: plan -> compiled program. examples: trees of ``jax.ShapeDtypeStruct``, its arguments.
    """
    if plan.kernel == "xla":
        return build(plan)
    try:
        program = build(plan)
        jax.block_until_ready(program(*jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), examples)))
        return program
    except Exception as error:  # of whatever kind: compilers raise many, and the plain path gives the same numbers
        _warn(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        return build(plan._replace(kernel="xla"))


@cache
def _warn(reason: str) -> None:
    """Once for each reason."""
    log.warning("no kernel in registers here, the plain path is taken instead (%s)", reason)


def run_registers(
    model: Model, begun: Begun, doses: jax.Array, nodes: np.ndarray, stops: tuple[int, ...], interpret: bool | None = None
) -> tuple[Course, Any]:
    """All intervals in order, as `daily.run_daily` computes them; single precision.

    Args:
        doses: (intervals, patients) or (intervals,).
        stops: numbers of the mesh nodes at which the state is kept, ascending; the last is the end of the interval.
        interpret: run the kernel as plain JAX, slowly; None: unless the default backend is a GPU.

    Returns:
        States at the stops of each interval, leaves (intervals, stops, patients), and x, y, amounts and d after the last.
    """
    interpret = jax.default_backend() != "gpu" if interpret is None else interpret
    patients, dtype = begun.amounts[0].shape[-1], begun.table.weight.dtype
    kind = type(model.start(begun.p))
    doses = jnp.broadcast_to(doses.astype(dtype).reshape(len(doses), -1), (len(doses), patients))
    doses = jnp.broadcast_to(model.kinetics.dose(begun.p, doses), doses.shape)
    h = np.diff(nodes)
    before = np.concatenate([[0.0], h[:-1]])
    before[list(stops[:-1])] = 0.0  # the slow states start afresh at each stop
    steps = tuple(jnp.asarray(value, dtype) for value in (before, h))
    inputs = jax.tree.map(lambda leaf: _filled(leaf, PATIENTS), (begun._replace(table=begun.table._replace(area=None)), doses))

    padded = inputs[1].shape[-1]
    ended = (inputs[0].x, inputs[0].y, inputs[0].amounts)
    after = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), ended)
    fields = len(begun.x) + len(begun.y) + 1
    course = jax.ShapeDtypeStruct((len(doses), len(stops), fields, padded), dtype)
    launch, held = _interpreter() if interpret else _mosaic()
    body = _kernel(model, kind, len(doses), stops, held)
    found = launch(body, padded // PATIENTS, (steps, *inputs), (course, after))
    course, after = jax.tree.map(lambda leaf: leaf[..., :patients], found)
    columns = [course[:, :, i] for i in range(fields)]
    x, y = type(begun.x)(*columns[: len(begun.x)]), type(begun.y)(*columns[len(begun.x) : -1])
    return Course(x, y, columns[-1]), (*after, ())


def _kernel(model: Model, kind: type, intervals: int, stops: tuple[int, ...], held: Held) -> Callable[..., None]:
    """What one block does; its arguments are the number of the block and references to the whole arrays."""
    place, compartments = model.kinetics.dose_into, range(model.kinetics.size)
    count = np.int32  # of the loops: 64-bit counters would cost registers

    def kernel(block, steps, begun, doses, course, after):
        mine = pl.ds(block * count(PATIENTS), PATIENTS)
        load = lambda tree: jax.tree.map(lambda ref: ref[mine], tree)
        before, h = steps
        p, table = load(begun.p), begun.table
        start = load((begun.x, begun.y, begun.amounts))
        flow = flow_of(model, p, joined(kind, *start[:2]))

        def interval(i, carry):
            x, y, amounts = carry
            amounts = dosed(amounts, place, doses[i, mine])
            output = lambda rows, j: concentration([rows[j, k, mine] for k in compartments], amounts)
            first = 0
            for number, stop in enumerate(stops):
                low = jax.tree.map(lambda v: v.astype(course.dtype), y)

                def step(j, carry, low=low):
                    given = Step(before[j], h[j], output(table.weight, j), output(table.slope, j), output(table.weight, j + 1), [])
                    return held(rewritten(lambda *both: take_step(flow, low, *both))(carry, given))

                run = jax.lax.fori_loop(count(first), count(stop), step, held(start_carry(x, low)))
                C, C_slope = output(table.weight, stop), output(table.slope, stop)
                last = rewritten(lambda *now, low=low: settle_last(flow, low, *now))
                change = last(run, h[stop - 1], C, C_slope) if low else []
                x, y = run.x, type(y)(*(a + b for a, b in zip(y, change, strict=True)))
                for field, value in enumerate([*x, *y, C]):
                    course[i, number, field, mine] = value.astype(course.dtype)
                first = stop
            amounts = [sum(table.end[row, k, mine] * amounts[k] for k in compartments) for row in compartments]
            return held((x, y, amounts))

        ended = jax.lax.fori_loop(count(0), count(intervals), interval, held(start))
        for ref, value in zip(jax.tree.leaves(after), jax.tree.leaves(ended), strict=True):
            ref[mine] = value

    return kernel


Launch = Callable[[Callable[..., None], int, Any, Any], Any]  # (kernel, blocks, inputs, shapes of the outputs) -> outputs


def _interpreter() -> tuple[Launch, Held]:
    """The kernel as plain JAX, for checks where there is no GPU."""

    def launch(body, blocks, inputs, outputs):
        numbered = lambda *refs: body(pl.program_id(0), *refs)
        whole = lambda tree: jax.tree.map(lambda _: pl.BlockSpec(memory_space=pl.ANY), tree)
        specs = {"grid": (blocks,), "in_specs": whole(inputs), "out_specs": whole(outputs)}
        return pl.pallas_call(numbered, outputs, interpret=True, **specs)(*inputs)

    return launch, lambda tree: tree


def _mosaic() -> tuple[Launch, Held]:
    """The Mosaic GPU compiler, imported here as it is not needed, and may be missing, elsewhere."""
    from jax.experimental.pallas import mosaic_gpu as gpu

    layout = gpu.Layout.WG_STRIDED((PATIENTS,), vec_size=1)
    held = lambda tree: jax.tree.map(lambda leaf: gpu.layout_cast(leaf, layout), tree)
    # no thread reads what another writes, nor what it has itself written: no barriers
    settings = gpu.CompilerParams(unsafe_no_auto_barriers=True)

    def launch(body, blocks, inputs, outputs):
        numbered = lambda *refs: body(jax.lax.axis_index("block"), *refs)
        return gpu.kernel(numbered, out_type=outputs, grid=(blocks,), grid_names=("block",), compiler_params=settings)(*inputs)

    return launch, held


def _filled(leaf: jax.Array, multiple: int) -> jax.Array:
    """``leaf`` with its last patient repeated up to a multiple of ``multiple`` patients (the last axis)."""
    missing = -leaf.shape[-1] % multiple
    return jnp.pad(leaf, [(0, 0)] * (leaf.ndim - 1) + [(0, missing)], mode="edge") if missing else leaf
