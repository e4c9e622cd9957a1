"""Two drugs together: surfaces of dose against dose, isobologram, and the excess over no interaction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.evidence.intervals import clopper_pearson
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import at_least, colour, figure, on_cells, reference_line, style_axes
from trialsim.report.wording import join, number, percent, plot_lines, plot_text

NULLS = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe"}
SMALL = dict(size=10)
COLUMN = 150  # px that a column of small figures needs
LEAST = 5.0  # points of excess from which colours are full at the earliest
ROW, HEAD = 190, 95  # px of a row of surfaces, and of what stands above and below
TITLES = 46  # px above subplots, for titles of two lines
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "hexagon")
SERIES = 9


def signed(value: float, digits: int = 0) -> str:
    """-6.6 -> ``−7``."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else "0"


def diverging() -> list:
    return [[0.0, colour("antagonism")], [0.5, colour("panel")], [1.0, colour("synergy")]]


def rising(full: str) -> list:
    return [[0.0, colour("panel")], [1.0, colour(full)]]


def grid(rows: int, columns: int, height: int, **more: object) -> go.Figure:
    """Subplots in the report's look, their titles small."""
    base = figure(height, showlegend=False, margin=dict(l=12, r=12, t=TITLES, b=12))
    made = make_subplots(rows=rows, cols=columns, figure=base, **more)
    made.update_layout(base.layout)
    style_axes(made)
    made.update_annotations(font=dict(size=13))
    return at_least(made, 140 + COLUMN * columns) if columns > 1 else made


def dish(surface: pd.DataFrame, labels: dict[str, str], drugs: tuple[str, str]) -> Panel:
    """Effect and the three excesses of every line."""
    names = {"viability": "cells taken away (%)"} | {
        f"excess_{null}": f"excess over {name} (points)" for null, name in NULLS.items()
    }
    lines = list(labels)
    made = grid(
        len(lines), len(names), HEAD + ROW * len(lines), column_titles=list(names.values()), shared_xaxes=True, shared_yaxes=True,
        horizontal_spacing=0.02, vertical_spacing=0.05,
    )  # fmt: skip
    widest = 100 * surface.loc[surface["measure"].isin(list(names)[1:]), "estimate"].abs().max()
    limit = max(LEAST, float(widest))
    for i, line in enumerate(lines):
        for j, measure in enumerate(names):
            _heat(made, surface, line, measure, limit, (i + 1, j + 1))
        made.update_yaxes(title_text=f"<b>{plot_text(labels[line])}</b><br>{plot_text(drugs[0])}, nM", row=i + 1, col=1)
    for j in range(len(names)):
        made.update_xaxes(title_text=f"{plot_text(drugs[1])}, nM", row=len(lines), col=j + 1)
    made.update_xaxes(showgrid=False, ticks="", tickfont=SMALL, tickangle=0)
    made.update_yaxes(showgrid=False, ticks="", tickfont=SMALL)
    _dose_ticks(made, surface)
    told = []
    for measure in list(names)[1:]:
        here = surface[surface["measure"] == measure]
        top = here.loc[here["estimate"].idxmax()]
        at = f"{labels[top['line']]}, {top['rapalog_nM']:g} and {top['partner_nM']:g} nM"
        told.append(f"{NULLS[measure.removeprefix('excess_')]} {signed(100 * top['estimate'])} points ({at})")
    caption = (
        f"Mean of replicates. Blue: more than expected (synergy); orange: less (antagonism). Largest excess over {join(told)}. "
        "In brackets: pairs of doses expected to do more than one of the drugs does alone at any dose; Loewe's equation has no "
        "solution "
        "with both drugs there, and the stronger drug alone is what is expected."
    )
    return Panel("dish_surfaces", f"{drugs[0]} with {drugs[1]} in a dish".capitalize(), caption, made)


def _dose_ticks(made: go.Figure, surface: pd.DataFrame) -> None:
    for update, column in ((made.update_xaxes, "partner_nM"), (made.update_yaxes, "rapalog_nM")):
        doses = np.unique(surface[column])
        update(tickvals=list(range(len(doses))), ticktext=[f"{v:g}" if v < 1e3 else f"{v / 1e3:g}k" for v in doses])


