"""The same function in fewer primitives: for compilers that know only some of JAX's.

A kernel compiler (see `engine.registers`) takes additions, products, quotients, exponentials and the like, but not, say, a square
root or a function with a derivative of its own. Models need not know: their rates are traced and written out again in what it
takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Literal

from trialsim.engine.structure import INLINED


def _sqrt(x, **_):
    return jnp.where(x == 0.0, x, x * jax.lax.rsqrt(x))


def _pow(x, y):
    """x^y, x > 0. The logarithm's rounding is multiplied by the exponent: some 1e-6 relative in single precision."""
    return jnp.exp(y * jnp.log(x))


def _integer_pow(x, y):
    if abs(y) < 2:
        return {0: jnp.ones_like(x), 1: x, -1: 1.0 / x}[y]
    return jax.lax.integer_pow(x, y) if y > 0 else 1.0 / jax.lax.integer_pow(x, -y)


REPLACED: dict[str, Callable[..., Any]] = {
    "sqrt": _sqrt,
    "pow": _pow,
    "integer_pow": _integer_pow,
    "add_any": jax.lax.add,
    "stop_gradient": lambda x: x,
}


def rewritten(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its inner functions inlined and the primitives of `REPLACED` replaced; of trees of arrays."""

    def run(*arguments):
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        out = _evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(shape), out)

    return run


def _evaluate(jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))
    read = lambda atom: atom.val if isinstance(atom, Literal) else values[atom]
    for equation in jaxpr.eqns:
        name, given = equation.primitive.name, [read(atom) for atom in equation.invars]
        inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr") or equation.params.get("fun_jaxpr")
        if inner is not None and name in INLINED:
            found = _evaluate(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), given)
        elif name in REPLACED:
            found = [REPLACED[name](*given, **{key: equation.params[key] for key in equation.params if key == "y"})]
        else:
            found = equation.primitive.bind(*given, **equation.params)
            found = found if equation.primitive.multiple_results else [found]
        values.update(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in jaxpr.outvars]
