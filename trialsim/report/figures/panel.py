"""What a figure is to the page: a key, a heading, a plot and one sentence in words."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go


class Panel(NamedTuple):
    """One figure.

    Attributes:
        key: file name stem under figures/, unique.
        title: heading.
        caption: what it shows, in one or two sentences computed from the data; also its text alternative.
        figure: the plot, or None where there is nothing to draw (the caption then says why).
        wide: whole width of the page, or half.
    """

    key: str
    title: str
    caption: str
    figure: go.Figure | None = None
    wide: bool = True
