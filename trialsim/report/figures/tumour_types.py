"""Forest plots: the probability of each endpoint by tumour type, from the simulated study and from published counts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.posterior import type_probabilities
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure, segments
from trialsim.report.wording import interval, label, percent, plot_lines

LOOKS = {
    "simulated": (-0.16, "circle"),
    "published": (0.16, "diamond"),
}  # place in the row, marker; the tone has its name


def forest_table(run: Run) -> pd.DataFrame:
    """Posterior probability by endpoint and tumour type: columns fit (simulated | published), endpoint, tumour_type,
    median, low_50, high_50, low_95, high_95."""
    fits = {"simulated": run.posterior, "published": run.posterior_published}
    parts = [type_probabilities(fit).assign(fit=name) for name, fit in fits.items()]
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else parts[0]
    return table[["fit", *[column for column in table.columns if column != "fit"]]]


def forest_panels(run: Run) -> list[Panel]:
    """One forest plot an endpoint."""
    table = forest_table(run)
    if table.empty:
        why = "The fit holds no probability by tumour type, so there is no forest plot."
        return [Panel("forest", "Probability by tumour type", why)]
    return [_forest(run, str(endpoint), part) for endpoint, part in table.groupby("endpoint", sort=False)]


def _forest(run: Run, endpoint: str, table: pd.DataFrame) -> Panel:
    """Tumour types from most to least likely in the simulated study; types known from publications only come last."""
    first = table.assign(own=table["fit"] == "simulated").sort_values(["own", "median"], ascending=False, kind="stable")
    order = first.drop_duplicates("tumour_type")["tumour_type"].tolist()
    both = table["fit"].nunique() > 1
    made = figure(110 + 34 * len(order))
    for fit, (shift, symbol) in LOOKS.items():
        part = table[table["fit"] == fit]
        if part.empty:
            continue
        y = np.array([order.index(name) for name in part["tumour_type"]], float) + (shift if both else 0.0)
        for low, high, width in (("low_95", "high_95", 1.6), ("low_50", "high_50", 5.0)):
            made.add_scatter(
                x=segments(part[low] * 100, part[high] * 100),
                y=segments(y, y),
                mode="lines",
                line=dict(color=colour(fit), width=width),
                showlegend=False,
                legendgroup=fit,
                hoverinfo="skip",
            )
        made.add_scatter(
            x=(part["median"] * 100).to_numpy("f4"),
            y=y.astype("f4"),
            mode="markers",
            marker=dict(color=colour(fit), size=8, symbol=symbol),
            name=f"{fit} (median, 50 % and 95 %)",
            legendgroup=fit,
            customdata=(part[["low_95", "high_95"]] * 100).to_numpy("f4"),
            hovertemplate="%{x:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
        )
    made.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[plot_lines(run.tumour_name(name), 26) for name in order],
        range=[len(order) - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    top = float(table["high_95"].max()) * 100
    made.update_xaxes(title_text="probability (%)", range=[-0.02 * top, min(102.0, top * 1.05)])
    key = "forest_" + re.sub(r"\W+", "_", endpoint)  # it names a file
    return Panel(key, f"{label(endpoint)} by tumour type", _caption(run, endpoint, table, both), made)


def _caption(run: Run, endpoint: str, table: pd.DataFrame, both: bool) -> str:
    own = "simulated" if (table["fit"] == "simulated").any() else "published"
    ranked = table[table["fit"] == own].sort_values("median")
    best, worst = ranked.iloc[-1], ranked.iloc[0]
    limits = interval(best["low_95"], best["high_95"], "proportion")
    names = [run.tumour_name(row["tumour_type"]) for row in (best, worst)]
    text = f"{label(endpoint)}: {percent(best['median'])} (95 % interval {limits}) in {names[0]}"
    if len(ranked) > 1:
        text += f", the highest of {len(ranked)} tumour types; {percent(worst['median'])} in {names[1]}, the lowest"
    if both:
        return f"{text}. Orange: the same model fitted to published counts."
    missing = "published counts" if own == "simulated" else "the simulated study"
    return f"{text}. No fit to {missing} was saved to set beside it."
