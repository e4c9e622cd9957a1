"""Does the analysis find what the simulation put in: known truth beside its estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure, segments
from trialsim.report.wording import ENDPOINT_NAMES, is_number, percent, plot_lines, words

COLUMNS = ("quantity", "truth", "estimate", "low", "high", "level", "inside")
NUMBERS = ["truth", "estimate", "low", "high"]
HOVER = "truth %{customdata[0]:.3g}, estimate %{customdata[1]:.3g} (%{customdata[2]:.3g} to %{customdata[3]:.3g})"


def recovery_table(run: Run) -> pd.DataFrame:
    """Known truth and its estimate, one row a quantity, in the summary's own columns."""
    found = run.section("recovery")
    rows = [
        {"quantity": name, **{key: value.get(key) for key in COLUMNS[1:]}}
        for name, value in found.items()
        if isinstance(value, dict)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def quantity_name(key: str) -> str:
    """``response`` -> ``Objective response``; ``probability[colorectal]`` -> ``probability: colorectal``."""
    if key in ENDPOINT_NAMES:
        return ENDPOINT_NAMES[key]
    return words(key.replace("[", ": ").replace("]", ""))


def recovery_panel(run: Run) -> Panel:
    """Truth against interval, in half-widths of the interval so that unlike quantities share an axis."""
    title = "Does the analysis recover the known truth?"
    table = recovery_table(run)
    if len(table):
        table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in NUMBERS}).dropna(subset=NUMBERS)
    if table.empty:
        return Panel("recovery", title, "No check against known truth was saved.")
    half = ((table["high"] - table["low"]) / 2).where(lambda width: width > 0, 1.0)
    centre = (table["high"] + table["low"]) / 2
    estimate = ((table["estimate"] - centre) / half).to_numpy("f4")
    truth = ((table["truth"] - centre) / half).to_numpy("f4")
    inside = table["inside"].map(bool).to_numpy(bool)
    y = np.arange(len(table), dtype=float)
    made = figure(120 + 34 * len(table))
    ones = np.ones(len(table))
    made.add_scatter(
        x=segments(-ones, ones),
        y=segments(y, y),
        mode="lines",
        line=dict(color=colour("simulated_50"), width=9),
        name="stated interval",
        hoverinfo="skip",
    )
    mark = dict(symbol="line-ns-open", size=11, color=colour("simulated"), line=dict(width=2, color=colour("simulated")))
    made.add_scatter(x=estimate, y=y, mode="markers", marker=mark, name="estimate", hoverinfo="skip")
    for good, name, tone, symbol in ((True, "truth, inside", "good", "circle"), (False, "truth, outside", "bad", "x")):
        mask = inside == good
        if mask.any():
            made.add_scatter(
                x=truth[mask],
                y=y[mask],
                mode="markers",
                marker=dict(symbol=symbol, size=9, color=colour(tone)),
                name=name,
                customdata=table[NUMBERS].to_numpy("f4")[mask],
                hovertemplate=f"{HOVER}<extra></extra>",
            )
    made.update_yaxes(
        tickvals=y,
        ticktext=[plot_lines(quantity_name(name), 26) for name in table["quantity"]],
        range=[len(y) - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    edge = max(1.25, float(np.abs(truth).max()) * 1.1)
    made.update_xaxes(title_text="half-widths from the middle", range=[-edge, edge])
    return Panel("recovery", title, _caption(table, int(inside.sum())), made)


def _caption(table: pd.DataFrame, inside: int) -> str:
    text = f"The simulation's own true values are known; {inside} of {len(table)} lie inside the "
    level = table["level"].iloc[0]
    if not is_number(level):
        return f"{text}stated intervals of the analysis."
    return f"{text}{percent(level, 0)} intervals of the analysis, where about {level * len(table):.0f} are expected to."
