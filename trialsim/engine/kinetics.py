"""Linear kinetics, exact at any step: amounts in compartments, first-order transfer, doses as instant additions.

    dA/dt = M A        A(t) = exp(M t) A(0)

so over a mesh that is the same in every dosing interval the matrices exp(M t_j) are computed once a patient, and what follows is
a weighted sum of the amounts at the start of the interval. Equal rates (flip-flop) need no special case, as no eigenvalue enters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp

TAYLOR_ORDER = 9  # with a norm below 1/4 the remainder is under 1e-12
SQUARINGS = 16  # norms (rates times interval) up to 16,000; rounding of double precision then adds up to some 1e-11


class Kinetics(Protocol):
    """What the engine needs of a drug's kinetics: a linear system whose propagator is known exactly. Patients last."""

    @property
    def size(self) -> int:
        """Number of amounts that are carried."""

    @property
    def dose_into(self) -> int:
        """Place of the amount that a dose is added to."""

    def dose(self, p: Any, amount: jax.Array) -> jax.Array:
        """What a dose of ``amount`` adds there."""

    def propagator(self, p: Any, t: jax.Array) -> jax.Array:
        """exp(M t) for one time, (size, size, patients)."""

    def rows(self, p: Any, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Weights of the amounts at the start in C(t), and in dC/dt, (size, patients) each.

        C = c . A drives the rates and is observed.
        """


@dataclass(frozen=True)
class Compartments:
    """Any linear compartment model.

    Attributes:
        names: compartments. dosed: the one that takes the dose.
        transfer: parameters -> {(from, to): rate constant, 1/time}; ``to`` None: eliminated.
        concentration: parameters -> {compartment: weight}; the concentration is the weighted sum of amounts.
        bioavailability: parameters -> part of a dose that arrives.
    """

    names: tuple[str, ...]
    dosed: str
    transfer: Callable[[Any], Mapping[tuple[str, str | None], Any]]
    concentration: Callable[[Any], Mapping[str, Any]]
    bioavailability: Callable[[Any], Any] = lambda p: 1.0

    def __post_init__(self) -> None:
        self._known("dosed", self.dosed)

    def _known(self, where: str, *names: str | None) -> None:
        if unknown := [name for name in names if name is not None and name not in self.names]:
            raise ValueError(f"compartments: {where} names {', '.join(unknown)}; allowed: {', '.join(self.names)}")

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def dose_into(self) -> int:
        return self.names.index(self.dosed)

    def dose(self, p: Any, amount: jax.Array) -> jax.Array:
        return self.bioavailability(p) * amount

    def generator(self, p: Any) -> jax.Array:
        m: list[list[Any]] = [[0.0] * self.size for _ in self.names]
        for (source, target), rate in self.transfer(p).items():
            self._known("transfer", source, target)
            column = self.names.index(source)
            m[column][column] = m[column][column] - rate
            if target is not None:
                row = self.names.index(target)
                m[row][column] = m[row][column] + rate
        return jnp.stack([_rows(row, p) for row in m])

    def output(self, p: Any) -> jax.Array:
        weights = self.concentration(p)
        self._known("concentration", *weights)
        return _rows([weights.get(name, 0.0) for name in self.names], p)

    def propagator(self, p: Any, t: jax.Array) -> jax.Array:
        return exponential(self.generator(p) * t)

    def rows(self, p: Any, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        e, output = self.propagator(p, t), self.output(p)
        return row_times(output, e), row_times(row_times(output, self.generator(p)), e)


def exponential(a: jax.Array) -> jax.Array:
    """exp of (n, n, patients) matrices: a Taylor series of a / 2^SQUARINGS, squared SQUARINGS times."""
    one = jnp.eye(a.shape[0], dtype=a.dtype).reshape(*a.shape[:2], *[1] * (a.ndim - 2))
    a = a * 0.5**SQUARINGS

    def horner(i, series):  # 1 + a/k (1 + a/(k+1) (...))
        return one + product(a, series) / (TAYLOR_ORDER - i)

    series = jax.lax.fori_loop(0, TAYLOR_ORDER, horner, jnp.broadcast_to(one, a.shape))
    return jax.lax.fori_loop(0, SQUARINGS, lambda _, e: product(e, e), series)


def product(a: jax.Array, b: jax.Array) -> jax.Array:
    """Product of (n, n, patients) matrices, written as sums so that it stays one vector operation over patients."""
    return sum(a[:, j, None] * b[None, j] for j in range(a.shape[1]))


def row_times(row: jax.Array, matrix: jax.Array) -> jax.Array:
    """(n, patients) row vectors times (n, n, patients) matrices."""
    return sum(row[j] * matrix[j] for j in range(row.shape[0]))


def _rows(values: list[Any], p: Any) -> jax.Array:
    leaf = max(jax.tree.leaves(p), key=jnp.ndim)
    shape, kind = jnp.shape(leaf), jnp.result_type(leaf)
    return jnp.stack([jnp.broadcast_to(jnp.asarray(value, kind), shape) for value in values])
