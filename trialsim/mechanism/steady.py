"""Where the network of `signalling` rests: without drug, which every fold change refers to, or under a constant inhibition."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.rosenbrock import Structure, rodas3_step, structure_of
from trialsim.mechanism import signalling

RELAXATION_H = np.diff(np.geomspace(0.1, 240.1, 41))  # steps from `signalling.start` to rest
UNTREATED = signalling.Inhibition(0.0)


@cache
def structure(nodes: tuple[str, ...] = ()) -> Structure:
    """Sparsity of the network in its state, the occupancy of mTORC1 and the ``nodes`` of other drugs, the same for all cells."""
    ones = lambda kind: kind(*([1.0] * len(kind._fields)))
    k, c, scalar = ones(signalling.NetworkConstants), ones(signalling.CellParameters), jax.ShapeDtypeStruct((), jnp.float32)
    network = signalling.Network(*([scalar] * len(signalling.Network._fields)))
    given = dict.fromkeys(("occupancy", *nodes), scalar)
    return structure_of(lambda x, u: signalling.rates(x, signalling.Inhibition(**u), k, c), network, given)


def steady_state(
    k: signalling.NetworkConstants, c: signalling.CellParameters, inhibition: signalling.Inhibition = UNTREATED
) -> signalling.Network:
    """Steady state under a constant inhibition, by ever longer steps of the fast scheme, for ten days (the slow shift of
    dependence, W, is then under way, and moves nothing else in the network). Leaves of the shape of ``c``'s."""
    shape, kind = jnp.shape(c.RTK), jnp.result_type(c.RTK)
    x = jax.tree.map(lambda v: v.astype(kind), signalling.start(shape))
    occupancy = jnp.broadcast_to(jnp.asarray(inhibition.occupancy, kind), shape)
    u, still = {"occupancy": occupancy}, {"occupancy": jnp.zeros(shape, kind)}
    rates = lambda x, u: signalling.rates(x, inhibition._replace(**u), k, c)
    step = lambda x, h: (rodas3_step(rates, structure(), x, u, still, u, h), None)
    return jax.lax.scan(step, x, jnp.asarray(RELAXATION_H, kind))[0]
