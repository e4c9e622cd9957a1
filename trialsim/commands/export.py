"""Writes a finished trial for other programs: as ADaM-like analysis data sets for SAS or R (--to adam: ADSL, ADRS, ADTR, ADTTE,
ADAE, ADPC, ADPP, ADEX), or as an event table for NONMEM and its like (--to nonmem).

The files are in a folder of their own, which appears when all of them are whole. Beside them is what every variable means and where
it comes from. Nothing is overwritten.
"""

from __future__ import annotations

import argparse
from datetime import date

from trialsim import console
from trialsim.schema import ConfigError

SUMMARY = "write a finished trial as ADaM-like data sets or as a NONMEM event table"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="folder of a finished trial")
    parser.add_argument("--to", default="adam", metavar="adam|nonmem", help="what to write; default: adam")
    parser.add_argument("--format", default="csv", metavar="csv|parquet|xpt", help="default: csv; xpt (SAS transport 5): adam only")
    parser.add_argument("--datasets", metavar="NAME", nargs="+", default=[], help="adam: which; default: all")
    parser.add_argument("--out", metavar="FOLDER", help="folder to make; default: RUN/export/TO_FORMAT")
    parser.add_argument("--start-date", metavar="YYYY-MM-DD", help="adam: made-up date of the first patient in; without: days only")
    parser.add_argument("--drug", metavar="NAME", help="nonmem: whose doses and concentrations; default: the rapalog's")
    parser.add_argument("--every-dose", action="store_true", help="nonmem: one record a dose in place of ADDL and II")


def run(given: argparse.Namespace) -> int:
    from trialsim.exchange.write import export

    folder = export(
        given.run, given.to, given.format, given.out, names=[name.upper() for name in given.datasets],
        start_date=_date(given.start_date), drug=given.drug, every_dose=given.every_dose, progress="auto",
    )  # fmt: skip
    files = sorted(path.name for path in folder.iterdir())
    console.out.print(f"{len(files)} files in {folder}: {', '.join(files)}", markup=False)
    return 0


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigError("--start-date", text, "a date as 2030-01-31") from None
