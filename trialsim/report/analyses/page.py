"""What an analysis left behind, as its page reads it, and what it puts on the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.artefacts.tables import read_table
from trialsim.report.page import Card, Section
from trialsim.schema import ConfigError

TABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # names a file


@dataclass(frozen=True)
class Saved:
    """An analysis, read from its run folder.

    Attributes:
        folder: the run folder.
        config: the resolved configuration, nested plain values.
        provenance: versions, seed, device, code state.
        summary: content of summary.json.
    """

    folder: Path
    config: dict[str, Any]
    provenance: dict[str, Any]
    summary: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.summary["kind"])

    @property
    def results(self) -> dict[str, Any]:
        """Headline numbers, as the analysis returned them; what was not finite is None."""
        return dict(self.summary["results"])

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the analysis."""
        return dict(self.config["analysis"])

    def table(self, name: str) -> pd.DataFrame:
        """A table that the analysis returned."""
        return read_table(self.folder / f"{name}.parquet")


class Page(NamedTuple):
    """What one analysis puts on its page.

    Attributes:
        summary: paragraphs in plain language; the first says what was done, the others what was found.
        chapters: figures and tables in reading order.
        methods: paragraphs on how it was computed, with references.
        settings: sections of the configuration that the result rests on (``tumour.colorectal`` for one tumour type); they are
            listed with their sources.
        unused: keys in these sections that have no part in the result.
        cards: headline numbers.
        cautions: what a reader must keep in mind.
        checks: what was checked and found good, to follow "Checks passed: "; empty if nothing was.
    """

    summary: list[str]
    chapters: list[Section]
    methods: list[str]
    settings: tuple[str, ...]
    unused: tuple[str, ...] = ()
    cards: list[Card] = []
    cautions: list[str] = []
    checks: str = ""


def read_saved(folder: Path) -> Saved:
    """Read the folder of an analysis; its tables are read when they are asked for."""
    summary = read_json(folder / "summary.json")
    tables = summary.get("tables")
    if not isinstance(tables, list) or not all(isinstance(name, str) and TABLE.fullmatch(name) for name in tables):
        raise ConfigError("summary.json.tables", tables, "names of the tables beside it, of letters, digits and _.-")
    return Saved(folder, read_yaml(folder / "config.yaml"), read_json(folder / "provenance.json"), summary)
