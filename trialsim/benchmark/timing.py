"""A function's speed in patients per CPU-second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Timing(NamedTuple):
    """Attributes: mode: what was run. patients_per_s: per CPU-second of this process (wall and CPU agree on one core), median.
    error_p99: see `trialsim.benchmark`. first_call_s: with compilation. n: patients a run."""

    mode: str
    patients_per_s: float
    error_p99: float | None
    first_call_s: float
    n: int


def timed(mode: str, run: Callable[[], object], n: int, repeats: int, error_p99: Callable[[object], float | None]) -> Timing:
    """Time ``run``, which simulates ``n`` patients and returns something that ``error_p99`` can judge."""
    start = time.perf_counter()
    result = run()
    first = time.perf_counter() - start
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return Timing(mode, n / float(np.median(seconds)), error_p99(result), first, n)
