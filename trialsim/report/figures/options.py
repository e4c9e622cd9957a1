"""Options side by side: intervals of what is true of each, a heat map of treatments by populations, assurance by size, exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.panel import Panel
from trialsim.report.figures.surfaces import SYMBOLS, diverging, grid
from trialsim.report.theme import at_least, colour, edge, figure, on_cells, reference_line, segments
from trialsim.report.wording import fixed, is_number, join, percent, plot_lines, plot_text

SURE = 0.9  # probability from which an option is said to be better, or the best; below 1 - SURE it is said not to be
LEVELS = {90: ("simulated_90", 11), 80: ("simulated_50", 8), 50: ("simulated", 4)}  # shade and thickness
DASHES = ("solid", "dash", "dot", "dashdot")


class Column(NamedTuple):
    """One axis of a forest. Attributes: title: lines joined by <br>. table: who, what, median, low_50, ... factor: of the values.
    reference: value of a dashed line, None for none. shown_as: interval (over worlds), or point with ``error`` (Monte Carlo)."""

    title: str
    table: pd.DataFrame
    factor: float = 1.0
    reference: float | None = None
    shown_as: str = "interval"


def forest(key: str, title: str, columns: Sequence[Column], names: Mapping[tuple[str, str], str], caption: str) -> Panel:
    """One row an option, one axis an endpoint. names: of (who, what), in order."""
    rows = {option: place for place, option in enumerate(names)}
    made = grid(1, len(columns), 110 + 34 * len(rows), shared_yaxes=True, horizontal_spacing=0.03,
                column_titles=[column.title for column in columns])  # fmt: skip
    for col, column in enumerate(columns, start=1):
        _axis(made, column, rows, names, col)
    made.update_yaxes(
        tickvals=list(rows.values()), ticktext=[plot_lines(name, 30) for name in names.values()],
        range=[len(rows) - 0.5, -0.6], showgrid=False, ticks="",
    )  # fmt: skip
    return Panel(key, title, caption, at_least(made, 190 + 150 * len(columns)))


def _axis(made: go.Figure, column: Column, rows: Mapping, names: Mapping, col: int) -> None:
    table = column.table[[pair in rows for pair in zip(column.table["who"], column.table["what"], strict=True)]]
    table = table[np.isfinite(table["median"])]
    y = np.array([rows[row.who, row.what] for row in table.itertuples()], float)
    value = lambda name: column.factor * table[name].to_numpy(float)
    known = np.concatenate([value("low_90"), value("high_90")])
    most = float(np.nanmax(known[np.isfinite(known)], initial=0.0)) * 1.06
    clipped = lambda name: np.where(np.isfinite(value(name)), value(name), most)  # not reached: to the margin
    if column.shown_as == "interval":
        for level, (tone, width) in LEVELS.items():
            made.add_scatter(
                x=segments(value(f"low_{level}"), clipped(f"high_{level}")), y=segments(y, y), mode="lines",
                line=dict(color=colour(tone), width=width), hoverinfo="skip", row=1, col=col,
            )  # fmt: skip
    else:
        bars = dict(type="data", array=1.96 * value("error"), thickness=1.6, width=0, color=colour("simulated"))
        made.add_scatter(x=value("median"), y=y, mode="markers", error_x=bars, hoverinfo="skip",
                         marker=dict(size=7, color=colour("simulated")), row=1, col=col)  # fmt: skip
    labels = [plot_text(names[row.who, row.what]) for row in table.itertuples()]
    made.add_scatter(
        x=value("median"), y=y, mode="markers",
        customdata=np.column_stack([labels, value("low_90").round(3), value("high_90").round(3)]),
        marker=dict(symbol="line-ns-open", size=13, color=colour("ink"), line=dict(width=2.2, color=colour("ink"))),
        hovertemplate="%{x:.3g} (90 % interval %{customdata[1]} to %{customdata[2]})<extra>%{customdata[0]}</extra>",
        row=1, col=col,
    )  # fmt: skip
    if column.reference is not None:
        reference_line(made, x=column.reference, row=1, col=col)
        most = max(most, column.reference * 1.1)
    made.update_xaxes(range=[0, most or 1.0], row=1, col=col)


def heat(table: pd.DataFrame, best: pd.DataFrame, who: Mapping[str, str], what: Mapping[str, str], title: str, told: str) -> Panel:
    """Hazard ratio against the reference treatment, treatment by population, with the probability of being the best there.

    Args:
        table: rows of ``compared`` of one endpoint. best: rows of ``best`` of the same. who, what: names; reference left out.
    """
    wide = lambda frame, name: frame.pivot(index="what", columns="who", values=name).reindex(index=list(what), columns=list(who))
    ratio, chance = wide(table, "median").to_numpy(float), wide(best, "probability").to_numpy(float)
    low, high = (wide(table, f"{end}_90").to_numpy(float) for end in ("low", "high"))
    text = [
        [f"<b>{fixed(r)}</b> ({fixed(a)}–{fixed(b)})<br>best {percent(p, 0)}" if is_number(r) else "–"
         for r, a, b, p in zip(*row, strict=True)] for row in zip(ratio, low, high, chance, strict=True)
    ]  # fmt: skip
    depth = np.log(ratio)
    limit = float(np.nanmax(np.abs(depth), initial=0.0)) or 1.0
    made = figure(110 + 52 * len(what), showlegend=False)
    made.add_heatmap(
        z=-depth.round(3), x=[plot_lines(name, 18) for name in who.values()], y=[plot_lines(name, 24) for name in what.values()],
        text=text, texttemplate="%{text}", textfont=on_cells(11), colorscale=diverging(), zmin=-limit, zmax=limit, showscale=False,
        xgap=2, ygap=2, hovertemplate="%{y}, %{x}<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    made.update_xaxes(side="top", showgrid=False, ticks="")
    return Panel("option_heat", title, told, at_least(made, 200 + 130 * len(who)))


def assurance(table: pd.DataFrame, names: Mapping[tuple[str, str], str], asked: float, title: str, caption: str) -> Panel:
    """Chance of success against patients an arm. table: rows of ``sizes`` of one test."""
    made = figure(400)
    for place, (option, part) in enumerate(table.groupby(["who", "what"], sort=False)):
        tone = colour(f"series_{place % 9 + 1}")
        made.add_scatter(
            x=part["patients"], y=100 * part["assurance"], mode="lines+markers", name=plot_text(names[option]),
            line=dict(color=tone, width=2, dash=DASHES[place // 9 % len(DASHES)]),
            marker=dict(size=7, symbol=SYMBOLS[place % len(SYMBOLS)], color=tone, line=edge()),
            error_y=dict(type="data", array=100 * 1.96 * part["error"], thickness=1, width=0, color=tone),
            customdata=np.column_stack([part["total"], part["screened"]]),
            hovertemplate="%{x} an arm: %{y:.0f} % (%{customdata[0]} in all, %{customdata[1]:,.0f} screened)<extra></extra>",
        )  # fmt: skip
    reference_line(made, y=100 * asked, text=f"{100 * asked:.0f} %")
    ticks = sorted(set(table["patients"]))
    shown = [tick for i, tick in enumerate(ticks) if i % max(1, len(ticks) // 8) == 0]
    made.update_xaxes(type="log", tickvals=shown, ticktext=[f"{tick:,}" for tick in shown], title_text="patients an arm")
    made.update_yaxes(range=[0, 102], title_text="assurance (%)")
    return Panel(f"assurance_{table['test'].iloc[0]}", title, caption, made)


def exposure(table: pd.DataFrame, reference: tuple[str, str], who: Mapping[str, str], what: Mapping[str, str], title: str) -> Panel:
    """Middle 90 of 100 patients under each dose, by population, and the reference's as a band."""
    base = table[(table["who"] == reference[0]) & (table["what"] == reference[1])].iloc[0]
    rest = table[(table["who"] != reference[0])]
    made = figure(400)
    made.add_hrect(y0=base["low"], y1=base["high"], fillcolor=colour("second_90"), line_width=0, layer="below")
    reference_line(made, y=float(base["median"]))
    places = {name: place for place, name in enumerate(dict.fromkeys(rest["what"]))}
    groups = list(dict.fromkeys(rest["who"]))
    for i, name in enumerate(groups):
        part = rest[rest["who"] == name]
        x = np.array([places[one] for one in part["what"]]) + 0.22 * (i - (len(groups) - 1) / 2)
        middle = part["median"].to_numpy(float)
        bars = dict(type="data", array=part["high"] - middle, arrayminus=middle - part["low"], thickness=2, width=0)
        tone = colour(f"series_{i + 1}")
        made.add_scatter(
            x=x, y=middle, mode="markers", name=plot_text(who[name]), error_y=bars | {"color": tone},
            marker=dict(size=9, symbol=SYMBOLS[i], color=tone, line=edge()),
            hovertemplate="median %{y:.3g}<extra>" + plot_text(who[name]) + "</extra>",
        )  # fmt: skip
    made.update_xaxes(tickvals=list(places.values()), ticktext=[plot_lines(what[name], 14) for name in places], showgrid=False)
    made.update_yaxes(type="log", title_text=plot_text(title))
    within = [f"{who[row.who]}, {what[row.what]}" for row in rest.itertuples() if 0.8 <= row.median / base["median"] <= 1.25]
    told = f"Medians within 0.8 to 1.25 of the reference's: {join(within)}" if within else "No median is within 0.8 to 1.25 of it"
    caption = (
        "Points and bars: median and middle 90 of 100 patients at full dose. Band and dashed line: the same of "
        f"{who[reference[0]]} on {what[reference[1]]}. {told}."
    )
    return Panel("option_exposure", "Exposure beside that of the reference", caption, made)
