"""The page of the dose-response analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures.band import band
from trialsim.report.figures.panel import Panel
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.theme import colour, figure, log_ticks, reference_line
from trialsim.report.wording import (
    dose,
    interval,
    is_number,
    join,
    number,
    percent,
    plot_lines,
    plot_text,
    plural,
    spread,
    unit_text,
)

QUANTILES = ["low_90", "low_50", "median", "high_50", "high_90"]
EXPOSURE = {"cmin_ng_ml": ("Trough concentration (Cmin)", "ng/mL"), "auc24_ng_h_ml": ("Exposure over 24 h (AUC)", "ng·h/mL")}
MARKERS = {"ps6": "pS6", "p4ebp1": "p4E-BP1", "pakt": "pAKT"}
TISSUES = {"tumour": ("tumour", "simulated"), "pbmc": ("blood cells (PBMC)", "second")}
OUTCOMES = {
    "dlt": ("dose-limiting toxicity", "published"),
    "disease_control": ("disease control", "simulated"),
    "responder": ("objective response", "second"),
}
MOST_TICKS = 12
BESIDE = 1.08  # several published values at one dose are drawn side by side, this far apart on the logarithmic axis
SETTINGS = (
    "mechanism", "cohort", "tumour", "drug", "partner", "network", "regimen", "modification", "design", "endpoint", "compute"
)  # fmt: skip


def page(saved: Saved) -> Page:
    unit, doses = unit_text(saved.config["regimen"]["unit"]), saved.settings["doses"]
    exposure, markers, outcomes = saved.table("exposure"), saved.table("markers"), saved.table("outcomes")
    potency = saved.table("potency").set_index("measure")
    bands = "Line: median; dark band: middle 50 %; light band: middle 90 % of patients."
    chapters = [
        Section(
            "exposure",
            "Drug in the blood",
            f"Whole-blood concentrations over the dosing interval from day 15. {bands}",
            [_exposure(saved, exposure, measure, unit) for measure in EXPOSURE],
            [_by_dose("exposure", "Exposure on day 15 by dose", exposure, _exposure_names(), unit)],
        ),
        Section(
            "target",
            "Target inhibition",
            f"Day 28, at the end of the dosing interval; 1 is the patient's own value before treatment. {bands}",
            [_marker(markers, marker, unit) for marker in MARKERS],
            [_by_dose("markers", "Markers on day 28 by dose, fold of own baseline", markers, _marker_names(), unit)],
        ),
        Section(
            "outcomes",
            "What it does to patients",
            "Shares of patients with exact 95 % intervals.",
            [_outcomes(outcomes, unit)],
            [_outcome_table(outcomes, unit)],
        ),
    ]
    return Page(
        summary=[_what(saved, doses, unit), _found(saved, potency, doses, unit)],
        cards=_cards(saved, potency, doses, unit),
        chapters=chapters,
        methods=_methods(saved, doses, unit),
        settings=SETTINGS,
        cautions=_cautions(saved),
        checks=_checks(saved),
    )


# ---- words


def _what(saved: Saved, doses: list[float], unit: str) -> str:
    drug, schedule = saved.config["drug"]["name"], saved.config["regimen"]["schedule"].replace("_", " ")
    return (
        f"In a computer simulation, {plural(saved.results['n_patients'], 'virtual patient')} took {drug} ({schedule}) for "
        f"{saved.settings['days']} days at each of {len(doses)} doses from {doses[0]:g} to {dose(doses[-1], unit)}. "
        "The same patients, with the same chances, take every dose: what differs between two doses is the effect of dose."
    )


def _found(saved: Saved, potency: pd.DataFrame, doses: list[float], unit: str) -> str:
    told = [f"{_limited(row['median'], doses, unit)} for {_marker_names()[measure]}" for measure, row in potency.iterrows()]
    exponent = saved.results["auc_dose_exponent"]
    text = f"In the median patient a fall by {percent(saved.settings['inhibition'], 0)} takes {join(told)}."
    if is_number(exponent["estimate"]):
        text += f" Exposure (AUC) rises with dose to the power {number(exponent['estimate'])}; 1 would be proportional."
    return text


def _cards(saved: Saved, potency: pd.DataFrame, doses: list[float], unit: str) -> list[Card]:
    name = f"ED{100 * saved.settings['inhibition']:g}"
    cards = []
    for measure, row in potency.iterrows():
        low, high = _limited(row["low_90"], doses, unit), _limited(row["high_90"], doses, unit)
        shown = f"90 % of patients {low} to {high}" if low != high else "so in 90 % of patients"
        cards.append(Card(f"{name}, {_marker_names()[measure]}", _limited(row["median"], doses, unit), shown))
    exponent = saved.results["auc_dose_exponent"]
    limits = f"95 % interval {number(exponent['low'])} to {number(exponent['high'])}" if is_number(exponent["low"]) else ""
    return [*cards, Card("AUC rises with dose to the power", number(exponent["estimate"]), limits)]


def _limited(value: float, doses: list[float], unit: str) -> str:
    """A dose, or on which side of those tried it lies."""
    if np.isposinf(value):
        return f"more than {dose(doses[-1], unit)}"
    if np.isneginf(value):
        return f"less than {dose(doses[0], unit)}"
    return f"{number(value, 2)} {unit}" if is_number(value) else "not determined"


def _cautions(saved: Saved) -> list[str]:
    told = []
    if saved.config["modification"]["hold_at"] or saved.config["modification"]["stop_at"]:
        told.append(
            "Doses were held and reduced for toxicity: exposure is that of patients still at full dose on day 15, markers and "
            "outcomes are those of all patients as treated."
        )
    else:
        told.append("No dose was held or reduced for toxicity, so the highest doses show what few patients could take for long.")
    adherence = saved.config["regimen"]["adherence"]
    if adherence < 1:
        told.append(f"Patients took {percent(adherence, 0)} of the doses due.")
    return told


def _checks(saved: Saved) -> str:
    check = saved.results["solver_check"]
    every = f"all {plural(saved.results['n_patients'], 'patient')} could be simulated at every dose"
    if not check:
        return every
    return f"{every}; numerical error {check['error']:.1g} at the highest dose, {check['accuracy']:g} allowed"


def _methods(saved: Saved, doses: list[float], unit: str) -> list[str]:
    share, left = percent(saved.settings["inhibition"], 0), percent(1 - saved.settings["inhibition"], 0)
    return [
        "Patients, kinetics, binding, signalling, growth and toxicity are those of a simulated trial with the settings below. Each "
        f"patient is simulated for {saved.settings['days']} days once at every dose with the same covariates, variability and "
        "random numbers (common random numbers).",
        "Cmin is the concentration just before the next dose, AUC the mean of 24 h over the dosing interval from day 15, in whole "
        "blood. Markers are folds of the patient's own untreated state at the end of day 28; patients who had left the study by "
        "then are not counted.",
        f"The dose for {share} inhibition is where the patient's own dose-response curve first falls to {left} of baseline, "
        f"interpolated linearly in the logarithm of dose between {doses[0]:g} and {dose(doses[-1], unit)}. It is the dose of an "
        "absolute, not of a half-maximal effect. Patients on whom no dose tried has that effect count as above the highest dose.",
        "Dose proportionality: power model AUC = a · dose^b fitted in every patient by least squares of the logarithms, mean of b "
        "and its t interval over patients (Smith et al., Pharm Res 2000;17:1278-83).",
    ]


# ---- figures


def _dose_axis(made: go.Figure, doses: np.ndarray, unit: str) -> None:
    ticks = dict(tickvals=list(doses), ticktext=[f"{level:g}" for level in doses]) if len(doses) <= MOST_TICKS else {}
    made.update_xaxes(type="log", title_text=plot_text(f"dose, {unit}"), **ticks)


def _exposure(saved: Saved, table: pd.DataFrame, measure: str, unit: str) -> Panel:
    name, measured = EXPOSURE[measure]
    found = table[table["measure"] == measure].dropna()
    if found.empty:
        return Panel(f"dose_{measure}", name, "Nobody was at full dose on day 15.", wide=False)
    made = figure(340)
    x = found["dose"].to_numpy(float)
    hover = "%{x:g} " + plot_text(unit) + ": %{y:.3g} " + measured + "<extra></extra>"
    band(made, x, [found[q] for q in QUANTILES], "simulated", name="simulated", hovertemplate=hover)
    published = [entry for entry in saved.results["published_exposure"].get(measure, []) if is_number(entry["dose_level"])]
    for place, entry in enumerate(published):
        _published(made, entry, place)
    _dose_axis(made, x, unit)
    made.update_yaxes(type="log", title_text=measured, **log_ticks(found["low_90"].min(), found["high_90"].max()))
    middle = found.iloc[len(found) // 2]
    caption = f"Median {number(middle['median'])} {measured} at {dose(middle['dose'], unit)} ({_range(middle)})."
    if published:
        caption += f" Published: {join(_told(entry, measured, unit) for entry in published)}."
    return Panel(f"dose_{measure}", name, caption, made, wide=False)


def _published(made: go.Figure, entry: dict[str, Any], place: int) -> None:
    low, high = entry["published_low"], entry["published_high"]
    bar = dict(type="data", color=colour("published"), thickness=1.5)
    if is_number(low) and is_number(high):
        bar |= dict(array=[high - entry["published"]], arrayminus=[entry["published"] - low])
    made.add_scatter(
        x=[entry["dose_level"] * BESIDE**place],
        y=[entry["published"]],
        mode="markers",
        name="published",
        legendgroup="published",
        showlegend=place == 0,
        error_y=bar,
        marker=dict(symbol="diamond", size=9, color=colour("published")),
        hovertemplate="%{y:.3g}<extra>" + plot_lines(entry["source"], 40) + "</extra>",
    )


def _told(entry: dict[str, Any], measured: str, unit: str) -> str:
    return f"{number(entry['published'])} {measured} at {dose(entry['dose_level'], unit)} ({entry['source']})"


def _marker(table: pd.DataFrame, marker: str, unit: str) -> Panel:
    made, told, highest = figure(330), [], 1.0
    for tissue, (name, tone) in TISSUES.items():
        found = table[table["measure"] == f"{marker}_{tissue}"].dropna()
        if found.empty:
            continue
        x = found["dose"].to_numpy(float)
        hover = "%{x:g} " + plot_text(unit) + ": %{y:.2f}<extra>" + name + "</extra>"
        band(made, x, [found[q] for q in QUANTILES], tone, name=name, showlegend=True, hovertemplate=hover)
        _dose_axis(made, x, unit)
        highest = max(highest, float(found["high_90"].max()))
        last = found.iloc[-1]
        told.append(f"{number(last['median'])} in {name} ({_range(last)})")
    if not told:
        return Panel(f"dose_{marker}", MARKERS[marker], "Nobody was observed on day 28.", wide=False)
    made.update_yaxes(title_text="fold of own baseline", range=[0, 1.08 * highest])
    reference_line(made, y=1.0)
    top = dose(table["dose"].max(), unit)
    return Panel(f"dose_{marker}", MARKERS[marker], f"Median at {top}: {join(told)}.", made, wide=False)


def _outcomes(table: pd.DataFrame, unit: str) -> Panel:
    made, told = figure(330), []
    for measure, (name, tone) in OUTCOMES.items():
        found = table[(table["measure"] == measure) & (table["n"] > 0)]
        if found.empty:
            continue
        x, y = found["dose"].to_numpy(float), 100 * found["estimate"].to_numpy(float)
        up, down = 100 * found["high"] - y, y - 100 * found["low"]
        bars = dict(type="data", array=up, arrayminus=down, color=colour(tone), thickness=1.2)
        made.add_scatter(
            x=x, y=y, mode="lines+markers", name=name, showlegend=True, error_y=bars,
            line=dict(color=colour(tone), width=2), marker=dict(size=7, color=colour(tone)),
            hovertemplate="%{x:g} " + plot_text(unit) + ": %{y:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
        _dose_axis(made, x, unit)
        low, high = (f"{percent(found['estimate'].iloc[i])} at {dose(x[i], unit)}" for i in (0, -1))
        told.append(f"{name} {low}, {high}")
    if not told:
        return Panel("dose_outcomes", "Toxicity and response against dose", "Nobody could be judged for toxicity or response.")
    made.update_yaxes(title_text="% of patients", rangemode="tozero")
    return Panel("dose_outcomes", "Toxicity and response against dose", f"{'; '.join(told)}.".capitalize(), made)


# ---- tables


def _exposure_names() -> dict[str, str]:
    return {measure: f"{name}, {measured}" for measure, (name, measured) in EXPOSURE.items()}


def _marker_names() -> dict[str, str]:
    return {f"{key}_{tissue}": f"{name} in {where}" for tissue, (where, _) in TISSUES.items() for key, name in MARKERS.items()}


def _range(row: Any) -> str:
    return f"90 % of patients {number(row['low_90'])} to {number(row['high_90'])}"


def _by_dose(key: str, title: str, table: pd.DataFrame, names: dict[str, str], unit: str) -> Table:
    """One row a dose, one column a measure: median and the middle 90 % of patients."""
    rows = []
    for level, group in table.groupby("dose"):
        found = group.set_index("measure")
        rows.append([dose(level, unit), *(spread(*found.loc[name, ["median", "low_90", "high_90"]]) for name in names)])
    shown = pd.DataFrame(rows, columns=["Dose", *names.values()])
    return Table(key, title, table, shown, "Median, and in brackets the middle 90 % of patients.")


def _outcome_table(table: pd.DataFrame, unit: str) -> Table:
    rows = []
    for row in table.itertuples():
        limits = interval(row.low, row.high, "proportion")
        rows.append([dose(row.dose, unit), OUTCOMES[row.measure][0], percent(row.estimate), limits, number(row.n)])
    shown = pd.DataFrame(rows, columns=["Dose", "Outcome", "Patients", "95 % interval", "n"])
    return Table("outcomes", "Outcomes by dose", table, shown, "DLT: of the patients who can be judged for it.", folded=True)
