"""Target inhibition over time in tumour and blood cells: median with 50 % and 90 % bands of patients on treatment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from trialsim.report.figures.band import band
from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure, style_axes
from trialsim.report.wording import is_number, join, number, percent
from trialsim.units import DAYS_PER_WEEK

MARKERS: dict[str, str] = {
    "ps6": "pS6 (S6 kinase read-out)",
    "p4ebp1": "p4E-BP1 (cap-dependent translation)",
    "pakt": "pAKT (feedback read-out)",
    "perk": "pERK",
    "autophagy": "Autophagy flux",
}
TISSUES: dict[str, tuple[str, str]] = {"tumour": ("Tumour", "simulated"), "pbmc": ("Blood cells (PBMC)", "second")}
FEWEST, FEWEST_SHARE = (
    5,
    0.02,
)  # weeks with fewer patients on treatment (count, share of the first week) have no stable bands
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def bands(pieces: Iterable[pd.DataFrame], column: str) -> pd.DataFrame:
    """Quantiles across patients on treatment by week: index day, columns QUANTILES and n; thin weeks left out.

    Args:
        pieces: pharmacodynamics, one row a patient a week, in pieces. Only the values of patients on treatment are kept.
        column: marker, fold of the patient's own baseline.
    """
    by_day: dict[float, list[np.ndarray]] = {}
    for piece in pieces:
        if column in piece:
            used = piece[piece["on_treatment"].astype(bool)] if "on_treatment" in piece else piece
            for day, values in used.dropna(subset=[column]).groupby("day")[column]:
                by_day.setdefault(float(day), []).append(values.to_numpy())
    rows = {}
    for day in sorted(by_day):
        values = np.concatenate(by_day.pop(day)).astype(float)
        rows[day] = [*np.quantile(values, QUANTILES), len(values)]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=[*QUANTILES, "n"]).astype({"n": int})
    if found.empty:
        return found
    most = int(found["n"].max())
    return found[found["n"] >= min(max(FEWEST, FEWEST_SHARE * most), most)]


def marker_panel(run: Run, marker: str) -> Panel | None:
    """One marker, tumour beside blood cells; None if the marker was not saved at all."""
    courses = {}
    for tissue in TISSUES:
        name = f"{marker}_{tissue}"
        courses[tissue] = bands(run.pharmacodynamics(("day", "on_treatment", name)), name)
    tissues = [tissue for tissue, found in courses.items() if len(found)]
    if not tissues:
        return None
    base = figure(330, margin=dict(l=12, r=12, t=30, b=12))
    made = make_subplots(
        rows=1,
        cols=len(tissues),
        shared_yaxes=True,
        horizontal_spacing=0.06,
        figure=base,
        subplot_titles=[TISSUES[tissue][0] for tissue in tissues],
    )
    made.update_layout(base.layout)
    style_axes(made)
    sentences, highest = [], 1.0
    for column, tissue in enumerate(tissues, start=1):
        name, tone = TISSUES[tissue]
        found = courses[tissue]
        weeks = (found.index.to_numpy(float) / DAYS_PER_WEEK).astype("f4")
        band(
            made, weeks, [found[q] for q in QUANTILES], tone, showlegend=False, customdata=found["n"].to_numpy("i4"),
            hovertemplate="week %{x:.0f}: %{y:.2f}, %{customdata} patients<extra></extra>", row=1, col=column,
        )  # fmt: skip
        made.add_hline(y=1.0, line=dict(color=colour("muted"), width=1, dash="dash"), layer="below", row=1, col=column)
        highest = max(highest, float(found[0.95].max()))
        later = found[found.index >= 28]
        if len(later):
            first = later.iloc[0]
            sentences.append(
                f"{name.lower().replace('pbmc', 'PBMC')}: {number(first[0.5], 2)} "
                f"(90 % of patients {number(first[0.05], 2)} to {number(first[0.95], 2)})"
            )
    for note in made.layout.annotations:
        note.font = dict(size=12, color=colour("muted"))
    made.update_xaxes(title_text="weeks")
    made.update_yaxes(range=[0, highest * 1.08])
    made.update_yaxes(title_text="fold of own baseline", row=1, col=1)
    return Panel(f"pd_{marker}", MARKERS[marker], _caption(run, marker, sentences), made, wide=False)


def _caption(run: Run, marker: str, sentences: list[str]) -> str:
    text = f"Median fold of baseline at day 28 in {join(sentences)}." if sentences else "Nobody was treated at day 28."
    kinetics = run.section("pharmacodynamics")
    rising, fold = kinetics.get(f"share_{marker}_up") or {}, kinetics.get(f"{marker}_up_above_fold")
    if is_number(rising.get("estimate")) and is_number(fold):
        text += f" It was above {number(fold)} in {percent(rising['estimate'])} of tumours."
    return f"{text} Line: median; dark band: middle 50 %; light band: middle 90 % of patients on treatment."


def panels(run: Run) -> list[Panel]:
    """All markers that were saved."""
    found = [panel for panel in (marker_panel(run, marker) for marker in MARKERS) if panel]
    return found or [Panel("pd", "Target inhibition over time", "No pharmacodynamic course was saved.")]


def summary_table(run: Run) -> pd.DataFrame:
    """Day-28 folds by marker and tissue: columns marker, tissue, n, low_90, low_50, median, high_50, high_90."""
    columns = ["marker", "tissue", "n", "low_90", "low_50", "median", "high_50", "high_90"]
    rows = []
    for marker in MARKERS:
        for tissue, (name, _) in TISSUES.items():
            values = run.patients.get(f"{marker}_{tissue}_d28", pd.Series(dtype=float)).dropna()
            if len(values):
                rows.append([MARKERS[marker], name, len(values), *(float(values.quantile(q)) for q in QUANTILES)])
    return pd.DataFrame(rows, columns=columns)
