"""One peer, in its own process: ``python -m trialsim.benchmark.peers.worker MODULE PATIENTS REPEATS`` prints one JSON object."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from trialsim.benchmark import data
from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Unavailable


def main(arguments: Sequence[str]) -> int:
    """Measure, or say why not. Whatever a library prints goes to stderr; stdout carries the answer alone."""
    module, patients, repeats = arguments[0], int(arguments[1]), int(arguments[2])
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        answer = measure(module, patients, repeats)
    except Unavailable as reason:
        answer = {"unavailable": str(reason)}
    except ImportError as error:
        answer = {"unavailable": f"not installed: {error}"}
    except Exception as error:  # a peer's failure is a line in the table, not ours
        answer = {"unavailable": f"failed: {type(error).__name__}: {error}"}
    with answer_to:
        json.dump(answer, answer_to)
    return 0


def measure(module: str, patients: int, repeats: int, days: int = equations.DAYS) -> dict[str, Any]:
    """Speed in patients per CPU-second (median), error of the last tumour size, and CPU-seconds to import and compile."""
    table = equations.table(data.parameters(patients))
    began = time.process_time()
    peer = importlib.import_module(module).build(patients, days)
    compile_s = time.process_time() - began
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        tumour = peer.solve(table)
        seconds.append(time.process_time() - began)
    if failed := int(np.sum(~np.isfinite(tumour))):
        raise Unavailable(f"failed in {failed} of {patients} patients ({peer.settings})")
    return {
        "version": peer.version,
        "settings": peer.settings,
        "patients_per_s": patients / statistics.median(seconds),
        "error_p99": relative_error_p99(tumour, days),
        "compile_s": compile_s,
        "n": patients,
    }


def relative_error_p99(tumour: np.ndarray, days: int) -> float:
    """99th percentile of the relative error of the tumour size after ``days``, over the patients that have a reference."""
    reference = data.reference()
    (column,) = np.flatnonzero(reference.t_h == days * equations.INTERVAL_H)
    true = reference.tumour_mm[: len(tumour), column]
    return float(np.percentile(np.abs(tumour[: len(true)] / true - 1.0), 99))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
