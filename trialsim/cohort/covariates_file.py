"""Real covariates in place of sampled ones: a CSV or Parquet file with one row a patient.

Required columns: age_y, sex, weight_kg, height_cm, tumour_type. Every other column of ``plausibility.COLUMNS`` is
optional and, where absent, is sampled given the columns that are there. Lesion diameters come as lesion_1_mm to
lesion_5_mm (empty where a patient has fewer); their number and sum are then computed from them. A column patient_id
is allowed and ignored: patient i is row i. Columns that are computed (bsa_m2, ffm_kg) or unknown are refused, so that
a misspelt name is never silently sampled.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from trialsim.cohort.plausibility import (
    BODY_MASS_INDEX,
    COLUMNS,
    LESION_COLUMNS,
    MAY_BE_EMPTY,
    Category,
    Flag,
    Quantity,
    first_implausible,
    implausible_build,
)
from trialsim.schema.base import ConfigError
from trialsim.schema.cohort import MAXIMUM_SIZE
from trialsim.schema.plain import usable_path

KEY = "cohort.covariates_file"
REQUIRED = ("age_y", "sex", "weight_kg", "height_cm", "tumour_type")
OPTIONAL = tuple(name for name in COLUMNS if name not in REQUIRED)
COMPUTED = {"bsa_m2": "weight_kg and height_cm", "ffm_kg": "weight_kg, height_cm, age_y and sex"}
LARGEST = 4 * 2**30  # bytes, of the file and unpacked
LONGEST_CELL = 200  # characters
MOST_COLUMNS = 200
INDEX = re.compile(r"__index_level_\d+__")  # how Parquet calls the index of a pandas table
PLAIN = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
TRUE, FALSE = {"true", "1", "1.0"}, {"false", "0", "0.0"}


def _fault(path: Path, what: str, allowed: str) -> ConfigError:
    return ConfigError(KEY, f"{path}: {what}", allowed)


def _cell(path: Path, name: str, row: int, value: object, allowed: str) -> ConfigError:
    return _fault(path, f"column {name}, row {row + 1}: {value}", f"{allowed} (row 1 is the first patient)")


def _read(path: Path) -> pd.DataFrame:
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".pq": _read_parquet}
    if path.suffix.lower() not in readers:
        raise _fault(path, f"ending {path.suffix or '(none)'}", "a file that ends in .csv or .parquet")
    if not path.is_file():
        raise _fault(path, "no such file", "the path of a CSV or Parquet file that exists")
    size = path.stat().st_size
    if size > LARGEST:
        raise _fault(path, f"{size:,} bytes", f"at most {LARGEST:,} bytes")
    try:
        return readers[path.suffix.lower()](path)
    except ConfigError:
        raise
    except Exception as error:  # the parsers raise a dozen types; the user needs one sentence
        reason = " ".join(str(error).split())
        raise _fault(path, f"cannot be read ({reason})", "a CSV with a header line, or a Parquet table") from error


def _read_csv(path: Path) -> pd.DataFrame:
    """First cell by cell: pandas would take a row that is too long for one with an index, and fill up one that is cut off."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        header = [name.strip() for name in next(rows, [])]
        _check_names(path, header)
        count = 0
        for cells in rows:
            count += bool(cells)
            if cells and len(cells) != len(header):
                allowed = f"{len(header)} cells, one a column (row 1 is the first patient)"
                raise _fault(path, f"row {count}: {len(cells)} cells", allowed)
            if cells and max(map(len, cells)) > LONGEST_CELL:
                raise _fault(path, f"row {count}: a cell of {max(map(len, cells))} characters", f"at most {LONGEST_CELL}")
            if count > MAXIMUM_SIZE:
                raise _fault(path, f"more than {MAXIMUM_SIZE:,} rows", f"at most {MAXIMUM_SIZE:,} patients")
    return pd.read_csv(path, encoding="utf-8-sig", header=0, names=header, index_col=False)


