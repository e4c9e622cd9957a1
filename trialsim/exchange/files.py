"""Datasets as files: CSV, Parquet, SAS transport version 5 (XPT), and what their variables mean beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from trialsim.artefacts.files import atomic
from trialsim.exchange.adam import DATASETS, dataset
from trialsim.exchange.metadata import Variable, variables
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    from trialsim.artefacts import SavedRun

LABELS = {
    "ADSL": "Subject-Level Analysis Dataset", "ADRS": "Response Analysis Dataset", "ADTR": "Tumour Size Analysis Dataset",
    "ADTTE": "Time-to-Event Analysis Dataset", "ADAE": "Adverse Event Analysis Dataset",
    "ADPC": "Concentration Analysis Dataset", "ADPP": "Exposure Parameter Analysis Dataset",
}  # fmt: skip
DEFINE = "variables.csv"


def export(run: SavedRun, folder: Path | str, kind: str = "csv", names: Sequence[str] = ()) -> list[Path]:
    """Write datasets of a run, and ``variables.csv``, which says what every variable means.

    Args:
        folder: where to; made if need be. Files there are never overwritten. kind: one of `FORMATS`. names: datasets; empty: all.

    Returns:
        The files.

    Raises:
        ConfigError: an unknown format or dataset, or a file that is there already.
    """
    if kind not in FORMATS:
        raise ConfigError("format", kind, f"one of {', '.join(FORMATS)}")
    names = tuple(names) or tuple(DATASETS)
    targets = {name: Path(folder) / f"{name.lower()}.{kind}" for name in names} | {"": Path(folder) / DEFINE}
    for target in targets.values():
        if target.exists():
            raise ConfigError("folder", str(folder), f"a folder without {target.name}")
    if kind == "xpt":
        _sas()
    for name in names:
        table = dataset(run, name)
        with atomic(targets[name]) as partial:
            FORMATS[kind](table, partial, name)
    told = [(name, variable) for name in names for variable in variables(name)]
    rows = [{"dataset": name, **variable._asdict(), "terms": "|".join(variable.terms)} for name, variable in told]
    with atomic(targets[""]) as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)
    return list(targets.values())


def _csv(table: pd.DataFrame, path: Path, name: str) -> None:
    table.to_csv(path, index=False)


def _parquet(table: pd.DataFrame, path: Path, name: str) -> None:
    table.to_parquet(path, index=False, engine="pyarrow")


def _xpt(table: pd.DataFrame, path: Path, name: str) -> None:
    known: tuple[Variable, ...] = variables(name)
    numbers = {v.name: table[v.name].astype(float) for v in known if v.type == "num"}
    texts = {v.name: table[v.name].fillna("").astype(str).astype(object) for v in known if v.type == "char"}
    typed = pd.DataFrame(numbers | texts)[[v.name for v in known]]
    _sas().write_xport(
        typed, str(path), file_label=LABELS[name], column_labels=[v.label for v in known], table_name=name, file_format_version=5
    )


def _sas():
    """pyreadstat, which only this format needs."""
    try:
        import pyreadstat
    except ImportError as error:
        allowed = 'csv or parquet; xpt needs pyreadstat: python -m pip install "trialsim[exchange]"'
        raise ConfigError("format", "xpt", allowed) from error
    return pyreadstat


FORMATS: dict[str, Callable[[pd.DataFrame, Path, str], None]] = {"csv": _csv, "parquet": _parquet, "xpt": _xpt}
