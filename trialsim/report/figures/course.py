"""The swimmer plot: how long each patient stayed on treatment, and why it ended."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.figures.patient import patient_hovers
from trialsim.report.figures.response import followed
from trialsim.report.reader import RESPONSES, Run
from trialsim.report.theme import RECIST_NAMES, colour, figure
from trialsim.report.wording import amount, is_number, join, number, share, words
from trialsim.units import DAYS_PER_WEEK

ENDS: dict[str, str] = {
    "progression": "line-ns-open",
    "toxicity": "diamond-open",
    "death": "x-thin-open",
    "withdrawal": "circle-open",
    "completed": "square-open",
    "ongoing": "arrow-right",
}


def swimmer(run: Run) -> Panel:
    """One bar a patient, length = days on treatment, colour = best response, end mark = reason."""
    title = "Time on treatment, patient by patient"
    if run.patients.empty or "days_on_treatment" not in run.patients:
        return Panel("swimmer", title, "Time on treatment was not saved, so there is nothing to show.")
    chosen = followed(run)
    table = run.patients.loc[chosen].assign(response=run.responses.loc[chosen]).sort_values("days_on_treatment", kind="stable")
    weeks = table["days_on_treatment"].to_numpy(float) / DAYS_PER_WEEK
    rows, hovers = np.arange(1, len(table) + 1), patient_hovers(run, table.index).to_numpy()
    made = figure(int(np.clip(7 * len(table) + 130, 260, 900)), barmode="overlay")
    for response in RESPONSES:
        mask = (table["response"] == response).to_numpy()
        if mask.any():
            made.add_bar(
                x=weeks[mask].astype("f4"),
                y=rows[mask],
                orientation="h",
                width=0.8,
                name=f"{response} {RECIST_NAMES[response]}",
                marker=dict(color=colour(response), line=dict(width=0)),
                hovertext=hovers[mask],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    reasons = table.get("off_treatment_reason", pd.Series("", index=table.index)).astype(str).to_numpy()
    for reason, symbol in ENDS.items():
        mask = reasons == reason
        if mask.any():
            made.add_scatter(
                x=weeks[mask].astype("f4"),
                y=rows[mask],
                mode="markers",
                name=f"treatment {reason}" if reason in ("ongoing", "completed") else f"ended: {reason}",
                marker=dict(symbol=symbol, size=7, color=colour("ink"), line=dict(width=1.4, color=colour("ink"))),
                hovertext=hovers[mask],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    started = _first_responses(run, table)
    if started:
        made.add_scatter(
            x=[week for week, _ in started],
            y=[rows[place] for _, place in started],
            mode="markers",
            name="first response",
            marker=dict(symbol="star", size=9, color=colour("page"), line=dict(width=1.2, color=colour("ink"))),
            hovertext=hovers[[place for _, place in started]],
            hovertemplate="first response at week %{x:.0f}<br>%{hovertext}<extra></extra>",
        )
    made.update_xaxes(title_text="weeks since first dose", rangemode="tozero")
    made.update_yaxes(title_text="patients", range=[0, len(table) + 1], showticklabels=False, ticks="", showgrid=False)
    caption = _caption(run)
    if len(table) < run.count:
        caption += f" {len(table)} patients are drawn, in proportion to best response."
    return Panel("swimmer", title, caption, made)


def _caption(run: Run) -> str:
    median = run.section("endpoints").get("median_time_on_treatment_months") or {}
    if is_number(median.get("estimate")):
        text = f"Median time on treatment of all {run.count:,} virtual patients: {amount(median['estimate'], 'months')}."
    else:
        weeks = float(run.patients["days_on_treatment"].median()) / DAYS_PER_WEEK
        text = f"Half of the {run.count:,} virtual patients were on treatment for at least {number(weeks)} weeks."
    if "off_treatment_reason" in run.patients:
        counts = run.patients["off_treatment_reason"].astype(str).value_counts()
        told = {name: f"in {share(int(counts[name]), run.count)}" for name in counts.index}
        ends = [f"{words(name)} {told[name]}" for name in counts.index if name not in ("ongoing", "completed")]
        text += f" Treatment ended by {join(ends)}." if ends else ""
        text += f" It was completed {told['completed']}." if "completed" in counts else ""
        text += f" It was ongoing {told['ongoing']}." if "ongoing" in counts else ""
    return text


def _first_responses(run: Run, table: pd.DataFrame) -> list[tuple[float, int]]:
    """(week, row position) of the first scan read as CR or PR, for confirmed responders only."""
    place = {
        patient: i
        for i, (patient, best) in enumerate(zip(table["patient_id"], table["response"], strict=True))
        if best in ("CR", "PR")
    }
    scans = run.visits_of(list(place), ("day", "response"))
    if scans.empty or "response" not in scans:
        return []
    seen = scans[scans["response"].isin(["CR", "PR"])]
    return [(float(day) / DAYS_PER_WEEK, place[patient]) for patient, day in seen.groupby("patient_id")["day"].min().items()]
