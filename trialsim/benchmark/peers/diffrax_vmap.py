"""diffrax: adaptive solver vmapped over patients, lax.scan over doses, float64."""

from __future__ import annotations

import os

import numpy as np

from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Peer

METHOD = "Tsit5"
RTOL = ATOL = 3e-4
BLOCK = 64  # patients solved together; they all take as many steps as the slowest of them


def build(patients: int, days: int) -> Peer:
    """Compile for blocks of patients; the last block is filled up with copies of the last patient."""
    import diffrax
    import jax
    import jax.numpy as jnp

    block = min(patients, BLOCK)
    method = getattr(diffrax, METHOD)()
    term = diffrax.ODETerm(lambda t, y, p: jnp.stack(equations.rates(y, p)))
    controller = diffrax.PIDController(rtol=RTOL, atol=ATOL)

    def interval(y, p):
        solution = diffrax.diffeqsolve(
            term, method, 0.0, equations.INTERVAL_H, None, y.at[equations.GUT].add(equations.DOSE_UG), p,
            stepsize_controller=controller, saveat=diffrax.SaveAt(t1=True), max_steps=None, throw=False,
        )  # fmt: skip
        return jnp.where(solution.result == diffrax.RESULTS.successful, solution.ys[0], jnp.nan)

    def patient(y, p):
        y, _ = jax.lax.scan(lambda y, _: (interval(y, p), None), y, length=days)
        return y[equations.SENSITIVE] + y[equations.RESISTANT]

    with jax.enable_x64(True):
        shapes = [jax.ShapeDtypeStruct((block, width), jnp.float64) for width in (equations.STATES, len(equations.PARAMETERS))]
        compiled = jax.jit(jax.vmap(patient)).lower(*shapes).compile()

    def solve(parameters: np.ndarray) -> np.ndarray:
        padded = np.concatenate([parameters, np.repeat(parameters[-1:], -len(parameters) % block, axis=0)])
        with jax.enable_x64(True):
            blocks = [compiled(equations.start(part), part) for part in np.split(padded, len(padded) // block)]
        return np.concatenate([np.asarray(part) for part in blocks])[: len(parameters)]

    wide = ", 512-bit vectors and one function per loop (XLA flags)" if "vector_width" in os.environ.get("XLA_FLAGS", "") else ""
    return Peer(
        f"{diffrax.__version__} / jax {jax.__version__}",
        f"{METHOD}, vmap over {block} patients, scan over doses, float64, rtol={RTOL:g} atol={ATOL:g}{wide}",
        solve,
    )
