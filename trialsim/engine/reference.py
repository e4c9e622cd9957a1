"""The slow, sure solver: adaptive, implicit, tight tolerance, float64. It checks the fast scheme on the same equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp

from trialsim.engine.integrate import Flow, State, rates


def solve(
    flow: Flow, x: State, inputs: Callable[[jax.Array], Any], length: float, rtol: float = 1e-8, atol: float = 1e-10
) -> State:
    """State after ``length``, by Kvaerno's fifth-order ESDIRK method with adaptive steps.

    Args:
        flow: the model, as in `engine.integrate`.
        x: state at 0, float64.
        inputs: inputs as a function of time.
    """
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, _: rates(flow, y, inputs(t))),
        diffrax.Kvaerno5(),
        t0=jnp.zeros(()),
        t1=jnp.asarray(length, jnp.float64),
        dt0=jnp.asarray(1e-3, jnp.float64),
        y0=x,
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        saveat=diffrax.SaveAt(t1=True),
        max_steps=100_000,
    )
    return jax.tree.map(lambda leaf: leaf[0], solution.ys)