def _read_parquet(path: Path) -> pd.DataFrame:
    """The columns themselves: what pandas may have written beside them, its index among it, is not asked for."""
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if not INDEX.fullmatch(name)]
        _check_names(path, names)
        types = {name: file.schema_arrow.field(name).type for name in names}
        for name, kind in types.items():
            if not _is_plain(kind):
                raise _fault(path, f"column {name}: of type {kind}", "numbers, text, true or false")
        rows, size = file.metadata.num_rows, sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        if rows > MAXIMUM_SIZE:
            raise _fault(path, f"{rows:,} rows", f"at most {MAXIMUM_SIZE:,} patients")
        if size > LARGEST:
            raise _fault(path, f"{size:,} bytes unpacked", f"at most {LARGEST:,} bytes")
    text = [name for name, kind in types.items() if not (pa.types.is_primitive(kind) or pa.types.is_null(kind))]
    # text stays in its dictionary until its length is known: a few bytes can stand for gigabytes of it
    with pq.ParquetFile(path, read_dictionary=text) as file:
        table = file.read(columns=names).replace_schema_metadata(None)
    for name in text:
        for chunk in table[name].chunks:
            words = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            longest = pa.compute.max(pa.compute.binary_length(words)).as_py() if len(words) else 0
            if (longest or 0) > LONGEST_CELL:
                raise _fault(path, f"column {name}: a cell of {longest} bytes", f"at most {LONGEST_CELL}")
    return table.to_pandas()


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    of_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return of_text or any(test(kind) for test in PLAIN)


