"""Design tokens: every colour and the one layout all figures share.

Figures are written with the light values; the page's script exchanges each light value for its dark partner, so each
light value belongs to one token only. Categorical colours are from Okabe & Ito, "Color Universal Design" (2008),
legible with every common colour-vision deficiency; the toxicity grades go from cool to warm and from pale to dark.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


class Tone(NamedTuple):
    """One colour on a light and on a dark page."""

    light: str
    dark: str


TONES: dict[str, Tone] = {
    "page": Tone("#ffffff", "#14181d"),
    "panel": Tone("#f6f8fa", "#1c2229"),
    "ink": Tone("#1d2733", "#e7ecf1"),
    "muted": Tone("#5a6775", "#a3afbc"),
    "rule": Tone("#d5dce3", "#37414c"),
    "grid": Tone("#e6eaee", "#2a323b"),
    "link": Tone("#0b5f96", "#7cc0ee"),
    "good": Tone("#00694d", "#46cfa4"),
    "good_panel": Tone("#e6f4ef", "#12302a"),
    "bad": Tone("#b3001b", "#ff8a8a"),
    "bad_panel": Tone("#fdeaec", "#3f161b"),
    "note_panel": Tone("#fff6e0", "#362c14"),
    "CR": Tone("#009e73", "#1fbf92"),
    "PR": Tone("#0072b2", "#3d9be0"),
    "SD": Tone("#56b4e9", "#8fd0f7"),
    "PD": Tone("#d55e00", "#f28335"),
    "NE": Tone("#8d959e", "#7b8591"),
    "published": Tone("#d45d01", "#f38436"),
    "simulated": Tone("#0171b1", "#4aa3e4"),
    "simulated_50": Tone("rgba(0,114,178,0.34)", "rgba(74,163,228,0.42)"),
    "simulated_90": Tone("rgba(0,114,178,0.15)", "rgba(74,163,228,0.20)"),
    "second": Tone("#009d72", "#20be91"),
    "second_50": Tone("rgba(0,158,115,0.34)", "rgba(31,191,146,0.42)"),
    "second_90": Tone("rgba(0,158,115,0.15)", "rgba(31,191,146,0.20)"),
    "grade_1": Tone("#c4dbe9", "#3a5a70"),
    "grade_2": Tone("#74aed2", "#6aa7d2"),
    "grade_3": Tone("#e69f00", "#e7a100"),
    "grade_4": Tone("#a63603", "#ff7b42"),
    "chain_1": Tone("#0073b3", "#4ba4e5"),
    "chain_2": Tone("#e59e01", "#e6a001"),
    "chain_3": Tone("#019e74", "#21be90"),
    "chain_4": Tone("#cc79a7", "#dd94bd"),
    "route_bypass": Tone("#d35f00", "#f08436"),
    "route_partial_4EBP1": Tone("#e49f00", "#e8a202"),
    "route_feedback": Tone("#0070b1", "#4ca3e3"),
    "route_adaptation": Tone("#ca79a7", "#dc93bc"),
    "route_mTORC2_sparing": Tone("#57b4e8", "#8dd0f6"),
    "route_autophagy": Tone("#009d74", "#22bf92"),
    "route_stroma": Tone("#5b4b8a", "#a99be0"),
    "unexplained": Tone("#c3c9d0", "#59636e"),
    "cuts_1": Tone("#bfdbef", "#2f5674"),
    "cuts_2": Tone("#6fabd8", "#4683b1"),
    "cuts_3": Tone("#2f7ab5", "#76b2e0"),
    "cuts_4": Tone("#0c4a7d", "#b9dcf6"),
    "fall": Tone("rgba(0,114,178,0.45)", "rgba(74,163,228,0.55)"),
    "rise": Tone("rgba(213,94,0,0.45)", "rgba(243,132,54,0.55)"),
    "synergy": Tone("rgba(0,114,178,0.8)", "rgba(74,163,228,0.8)"),
    "antagonism": Tone("rgba(213,94,0,0.8)", "rgba(243,132,54,0.8)"),
    "effect_full": Tone("rgba(91,75,138,0.7)", "rgba(169,155,224,0.7)"),
    "harm_full": Tone("rgba(194,71,107,0.7)", "rgba(229,127,156,0.7)"),
    "series_1": Tone("#0074b4", "#4ca6e6"),
    "series_2": Tone("#d65f02", "#f48538"),
    "series_3": Tone("#039e75", "#22be92"),
    "series_4": Tone("#cd7ba8", "#de95be"),
    "series_5": Tone("#e6a002", "#e7a203"),
    "series_6": Tone("#58b5e9", "#8ed0f6"),
    "series_7": Tone("#6b4c9a", "#a68fd0"),
    "series_8": Tone("#7a5c3a", "#bf9e78"),
    "series_9": Tone("#4d5661", "#aab4bf"),
    "treated_0": Tone("#b9c1ca", "#66717d"),
    "treated_1": Tone("#1b7a78", "#45b5b2"),
    "treated_2": Tone("#7b4fa3", "#ab84cf"),
    "treated_3": Tone("#b8860b", "#dcae3c"),
    "treated_4": Tone("#c2476b", "#e57f9c"),
    "treated_5": Tone("#2f4b8f", "#7f9bdf"),
    "treated_6": Tone("#6b7f2a", "#a9bf63"),
}

RECIST_NAMES: dict[str, str] = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
    "NE": "not evaluable",
}
RECIST_SYMBOLS: dict[str, str] = {"CR": "star", "PR": "circle", "SD": "square", "PD": "triangle-up", "NE": "x"}
GRADES: tuple[int, ...] = (1, 2, 3, 4)


def colour(name: str) -> str:
    """The light value of a token, as the figures carry it."""
    return TONES[name].light


def exchange() -> dict[str, str]:
    """Light value -> dark value, for the page's script."""
    return {tone.light: tone.dark for tone in TONES.values()}


