"""``python -m trialsim.benchmark [--peers] [--json FILE]``: how fast, at what error, on this machine.

BENCH-1 is everolimus 10 mg daily for 168 days, nine signalling species and a tumour, see ``experiments/benchmark``. Rates are
patients per CPU-second of one core, median of the repeats, after compilation; the error is the 99th percentile over patients of
the relative error of the tumour's size on the last day against the shipped reference solution. Each row runs in a process of its
own, so that its first call and its memory are its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

Measure = Callable[[int], Any]
MEANING = {
    "bench1": "BENCH-1, every day solved",
    "bench1_regular": "BENCH-1, regular dosing exploited",
    "patient": "rapalog patient, 24 months of trial",
    "cores": "rapalog patient, all cores",
    "gradient": "BENCH-1, derivatives in ten parameters",
    "scaling": "rapalog patient, by cohort, length, lesions",
}


def row(name: str, repeats: int) -> Any:
    """Measure one row in this process."""
    from trialsim.benchmark import bench1, patient

    measures: dict[str, Measure] = {
        "bench1": lambda repeats: bench1.measure(regular=False, repeats=repeats)._asdict(),
        "bench1_regular": lambda repeats: bench1.measure(regular=True, repeats=repeats)._asdict(),
        "patient": lambda repeats: patient.measure(repeats)._asdict(),
        "cores": patient.measure_cores,
        "gradient": bench1.measure_gradient,
        "scaling": patient.measure_scaling,
    }
    return measures[name](repeats)


def machine() -> dict[str, Any]:
    """Attributes of the run; ``loops_are_whole`` false explains a speed far below the README's."""
    import jax

    from trialsim.engine.xla import loops_are_whole

    facts = {"platform": jax.default_backend(), "device": str(jax.devices()[0]), "jax": jax.__version__}
    return facts | {"loops_are_whole": loops_are_whole() if facts["platform"] == "cpu" else None}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trialsim.benchmark", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--peers", action="store_true", help="run other simulators too (those of the extra `peers` installed)")
    parser.add_argument("--only", choices=list(MEANING), nargs="+", default=list(MEANING), help="some of the rows")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs after the first (default 5)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # the row's own process
    arguments = parser.parse_args()

    if arguments.here:
        if "cores" not in arguments.only:
            _stay_on_one_core()
        found = {name: row(name, arguments.repeats) for name in arguments.only}
        arguments.json.write_text(json.dumps(found | {"machine": machine()}, default=float), encoding="utf-8")
        return
    console, found = Console(), {}
    for name in arguments.only:
        with console.status(MEANING[name]):
            measured = _apart(name, arguments.repeats)
        found |= measured
        for table in _tables(measured):
            console.print(table)
    if arguments.peers:
        from trialsim.benchmark.peers import run_peers

        results = run_peers()
        found["peers"] = [result._asdict() for result in results]
        console.print(_peers_table(results, found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2, default=float) + "\n", encoding="utf-8")


def _stay_on_one_core() -> None:
    """Before JAX starts its threads; with more, they spend CPU time on waiting for each other."""
    with contextlib.suppress(AttributeError):  # not on this platform
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _apart(name: str, repeats: int) -> dict[str, Any]:
    """One row from a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "row.json"
        command = [sys.executable, "-m", "trialsim.benchmark", "--here", "--only", name, "--repeats", str(repeats)]
        subprocess.run([*command, "--json", str(file)], check=True)
        return json.loads(file.read_text(encoding="utf-8"))


def _tables(found: dict[str, Any]) -> list[Table]:
    speed = Table("per core", "patients/s", "error p99", "first call, s", "memory, GiB")
    for name in ("bench1", "bench1_regular", "patient"):
        if name in found:
            r = found[name]
            cells = f"{r['patients_per_s']:,.0f}", _error(r["error_p99"]), f"{r['first_call_s']:.1f}", f"{r['peak_memory_gib']:.2f}"
            speed.add_row(MEANING[name], *cells)
    tables = [speed] if speed.row_count else []
    if "cores" in found:
        r = found["cores"]
        cores = Table("cores", "patients/s", "over one core", title=MEANING["cores"])
        cores.add_row("1", f"{r['patients_per_s_one']:,.0f}", "1")
        cores.add_row(str(r["cores"]), f"{r['patients_per_s_all']:,.0f}", f"{r['speed_up']:.2f}")
        tables.append(cores)
    if "gradient" in found:
        slopes = Table("steps a day", "reverse", "forward", "error p99", title=MEANING["gradient"] + ", cost over a simulation")
        for key, r in found["gradient"].items():
            if key.endswith("_steps"):
                costs = f"{r['reverse_over_simulation']:.1f}", f"{r['forward_over_simulation']:.1f}"
                slopes.add_row(key.removesuffix("_steps"), *costs, _error(r["error_p99"]))
        tables.append(slopes)
    if "scaling" in found:
        scaling = Table("", "patients", "s", "patients/s", "memory, GiB", title=MEANING["scaling"])
        for r in found["scaling"]:
            what = next(iter(r))
            size = f"{r['n']:,}", f"{r['seconds']:.2f}", f"{r['patients_per_s']:,.0f}", f"{r['peak_memory_gib']:.2f}"
            scaling.add_row(f"{what} {r[what]:,}", *size)
        tables.append(scaling)
    return tables


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
