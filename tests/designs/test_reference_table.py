"""Every row of the reference table, against trialsim: none is left out without a reason."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from reference import ROWS, Row

CHECKERS = [importlib.import_module(path.stem) for path in sorted(Path(__file__).parent.glob("reference_*.py"))]
CHECKS = {method: check for module in CHECKERS for method, check in module.CHECKS.items()}
INPUTS = {"data_ovarian", "data_aml", "map_prior_data"}  # data that other rows are computed from
NOT_COVERED: dict[str, str] = {}  # method: reason


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in CHECKS], ids=lambda row: f"{row.line}-{row.method}")
def test_row(row: Row) -> None:
    CHECKS[row.method](row)


def test_every_row_is_checked_or_has_a_reason() -> None:
    assert len(ROWS) == 207
    checked = set(CHECKS) | INPUTS | set(NOT_COVERED)
    assert {row.method for row in ROWS} == checked
    assert not set(CHECKS) & set(NOT_COVERED), "a method is either checked or not"
    assert all(NOT_COVERED.values())
