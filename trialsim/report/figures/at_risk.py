"""Survival curves of one or several arms, with a row of numbers at risk for each below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.report.theme import colour, figure, style_axes
from trialsim.report.wording import NBSP

AXIS, ROW, HEAD = 74, 20, 16  # px: time axis with its title, a row of numbers, their heading


class Arm(NamedTuple):
    """One arm.

    Attributes:
        name: as the legend has it, safe for Plotly. short: the same beside the numbers at risk; empty for a single arm.
        time, survival, at_risk: of a Kaplan-Meier curve, months and probability; at risk just before each time.
        tone: token of the theme.
        line: further entries of the line: dash, width.
    """

    name: str
    short: str
    time: np.ndarray
    survival: np.ndarray
    at_risk: np.ndarray
    tone: str
    line: dict[str, object] = {}


def frame(arms: Sequence[Arm], longest: float, height: int) -> go.Figure:
    """Axes for curves that reach ``longest`` months, with the numbers at risk already in place; ``height`` px without them."""
    rows = ROW * len(arms) + HEAD
    total = height + AXIS + rows
    base = figure(total)
    room = total - 60  # less the legend and the margins
    made = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[room - AXIS - rows, rows], vertical_spacing=AXIS / room, figure=base
    )
    made.update_layout(base.layout)
    style_axes(made)
    step = _tick_step(longest)
    ticks = np.arange(0, longest + 0.5 * step, step)
    for place, arm in enumerate(arms):
        made.add_scatter(
            x=ticks, y=np.full(len(ticks), float(place)), mode="text", text=[f"{n:,}" for n in numbers(arm, ticks)],
            textfont=dict(size=11, color=colour("ink")), showlegend=False, legendgroup=arm.name, hoverinfo="skip",
            cliponaxis=False, row=2, col=1,
        )  # fmt: skip
    edge = longest * 0.04
    made.update_xaxes(range=[-edge, max(longest, float(ticks[-1])) + edge], tickvals=ticks)
    made.update_xaxes(showticklabels=True, title_text="months since first dose", row=1, col=1)
    made.update_xaxes(visible=False, row=2, col=1)
    labels = [f"<span style='color:{colour(arm.tone)}'>■</span> {arm.short}{NBSP * 3}" if arm.short else "" for arm in arms]
    made.update_yaxes(
        range=[len(arms) - 0.5, -0.5], tickvals=list(range(len(arms))), ticktext=labels, tickfont=dict(size=11), showgrid=False,
        ticks="", showline=False, row=2, col=1,
    )  # fmt: skip
    made.update_yaxes(range=[0, 102], row=1, col=1)
    made.add_annotation(
        text="Number at risk", xref="paper", x=0, xanchor="left", yref="y2 domain", y=1.0, yanchor="bottom", showarrow=False,
        font=dict(size=11, color=colour("muted")),
    )  # fmt: skip
    return made


def curve(made: go.Figure, arm: Arm, until: float = np.inf) -> None:
    """The curve of an arm, drawn up to ``until`` months."""
    seen = arm.time <= until
    made.add_scatter(
        x=arm.time[seen].astype("f4"), y=(100 * arm.survival[seen]).astype("f4"), mode="lines", name=arm.name, legendgroup=arm.name,
        showlegend=True, line=dict(shape="hv", color=colour(arm.tone), width=2) | arm.line,
        hovertemplate="month %{x:.1f}: %{y:.1f} %<extra>" + arm.name + "</extra>", row=1, col=1,
    )  # fmt: skip


def numbers(arm: Arm, ticks: np.ndarray) -> list[int]:
    """At risk just before each tick: as many as at the next time of the curve, nobody after its last."""
    place = np.searchsorted(arm.time, ticks, side="left")
    return [int(n) for n in np.append(arm.at_risk, 0)[place]]


def _tick_step(longest: float) -> float:
    """Months between ticks, so that at most six numbers at risk stand side by side on a telephone."""
    return next((step for step in (1, 2, 3, 6, 12, 24) if longest / step <= 5), 36)
