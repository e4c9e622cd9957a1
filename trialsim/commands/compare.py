"""Compares runs: one report with their results side by side and their differences to a reference run.

Takes the folder of a sweep, finished or not, or two and more folders of finished runs. The report of a sweep goes into its folder;
for other runs --out says where to.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trialsim import console
from trialsim.schema import ConfigError
from trialsim.schema.plain import usable_path

if TYPE_CHECKING:
    from trialsim.sweeps.runs import Runs

SUMMARY = "compare the runs of a sweep, or any finished runs, in one report"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", metavar="FOLDER", nargs="+", help="folder of a sweep, or of each of several runs")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="where the report goes (default: the folder of the sweep)")
    parser.add_argument("--reference", metavar="RUN", help="run that the others are held against (default: the first): its number "
                        "in the sweep, or its folder")  # fmt: skip


def run(given: argparse.Namespace) -> int:
    from trialsim.sweeps import record

    runs, page = compare(given.folders, given.out, given.reference)
    waiting = [run for run in runs.runs if run.state != record.COMPLETE]
    for one in waiting:
        told = ", ".join(f"{key}={value}" for key, value in one.values.items())
        console.out.print(f"Run {one.name} ({told}): {one.state}{f', {one.cause}' if one.cause else ''}", markup=False)
    console.out.print(f"{len(runs.complete)} runs compared. Report: {page}", markup=False)
    return 0


def compare(folders: Sequence[str | Path], out: Path | None = None, reference: str | None = None) -> tuple[Runs, Path]:
    """Read runs and write the report that compares them.

    Args:
        folders: of a sweep, or of two and more runs. out: where the report goes; None: the folder of the sweep. reference: run
            that the others are held against; None: the first.

    Returns:
        The runs, and the path of report.html.

    Raises:
        ConfigError: nothing to compare, no place for the report, or files that are not as a run writes them.
    """
    from trialsim.artefacts.files import refuse_links
    from trialsim.report.sweep import write_sweep
    from trialsim.sweeps import record
    from trialsim.sweeps.runs import read_runs, read_sweep

    paths = [usable_path("runs", folder) for folder in folders]
    try:
        runs = read_sweep(paths[0]) if len(paths) == 1 else read_runs(paths)
        place = free_folder(out, runs.folder)
        refuse_links(place)
        if runs.record is not None:
            record.write(runs.record)
        return runs, write_sweep(runs, place, reference)
    except (ConfigError, OSError):
        raise
    except Exception as error:  # a table or key that is not there, or is of another type: wherever the page first misses it
        allowed = f"runs whose files are as they were written ({type(error).__name__}: {error})"
        raise ConfigError("runs", " ".join(map(str, folders)), allowed) from error


def free_folder(out: Path | None, sweep: Path | None) -> Path:
    """Where the report may go: the sweep's folder, or one that holds no run."""
    if out is None:
        if sweep is None:
            raise ConfigError("--out", None, "a folder for the report, needed when runs are given one by one")
        return sweep
    from trialsim.artefacts.claim import STATUS

    if out.exists() and not out.is_dir():
        raise ConfigError("--out", str(out), "a folder")
    if (out / STATUS).exists():
        raise ConfigError("--out", str(out), "a folder without a run, whose report would be overwritten")
    return out
