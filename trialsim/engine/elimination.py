"""Gaussian elimination of a small sparse matrix, laid out once for its pattern.

Each entry is an array over patients, so one patient's row operations are vector operations over many. The order of the pivots is
chosen for little fill-in (Markowitz 1957, Management Sci 3:255). There is no search for large pivots: the matrices here are
1/(gamma h) - J of networks whose every species drives its own loss, with a diagonal that dominates for the steps in use; a pivot
that vanished would give a value that is not finite, which is reported for the patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
from jax.custom_derivatives import SymbolicZero

Entries = Mapping[tuple[int, int], jax.Array]


class Pivot(NamedTuple):
    """One step: eliminate unknown ``row`` from the equations ``below``, which touches the unknowns ``right``."""

    row: int
    below: tuple[int, ...]
    right: tuple[int, ...]


class Factors(NamedTuple):
    """Attributes: upper, lower: entries of the triangles. inverse: reciprocal of each pivot."""

    upper: dict[tuple[int, int], jax.Array]
    lower: dict[tuple[int, int], jax.Array]
    inverse: dict[int, jax.Array]


def plan_elimination(pattern: Sequence[frozenset[int]]) -> tuple[Pivot, ...]:
    """Order of elimination for rows that depend on the columns ``pattern[row]`` (the diagonal is always there)."""
    columns = [set(row) | {i} for i, row in enumerate(pattern)]
    left, pivots = set(range(len(columns))), []

    def fill(k: int) -> tuple[int, int, int]:
        right = len(columns[k] & left) - 1
        below = sum(k in columns[i] for i in left) - 1
        return right * below, right + below, k

    while left:
        k = min(left, key=fill)
        left.remove(k)
        below = tuple(i for i in sorted(left) if k in columns[i])
        right = tuple(sorted(columns[k] & left))
        for i in below:
            columns[i] |= set(right)
        pivots.append(Pivot(k, below, right))
    return tuple(pivots)


def factorise(pivots: Sequence[Pivot], matrix: Entries) -> Factors:
    """Triangular factors of ``matrix``, whose entries follow the pattern that the pivots were planned for."""
    upper, lower, inverse = dict(matrix), {}, {}
    for k, below, right in pivots:
        inverse[k] = 1.0 / upper[k, k]
        for i in below:
            factor = lower[i, k] = upper[i, k] * inverse[k]
            for j in right:
                change = factor * upper[k, j]
                upper[i, j] = upper[i, j] - change if (i, j) in upper else -change
    return Factors(upper, lower, inverse)


def solve(pivots: Sequence[Pivot], factors: Factors, right_side: Sequence[jax.Array]) -> list[jax.Array]:
    """Solution of the factorised system, one array an unknown."""
    b, x = list(right_side), list(right_side)
    for k, below, _ in pivots:
        for i in below:
            b[i] = b[i] - factors.lower[i, k] * b[k]
    for k, _, right in reversed(pivots):
        total = b[k]
        for j in right:
            total = total - factors.upper[k, j] * x[j]
        x[k] = total * factors.inverse[k]
    return x


def solver(pivots: Sequence[Pivot], matrix: Entries) -> Callable[[Sequence[jax.Array]], list[jax.Array]]:
    """right side b -> solution x of M x = b, whose derivative M dx = db - dM x reuses the factors of M."""
    factors = jax.lax.stop_gradient(factorise(pivots, matrix))

    @jax.custom_jvp
    def solved(factors: Factors, matrix: Entries, right_side: list[jax.Array]) -> list[jax.Array]:
        return solve(pivots, factors, right_side)

    def derivative(primals, tangents):
        factors, matrix, right_side = primals
        _, change, side = tangents
        x = solved(factors, matrix, right_side)
        side = list(side)
        for (i, j), entry in change.items():
            if not isinstance(entry, SymbolicZero):
                part = entry * x[j]
                side[i] = -part if isinstance(side[i], SymbolicZero) else side[i] - part
        side = [jax.numpy.zeros_like(b) if isinstance(d, SymbolicZero) else d for d, b in zip(side, right_side, strict=True)]
        return x, solved(factors, matrix, side)

    solved.defjvp(derivative, symbolic_zeros=True)
    return lambda right_side: solved(factors, matrix, list(right_side))
