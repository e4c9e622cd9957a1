"""Toxicity by term and worst grade; dose intensity, holds and reductions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import GRADES, colour, edge, figure
from trialsim.report.wording import dose, join, percent, plot_text, share, words
from trialsim.summary import count_worst


def toxicity_table(run: Run) -> pd.DataFrame:
    """Patients by worst grade of each term: columns term, grade_1 .. grade_4, any_grade, grade_3_4, n_patients."""
    columns = ["term", *(f"grade_{grade}" for grade in GRADES), "any_grade", "grade_3_4", "n_patients"]
    counts = count_worst(run.adverse_events(("term", "grade"))).rename_axis("term")
    if counts.empty:
        return pd.DataFrame(columns=columns)
    table = counts.rename(columns={grade: f"grade_{grade}" for grade in GRADES}).reset_index()
    table["any_grade"] = counts.sum(axis=1).to_numpy()
    table["grade_3_4"] = counts[[3, 4]].sum(axis=1).to_numpy()
    table["n_patients"] = run.count
    return table.sort_values(["any_grade", "term"], ascending=[False, True], ignore_index=True)[columns]


def toxicity(run: Run) -> Panel:
    """Stacked bars: share of all treated patients by worst grade."""
    title = "Adverse events by worst grade"
    table = toxicity_table(run)
    if table.empty or not run.count:
        return Panel("toxicity", title, "No adverse event occurred in any virtual patient.")
    made = figure(110 + 34 * len(table), barmode="stack", bargap=0.3)
    names = [plot_text(words(term).capitalize() if not words(term).startswith("ALT") else words(term)) for term in table["term"]]
    for grade in GRADES:
        made.add_bar(
            y=names,
            x=(table[f"grade_{grade}"] / run.count * 100).to_numpy("f4"),
            orientation="h",
            name=f"grade {grade}",
            marker=dict(color=colour(f"grade_{grade}"), line=edge()),
            customdata=table[f"grade_{grade}"].to_numpy("i4"),
            hovertemplate=f"grade {grade}: " + "%{x:.1f} % (%{customdata} patients)<extra>%{y}</extra>",
        )
    made.update_yaxes(autorange="reversed", showgrid=False)
    made.update_xaxes(title_text="% of patients", rangemode="tozero")
    made.update_layout(legend=dict(traceorder="normal"))
    severe = table[table["grade_3_4"] > 0].sort_values("grade_3_4", ascending=False)
    first = table.iloc[0]
    caption = f"Most common: {words(first['term'])}, {share(int(first['any_grade']), run.count)} of any grade."
    if len(severe):
        caption += (
            " Grade 3 or 4: "
            + join(f"{words(row.term)} {percent(row.grade_3_4 / run.count)}" for row in severe.head(3).itertuples())
            + "."
        )
    else:
        caption += " No event of grade 3 or 4."
    return Panel("toxicity", title, caption + " Each patient counts once a term, at the worst grade (CTCAE).", made)


def modification_table(run: Run) -> pd.DataFrame:
    """Patients with a dose change, by dose level, and their median relative dose intensity."""
    columns = ["dose_level", "n", "any_hold", "any_reduction", "stopped_for_toxicity", "median_relative_dose_intensity"]
    rows = []
    for level in run.dose_levels:
        part = run.patients[run.patients["dose_level"] == level]
        rows.append(
            [
                level,
                len(part),
                int((part.get("n_holds", pd.Series(0, part.index)) > 0).sum()),
                int((part.get("n_reductions", pd.Series(0, part.index)) > 0).sum()),
                int((part.get("off_treatment_reason", pd.Series("", part.index)) == "toxicity").sum()),
                float(part["relative_dose_intensity"].median()) if "relative_dose_intensity" in part else np.nan,
            ]
        )
    return pd.DataFrame(rows, columns=columns)


def dose_intensity(run: Run) -> Panel:
    """Histogram of relative dose intensity."""
    title = "Relative dose intensity"
    values = run.patients.get("relative_dose_intensity", pd.Series(dtype=float)).dropna()
    if values.empty:
        return Panel("dose_intensity", title, "Dose intensity was not saved.", wide=False)
    top = max(1.0, float(values.max()))
    counts, edges = np.histogram(values.clip(0, top), bins=np.linspace(0, top, 21))
    made = figure(320, bargap=0.06, showlegend=False)
    made.add_bar(
        x=((edges[:-1] + edges[1:]) / 2 * 100).astype("f4"),
        y=(counts / len(values) * 100).astype("f4"),
        width=np.diff(edges) * 100 * 0.94,
        marker=dict(color=colour("simulated")),
        customdata=counts,
        hovertemplate="about %{x:.0f} %: %{customdata} patients<extra></extra>",
    )
    made.update_xaxes(title_text="dose taken (% of planned)", range=[0, top * 102])
    made.update_yaxes(title_text="% of patients", rangemode="tozero")
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    caption = (
        f"Half of the patients received between {percent(low, 0)} and {percent(high, 0)} of the planned dose; "
        f"the median is {percent(middle, 0)}."
    )
    return Panel("dose_intensity", title, caption, made, wide=False)


def modifications(run: Run) -> Panel:
    """Share of patients with at least one hold, one reduction, or a stop for toxicity."""
    title = "Dose holds, reductions and stops"
    table = modification_table(run)
    if table.empty:
        return Panel("modifications", title, "Dose changes were not saved.", wide=False)
    kinds = {
        "any_hold": ("at least one hold", "grade_2"),
        "any_reduction": ("at least one reduction", "grade_3"),
        "stopped_for_toxicity": ("stopped for toxicity", "grade_4"),
    }
    made = figure(320, barmode="group", bargap=0.3)
    names = [plot_text(dose(level, run.dose_unit)) for level in table["dose_level"]]
    for key, (name, tone) in kinds.items():
        made.add_bar(
            x=names,
            y=(table[key] / table["n"] * 100).to_numpy("f4"),
            name=name,
            marker=dict(color=colour(tone), line=edge()),
            customdata=table[key].to_numpy("i4"),
            hovertemplate=f"{name}: " + "%{y:.1f} % (%{customdata} patients)<extra>%{x}</extra>",
        )
    made.update_xaxes(type="category", title_text="assigned dose")
    made.update_yaxes(title_text="% of patients", rangemode="tozero")
    held, reduced, stopped = (share(int(table[key].sum()), run.count) for key in kinds)
    caption = f"Treatment was held at least once in {held}, the dose reduced in {reduced} and treatment stopped for "
    caption += f"toxicity in {stopped} virtual patients."
    return Panel("modifications", title, caption, made, wide=False)