def _heat(made: go.Figure, surface: pd.DataFrame, line: str, measure: str, limit: float, place: tuple[int, int]) -> None:
    """One surface over all doses, empty where a measure needs both drugs; axes count the doses."""
    doses = [np.unique(surface[name]) for name in ("rapalog_nM", "partner_nM")]
    table = surface[(surface["line"] == line) & (surface["measure"] == measure)]
    wide = lambda name: table.pivot(index="rapalog_nM", columns="partner_nM", values=name).reindex(index=doses[0], columns=doses[1])
    z = 100 * wide("estimate").to_numpy(float)
    excess = measure != "viability"
    write = signed if excess else lambda v: f"{v:.0f}"
    undefined = wide("loewe_defined").eq(False).to_numpy() & (measure == "excess_loewe")  # absent values are not undefined
    shown = [
        ["" if np.isnan(v) else f"({write(v)})" if bracket else write(v) for v, bracket in zip(*cells, strict=True)]
        for cells in zip(z, undefined, strict=True)
    ]
    colours = (
        dict(colorscale=diverging(), zmin=-limit, zmax=limit)
        if excess
        else dict(colorscale=rising("effect_full"), zmin=0, zmax=100)
    )
    made.add_heatmap(
        z=z.round(2), x=np.arange(len(doses[1])), y=np.arange(len(doses[0])), text=shown, texttemplate="%{text}",
        textfont=on_cells(9 if measure == "excess_loewe" else 10),
        showscale=False, xgap=1, ygap=1, row=place[0], col=place[1], hovertemplate="%{z:.1f}<extra></extra>", **colours,
    )  # fmt: skip


def isobologram(isoboles: pd.DataFrame, labels: dict[str, str], drugs: tuple[str, str]) -> Panel:
    """Doses with one effect, as shares of the doses that have it alone."""
    title = "Isobologram"
    if isoboles.empty:
        return Panel("isobologram", title, "In no line do both drugs alone reach a common effect.", wide=False)
    made = figure(420)
    made.add_scatter(
        x=[0, 1], y=[1, 0], mode="lines", name="additive (Loewe)", line=dict(color=colour("muted"), width=1.5, dash="dash"),
        hoverinfo="skip",
    )  # fmt: skip
    told = []
    for place, (line, table) in enumerate(isoboles.groupby("line", sort=False)):
        tone = colour(f"series_{place % SERIES + 1}")
        made.add_scatter(
            x=table["fraction_partner"], y=table["fraction_rapalog"], mode="lines+markers", name=plot_text(labels[line]),
            line=dict(color=tone, width=1.5), marker=dict(size=7, color=tone, symbol=SYMBOLS[place % len(SYMBOLS)]),
            hovertemplate="%{x:.2f} + %{y:.2f}<extra>" + plot_text(labels[line]) + "</extra>",
        )  # fmt: skip
        least = (table["fraction_partner"] + table["fraction_rapalog"]).min()
        told.append(f"{labels[line]} {number(least, 2)} (at an effect of {percent(table['level'].iloc[0], 0)})")
    most = max(1.05, 1.04 * float(isoboles[["fraction_partner", "fraction_rapalog"]].to_numpy().max()))
    made.update_xaxes(title_text=f"{plot_text(drugs[1])}, dose over dose alone", range=[-0.03, most])
    made.update_yaxes(title_text=f"{plot_text(drugs[0])}, dose over dose alone", range=[-0.03, most])
    caption = (
        f"Pairs of doses with the same effect; below the line, less is needed of both. Smallest sum of the shares: {join(told)}."
    )
    return Panel("isobologram", title, caption, made, wide=False)


def scores(table: pd.DataFrame, labels: dict[str, str]) -> Panel:
    """Mean excess over the surface by line and null."""
    made, told = figure(420), []
    lines = list(labels)
    names = {f"excess_{null}": name for null, name in NULLS.items()}
    for place, (measure, name) in enumerate(names.items()):
        found = table[table["measure"] == measure].set_index("line").loc[lines]
        _points(made, found, np.arange(len(lines)) + 0.22 * (place - 1), name, place)
        told.append(f"{name} {join(signed(100 * v, 1) for v in found['estimate'])}")
    made.update_yaxes(
        tickvals=list(range(len(lines))), ticktext=[plot_text(name) for name in labels.values()], range=[len(lines) - 0.5, -0.5],
        showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text="mean excess over the surface (points of viability)")
    reference_line(made, x=0.0)
    caption = (
        f"Mean over all pairs of doses with its 95 % interval over {number(int(table['n'].iloc[0]))} replicates; cross: without "
        "errors "
        f"of measuring. In the order of the lines: {'; '.join(told)} points."
    )
    return Panel("dish_scores", "Excess over no interaction", caption, made, wide=False)


