"""What the drug gives: both arms' curves, and the patients' own gains that only twins reveal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.endpoints.survival import kaplan_meier, quantile
from trialsim.report.figures.at_risk import Arm, curve, frame
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import amount, percent
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

ARMS = {"treated": ("with the drug", "simulated"), "control": ("without", "series_9")}
LONGEST_WEEKS = 52


def arms_panel(patients: pd.DataFrame) -> Panel:
    """Progression-free survival of every patient with and without the drug."""
    arms, told = [], []
    for key, (name, tone) in ARMS.items():
        months, event = patients[f"pfs_days_{key}"].to_numpy(float) / DAYS_PER_MONTH, patients[f"pfs_event_{key}"].to_numpy(bool)
        found = kaplan_meier(months, event)
        arms.append(Arm(name, name, found.time, found.survival, found.at_risk, tone))
        told.append(f"{name} {amount(quantile(found).estimate, 'months', 'not reached')}")
    made = frame(arms, float(max(arm.time.max() for arm in arms)), 300)
    for arm in arms:
        curve(made, arm)
    made.update_yaxes(title_text="free of progression, %", row=1, col=1)
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
