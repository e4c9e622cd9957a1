"""Lists the published numbers that come with trialsim, each with its source; --out writes a table to a file, --plot draws it.

  trialsim evidence --where "tumour type=RCC" --plot rcc.html

Tables: efficacy (response, survival, benefit; one row an arm, with its role, fit or validation, and how far to trust it), phase1
(dose-limiting toxicities by level), biomarkers, survival_points (landmarks), exposure (concentrations), interactions, doses (the
highest studied).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich.table import Table

from trialsim import console
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

SUMMARY = "list the published numbers that come with trialsim, with their sources"

SHOWN: dict[str, dict[str, str]] = {  # column: its head on the screen
    "efficacy": {"trial_id": "trial", "arm_id": "arm", "role": "role", "trust": "trust", "tumour_type": "tumour type",
                 "n_enrolled": "n", "n_evaluable_response": "evaluable", "orr_percent": "ORR %", "dcr_percent": "DCR %",
                 "median_pfs_months": "PFS, mo", "pfs_hr": "HR"},
    "phase1": {"trial_id": "trial", "dose_level": "dose", "unit": "unit", "schedule": "schedule", "n_evaluable_dlt": "n",
               "n_dlt": "DLTs"},
    "biomarkers": {"trial_id": "trial", "drug": "drug", "gene_or_marker": "marker", "status": "status", "n_patients": "n",
                   "n_response": "responders", "statistic": "finding"},
    "survival_points": {}, "exposure": {}, "interactions": {}, "doses": {},  # all but what `HIDDEN` names
}  # fmt: skip
HIDDEN = ("source_url", "notes", "how_seen", "citation")
LONGEST = 26  # letters of a cell


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", nargs="?", default="efficacy", choices=SHOWN, help="which table (default: efficacy)")
    parser.add_argument("--where", metavar="COLUMN=TEXT", action="append", default=[], help="rows whose column holds the text")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write these rows, all columns, to FILE (.csv or .parquet)")
    told = "draw these rows as a forest plot, survival_points as curves, to FILE (.html, .svg or .png); not of doses"
    parser.add_argument("--plot", metavar="FILE", type=Path, help=told)


def run(given: argparse.Namespace) -> int:
    rows = chosen(load(given.table), given.where, SHOWN[given.table])
    if given.plot is not None:
        draw(given.table, rows, given.plot)
        console.out.print(f"{len(rows)} rows drawn in {given.plot}", markup=False)
    if given.out is not None:
        write(rows, given.out)
        console.out.print(f"{len(rows)} rows written to {given.out}", markup=False)
    if given.out is not None or given.plot is not None:
        return 0
    heads = SHOWN[given.table] or {name: name.replace("_", " ") for name in rows if name not in HIDDEN}
    table = Table(title=f"{given.table}: {len(rows)} rows", title_justify="left", title_style="bold", show_edge=False)
    for head in heads.values():
        table.add_column(head, overflow="ellipsis", no_wrap=True, min_width=min(max(len(head), 4), 9))
    for _, row in rows.iterrows():
        table.add_row(*(cell(row[name]) for name in heads))
    console.out.print(table)
    console.out.print("Sources (seen as: abstract, full text, registry ...)", style="bold")
    first = rows.columns[0]
    for sources in dict.fromkeys(zip(rows[first], rows["source_url"], rows["how_seen"], strict=True)):
        console.out.print("  {}: {} ({})".format(*sources), markup=False)
    return 0


def load(name: str) -> pd.DataFrame:
    from trialsim import evidence

    return getattr(evidence, f"load_{name}")()


def chosen(rows: pd.DataFrame, wanted: list[str], heads: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Rows that fit every ``COLUMN=TEXT``; upper and lower case alike. A column may be called as its head on the screen is."""
    column_of = {head.lower(): name for name, head in (heads or {}).items()}
    for word in wanted:
        column, equals, text = word.partition("=")
        column = column if column in rows else column_of.get(column.lower(), column)
        if not equals or column not in rows:
            allowed = f"COLUMN=TEXT with a column of the table: {', '.join(rows)}{near(column, rows)}"
            raise ConfigError("--where", word, allowed)
        rows = rows[rows[column].astype(str).str.contains(text, case=False, regex=False)]
    return rows


def draw(table: str, rows: pd.DataFrame, file: Path) -> None:
    from trialsim.report.figures.evidence import plot
    from trialsim.report.images import able_to_draw, write_figure

    if file.suffix not in (".html", ".svg", ".png"):
        raise ConfigError("--plot", str(file), "a file that ends with .html, .svg or .png")
    if file.exists():
        raise ConfigError("--plot", str(file), "a file that does not exist yet")
    made = plot(table, rows)
    if file.suffix != ".html":
        able_to_draw("--plot", str(file))
    write_figure(made, file)


def write(rows: pd.DataFrame, file: Path) -> None:
    from trialsim.artefacts.csv_text import csv_text
    from trialsim.artefacts.files import atomic

    if file.suffix not in (".csv", ".parquet"):
        raise ConfigError("--out", str(file), "a file that ends with .csv or .parquet")
    if file.exists():
        raise ConfigError("--out", str(file), "a file that does not exist yet")
    with atomic(file) as partial:
        partial.write_text(csv_text(rows), encoding="utf-8") if file.suffix == ".csv" else rows.to_parquet(partial, index=False)


def cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
