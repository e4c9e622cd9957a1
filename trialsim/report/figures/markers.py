"""How well markers tell patients apart: AUC forest, ROC curves, calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, names_above, reference_line, segments
from trialsim.report.wording import fixed, fixed_spread, join, percent, plot_lines, plot_text

OUTCOMES = {
    "progression_free": ("stays free of progression", "simulated", -0.15),
    "benefit": ("true benefit (twins)", "second", 0.15),
}
CURVES = ("simulated", "published", "second", "chain_4")  # tones
ROW = 34  # px
ROOM, NARROW_ROW = 560, 40  # px below which names stand above their rows, and px a row then takes


def rows_of(made: go.Figure, labels: list[str], reach: float = 0.0) -> None:
    """A vertical axis of named rows, the first on top; after all annotations.

    Args:
        labels: as from `wording.plot_lines`. reach: rows from the middle of a row to the uppermost of its marks.
    """
    made.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    row = NARROW_ROW + 90 * reach
    names = [label.replace("<br>", " ") for label in labels]
    top = {"yaxis.range": [len(labels) - 0.5, -1.0]}
    names_above(made, ROOM, {"y": names}, 110 + int(row * len(labels)), reach * row + 7, top)


def estimates(
    made: go.Figure, part: pd.DataFrame, y: np.ndarray, names: tuple[str, str, str], tone: str, name: str, **look: object
) -> None:
    """Points with their intervals along x.

    Args:
        names: columns of estimate, low, high. tone: token of the theme. **look: ``width`` and ``rule`` (token) of the line, and
        entries of
            the marker.
    """
    width, rule = look.pop("width", 2.0), str(look.pop("rule", tone))
    middle, low, high = (part[column].to_numpy(float) for column in names)
    made.add_scatter(
        x=segments(low, high), y=segments(y, y), mode="lines", line=dict(color=colour(rule), width=width), showlegend=False,
        hoverinfo="skip", legendgroup=name,
    )  # fmt: skip
    made.add_scatter(
        x=middle,
        y=y,
        mode="markers",
        name=name,
        showlegend=True,
        legendgroup=name,
        marker=dict(color=colour(tone), size=8) | look,
        customdata=np.column_stack([low, high]),
        hovertemplate="%{x:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g})<extra>" + plot_text(name) + "</extra>",
    )


def auc_forest(auc: pd.DataFrame, days: dict[str, int]) -> Panel:
    """Markers before treatment, then those under it, each from best to worst in the first outcome."""
    table = auc[auc["outcome"].isin(OUTCOMES)].dropna(subset=["auc"])
    if table.empty:
        return Panel("auc_forest", "Area under the ROC curve", "Too few patients had an outcome to judge any marker.")
    first = table[table["outcome"] == table["outcome"].iloc[0]].assign(early=lambda rows: rows["when"] != "baseline")
    order = first.sort_values(["early", "auc"], ascending=[True, False], kind="stable")
    rows: list[str] = []  # a heading, its markers, the next heading
    places: dict[str, int] = {}
    for early, group in order.groupby("early"):
        rows.append("<b>Under treatment</b>" if early else "<b>Before treatment</b>")
        for row in group.itertuples():
            places[row.marker] = len(rows)
            rows.append(plot_lines(row.label + (f" (day {row.landmark_day})" if row.landmark_day else ""), 36))
    made = figure(110 + ROW * len(rows))
    reference_line(made, x=0.5, text="chance", annotation_position="top")
    for outcome, (name, tone, shift) in OUTCOMES.items():
        part = table[(table["outcome"] == outcome) & table["marker"].isin(places)]
        if len(part):
            estimates(made, part, part["marker"].map(places).to_numpy(float) + shift, ("auc", "low", "high"), tone, name)
    rows_of(made, rows, 0.15)
    low, high = float(table["low"].min()), float(table["high"].max())
    made.update_xaxes(title_text="AUC", range=[min(0.44, low - 0.01), max(0.76, high + 0.01)])
    told = [_best(table[table["outcome"] == outcome], name) for outcome, (name, _, _) in OUTCOMES.items()]
    landmark = max(days.values())
    note = f" Markers under treatment: of patients free of progression on the landmark day (at the latest day {landmark})."
    return Panel(
        "auc_forest", "Area under the ROC curve, with 95 % intervals", f"AUC, {'; '.join(filter(None, told))}.{note}", made
    )


def _best(table: pd.DataFrame, name: str) -> str:
    if table.empty:
        return ""
    top = table.loc[table["auc"].idxmax()]
    return f"best for “{name}”: {top['label']}, {fixed_spread(top['auc'], top['low'], top['high'])}"


def roc_curves(key: str, title: str, curves: pd.DataFrame, labels: dict[str, str], aucs: dict[str, float]) -> Panel:
    """ROC curves of some markers or sets.

    Args:
        curves: columns marker, false, true. labels: of those drawn, in order. aucs: by marker.
    """
    made, told = figure(400), []
    made.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line=dict(color=colour("muted"), width=1, dash="dash"),
        showlegend=False,
        hoverinfo="skip",
    )
    for tone, (marker, label) in zip(CURVES, labels.items(), strict=False):
        part = curves[curves["marker"] == marker]
        if part.empty:
            continue
        hover = "%{x:.0f} % : %{y:.0f} %<extra>" + plot_text(label) + "</extra>"
        made.add_scatter(
            x=(100 * part["false"]).astype("f4"), y=(100 * part["true"]).astype("f4"), mode="lines",
            line=dict(color=colour(tone), width=2), name=plot_text(label), hovertemplate=hover,
        )  # fmt: skip
        told.append(f"{label} {fixed(aucs[marker])}")
    if not told:
        return Panel(key, title, "Too few patients had the outcome.", wide=False)
    made.update_xaxes(title_text="others called positive (1 − specificity), %", range=[0, 100], constrain="domain")
    made.update_yaxes(title_text="cases called positive (sensitivity), %", range=[0, 101])
    made.update_layout(legend=dict(orientation="v", x=1, xanchor="right", y=0.02, yanchor="bottom", font=dict(size=11)))
    return Panel(key, title, f"AUC: {join(told)}.", made, wide=False)


def calibration(curves: pd.DataFrame, models: pd.DataFrame, drawn: dict[str, tuple[str, str]]) -> Panel:
    """Predicted probability against observed, by tenths of the patients.

    Args:
        curves, models: tables of the analysis. drawn: set -> (words, tone).
    """
    title = "Calibration"
    made, told, top = figure(400), [], 0.0
    for name, (label, tone) in drawn.items():
        part, model = curves[curves["set"] == name], models[models["set"] == name]
        if part.empty or model["slope"].isna().all():
            continue
        x, y = 100 * part["predicted"].to_numpy(float), 100 * part["observed"].to_numpy(float)
        up, down = 100 * part["high"].to_numpy(float) - y, y - 100 * part["low"].to_numpy(float)
        top = max(top, float((y + up).max()), float(x.max()))
        made.add_scatter(
            x=x, y=y, mode="lines+markers", name=plot_text(label), line=dict(color=colour(tone), width=1.5),
            marker=dict(color=colour(tone), size=7),
            error_y=dict(type="data", array=up, arrayminus=down, color=colour(tone), thickness=1.2, width=3),
            hovertemplate="predicted %{x:.0f} %, observed %{y:.0f} %<extra>" + plot_text(label) + "</extra>",
        )  # fmt: skip
        row = model.iloc[0]
        slope = fixed_spread(row["slope"], row["slope_low"], row["slope_high"])
        told.append(
            f"{label}: slope {slope}, Brier score {fixed(row['brier'])}, {percent(row['brier_scaled'])} better than predicting "
            "the mean"
        )
    if not told:
        return Panel("calibration", title, "Too few patients had the outcome to fit a model.", wide=False)
    edge = 1.05 * top
    made.add_scatter(
        x=[0, edge],
        y=[0, edge],
        mode="lines",
        line=dict(color=colour("muted"), width=1, dash="dash"),
        showlegend=False,
        hoverinfo="skip",
    )
    made.update_xaxes(title_text="predicted, %", range=[0, edge])
    made.update_yaxes(title_text="observed, %", range=[0, edge])
    return Panel(
        "calibration", title, f"Free of progression, {'; '.join(told)}. A slope below 1: predictions too extreme.", made, wide=False
    )


def sets_forest(models: pd.DataFrame) -> Panel:
    """AUC of markers together."""
    table = models.dropna(subset=["auc"])
    title = "Markers together"
    if table.empty:
        return Panel("sets_forest", title, "Too few patients had the outcome to fit a model.", wide=False)
    made = figure(400)
    y = np.arange(len(table), dtype=float)
    reference_line(made, x=0.5)
    for columns, (name, tone, shift) in zip(
        (("auc", "low", "high"), ("auc_benefit", "auc_benefit_low", "auc_benefit_high")), OUTCOMES.values(), strict=True
    ):
        estimates(made, table, y + shift, columns, tone, name)
    rows_of(made, [plot_lines(label, 24) for label in table["label"]], 0.15)
    made.update_xaxes(title_text="AUC, cross-validated", range=[0.46, max(0.8, float(table["high"].max()) + 0.02)])
    best = table.loc[table["auc"].idxmax()]
    text = f"Best for staying free of progression: {best['label'].lower()}, {fixed_spread(best['auc'], best['low'], best['high'])}."
    true = table.loc[table["auc_benefit"].idxmax()] if table["auc_benefit"].notna().any() else None
    if true is not None:
        told = fixed_spread(true["auc_benefit"], true["auc_benefit_low"], true["auc_benefit_high"])
        text += f" The same predictions are best for true benefit: {true['label'].lower()}, {told}."
    return Panel("sets_forest", title, text.replace("sld", "SLD"), made, wide=False)
