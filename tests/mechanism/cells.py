"""A dish of cells: one cell type under a constant inhibition, with the shipped network."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.rosenbrock import rodas3_step, structure_of
from trialsim.mechanism import growth, signalling
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import CellParameters, Inhibition
from trialsim.mechanism.steady import steady_state

REFERENCE = CellParameters(
    RTK=1.0, f_S6K=0.36, f_GRB10=0.88, PIK3CA=0.0, KRAS=0.0, AKT1=0.0, PTEN=1.0, TSC=1.0, mTOR_gain=0.0, r_4E=0.46, phi_mTORC2=0.2,
    R_4EBP=1.0, amino_acids=1.0, ATP=1.0,
)  # fmt: skip
# 20 nM rapamycin in the dish: FKBP12 saturated, so the occupancy of mTORC1 is near its ceiling
RAPAMYCIN = Inhibition(occupancy=0.94)
NO_DRUG = Inhibition(occupancy=0.0)


def cell(**changes) -> CellParameters:
    return jax.tree.map(jnp.float32, REFERENCE._replace(**changes))


_rest = jax.jit(steady_state)


@partial(jax.jit, static_argnums=(4,))
def _run(x, inhibition, k, c, steps, h):
    rates = lambda x, u: signalling.rates(x, u, k, c)
    structure, none = structure_of(rates, x, inhibition), jax.tree.map(jnp.zeros_like, inhibition)
    step = lambda x, _: (rodas3_step(rates, structure, x, inhibition, none, inhibition, h), None)
    return jax.lax.scan(step, x, length=steps)[0]


def relax_to(network, c, inhibition=NO_DRUG, hours=400.0, steps=800):
    """State after ``hours`` of a constant inhibition, from the untreated steady state."""
    k = jax.tree.map(jnp.float32, network_constants(network))
    untreated = _rest(k, c)
    if inhibition == NO_DRUG:
        return untreated
    return _run(untreated, Inhibition(*(jnp.float32(v) for v in inhibition)), k, c, steps, jnp.float32(hours / steps))


def fold(network, c, inhibition, hours):
    """State over its untreated steady state, after ``hours``: a Network of folds."""
    before = relax_to(network, c)
    after = relax_to(network, c, inhibition, hours, steps=600)
    return signalling.Network(*(np.float64(a) / max(np.float64(b), 1e-9) for a, b in zip(after, before, strict=True)))


def fates(network, c, inhibition, hours=72.0, b=0.3, phi=0.85):
    """Relative proliferation and net growth of sensitive cells after ``hours``."""
    g = network.growth
    p = growth.GrowthParameters(
        b=b, b_resistant=0.95, b_W=g.b_W, phi=phi, k_d=g.k_d, basal_death=g.basal_death, c_protect=g.c_protect, c_excess=g.c_excess,
        endocrine_insensitive=g.endocrine_insensitive,
    )  # fmt: skip
    before = relax_to(network, c)
    after = relax_to(network, c, inhibition, hours, steps=600)
    k = network_constants(network)
    now, then = growth.fates(after, k, c, p, inhibition), growth.fates(before, k, c, p)
    G, _ = growth.net_growth(now, then, phi)
    now, then = now.sensitive, then.sensitive
    return float(now.proliferation / then.proliferation), float(G), float(now.death / then.death)
