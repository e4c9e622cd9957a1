"""The named steps of an analysis, each kept as soon as it is done, so that a run that was killed goes on from there."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from trialsim import console
from trialsim.artefacts.claim import BLOCKS
from trialsim.artefacts.files import atomic
from trialsim.artefacts.tables import read_table

if TYPE_CHECKING:
    from trialsim.artefacts import RunFolder

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
Tables = Mapping[str, pd.DataFrame]
Across = Callable[[Iterable[Callable[[], Tables]]], Iterator[Tables]]

log = logging.getLogger(__name__)


def in_turn(jobs: Iterable[Callable[[], Tables]]) -> Iterator[Tables]:
    """One after another."""
    return (job() for job in jobs)


class Steps:
    """Use::

        screened = steps.one("screen", partial(screen, config))
        fitted = steps.each("fitting", {f"fit_{name}": partial(fit, screened, name) for name in names})

    A step is a function that returns tables by name, and the same tables whenever it is called. A step that is complete on disk
    is read back and not called.

    Args:
        folder: the run folder; None keeps nothing.
        mode: ``compute.progress``.
    """

    def __init__(self, folder: RunFolder | None = None, mode: console.Mode = "auto"):
        self.folder, self.mode = folder, mode

    def one(self, name: str, make: Callable[[], Tables]) -> Tables:
        """The tables of one step."""
        with console.step(name.replace("_", " "), self.mode):
            return self._tables(name, make)

    def each(self, what: str, steps: Mapping[str, Callable[[], Tables]], across: Across = in_turn) -> dict[str, Tables]:
        """The tables of many steps by name, with progress.

        Args:
            what: what is being done, e.g. ``"simulating doses"``.
            across: does the steps and yields what they return, in order: `in_turn`, or some at the same time
                (`engine.population.on_devices`).
        """
        found = {}
        made = across(make for name, make in steps.items() if not self._is_kept(name))
        with console.progress(what, len(steps), self.mode) as advance, closing(made):
            for name in steps:
                found[name] = self._tables(name, partial(next, made))
                advance(1)
        return found

    def _is_kept(self, name: str) -> bool:
        return self.folder is not None and self.folder.block_complete(name)

    def _tables(self, name: str, make: Callable[[], Tables]) -> Tables:
        if self.folder is None:
            return make()
        if not NAME.fullmatch(name):
            raise ValueError(f"a step is called by letters, digits and _.+- only, not {name!r}")
        if self._is_kept(name):
            log.info("step %s: kept from an earlier run", name, extra={"file_only": True})
        else:
            _save(self.folder, name, make())
        # read in either case, so that a resumed run sees what an uninterrupted one saw
        files = [self.folder.path / file for file in self.folder.block_files(name)]
        return {file.stem: read_table(file) for file in files}


def _save(folder: RunFolder, name: str, tables: Tables) -> None:
    """Write the tables of a step and record it."""
    files = {table: f"{BLOCKS}/{name}/{table}.parquet" for table in tables}
    for table, rows in tables.items():
        with atomic(folder.path / files[table]) as partial:
            rows.to_parquet(partial, index=False, engine="pyarrow")
    folder.end_block(name, files.values())
