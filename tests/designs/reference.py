"""Published and independently computed values of standard designs (tests/data/reference_tables.csv; each row names its source).

A row's inputs and expectations are written ``name=value;name=value``; lists are written ``a|b|c``. A checker takes a `Row`, calls
trialsim, and asserts. The modules ``reference_<family>.py`` beside this one register theirs in ``CHECKS``, by method.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parents[1] / "data" / "reference_tables.csv"


class Row(NamedTuple):
    """One row. ``line``: in the file. The other fields are the file's columns."""

    line: int
    method: str
    inputs: str
    expected: str
    kind: str
    source: str
    cross_check: str


ROWS = [Row(number, *cells) for number, cells in enumerate(csv.reader(TABLE.open(encoding="utf-8")), start=1) if number > 1]


def named(text: str) -> dict[str, str]:
    """``a=1;b=2`` as a dictionary of words; pieces without a name are left out."""
    return dict(piece.strip().split("=", 1) for piece in text.split(";") if "=" in piece)


def numbers(text: str) -> list[float]:
    """``1|2|3`` as numbers; fractions such as 1/3 too."""
    parts = [piece.strip().split("/") for piece in text.split("|")]
    return [float(part[0]) / (float(part[1]) if len(part) > 1 else 1.0) for part in parts]


def unit_of_last_digit(text: str) -> float:
    """Half of the last printed digit of a number, the most that rounding explains: ``0.6302`` -> 0.00005."""
    decimals = len(text.split(".")[1]) if "." in text else 0
    return 0.5 * 10.0**-decimals


def data(method: str, name: str) -> list[float]:
    """A data row (``data_ovarian``, ...) by the name of its variable."""
    return next(numbers(row.expected) for row in ROWS if row.method == method and row.inputs == name)
