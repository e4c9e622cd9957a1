"""Tables that need not fit into memory: written as Parquet row groups as they come, read by column and row group.

The row groups of a finished table hold the same patients whatever wrote it: ``GROUP`` consecutive patient ids each. Its bytes
are therefore those of any other run of the same study, however that was cut into chunks, blocks and parts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 4096  # patients a row group; a group of the largest table (two years by week) takes some 30 MB in memory
ROWS = 50_000  # rows held back for a row group while a table is written; a row group a chunk would cost more than the rows
ID = "patient_id"


@contextlib.contextmanager
def table_writer(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """A function that appends a table; rows are written whenever there are enough for a row group. The first table fixes the
    columns and their types."""
    with contextlib.ExitStack() as open_files:
        writer: pq.ParquetWriter | None = None
        held: list[pa.Table] = []

        def append(table: pd.DataFrame) -> None:
            nonlocal writer
            if writer is None:
                writer = open_files.enter_context(pq.ParquetWriter(path, _schema(table)))
            held.append(pa.Table.from_pandas(table, writer.schema, preserve_index=False).replace_schema_metadata(None))
            if sum(map(len, held)) >= ROWS:
                flush(writer)

        def flush(writer: pq.ParquetWriter) -> None:
            rows = pa.concat_tables(held)
            writer.write_table(rows, row_group_size=max(len(rows), 1))
            held.clear()

        yield append
        if writer is not None and held:
            flush(writer)


def _schema(table: pd.DataFrame) -> pa.Schema:
    """Column types. Text is said to be text: a first chunk without rows would not tell."""
    text = lambda dtype: pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
    types = {name: pa.string() if text(dtype) else pa.from_numpy_dtype(dtype) for name, dtype in table.dtypes.items()}
    return pa.schema(list(types.items()))


def join_tables(sources: Sequence[Path], target: Path) -> None:
    """Write tables one after another as one, with a row group for every ``GROUP`` patient ids that occur.

    Args:
        sources: Parquet files with a column patient_id that ascends within and between them. target: file to write.
    """
    with pq.ParquetWriter(target, pq.read_schema(sources[0])) as writer:
        for rows in _regrouped(rows for source in sources for rows in _row_groups(source)):
            writer.write_table(rows, row_group_size=len(rows))


def _row_groups(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            yield file.read_row_group(index, columns=columns)


def _regrouped(tables: Iterable[pa.Table], size: int = GROUP) -> Iterator[pa.Table]:
    """The same rows, cut where ``patient_id // size`` changes."""
    held: list[pa.Table] = []
    current = -1
    for table in tables:
        group = table[ID].to_numpy() // size
        edges = [0, *(np.flatnonzero(np.diff(group)) + 1), len(group)] if len(group) else []
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            if group[start] != current and held:
                yield pa.concat_tables(held).combine_chunks()
                held = []
            current = group[start]
            held.append(table.slice(start, stop - start))
    if held:
        yield pa.concat_tables(held).combine_chunks()


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A whole table, or those of ``columns`` that it has."""
    if columns is not None:
        columns = [name for name in pq.read_schema(path).names if name in set(columns)]
    # each column is freed once it is converted, so that the table is not held twice
    return pq.read_table(path, columns=columns).to_pandas(split_blocks=True, self_destruct=True)


def read_pieces(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """A table in pieces of about ``GROUP`` patients, those of ``columns`` that it has. No patient is split between pieces."""
    wanted = [name for name in pq.read_schema(path).names if name in {*columns, ID}]
    for rows in _regrouped(_row_groups(path, wanted)):
        yield rows.to_pandas()


def read_patients(path: Path, ids: Sequence[int], columns: Sequence[str]) -> pd.DataFrame:
    """The rows of some patients; row groups without any of them are not read."""
    wanted, names = np.unique(np.asarray(ids, int)), pq.read_schema(path).names
    columns = [name for name in names if name in {*columns, ID}]
    found = []
    with pq.ParquetFile(path) as file:
        place = names.index(ID)
        for index in range(file.num_row_groups):
            span = file.metadata.row_group(index).column(place).statistics
            if span is None or not span.has_min_max or ((wanted >= span.min) & (wanted <= span.max)).any():
                rows = file.read_row_group(index, columns=columns)
                found.append(rows.filter(pa.array(np.isin(rows[ID].to_numpy(), wanted))))
        empty = file.schema_arrow.empty_table().select(columns)
    return pa.concat_tables([empty, *found]).to_pandas()
