"""Predictive intervals of a trial's endpoints, published values beside them, and the band of its survival curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.report.figures.band import band
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import ABOVE_WIDTH, colour, figure, names_above, reference_line, segments, style_axes
from trialsim.report.wording import join, kind_of, label, lie, plot_lines, plot_text, plural

ROW, AXIS, WIDTH = 40, 78, 34  # px a row, and px between two axes; characters in a line of a name
ROOM, NARROW_ROW = 560, 58  # px of the figure below which names stand above their rows, and px a row then takes
BESIDE = 0.28  # of a row, from a prediction up to what was published
SEVERE = ", grade 3 or 4"
AXES = {"proportion": "% of patients", "months": "months", "ratio": "ratio"}
LEVELS = {90: ("simulated_90", 13), 80: ("simulated_50", 9), 50: ("simulated", 5)}  # shade and thickness


def intervals_panel(key: str, title: str, table: pd.DataFrame, names: dict[str, str]) -> Panel:
    """Median with 50, 80 and 90 % predictive intervals, one row an endpoint and arm.

    Args:
        table: rows of ``predicted``. Those without a lower limit are not drawn: no trial has an estimate, or nearly none reaches
            the median. names: of the arms.
    """
    table = table[np.isfinite(table["low_90"])]
    table = table.assign(kind=[kind_of(row.endpoint, row.unit) for row in table.itertuples()])
    if table.empty:
        return Panel(key, title, "No trial of this size has an estimate of any of these.")
    kinds = list(dict.fromkeys(table["kind"]))
    sizes = [int((table["kind"] == kind).sum()) for kind in kinds]
    height = 90 + sum(sizes) * ROW + AXIS * len(kinds)
    base = figure(height)
    spacing = min(0.9 / max(1, len(kinds) - 1), AXIS / height) if len(kinds) > 1 else 0
    made = make_subplots(rows=len(kinds), cols=1, row_heights=[size + 0.3 for size in sizes], vertical_spacing=spacing, figure=base)
    made.update_layout(base.layout)
    style_axes(made)
    rows, shift, ranges = {}, {}, {}
    for row, kind in enumerate(kinds, start=1):
        told = bool(table.loc[table["kind"].isin(kinds[: row - 1]), "published"].notna().any())
        part = table[table["kind"] == kind]
        shown = [_name(r, names, title) for r in part.itertuples()]
        _rows(made, part, kind, shown, row, told)
        axis = "" if row == 1 else str(row)
        rows[f"y{axis}"] = [plot_lines(name, ABOVE_WIDTH) for name in shown]
        shift[f"y{axis}"] = BESIDE * NARROW_ROW + 7 if part["published"].notna().any() else 9
        ranges[f"yaxis{axis}.range"] = [len(part) - 0.5, -0.8]
    names_above(made, ROOM, rows, 90 + sum(sizes) * NARROW_ROW + AXIS * len(kinds), shift, ranges)
    return Panel(key, title, _told(table, names), made)


def _name(row: Any, names: dict[str, str], title: str) -> str:
    """Of a row; what the figure's own title says is left out."""
    name = label(row.endpoint)
    return f"{name.removesuffix(SEVERE) if 'grade 3' in title else name}{_of(row.arm, names)}"


