"""Names beside the points of a scatter, moved apart, each tied to its point by a thin line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from trialsim.report.theme import colour
from trialsim.report.wording import plot_text

CHARACTER, LINE = 6.0, 15.0  # px of a character and of a line at the size of `SIZE`
SIZE = 11
ANGLES = np.deg2rad(np.arange(45, 405, 15))
DISTANCES = (16.0, 26.0, 38.0, 52.0, 70.0)  # px from point to the middle of its name


def name_points(
    made: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    names: Sequence[str],
    width: float,
    height: float,
    others: np.ndarray | None = None,
) -> None:
    """Put each name where it covers neither a point nor another name, as near as there is room.

    Args:
        x, y: (points,), on the axes' own scale: of a logarithmic axis the log10. The axes must have their ranges.
        width, height: px of the plotting area, as drawn on a wide page.
        others: further points that are not to be covered, (points, 2).
    """
    ranges = [made.layout.xaxis.range, made.layout.yaxis.range]
    pixel = lambda value, axis, size: (value - ranges[axis][0]) / (ranges[axis][1] - ranges[axis][0]) * size
    points = np.column_stack([pixel(np.asarray(x, float), 0, width), pixel(np.asarray(y, float), 1, height)])
    extra = np.empty((0, 2)) if others is None else np.column_stack([pixel(others[:, 0], 0, width), pixel(others[:, 1], 1, height)])
    obstacles = np.concatenate([points, extra])
    placed: list[np.ndarray] = []  # left, bottom, right, top
    for i in np.argsort([-len(name) for name in names], kind="stable"):
        half = np.array([CHARACTER * len(names[i]) / 2 + 2, LINE / 2])
        offset, box, least = np.zeros(2), np.zeros(4), np.inf
        for distance in DISTANCES:
            for angle in ANGLES:
                # the name's nearest edge, not its middle, is to be that far away
                away = np.array([np.cos(angle), np.sin(angle)]) * (distance + np.array([half[0] * 0.8, 0.0]))
                tried = np.concatenate([points[i] + away - half, points[i] + away + half])
                inside = ((obstacles > tried[:2] - 4) & (obstacles < tried[2:] + 4)).all(axis=1).sum()
                overlap = sum(_shared(tried, other) for other in placed)
                out = np.maximum(-tried[:2], 0).sum() + np.maximum(tried[2:] - (width, height), 0).sum()
                along = 12.0 * (np.min(np.abs([np.cos(angle), np.sin(angle)])) < 0.35)  # there lie the error bars
                cost = 400.0 * inside + 3.0 * overlap + 20.0 * out + distance + along
                if cost < least:
                    offset, box, least = away, tried, cost
        placed.append(box)
        made.add_annotation(
            x=float(x[i]), y=float(y[i]), ax=float(offset[0]), ay=float(-offset[1]), text=plot_text(names[i]), showarrow=True,
            arrowhead=0, arrowwidth=0.8, arrowcolor=colour("muted"), standoff=4, font=dict(size=SIZE), borderpad=1,
        )  # fmt: skip


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    """Area that two boxes share, px squared."""
    side = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(np.prod(np.maximum(side, 0.0)))
