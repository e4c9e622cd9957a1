"""Plates: where each well of an experiment lies.

Every line has plates of its own in every replicate, with vehicle controls, blanks and, on a plate of its own, wells read when the
drug is added (time 0). Places are drawn at random, so that the edge effect is noise and no bias (Niepel et al., Cell Syst
2019;9:35-48); ``avoid`` leaves the outer wells, which dry out, to medium alone.

What a well holds gives it an id of its own, from which its random numbers come: it is measured with the same error in whatever
layout it stands, but for what its place does to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.schema.analysis.assay import VEHICLE
from trialsim.streams import uniforms

if TYPE_CHECKING:
    from trialsim.schema.analysis.assay import PlateSettings

ROWS, COLUMNS = "ABCDEFGH", 12
BLANKS = 6  # wells without cells on a plate whose edge is used; else the outer wells are blanks
TIME_0 = "time0"  # treatment of wells that are read when the drug is added
BLANK = "blank"


def places() -> pd.DataFrame:
    """Every well of a plate: row and column from 0, ring (0: outer wells, 1: those inside them, and so on)."""
    row, column = (part.ravel() for part in np.meshgrid(range(len(ROWS)), range(COLUMNS), indexing="ij"))
    inward = np.minimum(np.minimum(row, len(ROWS) - 1 - row), np.minimum(column, COLUMNS - 1 - column))
    return pd.DataFrame({"row": row, "column": column, "ring": inward})


def well_name(row: int, column: int) -> str:
    """``C05``."""
    return f"{ROWS[row]}{column + 1:02d}"


def ids(*parts: Sequence) -> np.ndarray:
    """A number for each tuple of words, the same wherever it occurs."""
    return np.array([zlib.crc32("/".join(map(str, words)).encode()) for words in zip(*parts, strict=True)], np.uint32)


def lay_out(line: str, replicates: int, doses: pd.DataFrame, settings: PlateSettings, seed: int) -> pd.DataFrame:
    """All wells of one line.

    Args:
        doses: treatment and dose_nM of what is tested, vehicle left out.

    Returns:
        One row a well: line, replicate, plate, well, row, column, ring, treatment, dose_nM, copy, id.
    """
    tested = doses[["treatment", "dose_nM"]].loc[doses.index.repeat(settings.copies)].reset_index(drop=True)
    tested["copy"] = np.tile(np.arange(settings.copies), len(doses))
    outer = places()["ring"] == 0
    room = len(outer) - settings.controls - (int(outer.sum()) if settings.edge == "avoid" else BLANKS)
    parts = [tested.iloc[start : start + room] for start in range(0, len(tested), room)]
    plates = []
    for replicate in range(1, replicates + 1):
        for number, part in enumerate([*parts, tested.iloc[:0]]):
            last = number == len(parts)
            name = f"{line}-{replicate}-{TIME_0 if last else number + 1}"
            controls = _same(TIME_0 if last else VEHICLE, settings.controls, number)
            held = pd.concat([part, controls], ignore_index=True)
            inner, rest = _places(name, len(held), settings, seed)
            held = pd.concat([held, _same(BLANK, len(rest), number)], ignore_index=True)
            held["id"] = ids([line] * len(held), [replicate] * len(held), held["treatment"], held["dose_nM"], held["copy"])
            where = pd.concat([inner, rest], ignore_index=True)
            plates.append(pd.concat([held, where], axis=1).assign(line=line, replicate=replicate, plate=name))
    wells = pd.concat(plates, ignore_index=True)
    wells["well"] = [well_name(row, column) for row, column in zip(wells["row"], wells["column"], strict=True)]
    return wells[["line", "replicate", "plate", "well", "row", "column", "ring", "treatment", "dose_nM", "copy", "id"]]


def _places(plate: str, cells: int, settings: PlateSettings, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where cells go, in random order, and where blanks go."""
    every = places()
    for_cells = every[every["ring"] > 0] if settings.edge == "avoid" else every
    drawn = for_cells.iloc[np.argsort(uniforms(seed, f"place_{plate}", for_cells.index.to_numpy())[:, 0], kind="stable")]
    blanks = every[every["ring"] == 0] if settings.edge == "avoid" else drawn.iloc[cells : cells + BLANKS]
    return drawn.iloc[:cells], blanks


def _same(treatment: str, count: int, plate: int) -> pd.DataFrame:
    """Wells that hold the same; numbered on from plate to plate, as each is a well of its own."""
    return pd.DataFrame({"treatment": treatment, "dose_nM": 0.0, "copy": 100 * plate + np.arange(count)})
