"""Put the report together: one HTML file that needs nothing else, the figures as plotly JSON, the tables as CSV."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from trialsim.artefacts.files import atomic
from trialsim.report import summary_text, tables
from trialsim.report.assumptions import by_section
from trialsim.report.flow import flow, treatment_ends
from trialsim.report.reader import Run, read_run
from trialsim.report.sections import Section, sections
from trialsim.report.table import Table, facts
from trialsim.report.theme import css_variables, exchange
from trialsim.report.wording import NBSP, number, words

TEMPLATES = Path(__file__).parent / "templates"


def write_report(run_dir: Path) -> Path:
    """Write report.html, figures/*.json and tables/*.csv from the saved artefacts of a run.

    Args:
        run_dir: run folder with at least summary.json and patients.parquet.

    Returns:
        Path of report.html.
    """
    run = read_run(Path(run_dir))
    chapters = sections(run)
    own = [tables.baseline(run), facts("provenance", "Provenance", run.provenance)]
    for table in [*own, *(table for chapter in chapters for table in chapter.tables)]:
        _write(run.folder / "tables" / f"{table.key}.csv", table.raw.to_csv(index=False))
    _write(run.folder / "tables" / "assumptions.csv", _assumption_csv(run))
    panels = [panel for chapter in chapters for panel in chapter.panels]
    specs = {panel.key: str(panel.figure.to_json()) for panel in panels if panel.figure is not None}
    for key, spec in specs.items():
        _write(run.folder / "figures" / f"{key}.json", spec)
    target = run.folder / "report.html"
    _write(target, render(run, chapters, own[0], own[1], {key: json.loads(spec) for key, spec in specs.items()}))
    return target


def render(run: Run, chapters: list[Section], baseline: Table, provenance: Table, figures: dict[str, Any]) -> str:
    """The page as text. Jinja escapes all that comes from files; only our scripts and figure JSON are marked safe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["tidy"] = lambda text: str(text).replace(" %", f"{NBSP}%")  # never a lone % on a new line
    return environment.get_template("report.html.j2").render(
        run=run,
        title=run.summary.get("title") or run.part("study").get("title") or run.summary.get("study") or "Virtual study",
        chapters=chapters,
        baseline=baseline,
        provenance=provenance,
        what=summary_text.what_was_simulated(run),
        cards=summary_text.cards(run),
        verdict=summary_text.verdict(run),
        agreement=summary_text.agreement(run),
        cautions=summary_text.cautions(run),
        flow=flow(run),
        ends=treatment_ends(run),
        assumptions=by_section(run.config),
        number=number,
        words=words,
        light=Markup(css_variables(dark=False)),
        dark=Markup(css_variables(dark=True)),
        figures=script_json(figures),
        exchange=script_json(exchange()),
        plotly=Markup(get_plotlyjs()),
    )


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


def _assumption_csv(run: Run) -> str:
    rows = [row._asdict() for group in by_section(run.config).values() for row in group]
    return str(pd.DataFrame(rows, columns=["key", "value", "meaning", "source"]).to_csv(index=False))


def _write(path: Path, text: str) -> None:
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")
