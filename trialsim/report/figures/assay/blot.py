"""Western blots: the bands as grey levels on film, their densities as bars, and their course."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.assay.look import BANDS, Look, blank
from trialsim.report.figures.assay.look import bars as empty_bars
from trialsim.report.figures.assay.traces import add_bars, add_course, entries, samples, summary
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import join, number, plot_lines, plot_text, plural
from trialsim.schema.analysis.assay import VEHICLE

LANE, STRIP, GAP, BETWEEN = 22, 15, 2, 12  # pixels of the picture: a lane, a band's strip, between strips, between lines
PIXEL = 1.9  # height of one on the page, px
SMEAR = (7.6, 8, 2.9, 2.4)  # half width of a band and how flat it ends, half height and the same, pixels
FILM = [[0.0, "#f2f2f0"], [0.25, "#c4c4c1"], [0.5, "#8b8b88"], [0.75, "#4c4c4a"], [1.0, "#121212"]]  # a film is no page: never dark
EXPOSURE = 1.1  # a band of density 1 is dark but not black
MOST_LANES, HALF_PAGE = 16, 8  # lanes side by side; up to so many take half the page
LETTERS = 26  # of the lines' names above a picture of half the page
COURSE = ("S6", "S473", "BP", "CYCD", "T308", "ERK", "S6K", "IRS1")  # most telling first
MOST_COURSES = 4
UNDER = ["line", "treatment", "dose_nM"]


def pictures(blots: pd.DataFrame, hours: float, look: Look) -> list[Panel]:
    """The first replicate's blot, as many lines side by side as are legible."""
    shown = blots[(blots["replicate"] == 1) & (blots["hours"] == hours)]
    lanes = len(shown[UNDER].drop_duplicates()) // len(look.lines)
    membranes = -(-len(look.lines) // max(1, MOST_LANES // lanes))
    at_once = -(-len(look.lines) // membranes)  # so that all are about as wide
    names = list(look.lines)
    groups = [names[i : i + at_once] for i in range(0, len(names), at_once)]
    width = at_once * lanes * LANE + (at_once - 1) * BETWEEN
    wide = at_once * lanes > HALF_PAGE
    return [_picture(shown[shown["line"].isin(group)], width, wide, look, part) for part, group in enumerate(groups)]


def _picture(shown: pd.DataFrame, width: int, wide: bool, look: Look, part: int) -> Panel:
    """One membrane, on a picture of this width."""
    bands = list(dict.fromkeys(shown["band"]))
    lanes = shown[UNDER].drop_duplicates().reset_index(drop=True)
    density = shown.pivot_table(index=UNDER, columns="band", values="density")[bands]
    density = density.assign(loading=shown.groupby(UNDER)["loading"].first()).loc[list(lanes.itertuples(index=False, name=None))]
    left = np.arange(len(lanes)) * LANE + BETWEEN * (lanes["line"].ne(lanes["line"].shift()).cumsum() - 1).to_numpy()
    film = _film(density.to_numpy(), left, width)
    labels = [*(BANDS[band] for band in bands), "loading control"]
    lane_names = [look.sample(row.treatment, row.dose_nM) for row in lanes.itertuples()]
    per_lane = LETTERS * (1.5 if wide else 1.0) * LANE / width
    letters = lambda line: int(per_lane * (lanes["line"] == line).sum())
    titles = {line: plot_lines(look.lines[line], letters(line)) for line in dict.fromkeys(lanes["line"])}
    above = 9 * max(title.count("<br>") + 1 for title in titles.values())
    made = figure(round(PIXEL * (len(film) + above) + 40 + 5.3 * max(len(name) for name in lane_names)))
    made.add_heatmap(z=film.round(2), colorscale=FILM, zmin=0, zmax=0.9, showscale=False, hoverinfo="skip")
    middle, bare = [row * (STRIP + GAP) + STRIP / 2 for row in range(len(labels))], dict(showgrid=False, showline=False, ticks="")
    made.update_yaxes(tickvals=middle, ticktext=labels, range=[len(film), -above - 4], **bare)
    made.update_xaxes(
        tickvals=left + LANE / 2, ticktext=[plot_text(name) for name in lane_names], tickangle=-50, range=[-2, width + 1], **bare
    )  # fmt: skip
    for line, title in titles.items():
        first, last = (left[lanes["line"] == line][[0, -1]] + [1, LANE - 1]).tolist()
        made.add_shape(type="line", x0=first, x1=last, y0=-4, y1=-4, line=dict(color=colour("muted"), width=1.5))
        place = dict(x=(first + last) / 2, y=-6, yanchor="bottom", showarrow=False)
        made.add_annotation(text=title, font=dict(size=12), **place)
    when = f"{shown['hours'].iloc[0]:g} h"
    caption = f"Lysates after {when}, replicate 1; densities as measured, all lanes on one membrane at one exposure."
    title = "Western blot, continued" if part else "Western blot"
    return Panel(f"blot_{part + 1}", title, caption, made, wide=wide)


def _film(density: np.ndarray, left: np.ndarray, width: int) -> np.ndarray:
    """Grey levels, 0 to 1: a strip for each band, each lane's band smeared; nothing between strips."""
    x, y = np.arange(LANE) - (LANE - 1) / 2, np.arange(STRIP) - (STRIP - 1) / 2
    across, flat_x, high, flat_y = SMEAR
    shape = np.exp(-((np.abs(y[:, None]) / high) ** flat_y)) * np.exp(-((np.abs(x[None, :]) / across) ** flat_x))
    film = np.full(((STRIP + GAP) * density.shape[1], width), np.nan)
    for lane, start in enumerate(left):
        for row, amount in enumerate(density[lane]):
            top = row * (STRIP + GAP)
            film[top : top + STRIP, start : start + LANE] = 1.0 - np.exp(-EXPOSURE * amount * shape)
    return film


def bars(blots: pd.DataFrame, band: str, hours: float, look: Look) -> Panel:
    """Quantified bands: fold of each line's vehicle, mean with SD."""
    of_band = blots[(blots["band"] == band) & (blots["hours"] == hours) & (blots["treatment"] != VEHICLE)]
    made, told = empty_bars(look, entries(of_band)), []
    for name, rows, tone, full in samples(of_band, look):
        found = summary(rows, "line", "fold")
        add_bars(made, found, name, tone, full)
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
    made, told, highest = blank(len(look.lines)), [], 1.0
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
    made, (first, *_) = empty_bars(look, 1), look.lines.values()
    add_bars(made, found, VEHICLE, [look.line(line)["tone"] for line in found.index], showlegend=False)
    made.update_yaxes(title_text=plot_text(f"fold of {first}"), rangemode="tozero")
    reference_line(made, y=1.0)
    top = found["mean"].idxmax()
    caption = f"Untreated cells, mean and SD. Highest in {look.lines[top]}, {number(found['mean'].max(), 2)}-fold."
    return Panel(f"basal_{band.lower()}", f"{BANDS[band]} without drug", caption, made, wide=False)
