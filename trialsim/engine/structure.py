"""Which output of a function depends on which input: read from its jaxpr, so that a Jacobian is computed where it is not zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import Literal

INLINED = {"pjit", "jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "core_call", "remat", "checkpoint"}


def dependencies(function: Callable[..., Any], *arguments: Any) -> list[frozenset[int]]:
    """For each leaf of the output, the numbers of the input leaves that it depends on.

    Args:
        function: elementwise in its arguments' leaves.
        arguments: trees of arrays or ``jax.ShapeDtypeStruct``; leaves are numbered in tree order over all arguments.
    """
    jaxpr = jax.make_jaxpr(function)(*arguments)
    count = len(jax.tree.leaves(arguments))
    return _follow(jaxpr.jaxpr, [frozenset((i,)) for i in range(count)])


def _follow(jaxpr: Any, inputs: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    seen: dict[Any, frozenset[int]] = dict(zip(jaxpr.invars, inputs, strict=True))
    nothing: frozenset[int] = frozenset()
    read = lambda atom: nothing if isinstance(atom, Literal) else seen.get(atom, nothing)
    for equation in jaxpr.eqns:
        inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr") or equation.params.get("fun_jaxpr")
        sets = [read(atom) for atom in equation.invars]
        if inner is not None and equation.primitive.name in INLINED:
            found = _follow(getattr(inner, "jaxpr", inner), sets)
        else:
            found = [nothing.union(*sets)] * len(equation.outvars)
        seen.update(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def example(tree: Any) -> Any:
    """Numbers in place of the leaves: what a function depends on does not depend on their values."""
    return jax.tree.map(lambda _: 1.0, tree)
