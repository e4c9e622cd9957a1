"""Tumour size: waterfall and spider plots; RECIST 1.1 asks for -30 % from baseline and +20 % from nadir."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.panel import Panel
from trialsim.report.figures.patient import patient_hovers
from trialsim.report.reader import RESPONSES, Run
from trialsim.report.sampling import even_ranks, stratified
from trialsim.report.theme import RECIST_NAMES, RECIST_SYMBOLS, colour, figure, reference_line
from trialsim.report.wording import join, plural, share
from trialsim.units import DAYS_PER_WEEK

HIGHEST = 150.0  # percent: growth beyond this is drawn at the upper edge


def followed(run: Run) -> pd.Index:
    """The patients drawn one by one (spider, swimmer): in proportion to best response and dose level."""
    if run.patients.empty:
        return run.patients.index
    level = run.patients["dose_level"].astype(str) if "dose_level" in run.patients else ""
    return stratified(run.responses.astype(str) + "|" + level, run.settings.max_patients_followed)


def waterfall(run: Run) -> Panel:
    """Best percentage change of the sum of target diameters, one bar a patient, largest growth first."""
    title = "Best change in tumour size"
    change = run.patients.get("best_sld_change_percent", pd.Series(dtype=float)).astype(float).dropna()
    if change.empty:
        return Panel("waterfall", title, "No patient had a scan on treatment, so there is no change in tumour size to show.")
    ordered = change.sort_values(ascending=False, kind="stable")
    places = even_ranks(len(ordered), run.settings.max_patients_drawn)
    drawn = ordered.iloc[places]
    responses, hovers = run.responses.loc[drawn.index], patient_hovers(run, drawn.index).to_numpy()
    made = figure(420, barmode="overlay", hovermode="x")  # a bar near zero is too low to point at
    width = 1.0 if len(drawn) > 80 else 0.8
    positions = np.arange(1, len(drawn) + 1)
    for response in RESPONSES:
        mask = (responses == response).to_numpy()
        if not mask.any():
            continue
        made.add_bar(
            x=positions[mask],
            y=np.clip(drawn.to_numpy()[mask], -100, HIGHEST).astype("f4"),
            hovertext=hovers[mask],
            name=f"{response} {RECIST_NAMES[response]}",
            width=width,
            marker=dict(color=colour(response), line=dict(width=0)),
            hovertemplate="%{hovertext}<extra></extra>",
        )
    reference_line(made, y=-30, text="−30 %", annotation_position="bottom left")
    reference_line(made, y=20, text="+20 %", annotation_position="top right")
    top = min(HIGHEST, max(30.0, float(drawn.max()) * 1.08))
    made.update_yaxes(title_text="change of sum of diameters (%)", range=[max(-104.0, min(-45.0, float(drawn.min()) * 1.15)), top])
    made.update_xaxes(title_text="patients, ranked", showticklabels=False, ticks="", showgrid=False)
    shrunk, shrunk_enough = int((change < 0).sum()), int((change <= -30).sum())
    caption = (
        f"In {share(shrunk, len(change))} virtual patients with a scan the tumours became smaller at their best; "
        f"{share(shrunk_enough, len(change))} reached the 30 % that a partial response asks for, confirmation and new "
        f"lesions aside. Median best change {change.median():+.0f} %."
    )
    if len(drawn) < len(change):
        caption += f" {len(drawn)} evenly spaced ranks of {len(change):,} are drawn."
    if (drawn > HIGHEST).any():
        caption += f" Growth beyond +{HIGHEST:.0f} % is drawn at the edge."
    return Panel("waterfall", title, caption, made)


def spider(run: Run) -> Panel:
    """Change from baseline over time, one line a patient."""
    title = "Tumour size over time"
    needed = ("patient_id", "day", "sld_change_percent")
    chosen = followed(run)
    ids = run.patients.loc[chosen, "patient_id"]
    scans = run.visits_of(ids, (*needed, "visit"))
    if scans.empty or not set(needed) <= set(scans.columns):
        return Panel("spider", title, "No scans were saved, so there is no course to show.")
    response_of = dict(zip(ids, run.responses.loc[chosen], strict=True))
    hover_of = dict(zip(ids, patient_hovers(run, chosen), strict=True))
    scans = scans[scans["day"] >= 0].dropna(subset=["sld_change_percent"])
    if "visit" in scans:  # the baseline scan is the common start at (0, 0)
        scans = scans[scans["visit"] != "baseline"]
    if scans.empty:
        return Panel("spider", title, "No patient had a scan on treatment, so there is no course to show.")
    made = figure(460)
    for response in reversed(RESPONSES):
        of_patients = [(patient, part) for patient, part in scans.groupby("patient_id") if response_of[patient] == response]
        mine = [(hover_of[patient], _line(part)) for patient, part in of_patients]
        if mine:
            hovers = [hover for hover, line in mine for _ in line]
            made.add_trace(_trace(response, np.concatenate([line for _, line in mine]), hovers))
    reference_line(made, y=-30, text="−30 %", annotation_position="bottom right")
    reference_line(made, y=20, text="+20 %", annotation_position="top right")
    low, high = float(scans["sld_change_percent"].min()), float(scans["sld_change_percent"].quantile(0.98))
    made.update_yaxes(
        title_text="change of sum of diameters (%)",
        range=[max(-104.0, min(-45.0, low * 1.1)), min(300.0, max(40.0, high * 1.15))],
    )
    made.update_xaxes(title_text="weeks since first dose", rangemode="tozero")
    counts = run.responses.loc[chosen].value_counts()
    mix = join(f"{counts[name]} {RECIST_NAMES[name]}" for name in RESPONSES if name in counts)
    drawn = int(scans["patient_id"].nunique())
    caption = (
        f"Each line is one of {plural(drawn, 'virtual patient')} with at least one scan, out of {len(chosen)} chosen "
        f"in proportion to best response ({mix}); colours are the best response."
    )
    return Panel("spider", title, caption, made)


def _line(scans: pd.DataFrame) -> np.ndarray:
    """Weeks and change of one patient, starting at (0, 0) and closed by a gap: shape (scans + 2, 2)."""
    ordered = scans.sort_values("day")
    points = np.column_stack([ordered["day"].to_numpy(float) / DAYS_PER_WEEK, ordered["sld_change_percent"].to_numpy(float)])
    return np.vstack([[0.0, 0.0], points, [np.nan, np.nan]])


def _trace(response: str, points: np.ndarray, hovers: list[str]) -> go.Scatter:
    return go.Scatter(
        x=points[:, 0].astype("f4"),
        y=points[:, 1].astype("f4"),
        mode="lines+markers",
        name=f"{response} {RECIST_NAMES[response]}",
        line=dict(color=colour(response), width=1.3),
        marker=dict(color=colour(response), size=4, symbol=RECIST_SYMBOLS[response]),
        opacity=0.75,
        hovertext=hovers,
        hovertemplate="week %{x:.0f}: %{y:.0f} %<br>%{hovertext}<extra></extra>",
    )
