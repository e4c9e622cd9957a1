"""Designs compared: the dose that each chooses, what its advice is worth, and whom it would treat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from trialsim.report import decision_curve
from trialsim.report.decision_curve import Curve
from trialsim.report.design_words import NET, heading, threshold, written
from trialsim.report.figures.panel import Panel
from trialsim.report.figures.surfaces import grid
from trialsim.report.theme import colour, edge, figure, on_cells
from trialsim.report.wording import fixed, is_number, join, percent, plot_lines, plot_text

NONE, UNDECIDED = -1, "undecided"
DASHES = ("solid", "dash", "dashdot", "dot", "longdash")
SERIES = 8  # tones of designs; the ninth is that of reference strategies
CURVE_POINTS = 61
LITTLE = 0.03  # share of what can be gained where every gain counts
ADVICE = {  # of 100 future patients: (worth treating, treated) -> name, tone, tone of the number on it
    (True, True): ("worth it, treated", "series_1", "page"),
    (True, False): ("worth it, missed", "cuts_1", "ink"),
    (False, True): ("not worth it, treated", "series_2", "page"),
    (False, False): ("not worth it, spared", "unexplained", "ink"),
}


def tones(names: Mapping[str, str]) -> dict[str, str]:
    """One colour a design, the same in every figure."""
    return {name: colour(f"series_{place % SERIES + 1}") for place, name in enumerate(names)}


# ---- which dose


def chosen(trials: pd.DataFrame, names: Mapping[str, str], levels: int) -> pd.DataFrame:
    """Share of trials by level chosen: a row a design; columns -1 (none), 0, 1, ... and ``undecided``, if any trial is."""
    rows = {}
    for name in names:
        level = trials.loc[trials["design"] == name, "mtd"].to_numpy(float)
        rows[name] = [*(float(np.mean(level == j)) for j in range(NONE, levels)), float(np.mean(np.isnan(level)))]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=[*range(NONE, levels), UNDECIDED])
    return found if (found[UNDECIDED] > 0).any() else found.drop(columns=UNDECIDED)


def selection(doses: pd.DataFrame, shares: pd.DataFrame, names: Mapping[str, str], asked: Mapping[str, float], unit: str) -> Panel:
    """True DLT probability of each level, and below it how often each design chooses the level.

    Args:
        doses: level, dose, rate. shares: of `chosen`. asked: target, tolerance, too_toxic. unit: of the dose.
    """
    rates, target, tolerance, limit = doses["rate"].to_numpy(float), asked["target"], asked["tolerance"], asked["too_toxic"]
    x = np.array([len(doses) if column == UNDECIDED else column for column in shares.columns], float)
    near, toxic = np.abs(rates - target) <= tolerance, rates > limit
    low = 46 + 38 * len(names)
    made = grid(2, 1, 300 + low, shared_xaxes=True, vertical_spacing=0.06, row_heights=[210, low])
    made.update_layout(margin=dict(t=16))
    made.add_hrect(
        y0=100 * max(target - tolerance, 0), y1=100 * (target + tolerance), fillcolor=colour("second_90"), line_width=0,
        layer="below", row=1, col=1, exclude_empty_subplots=False,
    )  # fmt: skip
    tone = [colour("bad") if t else colour("second") if n else colour("series_9") for n, t in zip(near, toxic, strict=True)]
    made.add_bar(
        x=doses["level"], y=100 * rates, width=0.5, marker=dict(color=tone), text=[percent(rate, 0) for rate in rates],
        textposition="outside", constraintext="none", cliponaxis=False,
        hovertemplate="%{y:.1f} %<extra>true probability of a DLT</extra>", row=1, col=1,
    )  # fmt: skip
    for y, text, line in ((target, "target", "second"), (limit, "overdose above", "bad")):
        made.add_hline(y=100 * y, line=dict(color=colour(line), width=1.2, dash="dash"), row=1, col=1)
        made.add_annotation(
            x=NONE - 0.45, y=100 * y, text=f"{text} {percent(y, 0)}", showarrow=False, xanchor="left", yanchor="bottom",
            font=dict(size=11, color=colour(line)), row=1, col=1,
        )  # fmt: skip
    z = 100 * shares.to_numpy(float)
    made.add_heatmap(
        x=x, y=list(range(len(names))), z=z.round(2), text=[[_whole(v) for v in row] for row in z], texttemplate="%{text}",
        textfont=on_cells(), colorscale=[[0.0, colour("panel")], [1.0, colour("synergy")]], zmin=0,
        zmax=max(1.0, float(z.max())), showscale=False, xgap=2, ygap=2, hovertemplate="%{y}, %{x}: %{z:.1f} %<extra></extra>",
        row=2, col=1,
    )  # fmt: skip
    for first, last in _runs(near):
        made.add_shape(
            type="rect", x0=first - 0.49, x1=last + 0.49, y0=-0.47, y1=len(names) - 0.53,
            line=dict(color=colour("second"), width=2.5), row=2, col=1,
        )  # fmt: skip
    ticks = {NONE: "none"} | {int(row.level): f"{row.dose:g}" for row in doses.itertuples()} | {len(doses): "no<br>decision"}
    made.update_xaxes(
        tickvals=list(x), ticktext=[ticks[int(at)] for at in x], range=[x.min() - 0.55, x.max() + 0.55], showgrid=False, ticks="",
        tickangle=0,
    )  # fmt: skip
    made.update_xaxes(title_text=plot_text(f"dose chosen, {unit}"), row=2, col=1)
    highest = max(np.nanmax(rates, initial=0.0), limit, target + tolerance)
    made.update_yaxes(title_text="DLT probability (%)", range=[0, 115 * highest], row=1, col=1)
    made.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[plot_lines(heading(text), 15) for text in names.values()],
        range=[len(names) - 0.47, -0.53], showgrid=False, ticks="", row=2, col=1,
    )  # fmt: skip
    told = []
    for name, text in names.items():
        top = shares.loc[name].idxmax()
        at = {NONE: "none", UNDECIDED: "no decision"}.get(top) or f"{doses['dose'].iloc[int(top)]:g} {unit}"
        told.append(f"{text} {at} ({percent(shares.loc[name, top], 0)})")
    caption = (
        "Above: true probability of a DLT at each level; green: within the tolerance of the target (shaded); red: overdose. Below: "
        f"trials in 100 that choose the level; levels near the target are framed. Most often chosen: {join(told)}."
    )
    return Panel("selection", "Which dose each design chooses", caption, made)


def _runs(flag: np.ndarray) -> list[tuple[int, int]]:
    """First and last place of every stretch of True."""
    edges = np.diff(np.concatenate([[0], flag.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _whole(value: float) -> str:
    return "" if value == 0 else "<1" if value < 0.5 else f"{value:.0f}"


# ---- in whom it works


def curve_panel(found: Mapping[str, Curve], groups: pd.DataFrame, names: Mapping[str, str], worthwhile: float) -> Panel:
    """Net benefit of each design against the gain from which treatment is worth it."""
    title = "What a design's advice is worth"
    if not found:
        return Panel("decision_curve", title, "Whom each design would treat was not saved.")
    made, tone = figure(470), tones(names)
    top = highest_threshold(groups, worthwhile)
    at = np.linspace(0.0, top, CURVE_POINTS)
    ceiling, every = decision_curve.attainable(groups, at), decision_curve.everybody(groups, at)
    for y, text, dash in ((ceiling, "true gains known", "dot"), (every, "treat everybody", "dash")):
        made.add_scatter(
            x=100 * at, y=y, mode="lines", name=text, showlegend=True, line=dict(color=colour("series_9"), width=1.6, dash=dash),
            hovertemplate="%{x:.1f} points: %{y:.2f}<extra>" + text + "</extra>",
        )  # fmt: skip
    made.add_scatter(
        x=[0, 100 * top], y=[0, 0], mode="lines", name="treat nobody", showlegend=True, hoverinfo="skip",
        line=dict(color=colour("ink"), width=1.4),
    )  # fmt: skip
    lowest = 0.0
    for place, (name, curve) in enumerate(found.items()):
        estimates = [decision_curve.net_benefit(curve, w) for w in at]
        mean, low, high = (np.array([getattr(e, part) for e in estimates]) for part in ("estimate", "low", "high"))
        made.add_scatter(
            x=100 * np.concatenate([at, at[::-1]]), y=np.concatenate([low, high[::-1]]), fill="toself", mode="lines",
            fillcolor=tone[name], line=dict(width=0), opacity=0.22, hoverinfo="skip", showlegend=False,
            legendgroup=name,
        )  # fmt: skip
        made.add_scatter(
            x=100 * at, y=mean, mode="lines", name=plot_text(names[name]), showlegend=True, legendgroup=name,
            line=dict(color=tone[name], width=2.2, dash=DASHES[place % len(DASHES)]),
            hovertemplate="%{x:.1f} points: %{y:.2f}<extra>" + plot_text(names[name]) + "</extra>",
        )  # fmt: skip
        lowest = min(lowest, decision_curve.net_benefit(curve, worthwhile).estimate)
    highest = max(float(ceiling[0]), 0.5)
    made.add_vline(x=100 * worthwhile, line=dict(color=colour("muted"), width=1, dash="dash"), layer="below")
    made.add_annotation(
        x=100 * worthwhile, y=1, yref="paper", text=f"asked: {threshold(worthwhile)}", showarrow=False, xanchor="left", xshift=4,
        yanchor="top", font=dict(size=11, color=colour("muted")),
    )  # fmt: skip
    made.update_xaxes(title_text="gain that is worth the treatment (points)", range=[0, 100 * top])
    made.update_yaxes(title_text="net benefit, patients in 100", range=[min(-0.3 * highest, 1.3 * lowest), 1.06 * highest])
    told = [
        f"{names[name]} {written(net.estimate, NET)} ({written(net.low, NET)} to {written(net.high, NET)})"
        for name, curve in found.items()
        if is_number((net := decision_curve.net_benefit(curve, worthwhile)).estimate)
    ]
    ceiling_at = float(decision_curve.attainable(groups, np.array([worthwhile]))[0])
    caption = (
        f"At {threshold(worthwhile)}: {', '.join(told)}; {fixed(ceiling_at)} if every group's true gain were known, "
        f"{written(float(decision_curve.everybody(groups, np.array([worthwhile]))[0]), NET)} if everybody were treated. Bands: "
        "95 % Monte Carlo intervals."
    )
    return Panel("decision_curve", title, caption, made)


def highest_threshold(groups: pd.DataFrame, worthwhile: float) -> float:
    """How far the curves are drawn: beyond what is asked, and until next to nothing is left to gain."""
    at = np.arange(0.0, 1.0, 0.01)
    left = decision_curve.attainable(groups, at)
    return float(min(1.0, max(at[left > LITTLE * left[0]].max(initial=0.0), 1.5 * worthwhile)))


def advice_shares(
    trials: pd.DataFrame, groups: pd.DataFrame, names: Mapping[str, str], worthwhile: float
) -> dict[str, dict[tuple[bool, bool], float]]:
    """Share of future patients by whether treatment is worth it for their group, and whether they are treated."""
    treated = treated_by_group(trials, groups, names)
    worth, share = groups["gain"].to_numpy(float) > worthwhile, groups["share"].to_numpy(float)
    return {
        name: {
            (w, t): float((share * (p if t else 1.0 - p))[worth == w].sum()) for w, t in ADVICE
        }
        for name, p in treated.items()
    }  # fmt: skip


def treated_by_group(trials: pd.DataFrame, groups: pd.DataFrame, names: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Probability that each group is treated after a trial of each design, (groups,)."""
    columns = [f"group_{j}" for j in range(len(groups))]
    if not set(columns) <= set(trials.columns):
        return {}
    mean = trials.groupby("design")[columns].mean()
    return {name: mean.loc[name].to_numpy(float) for name in names if name in mean.index}


