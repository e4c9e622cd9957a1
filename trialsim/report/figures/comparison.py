"""Simulated beside published: each endpoint's published value against the predictive interval of a virtual study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure, segments, style_axes
from trialsim.report.wording import is_number, join, kind_of, label, lie, plot_lines, plural, unit_text

AXIS_TITLES = {"proportion": "% of patients", "percent": "%", "months": "months", "days": "days", "count": "patients"}
ROW, AXIS = 44, 74  # px a row, and px between two axes
COLUMNS = (
    "endpoint", "published", "published_low", "published_high", "predicted", "low_90", "high_90", "inside_90", "n",
    "published_definition", "source",
)  # fmt: skip


def comparison_table(run: Run) -> pd.DataFrame:
    """The summary's comparison, one row an endpoint, in its own columns."""
    found = run.section("comparison")
    rows = [
        {"endpoint": name, **{key: value.get(key) for key in COLUMNS[1:]}}
        for name, value in found.items()
        if isinstance(value, dict)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def comparison_panel(run: Run) -> Panel:
    """Published point and confidence interval against the 90 % predictive interval of a study of the published size."""
    title = "Published results and what a virtual study would give"
    table = comparison_table(run)
    table = table[table["published"].map(is_number)] if len(table) else table
    if table.empty:
        why = "either no published study was chosen or it reports none of these endpoints"
        return Panel("comparison", title, f"No published result was compared: {why}.")
    table = table.assign(kind=[kind_of(name) for name in table["endpoint"]])
    kinds = list(dict.fromkeys(table["kind"]))
    sizes = [int((table["kind"] == kind).sum()) for kind in kinds]
    height = 90 + sum(sizes) * ROW + AXIS * len(kinds)
    base = figure(height)
    made = make_subplots(
        rows=len(kinds),
        cols=1,
        row_heights=[size + 0.3 for size in sizes],
        vertical_spacing=min(0.9 / max(1, len(kinds) - 1), AXIS / height) if len(kinds) > 1 else 0,
        figure=base,
    )
    made.update_layout(base.layout)
    style_axes(made)
    for row, kind in enumerate(kinds, start=1):
        axis = AXIS_TITLES.get(kind) or unit_text(run.dose_unit if kind == "dose" else "")
        _rows(made, table[table["kind"] == kind], 100.0 if kind == "proportion" else 1.0, row, axis)
    inside = [bool(value) for value in table["inside_90"]]
    outside = [label(name) for name, good in zip(table["endpoint"], inside, strict=True) if not good]
    caption = (
        f"{sum(inside)} of {plural(len(inside), 'published result')} {lie(sum(inside))} inside the "
        "90 % predictive interval of a virtual study of the published size."
    )
    caption += f" Outside: {join(outside)}." if outside else ""
    return Panel("comparison", title, caption, made)


def _rows(made: go.Figure, part: pd.DataFrame, scale: float, row: int, axis: str) -> None:
    """Endpoints of one kind, on one axis: predicted below, published above the middle of each row."""

    def values(column: str) -> np.ndarray:
        return pd.to_numeric(part[column], errors="coerce").to_numpy(float) * scale

    places = np.arange(len(part), dtype=float)
    first = row == 1  # one legend for all rows
    predicted, low, high = values("predicted"), values("low_90"), values("high_90")
    made.add_scatter(
        x=segments(low, high),
        y=segments(places + 0.14, places + 0.14),
        mode="lines",
        line=dict(color=colour("simulated_50"), width=11),
        name="predicted 90 % interval",
        legendgroup="interval",
        showlegend=first,
        hovertemplate="%{x:.3g}<extra>90 % predictive limit</extra>",
        row=row,
        col=1,
    )
    made.add_scatter(
        x=predicted,
        y=places + 0.14,
        mode="markers",
        marker=dict(symbol="line-ns-open", size=12, color=colour("simulated"), line=dict(width=2.5, color=colour("simulated"))),
        name="predicted",
        legendgroup="predicted",
        showlegend=first,
        hovertemplate="%{x:.3g}<extra>predicted</extra>",
        row=row,
        col=1,
    )
    point, left, right = values("published"), values("published_low"), values("published_high")
    made.add_scatter(
        x=point,
        y=places - 0.16,
        mode="markers",
        marker=dict(symbol="diamond", size=10, color=colour("published")),
        error_x=dict(
            type="data",
            array=np.nan_to_num(right - point),
            arrayminus=np.nan_to_num(point - left),
            color=colour("published"),
            thickness=2,
            width=5,
        ),
        name="published, 95 % CI",
        legendgroup="published",
        showlegend=first,
        hovertemplate="%{x:.3g}<extra>published</extra>",
        row=row,
        col=1,
    )
    edge = float(np.nanmax(np.concatenate([predicted, low, high, point, left, right]))) * 1.05 or 1.0
    whole = dict(dtick=1) if axis == AXIS_TITLES["count"] and edge < 12 else {}
    made.update_xaxes(title_text=axis, **whole, range=[-0.015 * edge, edge], row=row, col=1)
    made.update_yaxes(
        tickvals=places,
        ticktext=[plot_lines(label(name)) for name in part["endpoint"]],
        range=[len(part) - 0.5, -0.5],
        showgrid=False,
        ticks="",
        row=row,
        col=1,
    )
