"""Reference levels of the network: those of an untreated wild-type cell, to which its inputs are scaled.

They follow from the other constants, so a parameter that moves takes them along. They stand in the network's own equations (the
feedback is scaled by S6K_reference), so they are a fixed point, found by substitution.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from trialsim.mechanism.signalling import CellParameters, Network, NetworkConstants, akt_activity, cap_translation, rates
from trialsim.mechanism.steady import UNTREATED, steady_state

REFERENCES = ("S6K_reference", "ERK_reference", "AKT_reference", "cap_reference")
ROUNDS = 8  # each leaves about a fifth of the distance to the fixed point


def wild_type(f_S6K: Any, f_GRB10: Any) -> CellParameters:
    """The untreated cell without alterations; leaves of the shape of the feedback strengths."""
    same = jnp.ones_like(jnp.asarray(f_S6K))
    levels = dict.fromkeys(CellParameters._fields, 0.0) | dict.fromkeys(("RTK", "PTEN", "TSC", "R_4EBP", "amino_acids", "ATP"), 1.0)
    return CellParameters(**{name: value * same for name, value in (levels | {"f_S6K": f_S6K, "f_GRB10": f_GRB10}).items()})


def levels_at(x: Network, k: NetworkConstants, c: CellParameters) -> tuple[jax.Array, ...]:
    """`REFERENCES` of a state."""
    return x.S6K, x.ERK, akt_activity(x, k), cap_translation(x.BP, c.R_4EBP, k)


def with_references(k: NetworkConstants, f_S6K: Any, f_GRB10: Any) -> NetworkConstants:
    """The constants with the reference levels that go with them.

    Args:
        k: leaves (sets,). f_S6K, f_GRB10: feedback strengths of the wild-type cell, (sets,).
    """
    c = wild_type(f_S6K, f_GRB10)

    def substituted(k: NetworkConstants, _: None) -> tuple[NetworkConstants, None]:
        return k._replace(**dict(zip(REFERENCES, levels_at(steady_state(k, c), k, c), strict=True))), None

    return jax.lax.scan(substituted, jax.tree.map(lambda leaf: leaf * jnp.ones_like(c.RTK), k), None, ROUNDS)[0]


def reference_slopes(k: NetworkConstants, f_S6K: jax.Array, f_GRB10: jax.Array) -> dict[str, jax.Array]:
    """d (reference levels) / d (each constant, f_S6K, f_GRB10), name -> (references,), by the implicit function theorem.

    State x and levels r rest where G(x, r; p) = (dx/dt, r - levels(x)) = 0, so d(x, r)/dp = -(dG/d(x, r))^-1 dG/dp.

    Args:
        k: with their reference levels. All numbers.
    """
    names = (*NetworkConstants._fields, "f_S6K", "f_GRB10")

    def rest(y: jax.Array, given: jax.Array) -> jax.Array:
        p = dict(zip(names, given, strict=True))
        c = wild_type(p["f_S6K"], p["f_GRB10"])
        x, r = Network(*y[: len(Network._fields)]), y[len(Network._fields) :]
        k = NetworkConstants(*(p[name] for name in NetworkConstants._fields))._replace(**dict(zip(REFERENCES, r, strict=True)))
        return jnp.stack([*rates(x, UNTREATED, k, c), *(r - jnp.stack(levels_at(x, k, c)))])

    x = steady_state(jax.tree.map(lambda v: v[None], k), wild_type(f_S6K[None], f_GRB10[None]))
    y = jnp.stack([*(leaf[0] for leaf in x), *(getattr(k, name) for name in REFERENCES)])
    given = jnp.stack([*k, f_S6K, f_GRB10])
    moved = -jnp.linalg.solve(jax.jacfwd(rest)(y, given), jax.jacfwd(rest, argnums=1)(y, given))
    return {name: moved[len(Network._fields) :, j] for j, name in enumerate(names) if name not in REFERENCES}
