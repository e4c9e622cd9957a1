"""modax-solvers: kernels for NVIDIA GPUs only, so it has no rate per CPU-second; listed so that nobody looks for it in vain."""

from __future__ import annotations

from trialsim.benchmark.peers.peer import Peer, Unavailable


def build(patients: int, days: int) -> Peer:
    """Always unavailable. Read in the source of modax-solvers 0.0.4; it was not run."""
    raise Unavailable("runs on NVIDIA GPUs only (version 0.0.4 registers its solvers for the CUDA platform and has no CPU path)")
