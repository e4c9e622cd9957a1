"""Which parameters an outcome depends on, and which the published data inform."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.report.figures.labels import name_points
from trialsim.report.figures.panel import Panel
from trialsim.report.parameters import named
from trialsim.report.theme import (
    ABOVE_WIDTH,
    at_least,
    colour,
    figure,
    log_ticks,
    names_above,
    on_cells,
    reference_line,
    row_above,
    style_axes,
)
from trialsim.report.wording import fixed, join, number, plot_lines, plot_text, plural

OUTCOMES = {  # name -> words, unit of an effect, its scale
    "orr": ("objective response rate", "percentage points", 100.0),
    "dcr": ("disease control rate", "percentage points", 100.0),
    "pfs_mean": ("mean progression-free survival", "months", 1.0),
    "pfs_median": ("median progression-free survival", "months", 1.0),
    "best_change": ("best change of tumour size", "percentage points", 1.0),
    "size_week_8": ("tumour size at week 8", "percentage points", 1.0),
    "ps6_week_4": ("pS6 in the tumour at week 4", "fold", 1.0),
    "pakt_week_4": ("pAKT in the tumour at week 4", "fold", 1.0),
}
COURSE = {
    "C_free_nM": "free drug",
    "ps6": "pS6",
    "p4ebp1": "p4E-BP1",
    "pakt": "pAKT",
    "perk": "pERK",
    "autophagy": "autophagic flux",
    "proliferation": "proliferation",
    "diameter_mm": "tumour diameter",
}
BARS, NAMED_POINTS, ROWS = 15, 8, 30
ROW, TWO_LINES = 21, 30  # px
LEAST = 1e-3  # information, relative to the prior's, below which it is not drawn
FULL = 1.0  # elasticity from which the colour is full
INFORMED, UNINFORMED = 0.5, 0.9
BETWEEN = 62  # px from one set of axes to the next below it
ROOM = 820  # px a heat map needs beside the names of its rows
CELL, BAR = 19, 12  # px of height of a cell, and of a bar, below its name
TONES = {"good": "simulated", "some": "SD", "none": "NE"}


def _rows(made: go.Figure, names: Sequence[str], **where: int) -> None:
    """Names of parameters down the vertical axis, the first on top."""
    made.update_yaxes(
        tickvals=np.arange(len(names)), ticktext=[plot_lines(named(name), 35) for name in names], tickfont=dict(size=11),
        range=[len(names) - 0.4, -0.6], showgrid=False, ticks="", **where,
    )  # fmt: skip


def _cells_below_names(made: go.Figure, names: Sequence[str], top: int) -> go.Figure:
    """A heat map whose rows are ``names`` from the last to the first, in a narrow place: each name above its cells.

    Args:
        top: px of the names of the columns, which then stand upright.
    """
    above = [plot_lines(name, ABOVE_WIDTH) for name in names]
    row = row_above(above) + 2
    gap = row - CELL
    scale = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "title.side": "top", "len": 0.9}
    layout = {"yaxis.range": [-0.5, len(names) - 0.2], "xaxis.tickangle": -90, "xaxis.tickfont.size": 11}
    cells = {"ygap": gap, "textfont.size": 10} | {f"colorbar.{name}": value for name, value in scale.items()}
    return names_above(made, ROOM, {"y": above}, top + 90 + row * len(names), 1.5 - gap / 2, layout, cells, 0.5)


def ranked(screening: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Screening of one outcome, the largest mean effect first."""
    return screening[screening["outcome"] == outcome].sort_values("mu_star", ascending=False, kind="stable")


