"""Any page: one HTML file that needs nothing else, the figures as plotly JSON, the tables as CSV."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from trialsim.artefacts.csv_text import csv_text
from trialsim.artefacts.files import atomic
from trialsim.artefacts.status import within
from trialsim.report.assumptions import Assumption
from trialsim.report.page import Section
from trialsim.report.table import Table, facts
from trialsim.report.theme import css_variables, exchange
from trialsim.report.wording import NBSP, number, words

TEMPLATES = Path(__file__).parent / "templates"


def write_page(
    folder: Path,
    template: str,
    chapters: Sequence[Section],
    tables: Sequence[Table],
    assumptions: Mapping[str, list[Assumption]],
    provenance: Mapping[str, Any],
    **content: Any,
) -> Path:
    """Write report.html, figures/*.json and tables/*.csv.

    Args:
        folder: the run folder.
        template: a file of ``templates`` that extends page.html.j2.
        chapters: figures and tables in reading order. tables: those that stand outside the chapters.
        assumptions: settings by section. provenance: where the result comes from.
        **content: what else the template shows.

    Returns:
        Path of report.html.
    """
    origin = facts("provenance", "Versions, choices and times", provenance)
    of_chapters = [table for chapter in chapters for table in chapter.tables]
    rows = [row._asdict() for group in assumptions.values() for row in group]
    assumed = Table("assumptions", "", pd.DataFrame(rows, columns=list(Assumption._fields)), pd.DataFrame())
    panels = [panel for chapter in chapters for panel in chapter.panels]
    specs = {panel.key: str(panel.figure.to_json()) for panel in panels if panel.figure is not None}
    files = {f"tables/{table.key}.csv": csv_text(table.raw) for table in [*tables, origin, *of_chapters, assumed]}
    files |= {f"figures/{key}.json": spec for key, spec in specs.items()}
    figures = packed("{" + ",".join(f"{json.dumps(key)}:{spec}" for key, spec in specs.items()) + "}")
    page = _render(template, chapters=chapters, assumptions=assumptions, provenance=origin, figures=figures, **content)
    # all is made before the first file is written, and the page, which names the others, is written last
    for name, text in (files | {"report.html": page}).items():
        with atomic(folder / within(name)) as partial:
            partial.write_text(text, encoding="utf-8")
    return folder / "report.html"


def _render(template: str, **content: Any) -> str:
    """The page as text. Jinja escapes all that comes from files; only our scripts and figure JSON are marked safe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["tidy"] = _tidy
    return environment.get_template(template).render(
        number=number,
        words=words,
        light=Markup(css_variables(dark=False)),
        dark=Markup(css_variables(dark=True)),
        exchange=script_json(exchange()),
        plotly=packed(get_plotlyjs()),
        **content,
    )


def _tidy(text: object) -> str:
    """Never a lone % on a new line. Markup is a link of our own making and stays what it is."""
    return text if isinstance(text, Markup) else str(text).replace(" %", f"{NBSP}%")


def packed(text: str) -> Markup:
    """Text as the page carries it: compressed, in letters that need no escaping; figures.js unpacks it."""
    return Markup(base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())


def script_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
