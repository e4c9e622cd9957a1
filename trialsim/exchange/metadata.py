"""What the exported data sets hold: one declarative table of variables, from which order, types, labels, checks and listings come.

`data/adam.csv` has one row a variable, of one data set, several, or all (`*`): name and label as ADaM has them (SAS transport: at
most 8 and 40 characters), type, length in bytes, controlled terms parted by `|` (an empty last one: may be empty), and origin, the
column of the run that it comes from, with its unit. Terms follow CDISC where it has them: SEX, AGEU, ACN, OUT, NCOMPLT, response.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.schema import ConfigError

DIGITS = 9  # significant digits of exported numbers: enough to tell any two single-precision values apart


class Variable(NamedTuple):
    """Attributes: name, label, type (text, integer, float, date), length, terms (None: free), origin."""

    name: str
    label: str
    type: str
    length: int
    terms: tuple[str, ...] | None
    origin: str


class Dataset(NamedTuple):
    """Attributes: name, label, structure (what a row is), table (of the run, beside patients; None: patients only), variables."""

    name: str
    label: str
    structure: str
    table: str | None
    variables: tuple[Variable, ...]


def read_data(name: str) -> pd.DataFrame:
    """A data file of this package, all text."""
    with (files("trialsim.exchange") / "data" / name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


@cache
def datasets() -> dict[str, Dataset]:
    """Every data set by name."""
    rows = read_data("adam.csv").to_dict("records")

    def variables(name: str) -> tuple[Variable, ...]:
        return tuple(
            Variable(
                row["name"], row["label"], row["type"], int(row["length"]),
                tuple(row["terms"].split("|")) if row["terms"] else None, row["origin"],
            )
            for row in rows if {"*", name} & set(row["datasets"].split())
        )  # fmt: skip

    every = read_data("datasets.csv").to_dict("records")
    return {
        row["name"]: Dataset(row["name"], row["label"], row["structure"], row["table"] or None, variables(row["name"]))
        for row in every
    }


def conform(dataset: Dataset, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The data set's variables in order and in their types. Dates may be absent.

    Text is ``str`` and empty where missing; integers are nullable; numbers keep `DIGITS` significant digits, so that every format
    holds the same value.

    Raises:
        ConfigError: a value that is too long or no controlled term, from a run folder that was changed by hand.
    """
    found = {variable.name: _typed(dataset, variable, columns[variable.name]) for variable in _present(dataset, columns)}
    return pd.DataFrame(found)


def _present(dataset: Dataset, columns: Mapping[str, Any]) -> list[Variable]:
    return [variable for variable in dataset.variables if variable.type != "date" or variable.name in columns]


def _typed(dataset: Dataset, variable: Variable, values: Any) -> Any:
    where = f"{dataset.name}.{variable.name}"
    if variable.type == "date":
        return pd.Series(values, dtype="datetime64[s]")
    if variable.type == "text":
        text = pd.Series(values, dtype="str")
        for value in text.unique():
            if len(str(value).encode()) > variable.length:
                raise ConfigError(where, value, f"text of at most {variable.length} bytes")
            if variable.terms is not None and value not in variable.terms:
                raise ConfigError(where, value, f"one of {', '.join(term or '(empty)' for term in variable.terms)}")
        return text
    try:
        numbers = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise ConfigError(where, str(error), "numbers") from error
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    if variable.type == "float":
        return pd.Series(significant(numbers))
    if np.any(numbers != np.round(numbers), where=np.isfinite(numbers)):
        raise ConfigError(where, float(numbers[np.isfinite(numbers) & (numbers != np.round(numbers))][0]), "whole numbers")
    if variable.terms is not None:
        for value in np.unique(numbers[np.isfinite(numbers)]):
            if f"{value:.0f}" not in variable.terms:
                raise ConfigError(where, f"{value:.0f}", f"one of {', '.join(variable.terms)}")
    return pd.Series(pd.array(numbers, dtype="Float64")).astype("Int64")


def significant(values: np.ndarray) -> np.ndarray:
    """Numbers rounded to `DIGITS` significant digits."""
    size = np.abs(values, where=np.isfinite(values), out=np.zeros_like(values))
    digits = DIGITS - 1 - np.floor(np.log10(size, where=size > 0, out=np.zeros_like(size)))
    # powers of ten are exact up to 22; smaller numbers than that leaves room for are noise of the integration, kept as they are
    scale = 10.0 ** np.clip(digits, 0, 22)
    return np.where((digits >= 0) & (digits <= 22), np.round(values * scale) / scale, values)
