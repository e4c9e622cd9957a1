"""Drug in the cell: trapped by FKBP12, and the complex on mTORC1.

Free drug crosses the membrane at a rate set by the permeability-surface product; inside, FKBP12 (abundant) holds nearly all of
it, which is why target inhibition outlasts the drug in blood by days (S6K1 in PBMC stays inhibited for 7 days after >= 20 mg:
O'Donnell et al., J Clin Oncol 2008;26:1588). The complex then binds the FRB domain of mTOR. Both constants are published
(Banaszynski et al., J Am Chem Soc 2005;127:4715): Kd(drug-FKBP12) 0.2 nM, Kd(complex-FRB) 12 nM.

    dR/dt = PS (k_p C_free - C_in)                         R: total drug in the cell, nM
    C_in^2 + (T + K_F - R) C_in - K_F R = 0                T: FKBP12, nM; binding itself takes seconds
    O = (R - C_in) / (R - C_in + K_FRB)                    occupancy of mTORC1 by the complex
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


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
    return complex_nM / (complex_nM + p.K_FRB)


def uptake(R: jax.Array, C_free_nM: jax.Array, p: BindingParameters) -> tuple[jax.Array, jax.Array]:
    """Production and loss of R: nM/h and 1/h."""
    return p.PS * p.partition * C_free_nM, p.PS * free_share(R, p)
