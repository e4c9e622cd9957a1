"""Writes a finished trial as CDISC-like analysis datasets (ADSL, ADRS, ADTR, ADTTE, ADAE, ADPC, ADPP), for SAS, R or others.

Beside them variables.csv says what every variable means and where it comes from. Nothing is overwritten.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trialsim import console

SUMMARY = "write a finished trial as CDISC-like analysis datasets"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="folder of a finished trial")
    parser.add_argument("--format", default="csv", help="csv (default), parquet or xpt (SAS transport, version 5)")
    parser.add_argument("--datasets", metavar="NAME", nargs="+", default=[], help="which; default: all")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="default: RUN/adam")


def run(given: argparse.Namespace) -> int:
    from trialsim import load_run
    from trialsim.exchange import export

    saved = load_run(given.run)
    folder = given.out or saved.path / "adam"
    with console.step("writing the datasets"):
        files = export(saved, folder, given.format, [name.upper() for name in given.datasets])
    console.out.print(f"{len(files)} files in {folder}", markup=False)
    return 0