def morris(screening: pd.DataFrame, outcome: str) -> Panel:
    """Ranked mean effects with their intervals."""
    words, unit, scale = OUTCOMES[outcome]
    every = ranked(screening, outcome)
    top = every.iloc[:BARS]
    made = figure(110 + TWO_LINES * len(top))
    x = scale * top["mu_star"].to_numpy()
    rises = (top["mu"] >= 0).to_numpy()
    rows = np.arange(len(top))
    for up, name, tone in ((True, "a higher value raises it", "published"), (False, "a higher value lowers it", "simulated")):
        some = rises == up
        made.add_bar(
            x=x[some], y=rows[some], orientation="h", width=0.7, name=name, showlegend=True, marker_color=colour(tone),
            error_x=dict(
                type="data", array=scale * top["high"][some] - x[some], arrayminus=x[some] - scale * top["low"][some],
                color=colour("ink"), thickness=1.1, width=3,
            ),
            hovertemplate="%{x:.3g} " + unit + "<extra></extra>",
        )  # fmt: skip
    _rows(made, top["parameter"].tolist())
    made.update_xaxes(title_text=f"mean absolute effect μ*<br>over the prior range<br>({unit})", rangemode="tozero")
    names = [plot_lines(named(name), ABOVE_WIDTH) for name in top["parameter"]]
    narrow, row = {"yaxis.range": [len(top) - 0.5, -0.9]}, row_above(names)
    names_above(made, 560, {"y": names}, 130 + row * len(top), layout=narrow, data={"width": BAR / row})
    if top["mu_star"].iloc[0] == 0:
        return Panel(f"sensitivity_morris_{outcome}", titled(outcome), f"No parameter changed the {words} in this cohort.", None)
    clear = int((every["low"] > 0).sum())
    first = top.iloc[:3]
    told = join(f"{named(row.parameter)} {number(scale * row.mu_star, 2)}" for row in first.itertuples())
    caption = (
        f"The largest effects on the {words}, in {unit}: {told}. Of {len(every)} parameters {clear} have an effect whose interval "
        f"excludes 0. Bars: μ* of the {plural(len(top), 'leading parameter')}; whiskers: bootstrap 95 % interval."
    )
    return Panel(f"sensitivity_morris_{outcome}", titled(outcome), caption, made)


def titled(outcome: str) -> str:
    """Name of an outcome at the head of something; pS6 stays as it is."""
    text = OUTCOMES[outcome][0]
    return text if text[1].isupper() else f"{text[0].upper()}{text[1:]}"


def plane(screening: pd.DataFrame, outcome: str) -> Panel:
    """Size of the effect against how much it depends on the rest."""
    words, unit, scale = OUTCOMES[outcome]
    every = ranked(screening, outcome)
    x, y = scale * every["mu_star"].to_numpy(), scale * every["sigma"].to_numpy()
    key, title = f"sensitivity_plane_{outcome}", f"Main effects and interactions, {words}"
    if not np.any(x > 0):
        return Panel(key, title, f"No parameter changed the {words} in this cohort.", None)
    made = at_least(figure(430, showlegend=False), 600)
    top = 1.12 * max(x.max(), y.max())
    made.update_xaxes(title_text=f"mean absolute effect μ* ({unit})", range=[-0.02 * top, top])
    made.update_yaxes(title_text=f"standard deviation of the effects σ ({unit})", range=[-0.02 * top, top])
    made.add_scatter(
        x=[0, top], y=[0, top], mode="lines", line=dict(color=colour("muted"), width=1, dash="dash"), hoverinfo="skip"
    )
    made.add_scatter(
        x=x, y=y, mode="markers", marker=dict(size=8, color=colour("simulated"), line=dict(width=1, color=colour("page"))),
        customdata=[plot_text(named(name)) for name in every["parameter"]],
        hovertemplate="%{customdata}<br>μ* %{x:.3g}, σ %{y:.3g}<extra></extra>",
    )  # fmt: skip
    some = slice(0, NAMED_POINTS)
    name_points(made, x[some], y[some], every["parameter"].tolist()[some], 1000.0, 370.0, np.column_stack([x, y])[NAMED_POINTS:])
    above = int(np.sum((y > x)[:BARS]))
    caption = (
        "A parameter far to the right matters; near the line σ = μ* (dashed) or above it, how much depends on where the others "
        f"stand. Of the {min(BARS, len(every))} leading parameters {above} lie above the line."
    )
    return Panel(key, title, caption, made)


