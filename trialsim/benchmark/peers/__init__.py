"""Existing simulators on the same problem, each in its own process on one core: a missing or crashing one harms no other."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

PEERS = {
    "numbalsoda": "trialsim.benchmark.peers.numbalsoda_lsoda",
    "numbalsoda-dop853": "trialsim.benchmark.peers.numbalsoda_dop853",
    "libroadrunner": "trialsim.benchmark.peers.roadrunner_cvode",
    "diffrax": "trialsim.benchmark.peers.diffrax_vmap",
    "scipy": "trialsim.benchmark.peers.scipy_odeint",
    "gradsolve": "trialsim.benchmark.peers.gradsolve_warp",
    "modax-solvers": "trialsim.benchmark.peers.modax_gpu",
}
LIMIT_S = 3600.0  # wall clock for one peer
ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
}
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
# Half as fast again for diffrax on a processor with AVX-512. A jaxlib that does not know them stops; then it runs without.
XLA_FAST = (
    "--xla_cpu_prefer_vector_width=512 --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=10000000"
)


class PeerResult(NamedTuple):
    """One peer's line in the table. Without a measurement the numbers are nan, n is 0 and `unavailable` says why."""

    name: str
    version: str
    settings: str  # method, tolerances, how doses are given
    patients_per_s: float  # per CPU-second of one core, median of the repeats, without compilation
    error_p99: float  # 99th percentile over patients of the relative error of the tumour size at 4032 h
    compile_s: float  # CPU-seconds to import the library and compile
    n: int  # patients
    unavailable: str | None  # the reason in words, None where measured


def run_peers(names: Sequence[str] | None = None, patients: int = 200, repeats: int = 3) -> list[PeerResult]:
    """Measure peers one after another.

    Args:
        names: keys of `PEERS`; None for all.
        patients: the first so many of the parameter file (2,000 at most).
        repeats: runs of each, after compilation.
    """
    names = list(PEERS) if names is None else list(names)
    if unknown := [name for name in names if name not in PEERS]:
        raise ValueError(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return [_run(name, patients, repeats) for name in names]


def as_json(results: Sequence[PeerResult]) -> list[dict[str, Any]]:
    """Rows for a JSON file; nan, which JSON lacks, becomes null."""
    return [{key: None if _is_nan(value) else value for key, value in row._asdict().items()} for row in results]


def _run(name: str, patients: int, repeats: int) -> PeerResult:
    command = [sys.executable, "-m", "trialsim.benchmark.peers.worker", PEERS[name], str(patients), str(repeats)]
    reason = ""
    for flags in (f"{XLA_ONE_THREAD} {XLA_FAST}", XLA_ONE_THREAD):
        try:
            done = subprocess.run(
                command, env=_environment(flags), capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            reason = f"no answer within {LIMIT_S:g} s"
            break
        if done.returncode == 0 and done.stdout.strip():
            return PeerResult(**{**_nothing(name, None)._asdict(), **json.loads(done.stdout)})
        reason = f"stopped with exit status {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
        if "flag" not in done.stderr.lower():  # XLA stops the process at a flag it does not know
            break
    return _nothing(name, reason)


def _environment(xla_flags: str) -> dict[str, str]:
    """One thread, JAX on the processor in float64, and this very trialsim for the worker."""
    here = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH", ""))))
    jax = {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1", "XLA_FLAGS": xla_flags}
    return {**os.environ, **ONE_THREAD, **jax, "PYTHONPATH": path}


def _nothing(name: str, reason: str | None) -> PeerResult:
    return PeerResult(name, "", "", math.nan, math.nan, math.nan, 0, reason)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
