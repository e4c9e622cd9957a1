"""gradsolve: our right-hand side translated to a fused Warp kernel that runs on the processor, one call a dose for all patients."""

from __future__ import annotations

import tempfile
from importlib.metadata import version

import numpy as np

from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Peer, Unavailable

RTOL = ATOL = 3e-4


class Interval:
    """One dose interval in the form gradsolve asks for. Not flagged as stiff: its implicit kernel is slower and misses 1e-4."""

    name = "bench1"
    dim = equations.STATES
    t0, t1 = 0.0, equations.INTERVAL_H  # h
    is_stiff = False

    @staticmethod
    def f_jax(t, y, p):
        import jax.numpy as jnp

        return jnp.stack(equations.rates(y, p))


def build(patients: int, days: int) -> Peer:
    """Register and compile for any number of patients. A fresh kernel folder, so that compilation is always counted."""
    import gradsolve

    try:
        import warp
    except ImportError as error:
        raise Unavailable("gradsolve is there, but its fused kernels need the package warp-lang") from error

    warp.config.kernel_cache_dir = tempfile.mkdtemp(prefix="warp-")
    problem = Interval()
    gradsolve.register_jax_field(problem.name, problem.f_jax, problem.dim, len(equations.PARAMETERS), stiff=problem.is_stiff)

    def solve(parameters: np.ndarray, doses: int = days) -> np.ndarray:
        states = equations.start(parameters)
        for _ in range(doses):
            states[:, equations.GUT] += equations.DOSE_UG
            answer = gradsolve.solve(problem, states, parameters, engine="warp_ode", rtol=RTOL, atol=ATOL, device="cpu")
            states = np.array(answer.y_final)
        return equations.tumour(states)

    solve(np.array([equations.TYPICAL]), doses=1)
    return Peer(
        f"{version('gradsolve')} / warp {version('warp-lang')}",
        f"Tsit5, fused Warp kernel on the CPU, one call per dose, float64, rtol={RTOL:g} atol={ATOL:g}",
        solve,
    )