def _points(made: go.Figure, found: pd.DataFrame, y: np.ndarray, name: str, place: int) -> None:
    tone = colour(f"series_{place + 1}")
    x = 100 * found["estimate"].to_numpy(float)
    bars = dict(
        type="data", array=100 * found["high"].to_numpy(float) - x, arrayminus=x - 100 * found["low"].to_numpy(float),
        thickness=1.4,
        width=0, color=tone,
    )  # fmt: skip
    made.add_scatter(
        x=x, y=y, mode="markers", name=name, error_x=bars, marker=dict(size=9, color=tone, symbol=SYMBOLS[place]),
        hovertemplate="%{x:.1f}<extra>" + name + "</extra>",
    )  # fmt: skip
    if "exact" in found:
        made.add_scatter(
            x=100 * found["exact"], y=y, mode="markers", showlegend=False, hoverinfo="skip",
            marker=dict(size=7, symbol="x-thin", line=dict(width=1.6, color=colour("ink"))),
        )  # fmt: skip


COHORT = {
    "effect": ("net growth taken away (%)", "effect_full"),
    "excess_bliss": ("excess over Bliss (points)", None),
    "excess_hsa": ("excess over HSA (points)", None),
    "responder": ("objective response (%)", "effect_full"),
    "dlt": ("dose-limiting toxicity (%)", "harm_full"),
    "severe": ("any grade 3 or 4 event (%)", "harm_full"),
}


def cohort(surface: pd.DataFrame, drugs: tuple[str, str], doses: tuple[dict[float, str], dict[float, str]], week: int) -> Panel:
    """The same pair in patients: effect, excess, response and toxicity by dose."""
    rows = len(doses[0])
    made = grid(
        2, 3, HEAD + 2 * (60 + 62 * rows), subplot_titles=[name for name, _ in COHORT.values()], shared_xaxes=False,
        shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.2,
    )  # fmt: skip
    widest = 100 * surface.loc[surface["measure"].isin(["excess_bliss", "excess_hsa"]), "estimate"].abs().max()
    for place, (measure, (_, full)) in enumerate(COHORT.items()):
        table = surface[surface["measure"] == measure]
        row, col = place // 3 + 1, place % 3 + 1
        wide = lambda name, table=table: table.pivot(index="rapalog_factor", columns="partner_factor", values=name).reindex(
            index=list(doses[0]), columns=list(doses[1])
        )
        z, low, high = (100 * wide(name).to_numpy(float) for name in ("estimate", "low", "high"))
        write = signed if full is None else lambda v: f"{v:.0f}"
        text = [
            ["" if np.isnan(v) else f"<b>{write(v)}</b><br>{write(a)} to {write(b)}" for v, a, b in zip(*cells, strict=True)]
            for cells in zip(z, low, high, strict=True)
        ]
        top = max(1.0, float(np.nanmax(z)))
        limit = max(LEAST, float(widest))
        colours = (
            dict(colorscale=diverging(), zmin=-limit, zmax=limit)
            if full is None
            else dict(colorscale=rising(full), zmin=0, zmax=top)
        )
        made.add_heatmap(
            z=z.round(2), x=list(doses[1].values()), y=list(doses[0].values()), text=text, texttemplate="%{text}",
            textfont=on_cells(11),
            showscale=False, xgap=2, ygap=2, row=row, col=col, hovertemplate="%{y} and %{x}: %{z:.1f}<extra></extra>", **colours,
        )  # fmt: skip
        made.update_xaxes(title_text=plot_text(drugs[1]), row=row, col=col)
    for row in (1, 2):
        made.update_yaxes(title_text=plot_text(drugs[0]), row=row, col=1)
    made.update_xaxes(type="category", showgrid=False, ticks="")
    made.update_yaxes(type="category", showgrid=False, ticks="")
    at = surface[(surface["rapalog_factor"] == max(doses[0])) & (surface["partner_factor"] == max(doses[1]))].set_index("measure")
    told = lambda name: (
        f"{signed(100 * at.loc[name, 'estimate'])} ({signed(100 * at.loc[name, 'low'])} to {signed(100 * at.loc[name, 'high'])})"
    )
    caption = (
        f"Mean over the same {number(int(at.loc['effect', 'n']))} patients with its bootstrap 95 % interval; growth over {week} "
        "weeks, "
        "as treated, holds and reductions included. At the highest doses both drugs take away "
        f"{percent(at.loc['effect', 'estimate'], 0)} of net growth: {told('excess_bliss')} points over Bliss, "
        f"{told('excess_hsa')} over "
        f"the better drug in each patient. Grade 3 or 4 events then come to {percent(at.loc['severe', 'estimate'], 0)}."
    )
    return Panel("cohort_surfaces", "The same pair in patients", caption, made)


