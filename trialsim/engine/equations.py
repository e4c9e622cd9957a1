"""A function taken down once as a list of equations, so that its values and derivatives are written out without running it again.

A Jacobian column by column runs a function once a column, and each run is traced operation by operation: most of the time that a
program takes before it is compiled. Here the function is traced once; a column then repeats the equations between its input and the
outputs that depend on it, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Literal


class Equations(NamedTuple):
    """Attributes:
    body: the equations, in order. inputs, outputs: variables, in tree order. constants: values of what the function closes over.
    """

    body: list[Any]
    inputs: list[Any]
    outputs: list[Any]
    constants: dict[Any, Any]


def equations_of(function: Callable[..., Any], *arguments: Any) -> Equations:
    """``function`` as equations, for arguments like these."""
    closed = jax.make_jaxpr(function)(*arguments)
    jaxpr = closed.jaxpr
    return Equations(jaxpr.eqns, jaxpr.invars, jaxpr.outvars, dict(zip(jaxpr.constvars, closed.consts, strict=True)))


def evaluated(equations: Equations, *arguments: Any) -> dict[Any, Any]:
    """The value of every variable."""
    values = equations.constants | dict(zip(equations.inputs, jax.tree.leaves(arguments), strict=True))
    _run(equations.body, values)
    return values


def outputs(equations: Equations, values: Mapping[Any, Any]) -> list[Any]:
    """Those of ``values`` that the function returns."""
    return [_read(values, atom) for atom in equations.outputs]


def slopes(equations: Equations, values: Mapping[Any, Any], tangents: Mapping[int, Any], wanted: Iterable[int]) -> list[Any]:
    """Forward derivatives of some outputs.

    Args:
        values: from `evaluated`: where the derivative is taken.
        tangents: by the number of the input that they belong to. wanted: numbers of outputs.
    """
    moved = [equations.inputs[i] for i in tangents]
    ends = [equations.outputs[i] for i in wanted]
    between = _between(equations.body, moved, ends)

    def along(*inputs):
        mine = {**values, **dict(zip(moved, inputs, strict=True))}
        _run(between, mine)
        return [_read(mine, atom) for atom in ends]

    of = [jnp.asarray(values[variable]) for variable in moved]
    like = [jnp.broadcast_to(jnp.asarray(tangent, v.dtype), v.shape) for tangent, v in zip(tangents.values(), of, strict=True)]
    return jax.jvp(along, of, like)[1]


def _between(equations: list[Any], inputs: list[Any], ends: list[Any]) -> list[Any]:
    """The equations that depend on ``inputs`` and that ``ends`` depend on, in order."""
    moved = set(inputs)
    after = []
    for equation in equations:
        if any(not isinstance(atom, Literal) and atom in moved for atom in equation.invars):
            moved.update(equation.outvars)
            after.append(equation)
    needed = {atom for atom in ends if not isinstance(atom, Literal)}
    kept = []
    for equation in reversed(after):
        if any(variable in needed for variable in equation.outvars):
            needed.update(atom for atom in equation.invars if not isinstance(atom, Literal))
            kept.append(equation)
    return kept[::-1]


def _run(equations: list[Any], values: dict[Any, Any]) -> None:
    """Adds the values of the equations' variables."""
    for equation in equations:
        parameters = equation.primitive.get_bind_params(equation.params)
        found = equation.primitive.bind(*(_read(values, atom) for atom in equation.invars), **parameters)
        values.update(zip(equation.outvars, found if equation.primitive.multiple_results else [found], strict=True))


def _read(values: Mapping[Any, Any], atom: Any) -> Any:
    return atom.val if isinstance(atom, Literal) else values[atom]
