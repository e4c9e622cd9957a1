"""Predictive or prognostic, the drug's effect by marker, and what a trial in marker-positive patients takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.labels import name_points
from trialsim.report.figures.markers import estimates, rows_of
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import at_least, colour, figure, log_ticks, reference_line
from trialsim.report.wording import fixed, fixed_spread, join, number, percent, plot_lines, plot_text, spread

SHORT = {
    "pik3ca": "PIK3CA", "akt1": "AKT1", "mtor": "MTOR", "tsc": "TSC", "pten_loss": "PTEN loss", "pathway": "pathway",
    "kras_wt": "KRAS wt", "pathway_kras_wt": "pathway + KRAS wt", "registered": "tumour type", "ps6": "pS6", "pakt": "pAKT",
    "ecog": "ECOG 0", "line": "few lines", "sld": "small SLD",
}  # fmt: skip
ALL = "all_comers"
BEYOND = 1.3  # how far a scatter reaches beyond its points; longer intervals are cut
FARTHEST = 20.0  # cost over that of all comers, at which the axis ends
SCATTER = (800.0, 430.0)  # px of the plotting area of a wide figure 520 px high


def predictive_scatter(effects: pd.DataFrame) -> Panel:
    """Each marker's effect without the drug against how it changes the drug's."""
    title = "Predictive against prognostic"
    table = effects[effects["basis"] == "twins"].dropna(subset=["interaction", "prognostic"])
    if table.empty:
        return Panel("predictive_prognostic", title, "No marker had enough events to judge.")
    x, y = table["prognostic"].to_numpy(float), table["interaction"].to_numpy(float)
    bar = lambda name, value: dict(
        type="data", array=table[f"{name}_high"].to_numpy(float) - value, arrayminus=value - table[f"{name}_low"].to_numpy(float),
        color=colour("simulated_50"), thickness=1.2, width=0,
    )  # fmt: skip
    made = at_least(figure(520), 600)
    made.add_scatter(
        x=x, y=y, mode="markers", customdata=[plot_text(text) for text in table["label"]],
        marker=dict(color=colour("simulated"), size=8), error_x=bar("prognostic", x), error_y=bar("interaction", y),
        showlegend=False,
        hovertemplate="%{customdata}: without the drug %{x:.2f}, ratio %{y:.2f}<extra></extra>",
    )  # fmt: skip
    reference_line(made, x=1.0)
    reference_line(made, y=1.0)
    wide = [
        _edges(table[f"{name}_low"].clip(lower=value.min() / BEYOND), table[f"{name}_high"].clip(upper=value.max() * BEYOND))
        for name, value in (("prognostic", x), ("interaction", y))
    ]
    made.update_xaxes(
        type="log",
        title_text="prognostic: HR of the marker, control arm",
        range=np.log10(wide[0]),
        **_even(wide[0]),
    )
    made.update_yaxes(type="log", title_text="predictive: ratio of the drug's HRs", range=np.log10(wide[1]), **_even(wide[1]))
    name_points(made, np.log10(x), np.log10(y), [SHORT.get(name, name) for name in table["marker"]], *SCATTER)
    corners = {
        "drug does more with the marker ↓": dict(x=0.995, xanchor="right", y=0.01, yanchor="bottom"),
        "← better prognosis with the marker": dict(x=0.005, xanchor="left", y=0.995, yanchor="top"),
    }
    for text, place in corners.items():
        made.add_annotation(
            text=text, xref="paper", yref="paper", showarrow=False, font=dict(size=11, color=colour("muted")), **place
        )
    told = [row for row in table.sort_values("interaction").itertuples() if row.interaction_high < 1]
    bare = [SHORT.get(row.marker, row.marker) for row in table.itertuples() if row.prognostic_high < 1 or row.prognostic_low > 1]
    strongest = [f"{SHORT.get(row.marker, row.marker)} ({fixed(row.interaction)})" for row in told[:4]]
    text = f"Truly predictive, the drug doing more where the marker is present: {join(strongest)}" if told else "None is predictive"
    text += f", and {len(told) - 4} more" if len(told) > 4 else ""
    text += f". Prognostic without the drug: {join(bare) if bare else 'none'}. Both arms of every patient, 95 % intervals."
    return Panel("predictive_prognostic", title, text, made)


def _edges(low: pd.Series, high: pd.Series) -> tuple[float, float]:
    return max(0.25, float(low.min()) * 0.93), min(4.0, max(float(high.max()), 1.05) * 1.07)


def _even(edges: tuple[float, float]) -> dict[str, list]:
    """Ticks of a logarithmic axis over no more than two decades, few enough for a telephone."""
    dense, sparse = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0), (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
    ticks = [value for value in (dense if edges[1] < 3 * edges[0] else sparse) if edges[0] <= value <= edges[1]]
    return dict(tickvals=ticks, ticktext=[f"{value:g}" for value in ticks])


def _at_one(made: go.Figure, text: str) -> None:
    """A named line at 1 of a logarithmic axis, whose annotations want the logarithm."""
    reference_line(made, x=1.0)
    made.add_annotation(
        text=text, x=0.0, y=1.0, yref="paper", yanchor="bottom", showarrow=False, font=dict(size=11, color=colour("muted"))
    )


def hazard_forest(effects: pd.DataFrame, patients: int) -> Panel:
    """The drug's hazard ratio with and without each marker: what is true, and what one randomised trial would say."""
    title = "Effect of the drug on progression-free survival, by marker"
    true = effects[effects["basis"] == "twins"].dropna(subset=["hr_positive"]).sort_values("interaction", kind="stable")
    if true.empty:
        return Panel("hazard_forest", title, "No marker had enough events to judge.")
    trial = effects[effects["basis"] == "trial"].set_index("marker")
    places = {name: float(place) for place, name in enumerate(true["marker"])}
    made = figure(110 + 46 * len(true))
    _at_one(made, "no effect")
    for side, tone, shift in (("positive", "simulated", -0.27), ("negative", "second", 0.09)):
        names = (f"hr_{side}", f"hr_{side}_low", f"hr_{side}_high")
        words = "with the marker" if side == "positive" else "without"
        estimates(made, true, true["marker"].map(places).to_numpy(float) + shift, names, tone, f"{words}, true", width=3.0)
        seen = trial[trial.index.isin(places)].dropna(subset=["hr_positive"]).reset_index()
        if len(seen):
            y = seen["marker"].map(places).to_numpy(float) + shift + 0.17
            look = dict(symbol="circle-open", size=7, width=1.2, rule=f"{tone}_50")
            estimates(made, seen, y, names, tone, f"{words}, one trial", **look)
    rows_of(made, [plot_lines(f"{row.label} ({percent(row.n_positive / row.n, 0)})", 34) for row in true.itertuples()], 0.27)
    drawn = pd.concat([true, trial.dropna(subset=["hr_positive"])])
    edges = _edges(
        drawn[["hr_positive_low", "hr_negative_low"]].min(axis=1), drawn[["hr_positive_high", "hr_negative_high"]].max(axis=1)
    )
    made.update_xaxes(type="log", title_text="HR, drug v control", range=np.log10(edges), **_even(edges))
    seen = trial.dropna(subset=["p"])
    found = [SHORT.get(name, name) for name, row in seen.iterrows() if row["p_holm"] < 0.05]
    bare = [SHORT.get(name, name) for name, row in seen.iterrows() if row["p"] < 0.05]
    surest = true.loc[true["interaction_high"].idxmin()]
    text = (
        f"In one randomised trial of {patients:,} patients the interaction has P < 0.05 for {join(bare) if bare else 'no marker'}"
    )
    text += f", and for {join(found) if found else 'none'} after Holm's correction for {len(seen)} markers. "
    text += f"Such a trial has a power of {percent(surest['interaction_power'], 0)} for the surest, {SHORT.get(surest['marker'])}. "
    return Panel("hazard_forest", title, text + "In brackets: patients with the marker. 95 % intervals.", made)


