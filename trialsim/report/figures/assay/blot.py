"""Western blots: the bands as grey levels on film, their densities as bars, and their course."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.assay.look import BANDS, Look, ticks
from trialsim.report.figures.assay.traces import add_bars, add_course, samples, summary
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import join, number, plot_lines, plot_text, plural
from trialsim.schema.analysis.assay import VEHICLE

LANE, STRIP, GAP = 16, 13, 2  # pixels of the picture: a lane, a band's strip, and between strips
PIXEL = 2.2  # height of one on the page
FILM = [[0.0, "#f2f2f0"], [0.25, "#c4c4c1"], [0.5, "#8b8b88"], [0.75, "#4c4c4a"], [1.0, "#121212"]]  # a film is no page: never dark
EXPOSURE = 1.1  # a band of density 1 is dark but not black
MOST_LANES = 18  # side by side
COURSE = ("S6", "S473", "BP", "CYCD", "T308", "ERK", "S6K", "IRS1")  # most telling first
MOST_COURSES = 4
UNDER = ["line", "treatment", "dose_nM"]


def pictures(blots: pd.DataFrame, hours: float, look: Look) -> list[Panel]:
    """The first replicate's blot, as many lines side by side as are legible."""
    shown = blots[(blots["replicate"] == 1) & (blots["hours"] == hours)]
    bands = list(dict.fromkeys(shown["band"]))
    lanes = shown[UNDER].drop_duplicates().reset_index(drop=True)
    at_once = max(1, MOST_LANES // max(1, len(lanes) // len(look.lines)))
    names = list(look.lines)
    groups = [names[i : i + at_once] for i in range(0, len(names), at_once)]
    return [
        _picture(shown, lanes[lanes["line"].isin(group)].reset_index(drop=True), bands, hours, look, part)
        for part, group in enumerate(groups, start=1)
    ]


def _picture(shown: pd.DataFrame, lanes: pd.DataFrame, bands: list[str], hours: float, look: Look, part: int) -> Panel:
    """One membrane."""
    density = shown.pivot_table(index=UNDER, columns="band", values="density")[bands]
    density["loading"] = shown.groupby(UNDER)["loading"].first()
    density = density.loc[list(lanes.itertuples(index=False, name=None))].to_numpy()
    places = np.arange(len(lanes)) + 0.6 * np.cumsum(lanes["line"].ne(lanes["line"].shift()).to_numpy() - np.eye(1, len(lanes))[0])
    width = round((places[-1] + 1) * LANE)
    height = (STRIP + GAP) * density.shape[1]
    film = np.full((height, width), np.nan)
    x = np.arange(LANE) - (LANE - 1) / 2
    y = np.arange(STRIP) - (STRIP - 1) / 2
    shape = np.exp(-((np.abs(y[:, None]) / 3.0) ** 2.4)) * np.exp(-((np.abs(x[None, :]) / 6.6) ** 8))
    for row in range(density.shape[1]):
        top = row * (STRIP + GAP)
        for lane, place in enumerate(places):
            left = round(place * LANE)
            film[top : top + STRIP, left : left + LANE] = 1.0 - np.exp(-EXPOSURE * density[lane, row] * shape)
    labels = [*(BANDS[band] for band in bands), "loading control"]
    made = figure(round(PIXEL * height) + 170)
    made.add_heatmap(z=film.round(3), colorscale=FILM, zmin=0, zmax=0.9, showscale=False, hoverinfo="skip")
    made.update_yaxes(
        tickvals=[row * (STRIP + GAP) + STRIP / 2 for row in range(len(labels))], ticktext=labels, range=[height, -26],
        showgrid=False, showline=False, ticks="",
    )  # fmt: skip
    centres = places * LANE + LANE / 2
    names = ticks([look.sample(row.treatment, row.dose_nM) for row in lanes.itertuples()], 24)
    made.update_xaxes(
        tickvals=centres, ticktext=names, tickangle=-50, showgrid=False, showline=False, ticks="", range=[-2, width + 1]
    )  # fmt: skip
    for line in dict.fromkeys(lanes["line"]):
        of_line = centres[lanes["line"] == line]
        left, right = of_line[0] - LANE / 2 + 1, of_line[-1] + LANE / 2 - 1
        made.add_shape(type="line", x0=left, x1=right, y0=-4, y1=-4, line=dict(color=colour("muted"), width=1.5))
        made.add_annotation(
            x=(left + right) / 2, y=-6, text=plot_lines(look.lines[line], 5 * len(of_line)), showarrow=False, yanchor="bottom",
            font=dict(size=12),
        )  # fmt: skip
    caption = f"Lysates after {hours:g} h, replicate 1; densities as measured, all lanes on one membrane at one exposure."
    return Panel(f"blot_{part}", "Western blot" if part == 1 else "Western blot, continued", caption, made)


def bars(blots: pd.DataFrame, band: str, hours: float, look: Look) -> Panel:
    """Quantified bands: fold of each line's vehicle, mean with SD."""
    of_band = blots[(blots["band"] == band) & (blots["hours"] == hours) & (blots["treatment"] != VEHICLE)]
    made, told = figure(340, barmode="group", bargap=0.25), []
    for name, rows, marker in samples(of_band, look):
        found = summary(rows, "line", "fold")
        add_bars(made, found, name, marker, look)
        told.append(f"{name}: {number(found['mean'].min(), 2)} to {number(found['mean'].max(), 2)}")
    made.update_yaxes(title_text="fold of vehicle", rangemode="tozero")
    reference_line(made, y=1.0)
    caption = f"At {hours:g} h, mean and SD of {plural(of_band['replicate'].nunique(), 'replicate')}. Means, {'; '.join(told)}."
    return Panel(f"bands_{band.lower()}", BANDS[band], caption, made, wide=False)


def courses(blots: pd.DataFrame, treatment: str, look: Look) -> list[Panel]:
    """The most telling bands over time under one treatment, at its highest sampled dose."""
    under = blots[blots["treatment"] == treatment]
    under = under[under["dose_nM"] == under["dose_nM"].max()]
    chosen = [band for band in COURSE if band in set(blots["band"])][:MOST_COURSES]
    return [_course(under[under["band"] == band], band, look) for band in chosen]


def _course(table: pd.DataFrame, band: str, look: Look) -> Panel:
    made, told, highest = figure(330), [], 1.0
    for line, label in look.lines.items():
        found = summary(table[table["line"] == line], "hours", "fold").sort_index()
        add_course(made, found, label, **look.line(line))
        highest = max(highest, float((found["mean"] + found["std"]).max()))
        told.append(f"{label} {number(found['mean'].iloc[-1], 2)}")
    hours = sorted(table["hours"].unique())
    ends = [np.log10(hours[0]) - 0.1, np.log10(hours[-1]) + 0.1]
    names = [f"{hour:g}" for hour in hours]
    made.update_xaxes(type="log", title_text="hours after the drug", tickvals=hours, ticktext=names, range=ends)
    made.update_yaxes(title_text="fold of vehicle", range=[0, 1.08 * highest])
    reference_line(made, y=1.0)
    sample = look.sample(table["treatment"].iloc[0], table["dose_nM"].iloc[0])
    caption = f"Under {sample}, mean and SD. At {hours[-1]:g} h: {join(told)}."
    return Panel(f"course_{band.lower()}", f"{BANDS[band]} over time", caption, made, wide=False)


def basal(blots: pd.DataFrame, band: str, hours: float, look: Look) -> Panel:
    """Untreated lines over the first."""
    of_band = blots[(blots["band"] == band) & (blots["hours"] == hours) & (blots["treatment"] == VEHICLE)]
    found = summary(of_band, "line", "basal")
    made, (first, *_) = figure(320), look.lines.values()
    add_bars(made, found, VEHICLE, dict(color=[look.line(line)["tone"] for line in found.index]), look, showlegend=False)
    made.update_yaxes(title_text=plot_text(f"fold of {first}"), rangemode="tozero")
    reference_line(made, y=1.0)
    top = found["mean"].idxmax()
    caption = f"Untreated cells, mean and SD. Highest in {look.lines[top]}, {number(found['mean'].max(), 2)}-fold."
    return Panel(f"basal_{band.lower()}", f"{BANDS[band]} without drug", caption, made, wide=False)
