"""A listing of exported data sets, as a define.xml has it: every variable with label, type, terms and origin; CSV and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from trialsim.exchange.metadata import Dataset

STYLE = """:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}th,td{border:1px solid #8886;padding:.3rem .5rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere}th{background:#8882}"""
NOTES = (
    "Virtual patients: nothing here was observed in a person.",
    "Day 1 is the day of the first dose, the day before it is day -1. AVAL of ADTTE is the time without the day of the start.",
    "Patients whose course could not be computed are in ADSL only, with SAFFL = N; the results of the run leave them out.",
)


def listing(written: Mapping[str, Sequence[str]], every: Mapping[str, Dataset]) -> pd.DataFrame:
    """One row a variable: dataset, name, label, type, length, terms, origin.

    Args:
        written: names of the variables that each exported data set has.
    """
    return pd.DataFrame(
        [
            {
                "dataset": name, "name": v.name, "label": v.label, "type": v.type, "length": v.length,
                "terms": "" if v.terms is None else " | ".join(term for term in v.terms if term), "origin": v.origin,
            }
            for name, names in written.items() for v in every[name].variables if v.name in names
        ]
    )  # fmt: skip


def page(
    title: str, written: Mapping[str, Sequence[str]], rows: Mapping[str, int], every: Mapping[str, Dataset], notes: Sequence[str]
) -> str:
    """The listing as an HTML page that needs nothing else."""
    variables = listing(written, every)
    parts = [f"<h1>{escape(title)}</h1>", "<ul>", *(f"<li>{escape(note)}</li>" for note in (*NOTES, *notes)), "</ul>"]
    shown = [column for column in variables.columns if column != "dataset"]
    head = "".join(f"<th scope='col'>{column}</th>" for column in shown)
    for name in written:
        dataset = every[name]
        parts.append(f"<h2 id='{name}'>{name}: {escape(dataset.label)}</h2><p>{escape(dataset.structure)}; {rows[name]:,} rows</p>")
        body = (
            "<tr>" + "".join(f"<td>{escape(str(row[column]))}</td>" for column in shown) + "</tr>"
            for row in variables[variables["dataset"] == name].to_dict("records")
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>")
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    head += f"<title>{escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"
