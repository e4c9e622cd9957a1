"""Drug in the cell: trapped by FKBP12, and the complex on mTORC1.

Free drug crosses the membrane at a rate set by the permeability-surface product; inside, FKBP12 (abundant) holds nearly all of
it, which is why target inhibition outlasts the drug in blood by days (S6K1 in PBMC stays inhibited for 7 days after >= 20 mg:
O'Donnell et al., J Clin Oncol 2008;26:1588). The complex then binds the FRB domain of mTOR. Both constants are published
(Banaszynski et al., J Am Chem Soc 2005;127:4715): Kd(drug-FKBP12) 0.2 nM, Kd(complex-FRB) 12 nM.

    dR/dt = PS (k_p C_free - C_in)                         R: total drug in the cell, nM
    C_in^2 + (T + K_F - R) C_in - K_F R = 0                T: FKBP12, nM; binding itself takes seconds
    O = (R - C_in) / (R - C_in + K_FRB)                    occupancy of mTORC1 by the complex

R follows the blood alone, so it is stepped by itself, ahead of the network. It bends sharply where FKBP12 is full, but an implicit
stage R + a C_in(R) = b is a quadratic in C_in with one positive root, solved exactly, so any step is safe. The stages are those of
Alexander's three-stage, third-order, L-stable and stiffly accurate method (SIAM J Numer Anal 1977;14:1006-1021). What blood
supplies is integrated exactly, so a peak of minutes after a fast absorption need not be resolved.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine.algebra import saturating


class BindingParameters(NamedTuple):
    """One cell type of one patient.

    Attributes:
        FKBP12: concentration of FKBP12 (and what can stand in for it), nM.
        K_FKBP12: Kd of drug and FKBP12, nM.
        K_FRB: Kd of the complex and mTOR's FRB domain, nM (very large in cells with an FRB mutation).
        PS: permeability-surface product over cell volume, 1/h.
        partition: free drug outside the cell over free drug in plasma (delivery; stroma lowers it).
    """

    FKBP12: jax.Array
    K_FKBP12: jax.Array
    K_FRB: jax.Array
    PS: jax.Array
    partition: jax.Array


def free_share(R: jax.Array, p: BindingParameters) -> jax.Array:
    """C_in / R: part of the drug in the cell that is free, in (0, 1). Shape of ``R``."""
    b = R - p.FKBP12 - p.K_FKBP12
    root = jnp.sqrt(b**2 + 4.0 * p.K_FKBP12 * R)
    # two forms of the same root, each where it does not cancel
    return jnp.where(b > 0.0, (b + root) / (2.0 * jnp.maximum(R, 1e-12)), 2.0 * p.K_FKBP12 / (root - jnp.minimum(b, 0.0)))


def occupancy(R: jax.Array, p: BindingParameters) -> jax.Array:
    """O, the part of mTORC1 that carries the drug-FKBP12 complex."""
    complex_nM = R * (1.0 - free_share(R, p))
    return saturating(complex_nM, p.K_FRB)


GAMMA = 0.435866521508459  # root of g^3 - 3 g^2 + 3 g/2 - 1/6
STAGES = (  # time of each stage as a part of the step, and weights of the rates at the stages before it
    (GAMMA, ()),
    ((1.0 + GAMMA) / 2.0, ((1.0 - GAMMA) / 2.0,)),
    (1.0, (-(6.0 * GAMMA**2 - 16.0 * GAMMA + 1.0) / 4.0, (6.0 * GAMMA**2 - 20.0 * GAMMA + 5.0) / 4.0)),
)


def uptake_rate(R: jax.Array, C_free_nM: jax.Array, p: BindingParameters) -> jax.Array:
    """dR/dt, nM/h."""
    return p.PS * (p.partition * C_free_nM - R * free_share(R, p))


PARTS = tuple(time for time, _ in STAGES)


def uptake_step(R: jax.Array, areas: list[jax.Array], h: jax.Array, p: BindingParameters) -> jax.Array:
    """R a step later. What has come in by each stage is known exactly, so only the loss is approximated.

    Args:
        R: drug in the cell, nM, at the start of the step.
        areas: area under the free concentration in plasma since then, nM h, at the `PARTS` of the step.
        h: step, h.
    """
    a, lost = GAMMA * h * p.PS, []
    for (_, weights), area in zip(STAGES, areas, strict=True):
        before = h * sum((w * loss for w, loss in zip(weights, lost, strict=True)), jnp.zeros_like(R))
        b = jnp.maximum(R + p.PS * p.partition * area - before, 0.0)
        free = _free_of_stage(a, b, p)
        lost.append(p.PS * free)
    return b - a * free


def _free_of_stage(a: jax.Array, b: jax.Array, p: BindingParameters) -> jax.Array:
    """C_in of the stage R + a C_in(R) = b, with R = C_in + T C_in / (K_F + C_in)."""
    q = (1.0 + a) * p.K_FKBP12 + p.FKBP12 - b
    root = jnp.sqrt(q**2 + 4.0 * (1.0 + a) * p.K_FKBP12 * b)
    # two forms of the same root, each where it does not cancel
    return jnp.where(q < 0.0, (root - q) / (2.0 * (1.0 + a)), 2.0 * p.K_FKBP12 * b / (root + jnp.maximum(q, 0.0)))