def css_variables(dark: bool) -> str:
    """All tokens as CSS custom properties."""
    return " ".join(f"--{name.replace('_', '-')}: {tone.dark if dark else tone.light};" for name, tone in TONES.items())


def figure(height: int, **layout: object) -> go.Figure:
    """An empty figure in the report's style: transparent paper, legend above, no title (the page has the heading).

    Args:
        height: px.
        layout: further plotly layout entries.
    """
    axis = dict(
        gridcolor=colour("grid"),
        linecolor=colour("rule"),
        zeroline=False,
        automargin=True,
        ticks="outside",
        tickcolor=colour("rule"),
        title=dict(standoff=8, font=dict(size=13)),
    )
    base = go.Layout(
        height=height,
        font=dict(family=FONT, size=13, color=colour("ink")),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin=dict(l=12, r=12, t=12, b=12),
        legend=dict(orientation="h", x=0, xanchor="left", y=1.02, yanchor="bottom", bgcolor="rgba(0,0,0,0)"),
        hoverlabel=dict(font=dict(family=FONT)),
        dragmode=False,
        xaxis=axis,
        yaxis=axis,
    )
    made = go.Figure(layout=base)
    made.update_layout(template=go.layout.Template(), **layout)
    return made


def style_axes(made: go.Figure) -> go.Figure:
    """Give every further axis of a figure with subplots the look of the first."""
    look = dict(
        gridcolor=colour("grid"),
        linecolor=colour("rule"),
        zeroline=False,
        automargin=True,
        ticks="outside",
        tickcolor=colour("rule"),
        title=dict(standoff=8, font=dict(size=13)),
    )
    made.update_xaxes(**look)
    made.update_yaxes(**look)
    return made


def log_ticks(low: float, high: float) -> dict[str, list]:
    """Ticks of a logarithmic axis at 1, 2, 5 of each decade, or at 1 alone over more than three decades, all written in full."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    values = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return dict(tickvals=values, ticktext=[f"{value:,g}" if value < 1e6 else f"{value:g}" for value in values])


def reference_line(made: go.Figure, *, x: float | None = None, y: float | None = None, text: str = "", **place: object) -> None:
    """A dashed line at a named value, drawn behind the data."""
    line = dict(color=colour("muted"), width=1, dash="dash")
    common = dict(line=line, layer="below", annotation_text=text, annotation_font=dict(size=11, color=colour("muted")))
    if x is not None:
        made.add_vline(x=x, **common, **place)
    if y is not None:
        made.add_hline(y=y, **common, **place)


def segments(start: ArrayLike, end: ArrayLike) -> np.ndarray:
    """Coordinates of many separate line segments in one trace: start, end, gap, start, end, gap, ..."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    return np.column_stack([start, end, np.full(len(start), np.nan)]).reshape(-1).astype("f4")