def _check_names(path: Path, names: list[str]) -> None:
    """Before the cells are read: not so many columns that this alone takes the memory, and none twice."""
    if len(names) > MOST_COLUMNS:
        raise _fault(path, f"{len(names)} columns", f"at most {MOST_COLUMNS}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _fault(path, f"column {', '.join(twice)} more than once", "every column once")


def _check_columns(path: Path, frame: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise _fault(path, f"missing column {', '.join(missing)}", f"a table with the columns {', '.join(REQUIRED)}")
    for name, basis in COMPUTED.items():
        if name in frame.columns:
            raise _fault(path, f"column {name}", f"leave it out: it is computed from {basis}")
    unknown = [str(name) for name in frame.columns if name not in (*REQUIRED, *OPTIONAL, "patient_id")]
    if unknown:
        raise _fault(
            path, f"unknown column {', '.join(unknown)}", f"{', '.join(REQUIRED)} and, if known, {', '.join(OPTIONAL)}"
        )
    given = [name for name in LESION_COLUMNS if name in frame.columns]
    if given and "lesion_1_mm" not in given:
        raise _fault(path, f"column {given[0]} without lesion_1_mm", "lesion_1_mm and, if known, the smaller ones")
    clash = [name for name in ("n_target_lesions", "sld_baseline_mm") if name in frame.columns and given]
    if clash:
        raise _fault(path, f"column {clash[0]} beside lesion_1_mm", "leave it out: it is computed from the lesions")


def _empty_row(values: pd.Series) -> int | None:
    empty = values.isna().to_numpy()
    return int(np.argmax(empty)) if empty.any() else None


def _numbers(path: Path, name: str, values: pd.Series, quantity: Quantity) -> np.ndarray:
    if values.map(lambda value: isinstance(value, bool | np.bool_)).any() if values.dtype == object else values.dtype == bool:
        raise _cell(path, name, 0, values.iloc[0], quantity.allowed)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
    wrong_type = np.isnan(numbers) & ~values.isna().to_numpy()
    if wrong_type.any():
        row = int(np.argmax(wrong_type))
        raise _cell(path, name, row, repr(values.iloc[row]), quantity.allowed)
    outside = first_implausible(name, numbers)
    if outside is not None:
        raise _cell(path, name, outside, f"{numbers[outside]:g}", quantity.allowed)
    if quantity.whole:
        broken = numbers != np.round(numbers)
        if broken.any():
            row = int(np.argmax(broken))
            raise _cell(path, name, row, f"{numbers[row]:g}", quantity.allowed)
        return numbers.astype(int)
    return numbers


def _flags(path: Path, name: str, values: pd.Series, flag: Flag) -> np.ndarray:
    text = values.astype(str).str.strip().str.lower()
    known = text.isin(TRUE | FALSE).to_numpy()
    if not known.all():
        row = int(np.argmin(known))
        raise _cell(path, name, row, repr(values.iloc[row]), flag.allowed)
    return text.isin(TRUE).to_numpy()


def _labels(path: Path, name: str, values: pd.Series, category: Category) -> np.ndarray:
    text = values.astype(str).str.strip()
    known = text.isin(category.choices).to_numpy()
    if not known.all():
        row = int(np.argmin(known))
        raise _cell(path, name, row, repr(values.iloc[row]), category.allowed)
    return text.to_numpy(dtype=str)


def _convert(path: Path, name: str, values: pd.Series, tumour_types: tuple[str, ...]) -> np.ndarray:
    column = Category("tumour type", tuple(sorted(tumour_types))) if name == "tumour_type" else COLUMNS[name]
    row = None if name in MAY_BE_EMPTY else _empty_row(values)
    if row is not None:
        raise _cell(path, name, row, "empty (NaN)", column.allowed)
    if isinstance(column, Quantity):
        return _numbers(path, name, values, column)
    if isinstance(column, Flag):
        return _flags(path, name, values, column)
    return _labels(path, name, values, column)


def _lesions(path: Path, columns: dict[str, np.ndarray], patients: int) -> dict[str, np.ndarray]:
    """Lesion columns become one array, largest first, with their number and sum."""
    absent = np.full(patients, np.nan)
    diameters = np.column_stack([columns.pop(name, absent) for name in LESION_COLUMNS])
    ordered = -np.sort(-diameters, axis=1)  # NaN sorts last
    return {
        "lesion_mm": ordered,
        "n_target_lesions": np.sum(~np.isnan(ordered), axis=1),
        "sld_baseline_mm": np.nansum(ordered, axis=1),
    }


def read_covariates(
    path: str | Path, tumour_types: tuple[str, ...], size: int, ids: np.ndarray
) -> dict[str, np.ndarray]:
    """Read, check and select the patients of a covariates file.

    Args:
        path: CSV or Parquet file.
        tumour_types: the tumour types that are described in the configuration.
        size: cohort.size; the file must hold at least as many rows.
        ids: rows wanted, counted from 0, shape (patients,).

    Returns:
        Columns by name, each of shape (patients,); with lesion columns also ``lesion_mm``, shape (patients, 5).

    Raises:
        ConfigError: names ``cohort.covariates_file``, the column, the row and what is allowed; or ``cohort.size`` where
            more patients are asked for than the file holds.
    """
    path = usable_path(KEY, path)
    state = path.stat() if path.is_file() else None
    columns = _checked(path, tumour_types, size, state and (state.st_mtime_ns, state.st_size))
    rows = len(columns["age_y"])
    if ids.max() >= rows:
        raise ConfigError("cohort.size", int(ids.max()) + 1, f"patients 0 to {rows - 1}, the rows of {path}")
    return {name: values[ids] for name, values in columns.items()}


@lru_cache(maxsize=1)
def _checked(path: Path, tumour_types: tuple[str, ...], size: int, version: tuple[int, int] | None) -> dict[str, np.ndarray]:
    """All patients of the file. Kept, as every block of a study asks for some; ``version`` tells a changed file."""
    frame = _read(path)
    _check_columns(path, frame)
    if len(frame) == 0:
        raise _fault(path, "no rows", "at least one patient")
    if size > len(frame):
        raise ConfigError("cohort.size", size, f"at most {len(frame)}, the number of patients in {path}")
    names = [name for name in frame.columns if name != "patient_id"]
    columns = {name: _convert(path, name, frame[name], tumour_types) for name in names}
    row = implausible_build(columns["height_cm"], columns["weight_kg"])
    if row is not None:
        build = f"{columns['weight_kg'][row]:g} with height_cm {columns['height_cm'][row]:g}"
        raise _cell(path, "weight_kg", row, build, f"a body-mass index of {BODY_MASS_INDEX.allowed}")
    if "lesion_1_mm" in columns:
        columns.update(_lesions(path, columns, len(frame)))
    elif "sld_baseline_mm" in columns and "n_target_lesions" in columns:
        wrong = columns["sld_baseline_mm"] < 10.0 * columns["n_target_lesions"]
        if wrong.any():
            row = int(np.argmax(wrong))
            number = columns["n_target_lesions"][row]
            raise _cell(
                path,
                "sld_baseline_mm",
                row,
                columns["sld_baseline_mm"][row],
                f"at least {10 * number} mm for {number} lesions",
            )
    return columns
