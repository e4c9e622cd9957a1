"""Dose-response curves: what was measured, and the fit through it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.assays.metrics import logistic
from trialsim.report.figures.assay.look import Look, blank, concentration, dose_axis, hover
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, reference_line
from trialsim.report.wording import join, number, plot_text

NAMES = {"viability": "Viability", "GR": "Growth-rate inhibition"}
FITTED = {  # columns of the fits: absolute and relative potency, asymptote, slope, top, kind of fit, effect at the highest dose
    "viability": ("IC50_nM", "EC50_nM", "Einf", "hill", "top", "fit", "Emax"),
    "GR": ("GR50_nM", "GEC50_nM", "GRinf", "hill_GR", "top_GR", "fit_GR", "GRmax"),
}
POINTS = 80  # of a drawn curve


def curve(wells: pd.DataFrame, fits: pd.DataFrame, measure: str, treatment: str, look: Look) -> Panel:
    """One treatment: every line's means with SD over replicates, and its fit."""
    of_treatment = wells[(wells["treatment"] == treatment) & (wells["dose_nM"] > 0)]
    low, high = of_treatment["dose_nM"].min(), of_treatment["dose_nM"].max()
    made, told, lowest = blank(len(look.lines)), [], 0.0
    absolute, *_, kind, effect = FITTED[measure]
    for line, label in look.lines.items():
        per_replicate = of_treatment[of_treatment["line"] == line].groupby(["dose_nM", "replicate"])[measure].mean()
        found = per_replicate.groupby("dose_nM").agg(["mean", "std"]).fillna(0.0)
        fit = fits[(fits["line"] == line) & (fits["treatment"] == treatment)].iloc[0]
        drawn = look.line(line)
        x = np.geomspace(low, high, POINTS)
        made.add_scatter(
            x=x, y=_fitted(x, fit, measure).astype("f4"), mode="lines", showlegend=False, hoverinfo="skip", legendgroup=line,
            line=dict(color=drawn["tone"], width=2, dash="solid" if fit[kind] == "sigmoid" else "dot"),
        )  # fmt: skip
        made.add_scatter(
            x=found.index, y=found["mean"], mode="markers", name=plot_text(label), showlegend=True, legendgroup=line,
            hovertemplate=hover(label),
            error_y=dict(type="data", array=found["std"], color=drawn["tone"], thickness=1, width=2),
            marker=dict(size=7, color=drawn["tone"], symbol=drawn["symbol"]),
        )  # fmt: skip
        lowest = min(lowest, float((found["mean"] - found["std"]).min()))
        told.append(f"{label} {concentration(fit[absolute], low, high)} ({number(fit[effect], 2)})")
    dose_axis(made, low, high)
    name = "viability, of vehicle" if measure == "viability" else "GR value"
    made.update_yaxes(title_text=name, range=[min(-0.03, 1.05 * lowest), 1.25])
    reference_line(made, y=0.5)
    if lowest < 0:
        made.add_hline(y=0.0, line=dict(color=colour("rule"), width=1), layer="below")
    caption = f"{absolute.removesuffix('_nM')} (in brackets {effect}): {join(told)}."
    return Panel(f"{measure.lower()}_{treatment}", f"{NAMES[measure]}: {look.treatment(treatment)}", caption, made, wide=False)


def _fitted(x: np.ndarray, fit: pd.Series, measure: str) -> np.ndarray:
    _, relative, bottom, slope, top, kind, _ = FITTED[measure]
    if fit[kind] == "flat":
        return np.full(len(x), fit[bottom])
    return logistic(x, fit[top], fit[bottom], fit[relative], fit[slope])