def sobol(table: pd.DataFrame, outcomes: Sequence[str]) -> Panel:
    """First-order and total indices of the leading parameters, one panel an outcome."""
    names = table["parameter"].drop_duplicates().tolist()
    across = len(outcomes)
    made = make_subplots(1, across, subplot_titles=[plot_lines(titled(o), 24) for o in outcomes], shared_yaxes=True,
                         horizontal_spacing=0.03)  # fmt: skip
    made.update_layout(figure(150 + 46 * len(names)).layout)
    at_least(made, 230 + 160 * across)
    made.update_annotations(font=dict(size=13))
    told = []
    for column, outcome in enumerate(outcomes, start=1):
        for place, (index, words, tone) in enumerate((("first", "first order", "simulated"), ("total", "total", "published"))):
            found = table[(table["outcome"] == outcome) & (table["index"] == index)].set_index("parameter").loc[names]
            x = found["estimate"].to_numpy()
            made.add_bar(
                x=x, y=np.arange(len(names)) + 0.38 * (place - 0.5), orientation="h", width=0.36, name=words,
                showlegend=column == 1, legendgroup=index, marker_color=colour(tone),
                error_x=dict(
                    type="data", array=found["high"] - x, arrayminus=x - found["low"], color=colour("ink"), thickness=1.1, width=3
                ),
                hovertemplate="%{x:.2f}<extra>" + words + "</extra>", row=1, col=column,
            )  # fmt: skip
        total = table[(table["outcome"] == outcome) & (table["index"] == "total")].sort_values("estimate").iloc[-1]
        told.append(f"{OUTCOMES[outcome][0]}, {named(total['parameter'])} (total {fixed(total['estimate'])})")
    style_axes(made)
    for column in range(1, across + 1):
        made.update_yaxes(
            tickvals=np.arange(len(names)), ticktext=[plot_lines(named(name), 30) for name in names], tickfont=dict(size=11.5),
            range=[len(names) - 0.4, -0.6], showgrid=False, ticks="", row=1, col=column,
        )  # fmt: skip
        made.update_xaxes(title_text="share of variance", row=1, col=column)
    made.update_layout(legend=dict(y=1.13, yanchor="bottom"), margin=dict(t=80, b=50))
    caption = (
        f"The largest total index: {join(told)}. First order: share of the variance that would go if the parameter were known; "
        "total: with all its interactions. Whiskers: bootstrap 95 % interval, which may cross 0."
    )
    return Panel("sensitivity_sobol", "Shares of the variance of outcomes", caption, made)


