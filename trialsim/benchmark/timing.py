"""A function's speed in patients per CPU-second, its first call and the memory it takes."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Timing(NamedTuple):
    """Attributes: mode: what was run. patients_per_s: per CPU-second of this process (wall and CPU agree on one core), median.
    error_p99: see `trialsim.benchmark`. first_call_s: with compilation. n: patients a run. peak_memory_gib: of the process."""

    mode: str
    patients_per_s: float
    error_p99: float | None
    first_call_s: float
    n: int
    peak_memory_gib: float


def timed(mode: str, run: Callable[[], object], n: int, repeats: int, error_p99: Callable[[object], float | None]) -> Timing:
    """Time ``run``, which simulates ``n`` patients and returns something that ``error_p99`` can judge."""
    start = time.perf_counter()
    result = run()
    first = time.perf_counter() - start
    seconds = [cpu_seconds(run) for _ in range(repeats)]
    return Timing(mode, n / float(np.median(seconds)), error_p99(result), first, n, peak_memory_gib())


def cpu_seconds(run: Callable[[], object]) -> float:
    """CPU time of this process for one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def wall_seconds(run: Callable[[], object], repeats: int) -> float:
    """Median time of one call after the first."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def peak_memory_gib() -> float:
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
