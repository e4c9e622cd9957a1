"""Kaplan-Meier curves with confidence bands, censoring marks and numbers at risk."""

from __future__ import annotations

import numpy as np

from trialsim.endpoints.survival import kaplan_meier
from trialsim.report.figures.at_risk import Arm, frame
from trialsim.report.figures.at_risk import curve as draw
from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour
from trialsim.report.wording import amount, interval, is_number, percent, plural
from trialsim.units import DAYS_PER_MONTH

CENSOR_MARKS = 200  # more would hide the curve


def kaplan_meier_panel(run: Run, name: str, title: str, words: str) -> Panel:
    """PFS or OS.

    Args:
        run: the run.
        name: column stem, ``pfs`` or ``os``.
        title: heading.
        words: what an event is, for the caption.
    """
    days, events = f"{name}_days", f"{name}_event"
    if not {days, events} <= set(run.patients.columns):
        return Panel(f"km_{name}", title, "Times were not saved, so there is no curve to show.", wide=False)
    table = run.patients[[days, events]].dropna()
    if table.empty:
        return Panel(f"km_{name}", title, "No patient has a time, so there is no curve to show.", wide=False)
    months, event = table[days].to_numpy(float) / DAYS_PER_MONTH, table[events].to_numpy(bool)
    curve = kaplan_meier(months, event)  # the unit of time is the caller's
    arm = Arm("estimate", "", curve.time, curve.survival, curve.at_risk, "simulated")
    made = frame([arm], float(months.max()), 340)
    made.add_scatter(
        x=_steps(curve.time, curve.high)[0],
        y=_steps(curve.time, curve.high)[1],
        mode="lines",
        line=dict(width=0),
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=1,
    )
    made.add_scatter(
        x=_steps(curve.time, curve.low)[0],
        y=_steps(curve.time, curve.low)[1],
        mode="lines",
        line=dict(width=0),
        fill="tonexty",
        fillcolor=colour("simulated_90"),
        hoverinfo="skip",
        name="95 % confidence band",
        row=1,
        col=1,
    )
    draw(made, arm)
    censored = np.sort(months[~event])
    if censored.size:
        if censored.size > CENSOR_MARKS:
            censored = censored[np.round(np.linspace(0, censored.size - 1, CENSOR_MARKS)).astype(int)]
        height = curve.survival[np.searchsorted(curve.time, censored, side="right") - 1] * 100
        made.add_scatter(
            x=censored.astype("f4"),
            y=height.astype("f4"),
            mode="markers",
            name="censored",
            hoverinfo="skip",
            marker=dict(symbol="line-ns-open", size=7, color=colour("ink"), line=dict(width=1, color=colour("ink"))),
            row=1,
            col=1,
        )
    made.update_yaxes(title_text=f"{words} (%)", row=1, col=1)
    return Panel(f"km_{name}", title, _caption(run, name, words, len(table), int(event.sum())), made, wide=False)


def _caption(run: Run, name: str, words: str, count: int, events: int) -> str:
    median = run.section("endpoints").get(f"median_{name}_months") or {}
    text = f"Median {amount(median.get('estimate'), 'months', 'not reached')}"
    if is_number(median.get("low")) or is_number(median.get("high")):
        text += f" (95 % confidence interval {interval(median.get('low'), median.get('high'), 'months')})"
    for key, when in ((f"{name}_6_months", "6 months"), (f"{name}_12_months", "12 months")):
        found = run.section("endpoints").get(key) or {}
        if is_number(found.get("estimate")):
            text += f"; {percent(found['estimate'])} {words} at {when}"
    text = f"{text}. {plural(count, 'virtual patient')}, {plural(events, 'event')}, {count - events:,} censored."
    return text + _between_scans(run) if name == "pfs" else text


def _between_scans(run: Run) -> str:
    """What the dating of progression at a scan does to the median; nothing if no progression was found at a scan."""
    names = ("progression_delay_weeks", "median_pfs_turnbull_months", "median_pfs_weibull_months")
    delay, free, smooth = (run.section("endpoints").get(name) or {} for name in names)
    if not is_number(delay.get("estimate")):
        return ""
    late, middle = amount(delay["estimate"], "weeks"), amount(free.get("estimate"), "months", "not reached")
    text = (
        f" The curve dates a progression at the scan that shows it, on average {late} after it happened. Dated between the two"
        f" scans instead, the median is {middle} (Turnbull's estimate)"
    )
    if is_number(smooth.get("estimate")):
        limits = interval(smooth.get("low"), smooth.get("high"), "months")
        text += f"; with a Weibull curve {amount(smooth['estimate'], 'months')} (95 % confidence interval {limits})"
    return f"{text}."


def _steps(time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corner points of a step function, in percent, so that a filled band has upright edges."""
    return np.repeat(time, 2)[1:].astype("f4"), (np.repeat(value, 2)[:-1] * 100).astype("f4")
