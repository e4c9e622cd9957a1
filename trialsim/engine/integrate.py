"""Integration of networks whose every species is linear in itself.

A model writes its rates once, as a *flow*: a function that goes through the species in causal order and hands each one's
production P and loss L (dx/dt = P - L x, both >= 0) to ``relax``, which answers with the value to use from there on::

    def flow(x, u, relax):
        a = relax.a(production, loss)
        b = relax.b(production_that_uses(a), loss)
        return State(a, b)

The fast scheme passes a ``relax`` that solves the implicit equation of that species (a Gauss-Seidel sweep: exact for a
cascade, convergent in one or two sweeps when feedback is slow). The rates themselves (for the reference solver and for
tests) come from a ``relax`` that leaves the state alone and keeps the derivative. There is thus one set of equations.

Scheme: the two-stage, second-order, stiffly accurate and L-stable SDIRK method of Alexander (SIAM J Numer Anal 1977;
14:1006-1021), gamma = 1 - 1/sqrt(2):

    y1 = x + gamma h f(t + gamma h, y1)
    y2 = x + (1 - gamma) h f(t + gamma h, y1) + gamma h f(t + h, y2),   x(t + h) = y2

Fixed work a step, no data-dependent control flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

GAMMA = 1.0 - 0.5**0.5
State = Any  # a NamedTuple of arrays of one shape
Flow = Callable[[State, Any, Any], State]


class _Implicit:
    """``relax`` of the implicit stage x = base + c (P - L x), solved for one species at a time."""

    def __init__(self, base: State, c: jax.Array):
        self._base, self._c = base, c

    def __getattr__(self, species: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
        base, c = getattr(self._base, species), self._c
        return lambda production, loss: (base + c * production) / (1.0 + c * loss)


class _Rates:
    """``relax`` that keeps the derivative of each species and leaves the state as it is."""

    def __init__(self, x: State):
        self._x, self.derivative = x, {}

    def __getattr__(self, species: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
        value = getattr(self._x, species)

        def keep(production: jax.Array, loss: jax.Array) -> jax.Array:
            self.derivative[species] = production - loss * value
            return value

        return keep


def rates(flow: Flow, x: State, u: Any) -> State:
    """dx/dt of the model at state ``x`` and inputs ``u`` (same structure as ``x``)."""
    relax = _Rates(x)
    flow(x, u, relax)
    return type(x)(**{name: jnp.broadcast_to(relax.derivative[name], jnp.shape(getattr(x, name))) for name in x._fields})


def _stage(flow: Flow, base: State, guess: State, u: Any, c: jax.Array, sweeps: int) -> State:
    relax = _Implicit(base, c)
    for _ in range(sweeps):
        guess = flow(guess, u, relax)
    return guess


def sdirk2_step(flow: Flow, x: State, u_middle: Any, u_end: Any, h: jax.Array, sweeps: int = 2) -> State:
    """One step of size ``h`` (unit of the rates' time).

    Args:
        flow: the model (see the module's text).
        x: state at t.
        u_middle: inputs at t + gamma h.
        u_end: inputs at t + h.
        sweeps: Gauss-Seidel sweeps a stage; 2 leaves an error of order (h k)^2 of the slow feedback only.
    """
    c = GAMMA * h
    y1 = _stage(flow, x, x, u_middle, c, sweeps)
    ratio = (1.0 - GAMMA) / GAMMA
    base = jax.tree.map(lambda a, b: a + ratio * (b - a), x, y1)
    return _stage(flow, base, y1, u_end, c, sweeps)


def graded_mesh(length: float, steps: int, grading: float = 5.0) -> jnp.ndarray:
    """Times 0 = t_0 < ... < t_N = length, dense just after 0 where a dose acts: t_j ~ (1 + 2 j/N)^grading - 1."""
    j = jnp.arange(steps + 1) / steps
    return length * ((1.0 + 2.0 * j) ** grading - 1.0) / (3.0**grading - 1.0)
