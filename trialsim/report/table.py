"""What a table is to the page, and tables of nested facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from trialsim.report.wording import MISSING, is_number, number


class Table(NamedTuple):
    """One table.

    Attributes:
        key: file name stem under tables/, unique.
        title: heading.
        raw: what the CSV holds, unrounded.
        shown: what the page shows, text.
        note: one sentence below it.
        folded: True for long tables that open on a click.
    """

    key: str
    title: str
    raw: pd.DataFrame
    shown: pd.DataFrame
    note: str = ""
    folded: bool = False


def facts(key: str, title: str, values: Any, note: str = "", folded: bool = False) -> Table:
    """Nested facts (diagnostics, solver check, provenance) as dotted name and value."""
    rows = list(_leaves(values, ""))
    raw = pd.DataFrame(rows, columns=["name", "value"])
    shown = pd.DataFrame([[name.replace("_", " "), _fact(value)] for name, value in rows], columns=["Item", "Value"])
    return Table(key, title, raw, shown, note, folded)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{name}[{i}]")
    elif isinstance(value, list):
        yield name, ", ".join(str(item) for item in value)
    else:
        yield name, value


def _fact(value: Any) -> str:
    if isinstance(value, bool) or is_number(value) and isinstance(value, float):
        return number(value, 4)
    return MISSING if value is None or value == "" else str(value)
