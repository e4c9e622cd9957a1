"""What the drug gives: both arms' curves, and the patients' own gains that only twins reveal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.endpoints.survival import kaplan_meier, quantile
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import amount, percent, plot_text
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

ARMS = {"treated": ("with the drug", "simulated"), "control": ("without", "muted")}
LONGEST_WEEKS = 52


def arms_panel(patients: pd.DataFrame) -> Panel:
    """Progression-free survival of every patient with and without the drug."""
    made, told = figure(360), []
    for arm, (name, tone) in ARMS.items():
        months, event = patients[f"pfs_days_{arm}"].to_numpy(float) / DAYS_PER_MONTH, patients[f"pfs_event_{arm}"].to_numpy(bool)
        curve = kaplan_meier(months, event)
        made.add_scatter(
            x=curve.time.astype("f4"), y=(100 * curve.survival).astype("f4"), mode="lines", name=name,
            line=dict(color=colour(tone), width=2, shape="hv"),
            hovertemplate="month %{x:.1f}: %{y:.1f} %<extra>" + plot_text(name) + "</extra>",
        )  # fmt: skip
        told.append(f"{name} {amount(quantile(curve).estimate, 'months', 'not reached')}")
    made.update_xaxes(title_text="months since first dose", rangemode="tozero")
    made.update_yaxes(title_text="free of progression, %", range=[0, 102])
    return Panel("arms", "Progression-free survival", f"Median {', '.join(told)}; the same patients in both.", made, wide=False)


def gain_panel(patients: pd.DataFrame, benefit_weeks: float) -> Panel:
    """Share of patients whose own progression the drug delays by at least so many weeks."""
    title = "How much each patient gains"
    weeks = np.sort(patients["pfs_gain_days"].to_numpy(float)) / DAYS_PER_WEEK
    at = np.linspace(0.5, LONGEST_WEEKS, 104)
    share = 1.0 - np.searchsorted(weeks, at, side="left") / len(weeks)
    made = figure(360)
    made.add_scatter(
        x=at, y=100 * share, mode="lines", line=dict(color=colour("second"), width=2), fill="tozeroy",
        fillcolor=colour("second_90"), showlegend=False, hovertemplate="at least %{x:.0f} weeks: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    reference_line(made, x=benefit_weeks, text="counts as benefit", annotation_position="top right")
    made.update_xaxes(title_text="progression or death delayed by at least, weeks", range=[0, LONGEST_WEEKS])
    made.update_yaxes(title_text="patients, %", rangemode="tozero")
    none, worse = float(np.mean(np.abs(weeks) < 0.5)), float(np.mean(weeks <= -0.5))
    text = (
        f"{percent(float(np.mean(weeks >= 0.5)))} gain time, {percent(none)} none that the scans show, {percent(worse)} lose some. "
        "With the drug against without it, the same patient and chances, as long as both are followed."
    )
    return Panel("gain", title, text, made, wide=False)
