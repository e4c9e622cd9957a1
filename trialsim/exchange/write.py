"""A finished trial written out for other programs: one new folder that appears whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd

from trialsim import console
from trialsim.artefacts import SavedRun, load_run
from trialsim.artefacts.files import PARTIAL
from trialsim.exchange import analysis_data, define, formats, nonmem
from trialsim.exchange.metadata import datasets
from trialsim.exchange.source import Source, source_of
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

FORMATS = {"adam": ("csv", "parquet", "xpt"), "nonmem": ("csv", "parquet")}
NOTE_DOSES = "ADEX is not here: the run was made by a version of trialsim that did not keep doses."


def export(
    run: SavedRun | str | Path,
    to: str = "adam",
    format: str = "csv",
    out: str | Path | None = None,
    *,
    names: Sequence[str] = (),
    start_date: date | None = None,
    drug: str | None = None,
    every_dose: bool = False,
    progress: console.Mode = "off",
) -> Path:
    """Write a finished trial as ADaM-like data sets or as a NONMEM event table.

    Args:
        run: from ``load_run``, or the folder of a finished trial.
        to: ``adam`` or ``nonmem``. format: ``csv``, ``parquet`` or, of adam, ``xpt`` (SAS transport version 5).
        out: folder to make; None: ``<to>_<format>`` in ``export`` within the run folder.
        names: adam: which data sets; empty: all.
        start_date: adam: made-up date of the first patient in, from which dates are derived; None: days only.
        drug, every_dose: nonmem: see ``event_table``.

    Returns:
        The folder.

    Raises:
        ConfigError: the run, a choice or the folder is not as it must be; nothing is overwritten.
    """
    for key, value, choices in (("to", to, tuple(FORMATS)), ("format", format, FORMATS.get(to, ()))):
        if value not in choices:
            raise ConfigError(key, value, f"one of {', '.join(choices)}{near(str(value), choices)}")
    if to == "nonmem" and start_date is not None:
        raise ConfigError("start_date", str(start_date), "only with to = adam; event tables are in hours")
    if to == "nonmem" and names:
        raise ConfigError("names", ", ".join(names), "only with to = adam; an event table is one")
    if to == "adam" and (drug is not None or every_dose):
        raise ConfigError("drug" if drug else "every_dose", drug or every_dose, "only with to = nonmem; data sets hold every drug")
    if format == "xpt":
        formats.sas()
    source = source_of(run if isinstance(run, SavedRun) else load_run(run), start_date)
    wanted = analysis_data.chosen(source, names) if to == "adam" else []
    folder = Path(out).absolute() if out is not None else source.path / "export" / f"{to}_{format}"
    with _new_folder(folder) as partial:
        if to == "adam":
            _write_adam(source, wanted, format, partial, progress)
        else:
            _write_nonmem(source, format, partial, nonmem.check(source, drug), every_dose, progress)
    return folder


def _write_adam(source: Source, names: Sequence[str], format: str, folder: Path, progress: console.Mode) -> None:
    every, rows = datasets(), {}
    written: dict[str, list[str]] = {}
    with console.progress("writing data sets", len(names), progress) as advance:
        for name in names:
            path, columns = folder / f"{name.lower()}.{format}", written.setdefault(name, [])
            pieces = _noting(analysis_data.pieces(source, name), columns)
            if format == "csv":
                rows[name] = formats.write_csv(path, pieces)
            elif format == "parquet":
                rows[name] = formats.write_parquet(path, pieces, every[name])
            else:
                rows[name] = formats.write_xpt(path, pieces, every[name])
            advance(1)
    define.listing(written, every).to_csv(folder / "variables.csv", index=False)
    notes = [] if source.has("doses") else [NOTE_DOSES]
    if source.start is not None:
        notes.append(f"Dates are made up: the first patient of every virtual study came on {source.start.isoformat()}.")
    page = define.page(f"{source.study}: ADaM-like data sets", written, rows, every, notes)
    (folder / "define.html").write_text(page, encoding="utf-8")


def _noting(pieces: Iterator[pd.DataFrame], columns: list[str]) -> Iterator[pd.DataFrame]:
    """The pieces, and the names of their columns on the side."""
    for piece in pieces:
        columns[:] = piece.columns
        yield piece


def _write_nonmem(source: Source, format: str, folder: Path, drug: str, every_dose: bool, progress: console.Mode) -> None:
    with console.step("writing the event table", progress):
        pieces = nonmem.pieces(source, drug, every_dose)
        if format == "csv":
            formats.write_csv(folder / "events.csv", pieces, missing=".", digits="%.9g")
        else:
            formats.write_parquet(folder / "events.parquet", pieces)
    nonmem.columns().to_csv(folder / "columns.csv", index=False)
    codes = nonmem.tumour_codes(source)
    pd.DataFrame({"TUM": list(codes.values()), "tumour_type": list(codes)}).to_csv(folder / "tumour_types.csv", index=False)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, which gets its name when the block ends without error.

    Raises:
        ConfigError: there is something of that name already, or no folder can be made there.
    """
    if folder.is_symlink() or folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("out", str(folder), "a folder that does not exist yet, or an empty one; nothing is overwritten")
    partial = folder.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{folder.name}")
    try:
        try:
            partial.mkdir(parents=True)
        except OSError as error:
            raise ConfigError("out", str(folder), f"a folder that can be made and written to ({error.strerror})") from error
        yield partial
        for file in partial.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        try:
            os.rename(partial, folder)  # never onto a folder that has something in it
        except OSError as error:
            raise ConfigError("out", str(folder), f"a folder in which nothing appears meanwhile ({error.strerror})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
