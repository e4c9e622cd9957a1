"""Tables as CSV that a spreadsheet takes for data: no cell of text is run as a formula.

Spreadsheets evaluate text that begins with = + - @, a tab or a carriage return (OWASP, CSV injection). A leading apostrophe
shows such a cell as text; numbers, also negative ones, stay as they are.
"""

from __future__ import annotations

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, without the index."""
    safe = table.copy()
    for place, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            column = table.iloc[:, place].astype(object)
            safe.isetitem(place, column.map(_shown, na_action="ignore"))
    return str(safe.rename(columns=_shown).to_csv(index=False))


def _shown(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
