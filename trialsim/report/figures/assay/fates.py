"""What becomes of the cells: EdU, annexin V, LC3, and how many there are over time."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.assay.look import STAINS, Look, bars, blank
from trialsim.report.figures.assay.traces import add_bars, add_course, entries, samples, summary
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour
from trialsim.report.wording import join, number, percent, plural
from trialsim.schema.analysis.assay import VEHICLE

FOLDS = [2.0**power for power in range(-6, 8)]  # ticks of a growth curve
MOST_LINES = 4  # with a growth curve each


def share(stains: pd.DataFrame, stain: str, look: Look) -> Panel:
    """EdU- or annexin V-positive cells, mean with SD, vehicle beside every treatment."""
    table, title = stains[stains["stain"] == stain], f"{STAINS[stain]} cells"
    if table.empty:
        return Panel(f"stain_{stain.lower()}", title, "Not done in this experiment.", wide=False)
    made, told = bars(look, entries(table)), []
    for name, rows, tone, full in samples(table, look):
        found = summary(rows, "line", "value")
        add_bars(made, 100 * found, name, tone, full)
        ends = dict.fromkeys((percent(found["mean"].min(), 1), percent(found["mean"].max(), 1)))
        told.append(f"{name}: {' to '.join(ends)}")
    made.update_yaxes(title_text=f"{title}, %", rangemode="tozero")
    replicates = plural(table["replicate"].nunique(), "replicate")
    caption = f"At {table['hours'].iloc[0]:g} h, mean and SD of {replicates}. Means, {'; '.join(told)}."
    return Panel(f"stain_{stain.lower()}", title, caption, made, wide=False)


def lc3(stains: pd.DataFrame, look: Look) -> Panel:
    """LC3-II without bafilomycin (pale) and what bafilomycin adds: the flux."""
    table = stains[stains["stain"].isin(["LC3_minus", "LC3_flux"])]
    if table.empty:
        return Panel("stain_lc3_flux", "LC3-II and autophagic flux", "Not done in this experiment.", wide=False)
    made, told = bars(look, entries(table)), []
    for place, (name, rows, tone, full) in enumerate(samples(table, look)):
        fluxes = rows[rows["stain"] == "LC3_flux"]
        without, flux = summary(rows[rows["stain"] == "LC3_minus"], "line", "value"), summary(fluxes, "line", "value")
        one: dict[str, Any] = dict(offsetgroup=place, legendgroup=place)
        add_bars(made, without.assign(std=None), "without bafilomycin", colour("grid"), showlegend=False, **one)
        add_bars(made, flux, name, tone, full, base=without["mean"], **one)
        if name != VEHICLE:
            fold = summary(fluxes, "line", "fold")["mean"]
            told.append(f"{name}: {number(fold.min(), 2)} to {number(fold.max(), 2)}")
    made.update_yaxes(title_text="LC3-II, relative", rangemode="tozero")
    caption = f"Pale: as it is; colour: what bafilomycin adds, the flux. Flux, mean fold of vehicle, {'; '.join(told)}."
    return Panel("stain_lc3_flux", "LC3-II and autophagic flux", caption, made, wide=False)


def growth(counts: pd.DataFrame, look: Look) -> list[Panel]:
    """Cells over time on a logarithmic scale: a panel a line, or, where lines are many, a panel a treatment."""
    if len(look.lines) <= MOST_LINES:
        return [_of_line(counts[counts["line"] == line], line, look) for line in look.lines]
    highest = counts[counts["dose_nM"] == counts.groupby("treatment")["dose_nM"].transform("max")]
    return [_of_treatment(rows, name, look) for name, rows, *_ in samples(highest, look)]


def _of_line(table: pd.DataFrame, line: str, look: Look) -> Panel:
    made, told = blank(entries(table)), []
    for name, rows, tone, full in samples(table, look):
        found = summary(rows, "hours", "fold").sort_index()
        add_course(made, found, name, tone, dash="solid" if full else "dot")
        told.append(f"{name} {number(found['mean'].iloc[-1], 2)}-fold")
    return Panel(f"growth_{line}", f"Cells over time: {look.lines[line]}", _last(table, told), _axes(made), wide=False)


def _of_treatment(table: pd.DataFrame, name: str, look: Look) -> Panel:
    made, told = blank(len(look.lines)), []
    for line, label in look.lines.items():
        found = summary(table[table["line"] == line], "hours", "fold").sort_index()
        add_course(made, found, label, **look.line(line))
        told.append(f"{label} {number(found['mean'].iloc[-1], 2)}-fold")
    key = table["treatment"].iloc[0]
    return Panel(f"growth_{key}", f"Cells over time: {name}", _last(table, told), _axes(made), wide=False)


def _axes(made: go.Figure) -> go.Figure:
    made.update_xaxes(title_text="hours after the drug", dtick=24)
    made.update_yaxes(type="log", title_text="cells, fold of time 0", tickvals=FOLDS, ticktext=[f"{fold:.3g}" for fold in FOLDS])
    return made


def _last(table: pd.DataFrame, told: list[str]) -> str:
    return f"Mean and SD. At {table['hours'].max():g} h: {join(told)}."
