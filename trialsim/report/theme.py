"""Design tokens: every colour and the one layout all figures share.

Figures are written with the light values; the page's script exchanges each light value for its dark partner, so each
light value belongs to one token only. Categorical colours start from Okabe & Ito, "Color Universal Design" (2008), and are
lighter or darker where WCAG 2.2 asks it (3:1 against the page for marks, 4.5:1 for text) and where two of them would look alike
with a colour-vision deficiency. Ordered shades go from pale to dark; what is pale is drawn with an ``edge``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

ABOVE_ROW, ABOVE_LINE, ABOVE_SHIFT = 34, 14, 8  # px a row whose name stands above it, a further line, from its middle to the name
ABOVE_WIDTH = 54  # characters of a line of it
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
    "CR": Tone("#007a57", "#3fd9a4"),
    "PR": Tone("#004f8f", "#3d93e0"),
    "SD": Tone("#3a9ad9", "#a5dcfb"),
    "PD": Tone("#d55e00", "#f28335"),
    "NE": Tone("#8b939c", "#7b8591"),
    "published": Tone("#d45d01", "#f38436"),
    "simulated": Tone("#0171b1", "#4aa3e4"),
    "simulated_50": Tone("rgba(0,114,178,0.34)", "rgba(74,163,228,0.42)"),
    "simulated_90": Tone("rgba(0,114,178,0.15)", "rgba(74,163,228,0.20)"),
    "second": Tone("#009d72", "#3fd9a4"),
    "second_50": Tone("rgba(0,158,115,0.34)", "rgba(63,217,164,0.36)"),
    "second_90": Tone("rgba(0,158,115,0.15)", "rgba(63,217,164,0.18)"),
    "grade_1": Tone("#c4dbe9", "#3a5a70"),
    "grade_2": Tone("#74aed2", "#6aa7d2"),
    "grade_3": Tone("#e69f00", "#e7a100"),
    "grade_4": Tone("#a63603", "#ff7b42"),
    "chain_1": Tone("#0067ac", "#4a9ae4"),
    "chain_2": Tone("#bb8a01", "#f0b93a"),
    "chain_3": Tone("#009a73", "#3fd9a4"),
    "chain_4": Tone("#c969a1", "#f0a3cf"),
    "route_bypass": Tone("#b8420b", "#e86a28"),
    "route_partial_4EBP1": Tone("#bb8a02", "#f0b93a"),
    "route_feedback": Tone("#0067ad", "#4a9ae4"),
    "route_adaptation": Tone("#c969a2", "#f0a3cf"),
    "route_mTORC2_sparing": Tone("#3d9ad7", "#b5e3fd"),
    "route_autophagy": Tone("#009a74", "#3fd9a4"),
    "route_stroma": Tone("#4e2f87", "#8e74cc"),
    "unexplained": Tone("#c3c9d0", "#59636e"),
    "cuts_1": Tone("#bfdbef", "#2f5674"),
    "cuts_2": Tone("#5797c9", "#4683b1"),
    "cuts_3": Tone("#2f7ab5", "#76b2e0"),
    "cuts_4": Tone("#0c4a7d", "#b9dcf6"),
    "fall": Tone("#8cc0dc", "#2d5f85"),
    "rise": Tone("#ecb78c", "#8a5029"),
    "synergy": Tone("#4094c6", "#2d6c9b"),
    "antagonism": Tone("#dc7229", "#9a5423"),
    "effect_full": Tone("#9288b6", "#665e91"),
    "harm_full": Tone("#d46c8d", "#96516a"),
    "series_1": Tone("#0067ab", "#4a9ae4"),
    "series_2": Tone("#b8420a", "#e86a28"),
    "series_3": Tone("#009a72", "#3fd9a4"),
    "series_4": Tone("#c969a0", "#f0a3cf"),
    "series_5": Tone("#bb8a00", "#f0b93a"),
    "series_6": Tone("#3d9ad6", "#b5e3fd"),
    "series_7": Tone("#4e2f86", "#8e74cc"),
    "series_8": Tone("#5f3f1f", "#a8845f"),
    "series_9": Tone("#5b6570", "#98a2ad"),
    "treated_0": Tone("#87919c", "#66717d"),
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


def at_least(made: go.Figure, width: int) -> go.Figure:
    """The figure is not drawn narrower than so many px: on a telephone it scrolls in a place of its own."""
    return made.update_layout(meta=dict(least=width))


def when_narrow(made: go.Figure, below: int, layout: dict[str, object], data: dict[str, object] | None = None) -> go.Figure:
    """Another form of the figure where its place is narrower than ``below`` px: values of the layout and of every trace, by dotted
    keys. Saved and printed figures keep the wide form.
    """
    return made.update_layout(meta=dict(narrow=dict(below=below, layout=layout, data=data or {})))


def row_above(names: Iterable[str]) -> int:
    """Height, px, of rows with these names above them: of those with the most lines."""
    return ABOVE_ROW + ABOVE_LINE * max((name.count("<br>") for name in names), default=0)


def names_above(
    made: go.Figure,
    below: int,
    rows: Mapping[str, Sequence[str]],
    height: int,
    shift: float | Mapping[str, float] = ABOVE_SHIFT,
    layout: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
    at: float = 0.0,
) -> go.Figure:
    """`when_narrow`, the name of each row on a line or two of its own above it. To be called when all else is in the figure.

    Args:
        rows: names of the rows 0, 1, ... of each vertical axis (``y``, ``y2``), as from `wording.plot_lines`, which breaks them at
            `ABOVE_WIDTH`.
        height: of the figure, then, px; a row needs `row_above`.
        shift: px from the middle of a row up to its name, or those of each axis.
        layout, data: what else changes. at: where on the axis the shift begins, in rows from the middle of a row.
    """
    notes = [note.to_plotly_json() for note in made.layout.annotations]
    for axis, names in rows.items():
        up = shift[axis] if isinstance(shift, Mapping) else shift
        place = dict(xref=f"x{axis[1:]} domain", x=0, xanchor="left", yref=axis, yanchor="bottom", yshift=up)
        look = dict(showarrow=False, align="left", borderpad=0, font=dict(size=11))
        notes += [place | look | dict(y=row + at, text=name) for row, name in enumerate(names)]
    bare = {f"yaxis{axis[1:]}.showticklabels": False for axis in rows}
    return when_narrow(made, below, {"annotations": notes, "height": height} | bare | dict(layout or {}), dict(data or {}))


def on_cells(size: float = 12) -> dict[str, object]:
    """Type on the cells of a heat map, whose colours are such that ink is legible on all of them."""
    return dict(size=size, color=colour("ink"))


def edge() -> dict[str, object]:
    """The outline of a bar or point whose fill may be too pale to be seen against the page."""
    return dict(width=1, color=colour("muted"))


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
        hoverlabel=dict(
            font=dict(family=FONT, color=colour("ink")), bgcolor=colour("panel"), bordercolor=colour("muted"), align="left"
        ),
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