def trade_off(plans: pd.DataFrame, confidence: float) -> Panel:
    """Patients screened against patients randomised, one point a rule."""
    title = "Patients to screen against patients to randomise"
    table = plans[np.isfinite(plans["randomised"].to_numpy(float))] if len(plans) else plans
    if table.empty or (table["rule"] != ALL).sum() == 0:
        return Panel("trade_off", title, "No rule leads to a trial of finite size.")
    made = at_least(figure(520), 600)
    groups = {
        "all comers": (table["rule"] == ALL, "published", "diamond"),
        "costs less than all comers": ((table["rule"] != ALL) & (table["cheaper"] >= confidence), "simulated", "circle"),
        "not told apart, or costs more": ((table["rule"] != ALL) & (table["cheaper"] < confidence), "NE", "circle"),
    }
    largest = 6 * float(table["screened"].max())
    for _, part in table[table["kept"] < 1].groupby("marker", sort=False):
        made.add_scatter(
            x=part["randomised"], y=part["screened"], mode="lines", line=dict(color=colour("rule"), width=1.2), showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    for name, (chosen, tone, symbol) in groups.items():
        part = table[chosen]
        if part.empty:
            continue
        bars = {f"error_{axis}": _bar(part, column, tone, largest) for axis, column in (("x", "randomised"), ("y", "screened"))}
        made.add_scatter(
            x=part["randomised"], y=part["screened"], mode="markers", name=name,
            customdata=[plot_text(text) for text in part["label"]], **bars,
            marker=dict(color=colour(tone), size=np.where(part["kept"] < 1, 6, 9), symbol=symbol, opacity=1),
            hovertemplate="%{customdata}: %{x:,.0f} randomised, %{y:,.0f} screened<extra></extra>",
        )  # fmt: skip
    edge = [float(table["randomised"].min()) * 0.6, float(table["randomised"].max()) * 1.7]
    height = [float(table["randomised"].min()) * 0.9, float(table["screened"].max()) * 1.8]
    line = [edge[0], edge[1]]
    made.add_scatter(
        x=line, y=line, mode="lines", line=dict(color=colour("muted"), width=1, dash="dash"), showlegend=False, hoverinfo="skip"
    )
    made.update_xaxes(type="log", title_text="patients randomised", range=np.log10(edge), **log_ticks(*edge))
    made.update_yaxes(type="log", title_text="patients screened", range=np.log10(height), **log_ticks(*height))
    # of a level its strictest rule has the name
    named = table.loc[table.groupby(table["marker"].where(table["rule"] != ALL, ALL))["kept"].idxmin()]
    logs = np.log10(table[["randomised", "screened"]].to_numpy(float))
    place = np.log10(named[["randomised", "screened"]].to_numpy(float))
    name_points(made, place[:, 0], place[:, 1], [_short(row) for row in named.itertuples()], *SCATTER, others=logs)
    made.add_annotation(
        text="everybody screened is randomised", x=np.log10(height[0]) + 0.12, y=np.log10(height[0]) + 0.06, xanchor="left",
        yanchor="middle", showarrow=False, font=dict(size=11, color=colour("muted")),
    )  # fmt: skip
    fewest, all_comers = table.loc[table["randomised"].idxmin()], plans.iloc[0]
    text = (
        f"All comers: {number(all_comers['randomised'])} patients. Fewest randomised: {fewest['label']}, "
        f"{spread(fewest['randomised'], fewest['randomised_low'], fewest['randomised_high'])}, of {number(fewest['screened'])} "
        "screened. Small points, joined: rules on one level, the name beside the strictest. 95 % intervals over resampled patients."
    )
    return Panel("trade_off", title, text, made)


def _short(row: Any) -> str:
    if row.rule == ALL:
        return "all comers"
    name = SHORT.get(row.marker, row.marker)
    return name if row.kept == 1 else f"{name} {100 * row.kept:g} %"


def _bar(part: pd.DataFrame, name: str, tone: str, largest: float) -> dict[str, object]:
    value = part[name].to_numpy(float)
    high = np.minimum(np.nan_to_num(part[f"{name}_high"].to_numpy(float), posinf=largest), largest)
    low = part[f"{name}_low"].to_numpy(float)
    shown = (part["kept"] == 1).to_numpy()  # those of levels, three to a marker, would hide the rest
    up, down = np.where(shown, high - value, 0.0), np.where(shown, value - low, 0.0)
    return dict(type="data", array=up, arrayminus=down, color=colour(tone), thickness=0.8, width=0)


def cost_forest(plans: pd.DataFrame, confidence: float) -> Panel:
    """Cost of each rule over that of all comers."""
    title = "Cost of a trial in marker-positive patients over that in all comers"
    table = plans[(plans["rule"] != ALL) & np.isfinite(plans["cost_ratio"].to_numpy(float))] if len(plans) else plans
    if table.empty:
        return Panel("cost_forest", title, "No rule leads to a trial of finite size.")
    table = table.sort_values("cost_ratio", kind="stable").reset_index(drop=True)
    made = figure(110 + 28 * len(table))
    _at_one(made, "all comers")
    sure = (table["cheaper"] >= confidence).to_numpy()
    groups = (
        (sure, "simulated", f"costs less in at least {percent(confidence, 0)} of resamples"),
        (~sure, "NE", "not told apart, or more"),
    )
    for chosen, tone, name in groups:
        if chosen.any():
            part = table[chosen].assign(cost_ratio_high=lambda rows: rows["cost_ratio_high"].clip(upper=FARTHEST))
            names = ("cost_ratio", "cost_ratio_low", "cost_ratio_high")
            estimates(made, part, np.flatnonzero(chosen).astype(float), names, tone, name)
    rows_of(made, [plot_lines(label, 40) for label in table["label"]])
    edges = (max(0.1, float(table["cost_ratio_low"].min()) * 0.9), min(FARTHEST, float(table["cost_ratio_high"].max()) * 1.1))
    made.update_xaxes(type="log", title_text="cost over all comers", range=np.log10(edges), **log_ticks(*edges))
    best = table.iloc[0]
    text = f"Lowest: {best['label']}, {fixed_spread(best['cost_ratio'], best['cost_ratio_low'], best['cost_ratio_high'])}"
    return Panel(
        "cost_forest", title, f"{text}; it costs less than all comers in {percent(best['cheaper'], 0)} of resamples.", made
    )
