"""Files of the exported tables: CSV, Parquet, SAS transport (XPT version 5), written piece by piece where the format allows it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trialsim.exchange.metadata import Dataset, Variable
from trialsim.schema import ConfigError

ARROW = {"text": pa.string(), "integer": pa.int64(), "float": pa.float64(), "date": pa.date32()}
XPT_DATE = "DATE9"


def write_csv(path: Path, pieces: Iterable[pd.DataFrame], missing: str = "", digits: str | None = None) -> int:
    """CSV with one header line; dates as YYYY-MM-DD. Returns the number of rows."""
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        for number, piece in enumerate(pieces):
            piece.to_csv(
                stream, index=False, header=number == 0, na_rep=missing, float_format=digits, date_format="%Y-%m-%d",
                lineterminator="\n",
            )  # fmt: skip
            rows += len(piece)
    return rows


def write_parquet(path: Path, pieces: Iterable[pd.DataFrame], dataset: Dataset | None = None) -> int:
    """Parquet, a row group a piece; with a data set, its types and labels in the schema. Returns the number of rows."""
    writer, rows = None, 0
    try:
        for piece in pieces:
            if writer is None:
                schema = pa.Schema.from_pandas(piece, preserve_index=False).remove_metadata()
                writer = pq.ParquetWriter(path, schema if dataset is None else _schema(dataset, list(piece.columns)))
            writer.write_table(pa.Table.from_pandas(piece, writer.schema, preserve_index=False), row_group_size=max(len(piece), 1))
            rows += len(piece)
    finally:
        if writer is not None:
            writer.close()
    return rows


def _of(dataset: Dataset, names: list[str]) -> list[Variable]:
    return [variable for variable in dataset.variables if variable.name in names]


def _schema(dataset: Dataset, names: list[str]) -> pa.Schema:
    fields = [pa.field(v.name, ARROW[v.type], metadata={"label": v.label, "origin": v.origin}) for v in _of(dataset, names)]
    return pa.schema(fields, metadata={"name": dataset.name, "label": dataset.label})


def sas() -> ModuleType:
    """pyreadstat, which SAS transport files alone need.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import pyreadstat
    except ImportError as error:
        allowed = f"csv or parquet; xpt needs pyreadstat: {sys.executable} -m pip install pyreadstat"
        raise ConfigError("format", "xpt", allowed) from error
    return pyreadstat


def write_xpt(path: Path, pieces: Iterable[pd.DataFrame], dataset: Dataset) -> int:
    """SAS transport version 5, whole in memory: ASCII text, numbers, dates as SAS dates. Returns the number of rows.

    Raises:
        ConfigError: text that is not ASCII.
    """
    frame = pd.concat([_for_sas(piece, dataset) for piece in pieces], ignore_index=True)
    variables = _of(dataset, list(frame.columns))
    sas().write_xport(
        frame, str(path), file_label=dataset.label[:40], table_name=dataset.name, file_format_version=5,
        column_labels={variable.name: variable.label for variable in variables},
        variable_format={variable.name: XPT_DATE for variable in variables if variable.type == "date"},
    )  # fmt: skip
    return len(frame)


def _for_sas(piece: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Integers as numbers; dates as dates; text checked, and held once a value, as the same few words fill most columns."""
    found = {}
    for variable in _of(dataset, list(piece.columns)):
        values = piece[variable.name]
        if variable.type == "text":
            other = next((text for text in values.unique() if not text.isascii()), None)
            if other is not None:
                allowed = "ASCII text in SAS transport files; csv and parquet hold any"
                raise ConfigError(f"{dataset.name}.{variable.name}", other, allowed)
            codes, texts = pd.factorize(values)
            found[variable.name] = np.asarray(texts, dtype=object)[codes]
        elif variable.type == "date":
            found[variable.name] = values.dt.date.where(values.notna(), None)
        else:
            found[variable.name] = values.astype("float64")
    return pd.DataFrame(found)
