"""The fast block's scheme: Rodas3, linearly implicit, L-stable, stiffly accurate, third order (second where it is very stiff).

Sandu, Verwer, Blom, Spee, Carmichael, Potra: Atmos Environ 1997;31:3459-3472. With W = 1/(gamma h), gamma = 1/2, J = df/dx at the
start of the step, and the input u known at both ends:

    (W - J) k1 = f(x, u0) + h/2 df/dt                    df/dt = df/du u'(t)
    (W - J) k2 = f(x, u0) + 4 k1/h + 3h/2 df/dt
    (W - J) k3 = f(x + 2 k1, u1) + (k1 - k2)/h
    (W - J) k4 = f(x + 2 k1 + k3, u1) + (k1 - k2 - 8/3 k3)/h
    x(t + h)   = x + 2 k1 + k3 + k4

One Jacobian and one factorisation a step, exact and sparse; three evaluations of the rates; no iteration and no branch. Input is
needed at the ends of a step only, which lets exact kinetics be tabulated at the nodes of the mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine.elimination import Pivot, plan_elimination, solver
from trialsim.engine.equations import Equations, equations_of, evaluated, outputs, slopes
from trialsim.engine.structure import dependencies

ORDER = 3
GAMMA = 0.5
Rates = Callable[[Any, Any], Any]  # (state, input) -> dx/dt, NamedTuples of arrays of one shape


class Structure(NamedTuple):
    """Attributes: rows: for each species those that its rate depends on. pivots: how W - J is eliminated."""

    rows: tuple[frozenset[int], ...]
    pivots: tuple[Pivot, ...]


def structure_of(rates: Rates, x: Any, u: Any) -> Structure:
    """Sparsity of the Jacobian of ``rates`` in its state, and the order of elimination for it. ``x``, ``u``: examples."""
    size = len(x)
    rows = tuple(frozenset(i for i in row if i < size) for row in dependencies(rates, x, u))
    return Structure(rows, plan_elimination(rows))


def jacobian(rates: Equations, values: Mapping[Any, Any], rows: Sequence[frozenset[int]]) -> dict[tuple[int, int], jax.Array]:
    """The entries df_i/dx_j that are not zero by structure, exact, one forward derivative a column.

    Args:
        rates: in the state and the input. values: where. rows: of the `Structure`.
    """
    entries = {}
    for j in range(len(rows)):
        touched = [i for i, row in enumerate(rows) if j in row]
        column = slopes(rates, values, {j: 1.0}, touched)
        entries.update({(i, j): slope for i, slope in zip(touched, column, strict=True)})
    return entries


def rodas3_step(rates: Rates, structure: Structure, x: Any, u0: Any, slope0: Any, u1: Any, h: jax.Array) -> Any:
    """State a step later.

    Args:
        rates: right-hand side. structure: from `structure_of`.
        x: state at t. u0, u1: input at t and t + h. slope0: du/dt at t.
        h: step, in the unit of the rates' time.
    """
    size = len(x)
    written = equations_of(rates, x, u0)
    of = lambda x, u: outputs(written, evaluated(written, x, u))
    here = evaluated(written, x, u0)
    start = outputs(written, here)
    entries = jacobian(written, here, structure.rows)
    moving = {size + i: slope for i, slope in enumerate(jax.tree.leaves(slope0))}
    drift = slopes(written, here, moving, range(size)) if moving else [jnp.zeros_like(value) for value in start]
    per_step = 1.0 / h
    matrix = {place: -slope for place, slope in entries.items()}
    for i in range(size):
        matrix[i, i] = matrix.get((i, i), 0.0) + per_step / GAMMA
    solve = solver(structure.pivots, matrix)
    stage = lambda *sides: x._make(solve([sum(terms) for terms in zip(*sides, strict=True)]))
    times = lambda factor, k: [factor * value for value in k]

    k1 = stage(start, times(0.5 * h, drift))
    k2 = stage(start, times(4.0 * per_step, k1), times(1.5 * h, drift))
    x3 = x._make(a + 2.0 * b for a, b in zip(x, k1, strict=True))
    difference = [per_step * (a - b) for a, b in zip(k1, k2, strict=True)]
    k3 = stage(of(x3, u1), difference)
    x4 = x._make(a + b for a, b in zip(x3, k3, strict=True))
    k4 = stage(of(x4, u1), difference, times(-8.0 / 3.0 * per_step, k3))
    return x._make(a + b for a, b in zip(x4, k4, strict=True))