def elasticities(table: pd.DataFrame, limit: int = ROWS) -> Panel:
    """Mean elasticity of each outcome of the course in each of the leading parameters."""
    grid = table.pivot(index="parameter", columns="outcome", values="mean").reindex(columns=list(COURSE))
    order = grid.abs().clip(upper=FULL).mean(axis=1).sort_values(ascending=False, kind="stable").index[:limit]
    grid = grid.loc[order]
    values = grid.to_numpy()
    made = figure(150 + ROW * len(grid))
    made.add_heatmap(
        z=values[::-1], x=[plot_text(COURSE[name]) for name in grid.columns],
        y=[plot_text(named(name)) for name in grid.index][::-1],
        zmid=0, zmin=-FULL, zmax=FULL, xgap=2, ygap=2,
        colorscale=[[0, colour("synergy")], [0.5, colour("panel")], [1, colour("antagonism")]],
        colorbar=dict(title=dict(text="elasticity", side="right"), thickness=12, outlinewidth=0, tickvals=[-1, -0.5, 0, 0.5, 1],
                      ticktext=["−1 or below", "−0.5", "0", "0.5", "1 or above"]),
        text=[[_signed(v) for v in row] for row in values[::-1]], texttemplate="%{text}", textfont=on_cells(10.5),
        hovertemplate="%{y}<br>%{x}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    made.update_xaxes(side="top", ticks="", showgrid=False, tickangle=-40, tickfont=dict(size=12))
    made.update_yaxes(ticks="", showgrid=False, tickfont=dict(size=11.5))
    _cells_below_names(made, [named(name) for name in grid.index][::-1], 120)
    size = grid["diameter_mm"].abs().sort_values(ascending=False)
    first = size.index[0]
    caption = (
        "Mean over patients of the percentage by which what stands on top changes after eight weeks if the parameter rises by 1 %. "
        f"Tumour diameter depends most on {named(first)}: {_signed(grid.loc[first, 'diameter_mm'])} %. Drawn are the "
        f"{len(grid)} parameters of largest elasticities, of {table['parameter'].nunique()}."
    )
    return Panel("sensitivity_elasticity", "What 1 % more of a parameter does to a course", caption, made)


def _signed(value: float) -> str:
    """-0.162 -> ``−0.16``; what rounds to nothing is left blank."""
    return f"{value:+.2f}".replace("-", "−").replace("+", "") if abs(value) >= 0.005 else ""


def shrinkage(parameters: pd.DataFrame) -> Panel:
    """Posterior over prior standard deviation of every parameter."""
    table = parameters.sort_values("shrinkage", kind="stable")
    value = table["shrinkage"].to_numpy()
    half = -(-len(table) // 2)
    made = make_subplots(1, 2, horizontal_spacing=0.56)
    made.update_layout(figure(110 + 17 * half).layout)
    style_axes(made)
    rows, below = {}, {}
    row = row_above(plot_lines(named(name), ABOVE_WIDTH) for name in table["parameter"])
    tall = row * len(table)
    share = 0.5 * tall / (tall + BETWEEN)  # of the height, in a narrow place, where the second column stands below the first
    kinds = (
        (value < INFORMED, "well informed", TONES["good"]),
        ((value >= INFORMED) & (value <= UNINFORMED), "informed in part", TONES["some"]),
        (value > UNINFORMED, "hardly informed", TONES["none"]),
    )
    for column, part in enumerate((slice(0, half), slice(half, None)), start=1):
        names = table["parameter"].tolist()[part]
        for chosen, name, tone in kinds:
            some = chosen[part]
            made.add_bar(
                x=value[part][some], y=np.arange(len(names))[some], orientation="h", width=0.72, name=name, legendgroup=name,
                showlegend=bool(some.any()) and (column == 1 or not chosen[:half].any()), marker_color=colour(tone),
                hovertemplate="%{x:.2f}<extra></extra>", row=1, col=column,
            )  # fmt: skip
        made.update_yaxes(
            tickvals=np.arange(len(names)), ticktext=[plot_text(named(name)) for name in names], tickfont=dict(size=10.5),
            range=[half - 0.4, -0.6], showgrid=False, ticks="", row=1, col=column,
        )  # fmt: skip
        made.update_xaxes(title_text="posterior / prior SD", range=[0, 1.02], row=1, col=column)
        axis = "" if column == 1 else "2"
        rows[f"y{axis}"] = [plot_lines(named(name), ABOVE_WIDTH) for name in names]
        below |= {f"xaxis{axis}.domain": [0, 1], f"yaxis{axis}.domain": [1 - share, 1] if column == 1 else [0, share]}
        below |= {f"yaxis{axis}.range": [half - 0.4, -0.9]}  # the second column may have one row fewer
    names_above(made, 900, rows, 120 + tall + BETWEEN, layout=below, data={"width": BAR / row})
    counted = [int(chosen.sum()) for chosen, *_ in kinds]
    caption = (
        f"Of {len(table)} parameters the laboratory facts inform {counted[0]} well (below {INFORMED:g}), {counted[1]} in part and "
        f"{counted[2]} hardly (above {UNINFORMED:g}); 1 means that the prior range is all that is known. Best informed: "
        f"{join(named(name) for name in table['parameter'].iloc[:3])}."
    )
    return Panel("sensitivity_shrinkage", "How far published data narrow each parameter", caption, made)


def fact_map(slopes: pd.DataFrame, facts: pd.DataFrame, parameters: pd.DataFrame, limit: int = 40) -> Panel:
    """Largest share of a parameter's variance that a single fact of each part of the network takes away."""
    topic = facts.set_index("fact_id")["topic"]
    grid = slopes.assign(topic=slopes["fact_id"].map(topic)).groupby(["parameter", "topic"])["alone"].max().unstack()
    order = parameters.sort_values("shrinkage", kind="stable")["parameter"].iloc[:limit]
    columns = [name for name in facts["topic"].drop_duplicates() if name in grid.columns]
    grid = grid.loc[order, columns]
    values = 100.0 * grid.to_numpy()
    made = figure(190 + ROW * len(grid))
    counted = topic[topic.index.isin(facts.loc[facts["weight"] > 0, "fact_id"])].value_counts()
    made.add_heatmap(
        z=values[::-1], x=[f"{plot_text(name)} ({counted.get(name, 0)})" for name in columns],
        y=[plot_text(named(name)) for name in grid.index][::-1], zmin=0, zmax=100, xgap=2, ygap=2,
        colorscale=[[0, colour("panel")], [0.1, colour("cuts_1")], [0.3, colour("cuts_2")], [0.6, colour("cuts_3")],
                    [1, colour("cuts_4")]],
        colorbar=dict(title=dict(text="% of variance", side="right"), thickness=12, outlinewidth=0),
        hovertemplate="%{y}<br>%{x}: %{z:.0f} %<extra></extra>",
    )  # fmt: skip
    made.update_xaxes(side="top", ticks="", showgrid=False, tickangle=-40, tickfont=dict(size=12))
    made.update_yaxes(ticks="", showgrid=False, tickfont=dict(size=11.5))
    _cells_below_names(made, [named(name) for name in grid.index][::-1], 200)
    most = grid.max().idxmax()
    best = grid[most].idxmax()
    caption = (
        "Share of a parameter's prior variance that the single most informative fact of each part of the network takes away; in "
        f"brackets the number of facts. The strongest link: {named(best)} and {most}, "
        f"{number(100 * grid.loc[best, most], 2)} %. Drawn are the {len(grid)} best informed parameters."
    )
    return Panel("sensitivity_facts", "Which data inform which parameter", caption, made)


def spectrum(eigenvalues: pd.DataFrame) -> Panel:
    """Eigenvalues of the Fisher information, in units of the prior's."""
    value = np.maximum(eigenvalues["eigenvalue"].to_numpy(), LEAST)
    made = figure(300, showlegend=False)
    known, drawn = value > 1.0, value > LEAST
    made.add_scatter(
        x=eigenvalues["number"][drawn], y=value[drawn], mode="markers",
        marker=dict(size=7, color=[colour(TONES["good"] if one else TONES["none"]) for one in known[drawn]]),
        hovertemplate="%{x}: %{y:.2g}<extra></extra>",
    )  # fmt: skip
    ticks = log_ticks(LEAST, max(value.max(), 10.0))
    made.update_yaxes(type="log", title_text="information over the prior's", **ticks)
    made.update_xaxes(title_text="combination of parameters, by information")
    reference_line(made, y=1.0)
    worth = float(np.sum(value / (1.0 + value)))
    caption = (
        f"{plural(int(known.sum()), 'combination')} of {len(value)} parameters {'is' if known.sum() == 1 else 'are'} known better "
        f"from the facts than beforehand; all facts together tell as much as would settle {number(worth, 2)} parameters. "
        f"Dashed: as much information as the prior has; {int((~drawn).sum())} combinations with less than a thousandth of it "
        "are not drawn."
    )
    return Panel("sensitivity_spectrum", "How many combinations of parameters the data see", caption, made)
