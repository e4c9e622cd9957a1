"""Looks whether this machine can run trialsim: Python and packages, devices and their precision, folders, and one small study.

Each line says what was looked at, what was found and whether that is in order. Ends with 1 if anything is not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from trialsim import console

SUMMARY = "look whether this machine can run trialsim"

OLDEST, NEWEST_TRIED = (3, 11), (3, 13)
RUN_GB = 2.0  # a run of a million patients leaves 1.5 GB (README, Performance)
WHAT_WIDTH = 17  # of the longest thing that is looked at
SMALL = ("cohort.size=16", "design.max_follow_up_months=3", "regimen.max_treatment_days=91", "inference.warmup=200",
         "inference.samples=200", "compute.solver_check_patients=4", "compute.progress=off")  # fmt: skip


class Finding(NamedTuple):
    """What was looked at, what was found, whether it is in order, and what to do if not."""

    what: str
    found: str
    ok: bool = True
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-run", action="store_true", help="leave out the small study (about a minute, most of it compiling)")
    parser.add_argument("--folder", default="outputs", help="where results will be written (default: outputs)")


def run(given: argparse.Namespace) -> int:
    checks: list[Callable[[], Iterator[Finding]]] = [
        python, packages, lambda: folder(Path(given.folder)), devices, precision, programs,
    ]  # fmt: skip
    checks += [] if given.no_run else [small_study]
    healthy, remedies = True, []
    console.out.print("trialsim doctor", style="bold")
    for check in checks:
        for finding in guarded(check):
            healthy &= finding.ok
            tell(finding)
            remedies += [f"{finding.what}: {finding.remedy}"] if finding.remedy else []
    for remedy in remedies:
        console.out.print(remedy, markup=False)
    verdict, style = ("All in order.", "green") if healthy else ("Something is not in order; see above.", "bold red")
    console.out.print(verdict, style=style)
    return 0 if healthy else 1


def tell(finding: Finding) -> None:
    """One line at once, so that what takes long does not hold back the rest."""
    line = Table.grid(padding=(0, 2))
    line.add_column(width=WHAT_WIDTH)
    line.add_column(overflow="fold")
    line.add_column()
    line.add_row(finding.what, finding.found, "[green]ok[/green]" if finding.ok else "[bold red]NOT OK[/bold red]")
    console.out.print(line)


def guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check that itself fails is a finding, and the others are still made."""
    try:
        yield from check()
    except Exception as error:
        name = getattr(check, "__name__", "check").replace("_", " ")
        yield Finding(name, f"{type(error).__name__}: {error}", ok=False)


def python() -> Iterator[Finding]:
    version = sys.version_info[:2]
    found = f"{sys.version.split()[0]}, {sys.executable}"
    newer = version > NEWEST_TRIED
    remedy = f"newer than trialsim was tried with ({NEWEST_TRIED[0]}.{NEWEST_TRIED[1]})" if newer else ""
    yield Finding("Python", found, version >= OLDEST, remedy)


def packages() -> Iterator[Finding]:
    """What trialsim requires against what is installed."""
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(line) for line in metadata.requires("trialsim") or ()]
    except metadata.PackageNotFoundError:
        yield Finding("trialsim", "not installed", ok=False, remedy="python -m pip install -e .")
        return
    wrong, right = [], 0
    for wanted in requirements:
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is not installed, needed: {wanted.specifier or 'any'}")
            continue
        if wanted.specifier.contains(installed, prereleases=True):
            right += 1
        else:
            wrong.append(f"{wanted.name} {installed}, needed: {wanted.specifier}")
    yield Finding("trialsim", metadata.version("trialsim"))
    for fault in wrong:
        yield Finding("package", fault, ok=False, remedy="python -m pip install --upgrade trialsim, or -e . in its folder")
    yield Finding("packages", f"{right} of {right + len(wrong)} as required", not wrong)


def folder(place: Path) -> Iterator[Finding]:
    """The output folder can be written to and has room."""
    there = next(one for one in (place.absolute(), *place.absolute().parents) if one.exists())
    writable = there.is_dir() and os.access(there, os.W_OK)
    yield Finding("output folder", str(place.absolute()), writable, "" if writable else "hydra.run.dir of a run names another")
    free = shutil.disk_usage(there).free / 1e9
    room = free >= RUN_GB
    yield Finding("disk", f"{free:.0f} GB free", room, "" if room else f"a run of a million patients needs about {RUN_GB:g} GB")


def devices() -> Iterator[Finding]:
    import jax

    found = [f"{device.platform} {device.device_kind}" for device in jax.devices()]
    yield Finding("JAX", f"{jax.__version__}, {len(found)} x {found[0]}, {os.cpu_count()} CPU cores")
    if Path("/proc/driver/nvidia").exists() and jax.default_backend() == "cpu":
        remedy = 'python -m pip install -e ".[cuda12]" or ".[cuda13]"'
        yield Finding("GPU", "there is one, JAX does not use it", ok=False, remedy=remedy)


def precision() -> Iterator[Finding]:
    """Single precision is single and double is double, on the default device; matrix products are not cut short."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    exact = np.linalg.matrix_power(np.array([[1.0, 1e-3], [-1e-3, 1.0]]), 64)
    for kind, bound in ((np.float32, 5e-6), (np.float64, 1e-13)):
        with jax.enable_x64(kind is np.float64):
            one = jnp.asarray([[1.0, 1e-3], [-1e-3, 1.0]], kind)
            power = one
            for _ in range(6):
                power = jnp.matmul(power, power, precision="highest")
            error = float(np.max(np.abs(np.asarray(power, np.float64) - exact)))
        yield Finding(np.dtype(kind).name, f"error {error:.0e} (at most {bound:.0e})", error <= bound)


def programs() -> Iterator[Finding]:
    """Where compiled programs are kept between runs."""
    import jax

    from trialsim.engine.xla import keep_programs

    keep_programs()
    cache = Path(str(jax.config.jax_compilation_cache_dir))
    there = next(one for one in (cache, *cache.parents) if one.exists())
    kept = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) / 1e6 if cache.is_dir() else 0.0
    writable = os.access(there, os.W_OK)
    remedy = "" if writable else "every run compiles anew; XDG_CACHE_HOME names another place"
    yield Finding("compiled programs", f"{cache} ({kept:.0f} MB)", writable, remedy)


def small_study() -> Iterator[Finding]:
    """The whole way once, from settings to the report, in a folder that is thrown away."""
    import trialsim

    console.out.print("a small study, from settings to report (the first time about a minute) ...", style="dim")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        config = trialsim.compose(overrides=list(SMALL))
        summary = trialsim.run(config, Path(place) / "run")
        report = (Path(place) / "run" / "report.html").stat().st_size / 1e6
        failed = summary["n_failed"]
        error = summary["diagnostics"]["solver_check"]
    seconds = time.perf_counter() - started
    found = f"{summary['n_patients']} patients in {seconds:.0f} s, report {report:.1f} MB, {failed} not integrated, solver error "
    yield Finding("small study", f"{found}{error['error']:.1e} (accuracy {error['accuracy']:g})", failed == 0)