def advice_panel(trials: pd.DataFrame, groups: pd.DataFrame, names: Mapping[str, str], worthwhile: float) -> Panel:
    """Of 100 future patients, who is rightly and wrongly treated after a trial of each design."""
    title = "Whom the designs would treat"
    found = advice_shares(trials, groups, names, worthwhile)
    if not found:
        return Panel("advice", title, "Whom each design would treat was not saved.")
    deserving = float(groups.loc[groups["gain"] > worthwhile, "share"].sum())
    ideal = {(True, True): deserving, (True, False): 0.0, (False, True): 0.0, (False, False): 1.0 - deserving}
    rows = {"true gain known": ideal} | {names[name]: shares for name, shares in found.items()}
    made = figure(110 + 42 * len(rows), barmode="stack", margin=dict(l=12, r=26, t=12, b=12))
    for key, (name, tone, ink) in ADVICE.items():
        values = [100 * shares[key] for shares in rows.values()]
        made.add_bar(
            y=list(range(len(rows))), x=values, orientation="h", name=name, showlegend=True,
            marker=dict(color=colour(tone), line=edge()), text=[f"{v:.0f}" if v >= 4 else "" for v in values],
            textposition="inside", insidetextanchor="middle", textangle=0, insidetextfont=dict(color=colour(ink)),
            hovertemplate="%{x:.1f} in 100<extra>" + name + "</extra>", width=0.66,
        )  # fmt: skip
    made.update_layout(legend=dict(traceorder="normal"))
    made.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[plot_lines(heading(text), 15) for text in rows], range=[len(rows) - 0.5, -0.5],
        showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text="future patients in 100", range=[0, 100], dtick=25)
    told = [
        f"{names[name]} {100 * shares[(True, True)]:.0f} of these and {100 * shares[(False, True)]:.0f} others"
        for name, shares in found.items()
    ]
    caption = (
        f"{100 * deserving:.0f} in 100 future patients are of groups that gain more than {threshold(worthwhile)}. Treated after a "
        f"trial, on average: {'; '.join(told)}."
    )
    return Panel("advice", title, caption, made)


