"""``trialsim export``: a finished trial written out for SAS, R, NONMEM and their like."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date

from trialsim import console
from trialsim.schema import ConfigError

SUMMARY = "Writes a finished trial as ADaM-like data sets (ADSL, ADRS, ADTTE, ADAE, ADPC, ...) or as a NONMEM event table."


def parser() -> argparse.ArgumentParser:
    """Words of the command."""
    found = argparse.ArgumentParser(prog="trialsim export", description=SUMMARY, allow_abbrev=False)
    found.add_argument("run_folder", metavar="RUN_FOLDER", help="folder of a finished trial")
    found.add_argument("--to", required=True, metavar="adam|nonmem", help="what to write")
    found.add_argument("--format", default="csv", metavar="csv|parquet|xpt", help="file format; xpt (SAS transport 5) of adam only")
    found.add_argument("--out", metavar="FOLDER", help="folder to make; default: export/TO_FORMAT within the run folder")
    found.add_argument("--start-date", metavar="YYYY-MM-DD", help="adam: made-up date of the first patient in; without: days only")
    found.add_argument("--drug", metavar="NAME", help="nonmem: whose doses and concentrations; default: the rapalog's")
    found.add_argument("--every-dose", action="store_true", help="nonmem: one record a dose in place of ADDL and II")
    return found


def run(arguments: Sequence[str]) -> None:
    """Do what the words after ``trialsim export`` say.

    Raises:
        ConfigError: bad input. SystemExit: as argparse has it, 0 after --help, 2 after words that it does not know.
    """
    words = parser().parse_args(arguments)
    from trialsim.exchange.write import export  # here: --help must not wait for pandas

    start = None
    if words.start_date is not None:
        try:
            start = date.fromisoformat(words.start_date)
        except ValueError:
            raise ConfigError("--start-date", words.start_date, "a date as 2030-01-31") from None
    folder = export(
        words.run_folder, words.to, words.format, words.out, start_date=start, drug=words.drug, every_dose=words.every_dose,
        progress="auto",
    )  # fmt: skip
    files = sorted(path.name for path in folder.iterdir())
    console.out.print(f"{folder}: {', '.join(files)}", markup=False)
