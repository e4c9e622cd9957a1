"""A plate as it lies on the bench, and as the reader gives it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.assays.plate import BLANK, COLUMNS, ROWS
from trialsim.report.figures.assay.look import Look, dose
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure
from trialsim.report.wording import number, plot_text

HEIGHT = 330
LIGHT = [[0.0, "#f7fbff"], [0.35, "#9ecae1"], [0.7, "#3182bd"], [1.0, "#08306b"]]  # the same on a dark page: it shows amounts
SMALLEST, LARGEST = 0.25, 1.0  # size of a well's mark, from the lowest to the highest dose


def layout(plate: pd.DataFrame, look: Look) -> Panel:
    """Where each treatment lies; the larger the mark, the higher the dose."""
    made = _empty()
    for treatment, group in plate.groupby("treatment", sort=False):
        if treatment == BLANK:
            tone, name, size = colour("grid"), "medium only", np.full(len(group), 0.55)
        else:
            tone, name = look.tone(treatment), look.treatment(treatment)
            rank = group["dose_nM"].rank(method="dense")
            size = SMALLEST + (LARGEST - SMALLEST) * (rank / rank.max()) if rank.max() > 1 else np.full(len(group), 0.6)
        made.add_scatter(
            x=group["column"] + 1, y=group["row"], mode="markers", name=plot_text(name), showlegend=True,
            marker=dict(size=20 * np.asarray(size), color=tone, opacity=1.0, line=dict(width=0)),
            text=[f"{well}: {plot_text(name)}{', ' + dose(level) if level else ''}"
                  for well, level in zip(group["well"], group["dose_nM"], strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    name = plate["plate"].iloc[0]
    caption = f"Plate {name}: places drawn at random; the larger the mark, the higher the dose."
    return Panel("plate_layout", "Layout of a plate", caption, made, wide=False)


def light(plate: pd.DataFrame) -> Panel:
    """Luminescence of every well."""
    made, z, small = _empty(), np.full((len(ROWS), COLUMNS), np.nan), dict(size=11)
    z[plate["row"], plate["column"]] = plate["luminescence"] / 1e3
    made.add_heatmap(
        x=np.arange(1, COLUMNS + 1), y=np.arange(len(ROWS)), z=z.round(2), colorscale=LIGHT, zmin=0, xgap=2, ygap=2,
        colorbar=dict(title=dict(text="10<sup>3</sup> RLU", font=small), thickness=10, outlinewidth=0, tickfont=small),
        hovertemplate="%{z:.1f} thousand RLU<extra></extra>",
    )  # fmt: skip
    cells, blank = plate[plate["treatment"] == "vehicle"], plate[plate["treatment"] == BLANK]["luminescence"].mean()
    cv = cells["luminescence"].std() / cells["luminescence"].mean()
    caption = (
        f"The same plate in the reader. Vehicle wells: mean {number(cells['luminescence'].mean(), 3)} RLU, CV {100 * cv:.1f} %; "
        f"wells without cells: {number(blank, 2)} RLU."
    )
    return Panel("plate_light", "Its light (ATP)", caption, made, wide=False)


def _empty() -> go.Figure:
    made, bare = figure(HEIGHT), dict(showgrid=False, ticks="", showline=False)
    made.update_xaxes(tickvals=list(range(1, COLUMNS + 1)), range=[0.4, COLUMNS + 0.6], **bare)
    made.update_yaxes(tickvals=list(range(len(ROWS))), ticktext=list(ROWS), range=[len(ROWS) - 0.4, -0.6], **bare)
    return made
