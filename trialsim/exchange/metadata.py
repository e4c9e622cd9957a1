"""What every exported variable means: data/adam.csv, the one place from which labels, order and controlled terms come."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd


class Variable(NamedTuple):
    """label: at most 40 letters. type: num or char. terms: allowed values, empty: any. origin: where it comes from."""

    name: str
    label: str
    type: str
    terms: tuple[str, ...]
    origin: str


@cache
def variables(dataset: str) -> tuple[Variable, ...]:
    """The variables of a dataset in their order, those of all datasets first."""
    table = pd.read_csv(_data("adam.csv"), dtype=str, keep_default_na=False)
    rows = table[table["dataset"].isin(["*", dataset])]
    terms = lambda text: tuple(text.split("|")) if text else ()
    return tuple(Variable(row.variable, row.label, row.type, terms(row.terms), row.origin) for row in rows.itertuples())


@cache
def dictionary() -> dict[str, tuple[str, str]]:
    """MedDRA preferred term and system organ class of each adverse event."""
    table = pd.read_csv(_data("terms.csv"), dtype=str)
    return {row.term: (row.AEDECOD, row.AEBODSYS) for row in table.itertuples()}


def _data(name: str) -> str:
    return str(files("trialsim.exchange") / "data" / name)
