"""The figures of a report as files, for a paper or a slide."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import plotly.io

from trialsim.artefacts.files import PARTIAL

WIDTH = 900  # pixels, as the report's own button saves them
SCALE = {"svg": 1, "png": 2}


def write_images(folder: Path, formats: Sequence[str]) -> list[Path]:
    """Draw ``figures/*.json`` of a run folder, all in one browser.

    Args:
        formats: "svg", "png".

    Returns:
        The files written, beside those that they come from.
    """
    sources = sorted((folder / "figures").glob("*.json"))
    figures = [plotly.io.from_json(source.read_text(encoding="utf-8")) for source in sources]
    for figure in figures:
        figure.update_layout(width=WIDTH, paper_bgcolor="#ffffff")
    written = []
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=folder / "figures") as place:
        for kind in formats:
            drawn = [Path(place) / f"{source.stem}.{kind}" for source in sources]
            plotly.io.write_images(figures, drawn, format=kind, scale=SCALE[kind])
            for file in drawn:
                written.append(folder / "figures" / file.name)
                os.replace(file, written[-1])
    return written
