"""Predictive intervals of a trial's endpoints, published values beside them, and the band of its survival curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.report.figures.band import band
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line, segments, style_axes
from trialsim.report.wording import join, kind_of, label, lie, plot_lines, plot_text, plural

ROW, AXIS = 40, 78  # px a row, and px between two axes
AXES = {"proportion": "% of patients", "months": "months", "other": "ratio"}
LEVELS = {90: ("simulated_90", 13), 80: ("simulated_50", 9), 50: ("simulated", 5)}  # shade and thickness


def intervals_panel(key: str, title: str, table: pd.DataFrame, names: dict[str, str]) -> Panel:
    """Median with 50, 80 and 90 % predictive intervals, one row an endpoint and arm.

    Args:
        table: rows of ``predicted`` with an estimate. names: of the arms.
    """
    table = table[np.isfinite(table["median"])]
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
    for row, kind in enumerate(kinds, start=1):
        told = bool(table.loc[table["kind"].isin(kinds[: row - 1]), "published"].notna().any())
        _rows(made, table[table["kind"] == kind], kind, names, row, told)
    return Panel(key, title, _told(table, names), made)


def _rows(made: go.Figure, part: pd.DataFrame, kind: str, names: dict[str, str], row: int, told: bool) -> None:
    """Rows of one axis. ``told``: whether an axis above has put published values into the legend."""
    scale = 100.0 if kind == "proportion" else 1.0
    values = lambda column: np.where(np.isfinite(part[column]), part[column], np.nan).astype(float) * scale
    places = np.arange(len(part), dtype=float)
    first, at = row == 1, dict(row=row, col=1)  # one legend for all rows
    reached = np.concatenate([values(name) for name in ("high_90", "median", "published", "published_high")])
    edge = (float(np.nanmax(reached)) if np.isfinite(reached).any() else 1.0) * 1.06 or 1.0
    for level, (tone, width) in LEVELS.items():
        high = np.where(np.isfinite(values(f"high_{level}")), values(f"high_{level}"), edge)  # a limit not reached: to the margin
        made.add_scatter(
            x=segments(values(f"low_{level}"), high), y=segments(places, places), mode="lines",
            line=dict(color=colour(tone), width=width), name=f"{level} % predictive interval", showlegend=first, hoverinfo="skip",
            legendgroup=f"{level}", **at,
        )  # fmt: skip
    shown = [f"{label(r.endpoint)}{_of(r.arm, names)}" for r in part.itertuples()]
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
            x=point, y=places - 0.28, mode="markers", error_x=bars,
            marker=dict(symbol="diamond", size=9, color=colour("published")),
            name="published, 95 % CI", showlegend=not told, legendgroup="published",
            customdata=[plot_lines(source, 40) for source in part["source"]],
            hovertemplate="%{x:.3g}<extra>published: %{customdata}</extra>", **at,
        )  # fmt: skip
    if kind == "other":
        reference_line(made, x=1.0, **at)
        edge = max(edge, 1.15)
    made.update_xaxes(title_text=AXES.get(kind, kind), range=[-0.015 * edge, edge], **at)
    made.update_yaxes(
        tickvals=places, ticktext=[plot_lines(name, 26) for name in shown], range=[len(part) - 0.5, -0.6], showgrid=False,
        ticks="", **at,
    )  # fmt: skip


def _of(arm: str, names: dict[str, str]) -> str:
    return f", {names[arm]}" if arm in names and len(names) > 1 else ""


def _told(table: pd.DataFrame, names: dict[str, str]) -> str:
    known = table[table["inside_90"].notna()]
    if known.empty:
        return "Bars hold 50, 80 and 90 of 100 such trials; the line is the median."
    inside = known["inside_90"].astype(bool)
    outside = [f"{label(row.endpoint)}{_of(row.arm, names)}" for row in known[~inside].itertuples()]
    text = f"{inside.sum()} of {plural(len(known), 'published value')} {lie(int(inside.sum()))} inside the 90 % interval."
    return text + (f" Outside: {join(outside)}." if outside else "")


def curves_panel(table: pd.DataFrame, endpoint: str, title: str, names: dict[str, str], landmark: float) -> Panel:
    """Median and middle 50 and 90 % of the Kaplan-Meier curves of trials of this size, by arm."""
    key, found = f"predicted_{endpoint}", table[table["endpoint"] == endpoint]
    if found.empty:
        return Panel(key, title, "No trial follows its patients for long enough to show a curve.", wide=False)
    made, told = figure(380), []
    for arm, tone in zip(names, ("simulated", "second"), strict=False):
        part = found[found["arm"] == arm]
        if part.empty:
            continue
        x = part["months"].to_numpy(float)
        hover = "month %{x:g}: %{y:.0f} %<extra>" + plot_text(names[arm]) + "</extra>"
        quantiles = [100 * part[name] for name in ("low_90", "low_50", "median", "high_50", "high_90")]
        band(made, x, quantiles, tone, name=plot_text(names[arm]), showlegend=True, hovertemplate=hover)
        at = part.iloc[int(np.argmin(np.abs(x - landmark)))]
        if abs(at["months"] - landmark) < 1:
            low, high = (f"{100 * at[end]:.0f}" for end in ("low_90", "high_90"))
            told.append(f"{names[arm]} {100 * at['median']:.0f} % (90 % interval {low} to {high})")
    made.update_xaxes(title_text="months", rangemode="tozero")
    made.update_yaxes(title_text="% of patients", range=[0, 102])
    when = f"At {landmark:g} months: {join(told)}. " if told else ""
    return Panel(key, title, f"{when}Line: median curve; bands: middle 50 and 90 % of such trials.", made, wide=False)