# ---- assurance


def assurance(found: Mapping[str, Mapping[str, float]], names: Mapping[str, str]) -> Panel:
    """Probability of success at the present constants, and averaged over their uncertainty."""
    made = figure(120 + 40 * len(found))
    y = np.arange(len(found), dtype=float)
    mean, low, high, point = (
        100 * np.array([row[key] if is_number(row.get(key)) else np.nan for row in found.values()], float)
        for key in ("estimate", "low", "high", "point")
    )
    made.add_scatter(
        x=mean, y=y, mode="markers", name="averaged over their uncertainty", showlegend=True,
        marker=dict(size=10, color=colour("simulated")),
        error_x=dict(type="data", array=high - mean, arrayminus=mean - low, color=colour("simulated"), thickness=1.8, width=5),
        hovertemplate="%{x:.1f} %<extra>averaged</extra>",
    )  # fmt: skip
    made.add_scatter(
        x=point, y=y, mode="markers", name="at the present constants", showlegend=True,
        marker=dict(size=11, symbol="diamond-open", color=colour("published"), line=dict(width=2)),
        hovertemplate="%{x:.1f} %<extra>present constants</extra>",
    )  # fmt: skip
    made.update_yaxes(
        tickvals=list(y), ticktext=[plot_lines(heading(names[name]), 15) for name in found], range=[len(found) - 0.5, -0.5],
        showgrid=False, ticks="",
    )  # fmt: skip
    made.update_xaxes(title_text="probability of success (%)", range=[-2, 102])
    drop = point - mean
    told = ""
    if np.isfinite(drop).any():
        most = int(np.nanargmax(np.abs(drop)))
        text = names[list(found)[most]]
        told = f" The largest change: {text}, from {point[most]:.1f} to {mean[most]:.1f} %."
    return Panel("assurance", "Probability of success", f"Bars: 95 % intervals of the average.{told}", made)
