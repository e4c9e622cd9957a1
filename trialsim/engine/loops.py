"""Time loops laid out for what the CPU compiler does well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def scan_ahead(step: Callable[..., Any], carry: Any, inputs: Any) -> tuple[Any, Any]:
    """``jax.lax.scan`` that takes the inputs of an iteration out of their arrays one iteration early.

    Where an operation reads its input straight from the place that a loop counter points to, the CPU compiler does not
    vectorise it (a quarter of the time of BENCH-1, jaxlib 0.10.2); what is carried over from the iteration before, it does.
    """
    first = jax.tree.map(lambda leaf: leaf[0], inputs)
    later = jax.tree.map(lambda leaf: jnp.concatenate([leaf[1:], leaf[-1:]]), inputs)

    def ahead(carry, following):
        carry, now = carry
        carry, out = step(carry, now)
        return (carry, following), out

    (carry, _), out = jax.lax.scan(ahead, (carry, first), later)
    return carry, out


def remembered(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step(state, *rest)``, which the reverse derivative computes again from the state that it started from.

    The leaves of the state are kept as one array (one a shape and precision): of many, the compiler copies every one whole at
    each step. Forward, taking them together and apart cancels.
    """

    def advance(state, *rest):
        leaves, structure = jax.tree.flatten(state)
        kind = lambda leaf: (leaf.shape, leaf.dtype)
        kinds = list(dict.fromkeys(kind(leaf) for leaf in leaves))
        places = [[i for i, leaf in enumerate(leaves) if kind(leaf) == one] for one in kinds]

        def again(wholes, *rest):
            found = list(leaves)
            for whole, which in zip(wholes, places, strict=True):
                for i, part in zip(which, jax.lax.split(whole, [1] * len(which)), strict=True):
                    found[i] = part[0]
            return step(jax.tree.unflatten(structure, found), *rest)

        return jax.checkpoint(again, prevent_cse=False)([jnp.stack([leaves[i] for i in which]) for which in places], *rest)

    return advance
