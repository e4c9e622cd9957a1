"""Derivatives of what is observed in the parameters, through the whole course.

Doses are taken as given. Where they depend on the patient, as in a trial that holds and reduces for toxicity, they are those of the
simulated course: the derivative is then that of this course, with its decisions as they happened, and says nothing about a decision
that a small change would have turned.

Both directions differentiate the scheme itself, so they are the exact derivatives of what `simulate` returns (`elimination.solver`
gives those of the implicit steps). Forward, the cost grows with the number of parameters and not of observations; in reverse it is
the other way round. The reverse direction keeps the state at the start of each interval and of the steps of one interval, and
computes the rest again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.model import Model, ModelError, Regimen
from trialsim.engine.plan import Plan
from trialsim.engine.population import lanes
from trialsim.engine.simulate import Task, in_blocks, task_of, warn_of_lost


def sensitivities(
    model: Model,
    parameters: Mapping[str, Any],
    regimen: Regimen,
    times: Sequence[float],
    plan: Plan,
    names: Sequence[str] | None = None,
) -> tuple[Any, dict[str, Any]]:
    """Observations and their derivatives in each of some parameters, forward.

    Args:
        model, parameters, regimen, times, plan: see `simulate`. names: of parameters; None: all that were given.

    Returns:
        What `simulate` returns, and name -> the derivative of each observation, of the same shapes.
    """
    task = task_of(model, parameters, regimen, times, plan)
    names = _known(task, parameters, names)

    def wrap(program: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def both(p, doses):
            rows = {name: jnp.eye(len(names))[i] for i, name in enumerate(names)}
            zero = jnp.zeros(len(names))
            directions = type(p)(*(rows.get(name, zero)[:, None] * jnp.ones_like(v) for name, v in zip(p._fields, p, strict=True)))
            along = lambda direction: jax.jvp(lambda p: program(p, doses), (p,), (direction,))[1]
            return program(p, doses), jax.vmap(along)(directions)

        return both

    seen, slopes = in_blocks(task, wrap, ("sensitivities", names))
    warn_of_lost(jax.tree.leaves((seen, slopes)))
    flipped = lambda leaf: np.swapaxes(leaf, -1, -2)
    return jax.tree.map(flipped, seen), {name: jax.tree.map(lambda v, i=i: flipped(v[i]), slopes) for i, name in enumerate(names)}


def gradient(
    model: Model,
    parameters: Mapping[str, Any],
    regimen: Regimen,
    times: Sequence[float],
    plan: Plan,
    loss: Callable[..., jax.Array],
    names: Sequence[str] | None = None,
    data: Any = None,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One number a patient and its derivatives in the patient's parameters, in reverse.

    Args:
        loss: observations, leaves (times, patients), and ``data`` if there are any -> (patients,), each patient's number from the
            patient's own observations only. It is compiled: pass the same function again, not a new one with each call; what it
            closes over is frozen then, so what changes belongs into ``data``.
        names: of parameters; None: all that were given.
        data: a tree of arrays (..., patients) for ``loss``, such as what was measured.

    Returns:
        The numbers, (patients,), and name -> derivatives, (patients,).
    """
    # what is remembered of the steps of an interval stays in the cache
    task = task_of(model, parameters, regimen, times, plan)._replace(block=max(lanes() // 2, 1))
    names = _known(task, parameters, names)

    def wrap(program: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def both(p, doses, *data):
            def total(some):
                values = jnp.asarray(loss(program(p._replace(**some), doses), *data))
                if values.shape != p[0].shape:
                    allowed = f"one number a patient, {p[0].shape}, from observations (times, patients) of a block"
                    raise ModelError(f"loss: shape {values.shape}; allowed: {allowed}")
                return jnp.sum(values), values

            slopes, values = jax.grad(total, has_aux=True)({name: getattr(p, name) for name in names})
            return values, slopes

        return both

    for leaf in jax.tree.leaves(data):
        if np.ndim(leaf) == 0 or np.shape(leaf)[-1] != task.patients:
            raise ModelError(f"data: shape {np.shape(leaf)}; allowed: (..., {task.patients}), patients last")
    values, slopes = in_blocks(task, wrap, ("gradient", names, loss), data)
    warn_of_lost([values, *slopes.values()])
    return values, slopes


def _known(task: Task, parameters: Mapping[str, Any], names: Sequence[str] | None) -> tuple[str, ...]:
    """The names as a tuple; raises `ModelError` for one that the model lacks, or a plan that cannot be differentiated."""
    names = tuple(parameters if names is None else [names] if isinstance(names, str) else names)
    if unknown := sorted(set(names) - set(task.model.parameters)):
        allowed = ", ".join(task.model.parameters)
        raise ModelError(f"names: {', '.join(unknown)} not allowed; model {task.model.name} has {allowed}")
    if task.plan.kernel != "xla":
        raise ModelError(f"plan.kernel: {task.plan.kernel} has no derivatives; allowed: xla")
    return names