def _rows(made: go.Figure, part: pd.DataFrame, kind: str, shown: list[str], row: int, told: bool) -> None:
    """Rows of one axis. ``shown``: their names. ``told``: whether an axis above has put published values into the legend."""
    scale = 100.0 if kind == "proportion" else 1.0
    values = lambda column: np.where(np.isfinite(part[column]), part[column], np.nan).astype(float) * scale
    places = np.arange(len(part), dtype=float)
    first, at = row == 1, dict(row=row, col=1)  # one legend for all rows
    reached = np.concatenate([values(name) for name in ("low_90", "high_90", "median", "published", "published_high")])
    edge = (float(np.nanmax(reached)) if np.isfinite(reached).any() else 1.0) * 1.06 or 1.0
    if np.isposinf(part["high_90"]).any():
        edge *= 1.2  # so that a bar to the margin is seen to go on
    for level, (tone, width) in LEVELS.items():
        # a limit not reached: to the margin; none, where not even the lower one is
        high = np.where(np.isfinite(values(f"high_{level}")), values(f"high_{level}"), edge)
        made.add_scatter(
            x=segments(values(f"low_{level}"), high), y=segments(places, places), mode="lines",
            line=dict(color=colour(tone), width=width), name=f"{level} % predictive interval", showlegend=first, hoverinfo="skip",
            legendgroup=f"{level}", **at,
        )  # fmt: skip
    made.add_scatter(
        x=values("median"), y=places, mode="markers", name="median", showlegend=first, legendgroup="median",
        marker=dict(symbol="line-ns-open", size=14, color=colour("ink"), line=dict(width=2.5, color=colour("ink"))),
        customdata=np.column_stack([[plot_text(name) for name in shown], values("low_90").round(3), values("high_90").round(3)]),
        hovertemplate="median %{x:.3g}, 90 % interval %{customdata[1]} to %{customdata[2]}<extra>%{customdata[0]}</extra>", **at,
    )  # fmt: skip
    if part["published"].notna().any():
        point, left, right = (values(name) for name in ("published", "published_low", "published_high"))
        bars = dict(type="data", array=np.nan_to_num(right - point), arrayminus=np.nan_to_num(point - left), thickness=2, width=5,
                    color=colour("published"))  # fmt: skip
        made.add_scatter(
            x=point, y=places - BESIDE, mode="markers", error_x=bars,
            marker=dict(symbol="diamond", size=9, color=colour("published")),
            name="published, 95 % CI", showlegend=not told, legendgroup="published",
            customdata=[plot_lines(source, 40) for source in part["source"]],
            hovertemplate="%{x:.3g}<extra>published: %{customdata}</extra>", **at,
        )  # fmt: skip
    if kind == "ratio":
        reference_line(made, x=1.0, **at)
        edge = max(edge, 1.15)
    made.update_xaxes(title_text=AXES.get(kind, kind), range=[-0.015 * edge, edge], **at)
    made.update_yaxes(
        tickvals=places, ticktext=[plot_lines(name, WIDTH) for name in shown], range=[len(part) - 0.5, -0.6], showgrid=False,
        ticks="", **at,
    )  # fmt: skip


def _of(arm: str, names: dict[str, str]) -> str:
    return f", {names[arm]}" if arm in names and len(names) > 1 else ""


def _told(table: pd.DataFrame, names: dict[str, str]) -> str:
    known = table[table["inside_90"].notna()]
    late = [f"{label(row.endpoint).lower()}{_of(row.arm, names)}" for row in table[~np.isfinite(table["median"])].itertuples()]
    open_end = f" Most trials do not reach the {join(late)}: bars to the margin." if late else ""
    if known.empty:
        return f"Bars hold 50, 80 and 90 of 100 such trials; the line is the median.{open_end}"
    inside = known["inside_90"].astype(bool)
    outside = [f"{label(row.endpoint)}{_of(row.arm, names)}" for row in known[~inside].itertuples()]
    text = f"{inside.sum()} of {plural(len(known), 'published value')} {lie(int(inside.sum()))} inside the 90 % interval."
    return text + (f" Outside: {join(outside)}." if outside else "") + open_end


def curves_panel(table: pd.DataFrame, endpoint: str, title: str, names: dict[str, str]) -> Panel:
    """Median and middle 50 and 90 % of the Kaplan-Meier curves of trials of this size, by arm."""
    key, found = f"predicted_{endpoint}", table[table["endpoint"] == endpoint]
    if found.empty:
        return Panel(key, title, "No trial follows its patients for long enough to show a curve.", wide=False)
    made = figure(380)
    for arm, tone in zip(names, ("simulated", "second"), strict=False):
        part = found[found["arm"] == arm]
        if part.empty:
            continue
        x = part["months"].to_numpy(float)
        hover = "month %{x:g}: %{y:.0f} %<extra>" + plot_text(names[arm]) + "</extra>"
        quantiles = [100 * part[name] for name in ("low_90", "low_50", "median", "high_50", "high_90")]
        band(made, x, quantiles, tone, name=plot_text(names[arm]), showlegend=True, hovertemplate=hover)
    made.update_xaxes(title_text="months", rangemode="tozero")
    made.update_yaxes(title_text="% of patients", range=[0, 102])
    told = (
        "Line: median at each time; bands: middle 50 and 90 % of such trials. That readers and definitions differ between trials "
        "widens the intervals of the table, and not these bands."
    )
    return Panel(key, title, told, made, wide=False)
