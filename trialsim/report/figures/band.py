"""A median with its bands: middle 50 % and 90 %, drawn the same wherever something spreads over patients or draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from trialsim.report.theme import colour


def band(made: go.Figure, x: np.ndarray, quantiles: Sequence[ArrayLike], tone: str, **line: object) -> None:
    """Add the line of the median and two bands.

    Args:
        x: places along the axis.
        quantiles: 5, 25, 50, 75 and 95 % at each place.
        tone: token of the theme that has a ``_50`` and a ``_90`` shade.
        **line: further entries of the median's trace: name, hovertemplate, ...; row and col for all three.
    """
    low_90, low_50, median, high_50, high_90 = (np.asarray(part, "f4") for part in quantiles)
    place: dict[str, object] = {key: line.pop(key) for key in ("row", "col") if key in line}
    if line.get("name") and line.get("showlegend") is not False:
        place["legendgroup"] = line["name"]  # the bands come and go with their line
    for low, high, shade in ((low_90, high_90, f"{tone}_90"), (low_50, high_50, f"{tone}_50")):
        made.add_scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([low, high[::-1]]),
            fill="toself",
            mode="lines",
            fillcolor=colour(shade),
            line=dict(width=0),
            hoverinfo="skip",
            showlegend=False,
            **place,
        )
    made.add_scatter(x=x, y=median, mode="lines", line=dict(color=colour(tone), width=2), **line, **place)
