"""Escape routes: what each explains, which must be cut together, and what cutting one does to tumours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from trialsim.report.figures.panel import Panel
from trialsim.report.sampling import even_ranks
from trialsim.report.theme import colour, edge, figure, on_cells, reference_line, segments, style_axes, when_narrow
from trialsim.report.wording import interval, join, number, percent, plot_lines, plot_text

NAMES = {
    "feedback": "feedback",
    "mTORC2_sparing": "mTORC2 sparing",
    "partial_4EBP1": "partial 4E-BP1 inhibition",
    "autophagy": "autophagy",
    "adaptation": "adaptation",
    "bypass": "bypass of mTORC1",
    "stroma": "stroma",
    "unexplained": "none of the routes",
}
OUTCOMES = {"response": "objective response", "disease_control": "disease control", "growth_arrest": "growth arrest"}
MISSED = {"response": "non-responders", "disease_control": "patients who progress", "growth_arrest": "patients with net growth"}
MARKERS = {"ps6": "pS6", "p4ebp1": "p4E-BP1", "pakt": "pAKT", "perk": "pERK", "autophagy": "autophagic flux"}
MEASURES = {
    "alone": ("cut alone, it is enough", "circle-open"),
    "shapley": ("share explained (Shapley)", "diamond"),
    "needed": ("without cutting it, no response", "square"),
}
SETS_DRAWN = 12
POINTS = 400  # a distribution drawn from so many evenly spaced patients looks as that of all
HIGHEST = 100.0  # percent: growth beyond this is drawn at the edge
LEGEND_NARROW = 200  # px more of height on a telephone, so that a legend of eight routes in one column does not scroll
LOUDEST = 2.0  # binary logarithm of the fold from which the colour of the pathway is full


def names_of(cut: str) -> list[str]:
    """``feedback+bypass`` -> their names."""
    return [NAMES[route] for route in cut.split("+")]


def tone(route: str) -> str:
    return colour("unexplained" if route == "unexplained" else f"route_{route}")


def signed(value: float, digits: int = 0) -> str:
    """-6.6 -> ``−7 %``."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f} %".replace("-", "−") if rounded else "0 %"