def beside(dish_scores: pd.DataFrame, dish_surface: pd.DataFrame, at_most: pd.DataFrame, labels: dict[str, str]) -> Panel:
    """Excess on the scale of growth rates: lines and cohort."""
    made, told = figure(330), []
    names = [*labels, "cohort"]
    for place, null in enumerate(("bliss", "hsa")):
        lines = dish_scores[dish_scores["measure"] == f"growth_excess_{null}"].set_index("line").loc[list(labels)]
        patients = at_most.loc[[f"excess_{null}"]].rename(index={f"excess_{null}": "cohort"})
        columns = ["estimate", "low", "high"]
        found = pd.concat([lines[columns], patients[columns]])
        _points(made, found, np.arange(len(names)) + 0.2 * (place - 0.5), NULLS[null], place)
        values = lines["estimate"]
        ends = dict.fromkeys((signed(100 * values.min()), signed(100 * values.max())))
        told.append(f"{NULLS[null]} {' to '.join(ends)} in the dish, {signed(100 * patients['estimate'].iloc[0])} in patients")
    made.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[*(plot_text(v) for v in labels.values()), "<b>patients</b>"],
        range=[len(names) - 0.5, -0.5], showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text="excess (points of untreated net growth)")
    reference_line(made, x=0.0)
    caption = (
        "Dish: mean over the surface; patients: highest doses. On the rate of net growth, so that a dish that doubles in a day "
        f"and a tumour that doubles in months can be compared: {'; '.join(told)}. Bars: 95 % intervals."
    )
    return Panel("dish_and_cohort", "Dish and patients on one scale", caption, made, wide=False)


def responses(cohort_table: pd.DataFrame, most: tuple[float, float], drugs: tuple[str, str]) -> Panel:
    """Response rates of each drug, both, and what independent action expects."""
    value = lambda a, b, measure: cohort_table[
        (cohort_table["rapalog_factor"] == a) & (cohort_table["partner_factor"] == b) & (cohort_table["measure"] == measure)
    ].iloc[0]
    bars = {
        drugs[0]: (value(most[0], 0.0, "responder"), "series_1"),
        drugs[1]: (value(0.0, most[1], "responder"), "series_2"),
        "both": (value(*most, "responder"), "series_3"),
        "better of the two": (value(*most, "hsa_responder"), "series_9"),
        "independent": (value(*most, "bliss_responder"), "treated_0"),
    }
    made = figure(330, showlegend=False)
    y = 100 * np.array([row["estimate"] for row, _ in bars.values()])
    low, high = (100 * np.array([row[name] for row, _ in bars.values()]) for name in ("low", "high"))
    made.add_bar(
        x=[plot_lines(name, 11) for name in bars], y=y, width=0.62, marker=dict(color=[colour(tone) for _, tone in bars.values()]),
        error_y=dict(type="data", array=high - y, arrayminus=y - low, color=colour("ink"), thickness=1.2, width=5),
        hovertemplate="%{y:.1f} %<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(title_text="objective response (%)", range=[0, max(10, 1.1 * high.max())])  # a small rate looks small
    made.update_xaxes(showgrid=False, ticks="", tickangle=0)
    both, better = bars["both"][0], bars["better of the two"][0]
    if not y.any():  # a bootstrap of none has no spread
        upper = clopper_pearson(0, int(both["n"]))[1]
        caption = (
            f"None of {number(int(both['n']))} patients responds, to one drug or to both (at most {percent(upper, 0)}, exact 95 % "
            "limit): of responses nothing is told here."
        )
        return Panel("cohort_response", "Response and independent action", caption, made, wide=False)
    excess = value(*most, "excess_hsa_responder")
    points = {name: signed(100 * float(excess[name]), 1) for name in ("estimate", "low", "high")}
    caption = (
        f"At the highest doses {percent(both['estimate'])} respond to both drugs; {percent(better['estimate'])} would if each "
        f"patient had the better of the two (difference {points['estimate']} points, 95 % interval "
        f"{points['low']} to {points['high']})."
    )
    return Panel("cohort_response", "Response and independent action", caption, made, wide=False)
