"""``python -m trialsim.benchmark [--peers] [--json FILE]``: how fast, at what error, on this machine.

BENCH-1 is everolimus 10 mg daily for 168 days, nine signalling species and a tumour, see ``experiments/benchmark``. Rates are
patients per CPU-second of one core, median of the repeats, after compilation; the error is the 99th percentile over patients of the
relative error of the tumour's size on the last day against the shipped reference solution.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from trialsim.benchmark import bench1, patient
from trialsim.benchmark.timing import Timing

ROWS: dict[str, Callable[[int], Timing]] = {
    "bench1": lambda repeats: bench1.measure(regular=False, repeats=repeats),
    "bench1_regular": lambda repeats: bench1.measure(regular=True, repeats=repeats),
    "patient": lambda repeats: patient.measure(repeats=repeats),
}
MEANING = {
    "bench1": "BENCH-1, every day solved",
    "bench1_regular": "BENCH-1, regular dosing exploited",
    "patient": "rapalog patient, 24 months of trial",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trialsim.benchmark", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--peers", action="store_true", help="run other simulators too (those of the extra `peers` installed)")
    parser.add_argument("--only", choices=sorted(ROWS), nargs="+", default=list(ROWS), help="some of the rows")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs after the first (default 5)")
    arguments = parser.parse_args()

    machine = {"platform": jax.default_backend(), "device": str(jax.devices()[0]), "jax": jax.__version__}
    found: dict[str, Any] = {"machine": machine}
    table = Table("", "patients/s", "error p99", "first call, s", title="trialsim, per core")
    for name in arguments.only:
        timing = ROWS[name](arguments.repeats)
        found[name] = timing._asdict()
        table.add_row(MEANING[name], f"{timing.patients_per_s:,.0f}", _error(timing.error_p99), f"{timing.first_call_s:.1f}")
    found["peak_memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    Console().print(table)
    if arguments.peers:
        from trialsim.benchmark.peers import run_peers

        results = run_peers()
        found["peers"] = [result._asdict() for result in results]
        Console().print(_peers_table(results, found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2, default=float) + "\n", encoding="utf-8")


def _error(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.1e}"


def _peers_table(results: list[Any], found: dict[str, Any]) -> Table:
    table = Table("peer", "patients/s", "error p99", "trialsim over it", "regular dosing", title="BENCH-1, others, per core")
    for result in results:
        if result.unavailable:
            table.add_row(result.name, "", "", "", result.unavailable)
            continue
        ratios = [found[row]["patients_per_s"] / result.patients_per_s for row in ("bench1", "bench1_regular") if row in found]
        ratio = [f"{value:,.0f}" for value in ratios]
        table.add_row(result.name, f"{result.patients_per_s:,.0f}", _error(result.error_p99), *ratio)
    return table


if __name__ == "__main__":
    main()