def ranked(attribution: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Shapley shares of all patients, the largest first, what no route explains last; index: route."""
    table = attribution.query("outcome == @outcome and grouping == 'all' and measure == 'shapley'").set_index("route")
    order = table.drop("unexplained").sort_values("estimate", ascending=False, kind="stable").index
    return table.loc[[*order, "unexplained"]]


def waterfall(attribution: pd.DataFrame, outcome: str) -> Panel:
    """Shares of non-response that add up to the whole."""
    table = ranked(attribution, outcome)
    made = figure(90 + 40 * len(table), showlegend=False)
    share = 100 * table["estimate"].to_numpy()
    start = np.concatenate([[0.0], np.cumsum(share)[:-1]])
    low, high = (100 * table[name].to_numpy() for name in ("low", "high"))
    rows = np.arange(len(table))
    made.add_scatter(
        x=segments(start[1:], start[1:]), y=segments(rows[:-1] + 0.36, rows[1:] - 0.36), mode="lines",
        line=dict(color=colour("muted"), width=1), hoverinfo="skip",
    )  # fmt: skip
    made.add_bar(
        x=share, base=start, y=rows, orientation="h", width=0.72, marker=dict(color=[tone(route) for route in table.index]),
        error_x=dict(type="data", array=high - share, arrayminus=share - low, color=colour("ink"), thickness=1.2, width=4),
        customdata=np.column_stack([share, low, high]).round(2),
        hovertemplate="%{customdata[0]:.1f} % (%{customdata[1]:.1f} to %{customdata[2]:.1f})<extra></extra>",
    )  # fmt: skip
    told = [f"<b>{value:.1f} %</b> ({a:.1f}–{b:.1f})" for value, a, b in zip(share, low, high, strict=True)]
    ticks = [f"{plot_text(NAMES[route])}<br>{text}" for route, text in zip(table.index, told, strict=True)]
    made.update_yaxes(tickvals=rows, ticktext=ticks, range=[len(table) - 0.45, -0.55], showgrid=False, ticks="")
    made.update_xaxes(
        title_text=f"{MISSED[outcome]} (%)", range=[-1, max(101.0, (start + high).max() + 1)], tickvals=list(range(0, 101, 20))
    )
    first, second = table.iloc[0], table.iloc[1]
    caption = (
        f"Of {number(int(first['n']))} patients without {OUTCOMES[outcome]}, {NAMES[table.index[0]]} explains "
        f"{percent(first['estimate'])} (95 % interval {interval(first['low'], first['high'], 'proportion')}), "
        f"{NAMES[table.index[1]]} {percent(second['estimate'])}. {percent(table['estimate'].iloc[-1])} stay without it with every "
        "route cut. Bars begin where the one above ends; whiskers: 95 % interval of the share."
    )
    return Panel(f"escape_waterfall_{outcome}", f"What explains the lack of {OUTCOMES[outcome]}", caption, made)


def alone_and_needed(attribution: pd.DataFrame, outcome: str) -> Panel:
    """Each route by itself, in the Shapley share, and against all the others."""
    order = list(ranked(attribution, outcome).index[:-1])
    table = attribution.query("outcome == @outcome and grouping == 'all' and route != 'unexplained'")
    made = figure(120 + 44 * len(order))
    for place, (measure, (name, symbol)) in enumerate(MEASURES.items()):
        shade = colour(f"cuts_{place + 2}")
        found = table[table["measure"] == measure].set_index("route").loc[order]
        x, y = 100 * found["estimate"].to_numpy(), np.arange(len(order)) + 0.24 * (place - 1)
        made.add_scatter(
            x=x, y=y, mode="markers", name=name,
            marker=dict(symbol=symbol, size=9, color=shade, line=dict(width=2, color=shade)),
            error_x=dict(
                type="data", array=100 * found["high"] - x, arrayminus=x - 100 * found["low"], thickness=1.4, width=0,
                color=shade,
            ),
            hovertemplate="%{x:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    made.update_yaxes(
        tickvals=np.arange(len(order)), ticktext=[plot_lines(NAMES[route], 16) for route in order],
        range=[len(order) - 0.4, -0.6], showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text=f"{MISSED[outcome]} (%)", rangemode="tozero")
    best = table[table["measure"] == "alone"].sort_values("estimate").iloc[-1]
    most = table[table["measure"] == "needed"].sort_values("estimate").iloc[-1]
    caption = (
        f"The best single cut, {NAMES[best['route']]}, brings {OUTCOMES[outcome]} to {percent(best['estimate'])} of those without "
        f"it. Left open with all others cut, {NAMES[most['route']]} denies it to {percent(most['estimate'])}. Lines: 95 % "
        "intervals."
    )
    return Panel(f"escape_alone_{outcome}", "One route cut, and all but one", caption, made)


def sizes(table: pd.DataFrame) -> Panel:
    """How many routes must be cut at once."""
    groups = {"one": [1], "two": [2], "three": [3], "four or more": range(4, 100), "not even all": [-1]}
    outcomes = list(OUTCOMES)[::-1]
    made = figure(250, barmode="stack")
    for place, (name, wanted) in enumerate(groups.items()):
        share = [100 * table[(table["outcome"] == outcome) & table["size"].isin(wanted)]["estimate"].sum() for outcome in outcomes]
        made.add_bar(
            x=share, y=[plot_lines(OUTCOMES[outcome], 12) for outcome in outcomes], orientation="h", name=name, width=0.62,
            marker=dict(color=colour("unexplained" if name == "not even all" else f"cuts_{place + 1}"), line=edge()),
            text=[f"{value:.0f}" if value >= 5 else "" for value in share], textposition="inside", insidetextanchor="middle",
            textangle=0, hovertemplate="%{x:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    made.update_xaxes(title_text="patients without the outcome (%)", range=[0, 101])
    made.update_yaxes(showgrid=False, ticks="")
    made.update_layout(legend=dict(title=dict(text="routes to cut: ", font=dict(size=13)), traceorder="normal"))
    shown = table[table["outcome"] == "response"].set_index("size")["estimate"]
    caption = (
        f"Fewest routes whose joint cut brings the outcome. For objective response one is enough in {percent(shown[1])} of the "
        f"patients without it; {percent(shown.drop([1, -1]).sum())} need two or more at once."
    )
    return Panel("escape_sizes", "How many routes must be cut at once", caption, made)


def upset(table: pd.DataFrame, routes: Sequence[str], outcome: str) -> Panel:
    """The smallest sets that bring the outcome: share of patients above, members of the set below."""
    title = f"Which routes must be cut together for {OUTCOMES[outcome]}"
    found = table[table["outcome"] == outcome].head(SETS_DRAWN)
    if found.empty:
        return Panel(f"escape_sets_{outcome}", title, "No combination of cuts brings it to anybody.")
    order = [route for route in routes if found["cut"].map(lambda cut, route=route: route in cut.split("+")).any()]
    made = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.03, row_heights=[0.52, 0.48])
    made.update_layout(figure(470, showlegend=False).layout)
    style_axes(made)
    x, share = np.arange(len(found)), 100 * found["estimate"].to_numpy()
    low, high = 100 * found["low"].to_numpy(), 100 * found["high"].to_numpy()
    made.add_bar(
        x=x, y=share, width=0.68, marker=dict(color=[colour(f"cuts_{min(size, 4)}") for size in found["size"]], line=edge()),
        error_y=dict(type="data", array=high - share, arrayminus=share - low, color=colour("ink"), thickness=1.2, width=3),
        customdata=[plot_text(join(names_of(cut))) for cut in found["cut"]],
        hovertemplate="%{y:.1f} %<extra>%{customdata}</extra>", row=1, col=1,
    )  # fmt: skip
    held = np.array([[route in cut.split("+") for route in order] for cut in found["cut"]])
    for inside, shade in ((False, "grid"), (True, "ink")):
        column, row = np.nonzero(held == inside)
        made.add_scatter(x=column, y=row, mode="markers", marker=dict(size=11, color=colour(shade)), hoverinfo="skip", row=2, col=1)
    first, last = held.argmax(axis=1), len(order) - 1 - held[:, ::-1].argmax(axis=1)
    made.add_scatter(
        x=segments(x, x),
        y=segments(first, last),
        mode="lines",
        line=dict(color=colour("ink"), width=2),
        hoverinfo="skip",
        row=2,
        col=1,
    )
    made.update_xaxes(showticklabels=False, ticks="", showgrid=False, range=[-0.6, len(found) - 0.4])
    made.update_yaxes(title_text=f"{MISSED[outcome]} (%)", rangemode="tozero", row=1, col=1)
    made.update_yaxes(
        tickvals=np.arange(len(order)), ticktext=[plot_lines(NAMES[route], 16) for route in order],
        range=[len(order) - 0.5, -0.5], showgrid=False, ticks="", row=2, col=1,
    )  # fmt: skip
    top = found.iloc[0]
    caption = (
        f"Smallest sets of routes whose cut brings {OUTCOMES[outcome]}; a patient for whom several are equally small is split "
        f"between them. Most frequent: {join(names_of(top['cut']))} ({percent(top['estimate'])} of {number(int(top['n']))} "
        f"patients). The {len(found)} sets drawn cover {percent(found['estimate'].sum())}; darker: more routes. Whiskers: 95 % "
        "intervals."
    )
    return Panel(f"escape_sets_{outcome}", title, caption, made)


def stacked(key: str, title: str, attribution: pd.DataFrame, labels: dict[str, str], outcome: str, note: str) -> Panel:
    """Shapley shares side by side, one bar a group.

    Args:
        attribution: rows of the groups to draw. labels: what each group is called, from the top.
    """
    table = attribution.query("outcome == @outcome and measure == 'shapley'")
    groups = [group for group in labels if (table[table["group"] == group]["n"] > 0).any()]
    if not groups:
        return Panel(key, title, f"No group has enough patients without {OUTCOMES[outcome]}.")
    shown = table[table["group"].isin(groups)].pivot(index="group", columns="route", values="estimate").loc[groups[::-1]]
    count = table.drop_duplicates("group").set_index("group")["n"]
    order = shown.drop(columns="unexplained").mean().sort_values(ascending=False).index
    height = 150 + 38 * len(groups)
    made = figure(height, barmode="relative")
    for route in (*order, "unexplained"):
        made.add_bar(
            x=100 * shown[route].to_numpy(), y=[f"{plot_lines(labels[group], 26)} ({count[group]})" for group in shown.index],
            orientation="h", name=NAMES[route], width=0.74, marker=dict(color=tone(route), line=edge()),
            hovertemplate="%{x:.1f} %<extra>" + NAMES[route] + "</extra>",
        )  # fmt: skip
    lowest = 100 * shown.clip(upper=0).sum(axis=1).min()  # a route whose cut does harm has a negative share
    made.update_xaxes(title_text=f"{MISSED[outcome]} (%)", range=[min(0.0, lowest), 101 - min(0.0, lowest)])
    made.update_yaxes(showgrid=False, ticks="")
    made.update_layout(legend=dict(traceorder="normal"))
    when_narrow(made, 560, {"height": height + LEGEND_NARROW})
    caption = f"Shapley shares within each group; in brackets patients without {OUTCOMES[outcome]}. {note}".strip()
    return Panel(key, title, caption, made)


def distributions(twins: pd.DataFrame, order: Sequence[str]) -> Panel:
    """Best change of SLD, one distribution a cut."""
    cuts = ["none", *order, "all"]
    made = figure(110 + 46 * len(cuts), showlegend=False)
    medians = {}
    for row, cut in enumerate(cuts):
        values = 100 * np.sort(twins.loc[twins["shown"] == cut, "best_change"].to_numpy(float))
        medians[cut] = float(np.median(values))
        drawn = values[even_ranks(len(values), POINTS)]
        shade = {"none": colour("muted"), "all": colour("ink")}.get(cut) or tone(cut)
        made.add_violin(
            x=np.clip(drawn, -100, HIGHEST).round(2).astype("f4"), y0=row, orientation="h", side="negative", width=1.5,
            points=False, line=dict(color=shade, width=1.4), spanmode="hard", meanline=dict(visible=False), hoverinfo="skip",
        )  # fmt: skip
        made.add_scatter(
            x=[medians[cut]], y=[row], mode="markers",
            marker=dict(size=12, color=shade, symbol="line-ns-open", line=dict(width=2.5)),
            hovertemplate="median %{x:.1f} %<extra></extra>",
        )  # fmt: skip
        made.add_annotation(
            x=HIGHEST, y=row - 0.28, text=signed(medians[cut]), showarrow=False, xanchor="right", font=dict(size=12, color=shade)
        )
    made.add_annotation(
        x=HIGHEST, y=-0.85, text="median", showarrow=False, xanchor="right", font=dict(size=11, color=colour("muted"))
    )
    reference_line(made, x=-30, text="−30 %", annotation_position="bottom left")
    reference_line(made, x=0)
    names = {"none": "all routes open", "all": "all routes cut"} | {route: f"no {NAMES[route]}" for route in order}
    made.update_yaxes(
        tickvals=np.arange(len(cuts)), ticktext=[plot_lines(names[cut], 18) for cut in cuts], range=[len(cuts) - 0.5, -1.05],
        showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text="best change of sum of diameters (%)", range=[-103, HIGHEST + 2])
    best = min(order, key=lambda route: medians[route])
    caption = (
        f"The same patients in every row; the mark is the median. It goes from {signed(medians['none'])} with every route open to "
        f"{signed(medians[best])} with {NAMES[best]} cut alone and {signed(medians['all'])} with all cut. Growth beyond "
        f"+{HIGHEST:.0f} % is drawn at the edge."
    )
    return Panel("escape_change", "Best change in tumour size", caption, made)


def course(table: pd.DataFrame, order: Sequence[str]) -> Panel:
    """Median SLD over time, one line a cut."""
    made = figure(430)
    looks = {"none": (colour("ink"), "solid", "all routes open"), "all": (colour("ink"), "dot", "all routes cut")}
    looks |= {route: (tone(route), "solid", f"no {NAMES[route]}") for route in order}
    for cut in ("none", *order[::-1], "all"):
        found = table[table["shown"] == cut].sort_values("week")
        shade, dash, name = looks[cut]
        made.add_scatter(
            x=np.concatenate([[0.0], found["week"]]), y=np.concatenate([[0.0], 100 * found["median"]]).round(2), mode="lines",
            line=dict(color=shade, dash=dash, width=2.6 if cut in ("none", "all") else 1.8), name=name,
            hovertemplate="week %{x}: %{y:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    reference_line(made, y=-30, text="−30 %", annotation_position="bottom left")
    reference_line(made, y=20, text="+20 %", annotation_position="top left")
    made.update_yaxes(title_text="median change of sum of diameters (%)")
    made.update_xaxes(title_text="weeks since first dose", rangemode="tozero")
    last = table[table["week"] == table["week"].max()].set_index("shown")["median"]
    caption = (
        f"Median over patients of the sum of target diameters. At week {table['week'].max()}: {signed(100 * last['none'])} with "
        f"every route open, {signed(100 * last['all'])} with all cut."
    )
    return Panel("escape_course", "Tumour size over time", caption, made)


def pathway(table: pd.DataFrame, order: Sequence[str]) -> Panel:
    """What each switch does to the pathway: medians of the markers on day 28."""
    cuts = ["none", *order, "all"]
    shown = table.pivot(index="shown", columns="measure", values="median").loc[cuts, list(MARKERS)]
    names = ["all routes open", *(f"no {NAMES[route]}" for route in order), "all routes cut"]
    made = figure(100 + 34 * len(cuts), showlegend=False)
    loudness = np.clip(np.log2(np.maximum(shown.to_numpy(), 1e-6)), -LOUDEST, LOUDEST)
    made.add_heatmap(
        z=loudness.round(3), zmin=-LOUDEST, zmax=LOUDEST, showscale=False,
        x=list(MARKERS.values()), y=[plot_lines(name, 22) for name in names], xgap=2, ygap=2,
        colorscale=[[0.0, colour("fall")], [0.5, colour("panel")], [1.0, colour("rise")]],
        text=[[f"{value:.2f}" for value in row] for row in shown.to_numpy()], texttemplate="%{text}", textfont=on_cells(),
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    made.update_xaxes(side="top", showgrid=False, ticks="")
    base = shown.loc["none"]
    caption = (
        "Median fold of the patient's own untreated tumour, day 28, before the dose. With every route open pS6 falls to "
        f"{number(base['ps6'], 2)}, p4E-BP1 only to {number(base['p4ebp1'], 2)}, and pAKT goes to {number(base['pakt'], 2)}. "
        "Adaptation and bypass act on growth and leave the pathway as it is."
    )
    return Panel("escape_pathway", "What each switch does to the pathway", caption, made)
