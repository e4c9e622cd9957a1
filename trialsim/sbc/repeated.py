"""Repetitions of a model, kept batch by batch in one CSV file, so that a run that was interrupted goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from trialsim import console
from trialsim.artefacts.files import atomic
from trialsim.sbc.models import Model
from trialsim.sbc.sampled import AT_ONCE

TOLD = ("seed", "ess", "divergences", "seconds")  # columns beside the ranks


def repeated(name: str, model: Model, repetitions: int, folder: Path) -> pd.DataFrame:
    """One row a repetition: `TOLD` and the rank of every quantity. Seeds are 0, 1, 2, ...

    Args:
        folder: where ``NAME.csv`` is kept; what it holds already is not done again.
    """
    path = folder / f"{name}.csv"
    rows = pd.read_csv(path) if path.is_file() else pd.DataFrame()
    if len(rows) >= repetitions:
        return rows[:repetitions]
    with console.step(f"compiling {name}"):
        batch = model.batch()
    with console.progress(name, repetitions - len(rows), "auto") as advance:
        while len(rows) < repetitions:
            seeds = range(len(rows), min(len(rows) + AT_ONCE, repetitions))
            started = time.process_time()
            found = batch(seeds)
            each = (time.process_time() - started) / len(found)
            new = [{"seed": seed, "ess": one.ess, "divergences": one.divergences, "seconds": each} | one.ranks
                   for seed, one in zip(seeds, found, strict=True)]  # fmt: skip
            rows = pd.concat([rows, pd.DataFrame(new)], ignore_index=True)
            with atomic(path) as partial:
                rows.to_csv(partial, index=False)
            advance(len(found))
    return rows
