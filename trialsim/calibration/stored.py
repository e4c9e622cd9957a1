"""The library of simulated patients in a folder: what is there is read, the rest is simulated.

A file is named by a digest of all that its patients were made from, so that a folder can be used again after settings have changed:
what they touch is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.artefacts.files import atomic
from trialsim.calibration.arms import Arm
from trialsim.calibration.library import Cell, cells_of, simulated
from trialsim.engine.population import on_devices, usable_devices

SMALLEST_CELL = 256  # patients, of a tumour type that few of a mixed trial's patients have
ACCURACY = 0.01  # compute.accuracy of the library: its error is far below that of a few thousand patients (ours)
VERSION = 1  # of what a file holds; a change makes all anew


def patients_of(cell: Cell, patients: int) -> int:
    """Patients simulated for a cell: a power of two, fewer for a small share of an arm."""
    return patients if cell.share == 1.0 else int(2 ** np.ceil(np.log2(max(patients * cell.share, SMALLEST_CELL))))


def library(arms: Sequence[Arm], patients: int, folder: Path, mode: console.Mode = "auto") -> list[tuple[Cell, pd.DataFrame]]:
    """Patients of every cell, simulated or read from ``folder/library``."""
    cells = [cell for arm in arms for cell in cells_of(arm)]
    made = []
    with console.progress("simulating arms of published trials", len(cells), mode) as advance:
        jobs = (partial(_rows, cell, patients, folder) for cell in cells)
        for cell, rows in zip(cells, on_devices(jobs, usable_devices(None)), strict=True):
            made.append((cell, rows))
            advance(1)
    return made


def _rows(cell: Cell, patients: int, folder: Path) -> pd.DataFrame:
    """The patients of one cell, read or simulated."""
    count = patients_of(cell, patients)
    path = folder / "library" / f"{cell.name.replace('/', '-')}-{_digest(cell, count)}.parquet"
    if not path.is_file():
        rows = simulated(_coarse(cell), count)
        with atomic(path) as partial_path:
            rows.to_parquet(partial_path, index=False, engine="pyarrow")
    return pd.read_parquet(path)


def _coarse(cell: Cell) -> Cell:
    compute = cell.arm.config.compute.model_copy(update={"accuracy": ACCURACY})
    return cell._replace(arm=cell.arm._replace(config=cell.arm.config.model_copy(update={"compute": compute})))


def _digest(cell: Cell, count: int) -> str:
    """Of all that the patients of a cell are made from."""
    config = cell.arm.config
    parts = config.model_dump(
        mode="json",
        include={"seed", "cohort", "drug", "partner", "network", "mechanism", "regimen", "modification", "endpoint", "design"},
    )
    parts["cohort"].pop("mix", None)
    settings = config.analysis.model_dump(mode="json")
    moves_none = {"low_grade": True, "sources": {"low_grade"}}
    tumour = config.tumour[cell.kind].model_dump(mode="json", exclude={"growth": moves_none})
    parts |= {"tumour": tumour, "kind": cell.kind, "arm": cell.arm.arm, "count": count}
    parts |= {key: settings[key] for key in ("selection", "dose_levels", "disease_control_weeks", "reader")}
    parts |= {"parameters": {name: list(prior) for name, prior in cell.parameters.items()}, "version": VERSION}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
