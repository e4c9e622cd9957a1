"""The figures of a report as files, for a paper or a slide."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
import plotly.io

from trialsim.artefacts.files import PARTIAL, atomic
from trialsim.schema import ConfigError

WIDTH = 900  # pixels, as the report's own button saves them
SCALE = {"svg": 1, "png": 2}


def able_to_draw(key: str, value: str) -> None:
    """kaleido draws Plotly figures in a browser of its own, Chrome or Chromium.

    Raises:
        ConfigError: on the key of what asked for it.
    """
    try:
        import kaleido  # noqa: F401
    except ImportError as error:
        allowed = 'only with kaleido and Chrome or Chromium: python -m pip install "trialsim[images]"'
        raise ConfigError(key, value, allowed) from error


def write_figure(figure: go.Figure, file: Path) -> None:
    """One figure as a file: .html (with all that it needs), .svg or .png, whole or not at all."""
    with atomic(file) as partial:
        if file.suffix == ".html":
            page = figure.to_html(include_plotlyjs=True, config={"displayModeBar": False})
            partial.write_text(page, encoding="utf-8")
        else:
            kind = file.suffix[1:]
            figure = go.Figure(figure).update_layout(paper_bgcolor="#ffffff")
            plotly.io.write_image(figure, partial, format=kind, scale=SCALE[kind])


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
