"""Runs side by side: parallel coordinates, response curves and surfaces, differences to a reference run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from plotly.subplots import make_subplots

from trialsim.report.figures.panel import Panel
from trialsim.report.figures.surfaces import rising
from trialsim.report.theme import at_least, colour, figure, log_ticks, reference_line, style_axes
from trialsim.report.wording import amount, interval, is_number, kind_of, label, number, plot_lines, plot_text, unit_text, words
from trialsim.sweeps.differences import Difference
from trialsim.sweeps.runs import Result, Run, Runs

SERIES = 9
LOG_FROM = 8.0  # a key whose values span more than this is drawn on a logarithmic axis
ROW = 30  # px a run in the figure of differences


class Axis(NamedTuple):
    """One axis of the parallel coordinates: heading, place of each run from 0 to 1, text of each run, ticks."""

    head: str
    places: np.ndarray
    texts: list[str]
    ticks: list[tuple[float, str]]


def scale_of(name: str, result: Result) -> tuple[str, float, str]:
    """Kind of a result, factor to the number that is drawn, and unit of the axis."""
    kind = kind_of(name, result.unit)
    return kind, 100.0 if kind == "proportion" else 1.0, "%" if kind in ("proportion", "percent") else unit_text(result.unit)


def value_text(value: Any) -> str:
    """A value of a setting in words."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}" if abs(value) < 1e6 else number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value))
    return {"None": "none", "True": "yes", "False": "no"}.get(str(value), str(value))


def told(run: Run, keys: Sequence[str]) -> str:
    """``regimen.dose 5 mg, seed 2``, or the run's name if nothing else tells it."""
    return ", ".join(f"{key} {value_of(run, key)}" for key in keys) or name_of(run)


def value_of(run: Run, key: str) -> str:
    """A run's value of a setting in words, with its unit: ``5 mg``."""
    return f"{value_text(run.values.get(key))} {run.units.get(key, '')}".strip()


def name_of(run: Run) -> str:
    """``run 3``, or ``runs 3, 4`` of several seeds."""
    return f"{'runs' if len(run.members) > 1 else 'run'} {run.name}"


def axis_title(runs: Runs, key: str) -> str:
    """A key with the unit of its values, if all runs have one: ``regimen.dose (mg)``."""
    units = {run.units.get(key) for run in runs.complete}
    return f"{key} ({unit})" if len(units) == 1 and (unit := units.pop()) else key


def short(key: str | None) -> str:
    """A key without its sections."""
    return str(key or "").rpartition(".")[2]


# ---- parallel coordinates


def parallel(runs: Runs) -> Panel:
    """One line a run, through its settings and its main results."""
    title = "Settings and main results of every run"
    axes = [_setting_axis(runs, key) for key in runs.keys] + [_result_axis(runs, name) for name in runs.main]
    if len(axes) < 2:
        return Panel("parallel", title, "The runs have too few settings and results in common to be drawn.")
    made = at_least(figure(430, margin=dict(l=24, r=24, t=12, b=12)), 90 * len(axes))
    first = runs.keys[0] if runs.keys else None
    groups = list(dict.fromkeys(value_of(run, first) for run in runs.complete)) if first else [""]
    coloured = 1 < len(groups) <= SERIES
    seen: set[str] = set()
    for i, run in enumerate(runs.complete):
        group = value_of(run, first or "") if coloured else ""
        tone = colour(f"series_{groups.index(group) + 1}") if coloured else colour("simulated")
        hover = [f"{plot_text(axis.head)}: {plot_text(axis.texts[i])}" for axis in axes]
        made.add_scatter(
            x=list(range(len(axes))), y=[axis.places[i] for axis in axes], mode="lines+markers", connectgaps=True,
            line=dict(color=tone, width=1.8), marker=dict(size=6, color=tone), opacity=0.85,
            name=f"{plot_text(short(first))} {plot_text(group)}" if coloured else f"run {plot_text(run.name)}", legendgroup=group,
            showlegend=coloured and group not in seen, text=hover,
            hovertemplate="%{text}<extra>run " + plot_text(run.name) + "</extra>",
        )  # fmt: skip
        seen.add(group)
    for place, axis in enumerate(axes):
        made.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line=dict(color=colour("rule"), width=1), layer="below")
        for height, text in axis.ticks:
            made.add_annotation(
                x=place, y=height, text=plot_lines(text, 14), showarrow=False, xanchor="left", xshift=5, yshift=7,
                font=dict(size=11, color=colour("muted")),
            )  # fmt: skip
    made.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=[_head(axis.head) for axis in axes],
        showgrid=False, range=[-0.15, len(axes) - 0.55], side="bottom", ticks="", showline=False, tickangle=0,
    )  # fmt: skip
    made.update_yaxes(visible=False, range=[-0.06, 1.1])
    caption = (
        f"Each line is one of {len(runs.complete)} runs, from its settings on the left to its results on the right; each axis runs "
        "from the lowest value (bottom) to the highest."
    )
    return Panel("parallel", title, caption, made)


def _head(text: str) -> str:
    """A heading in short lines; a key breaks after its dots."""
    return plot_lines(text.replace(".", ". "), 9).replace(". ", ".")


def _setting_axis(runs: Runs, key: str) -> Axis:
    texts = [value_of(run, key) for run in runs.complete]
    numbers = runs.number_of(key)
    if numbers is not None:
        values = np.asarray(numbers)
        drawn = np.log(values) if logarithmic(values) else values
        places = _spread(drawn)
        ticks = sorted(dict(zip(places, texts, strict=True)).items())
    else:
        choices = list(dict.fromkeys(texts))
        places = _spread(np.array([choices.index(text) for text in texts], float))
        ticks = sorted(dict(zip(places, texts, strict=True)).items())
    if len(ticks) > 7:
        ticks = [ticks[0], ticks[-1]]
    return Axis(key, places, texts, [(float(place), text) for place, text in ticks])


def _result_axis(runs: Runs, name: str) -> Axis:
    values: list[float] = []
    texts = []
    for run in runs.complete:
        result = run.results.get(name)
        values.append(np.nan if result is None or result.estimate is None else result.estimate)
        known = np.isfinite(values[-1])
        texts.append(amount(result.estimate, kind_of(name, result.unit)) if result and known else "not reached")
    order = [i for i in np.argsort(np.asarray(values, float)) if np.isfinite(values[i])]
    if order and texts[order[0]] == texts[order[-1]]:  # alike as far as it is written
        values = [value if np.isnan(value) else values[order[0]] for value in values]
    places = _spread(np.asarray(values, float))
    ends = [(float(places[i]), texts[i]) for i in dict.fromkeys([order[0], order[-1]])] if order else []
    return Axis(words(name), places, texts, ends)


def _spread(values: np.ndarray) -> np.ndarray:
    """From 0 (lowest) to 1 (highest); 0.5 where all are one."""
    if not np.isfinite(values).any():
        return np.full(len(values), np.nan)
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)


def logarithmic(values: np.ndarray) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() > LOG_FROM)


# ---- response curves and surfaces


def curve(runs: Runs, name: str, key: str, by: str | None) -> Panel:
    """A result against a numeric setting, one line for each value of a second setting."""
    made = figure(330)
    groups = list(dict.fromkeys(value_of(run, by) for run in runs.complete)) if by else [""]
    points = [(run, run.results[name]) for run in runs.complete if name in run.results and run.results[name].estimate is not None]
    title = f"{label(name)} by {key}"
    panel_key = f"curve_{name}"
    if not points:
        return Panel(panel_key, title, "Not reached in any run.", wide=False)
    _, factor, unit = scale_of(name, points[0][1])
    every = np.array([float(run.values[key]) for run, _ in points])
    for place, group in enumerate(groups):
        mine = sorted(
            ((float(run.values[key]), result) for run, result in points if not by or value_of(run, by) == group),
            key=lambda point: point[0],
        )
        if not mine:
            continue
        x = apart(np.array([point[0] for point in mine]), every, place, len(groups))
        y = np.array([point[1].estimate for point in mine], float) * factor
        low, high = (np.array([_or_nan(getattr(point[1], side)) for point in mine]) * factor for side in ("low", "high"))
        tone = colour(f"series_{place % SERIES + 1}" if by else "simulated")
        bars = dict(type="data", array=np.nan_to_num(high - y).tolist(), arrayminus=np.nan_to_num(y - low).tolist())
        made.add_scatter(
            x=x, y=y, mode="lines+markers", name=f"{plot_text(short(by))} {plot_text(group)}" if by else "estimate, 95 % interval",
            showlegend=True, error_y=bars | dict(color=tone, thickness=1.2), line=dict(color=tone, width=2),
            marker=dict(size=7, color=tone),
            text=[plot_text(f"{axis_title(runs, key)} {value:g}") for value, _ in mine],
            hovertemplate=f"%{{text}}: %{{y:.3g}} {plot_text(unit)}<extra>{plot_text(group)}</extra>",
        )  # fmt: skip
    if logarithmic(every):
        made.update_xaxes(type="log", **log_ticks(every.min(), every.max()))
    made.update_xaxes(title_text=plot_text(axis_title(runs, key)))
    made.update_yaxes(title_text=plot_text(unit), rangemode="tozero")
    return Panel(panel_key, title, _extremes(points, name, (key, *([by] if by else []))), made, wide=False)


def apart(x: np.ndarray, every: np.ndarray, place: int, count: int) -> np.ndarray:
    """Places of one of several lines, moved a little to the side so that intervals do not cover each other."""
    shift = 0.012 * (place - (count - 1) / 2)
    if logarithmic(every):
        return x * (every.max() / every.min()) ** shift
    return x + shift * (every.max() - every.min())


def surface(runs: Runs, name: str, keys: tuple[str, str]) -> Panel:
    """A result over two settings; runs that share both are averaged."""
    texts = [list(dict.fromkeys(value_text(value) for value in _ordered(runs, key))) for key in keys]
    cells: dict[tuple[int, int], list[float]] = {}
    points = []
    for run in runs.complete:
        result = run.results.get(name)
        if result is None or result.estimate is None:
            continue
        points.append((run, result))
        place = tuple(texts[i].index(value_text(run.values.get(key))) for i, key in enumerate(keys))
        cells.setdefault((place[1], place[0]), []).append(result.estimate)
    title, panel_key = f"{label(name)} by {keys[0]} and {keys[1]}", f"surface_{name}"
    if not points:
        return Panel(panel_key, title, "Not reached in any run.", wide=False)
    kind, factor, _ = scale_of(name, points[0][1])
    z = np.full((len(texts[1]), len(texts[0])), np.nan)
    for place, values in cells.items():
        z[place] = factor * float(np.mean(values))
    shown = [["" if np.isnan(v) else f"{v:.3g}" for v in row] for row in z]
    made = figure(120 + max(210, 44 * len(texts[1])), showlegend=False)
    known = z[np.isfinite(z)]
    low, high = float(known.min()), float(known.max())
    made.add_heatmap(
        z=z.round(4), x=list(range(len(texts[0]))), y=list(range(len(texts[1]))), text=shown, texttemplate="%{text}",
        colorscale=rising("synergy"), zmin=low - 0.15 * (high - low), zmax=high if high > low else low + 1, showscale=False,
        xgap=2, ygap=2, hovertemplate="%{text}<extra></extra>", textfont=dict(size=12, color=colour("ink")),
    )  # fmt: skip
    ticks = lambda i: dict(tickvals=list(range(len(texts[i]))), ticktext=[plot_text(text) for text in texts[i]])
    made.update_xaxes(title_text=plot_text(axis_title(runs, keys[0])), showgrid=False, ticks="", **ticks(0))
    made.update_yaxes(title_text=plot_text(axis_title(runs, keys[1])), showgrid=False, ticks="", **ticks(1))
    unit = "In %" if factor == 100.0 else f"In {kind}" if kind in ("months", "weeks", "days") else "Estimates"
    caption = f"{unit}; the stronger the colour, the higher. {_extremes(points, name, keys)}"
    return Panel(panel_key, title, caption, made, wide=False)


def _ordered(runs: Runs, key: str) -> list[Any]:
    values = [run.values.get(key) for run in runs.complete]
    return sorted(values, key=float) if runs.number_of(key) is not None else values


def _extremes(points: Sequence[tuple[Run, Result]], name: str, keys: Sequence[str]) -> str:
    """Where the result is highest and lowest."""
    estimate = lambda point: point[1].estimate or 0.0
    (bottom, least), (top, most) = min(points, key=estimate), max(points, key=estimate)  # of those that tie, the first
    kind = kind_of(name, most.unit)
    limits = lambda found: f"95 % interval {interval(found.low, found.high, kind)}"
    if least.estimate == most.estimate:
        return f"{amount(most.estimate, kind)} in every one."
    text = lambda run, found: f"{amount(found.estimate, kind)} ({told(run, keys)}; {limits(found)})"
    return f"Highest {text(top, most)}, lowest {text(bottom, least)}."


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


# ---- differences


def forest(runs: Runs, found: Sequence[Difference], reference: Run) -> Panel:
    """Differences of the main results to the reference run."""
    title = f"Differences to {name_of(reference)}"
    names = [name for name in runs.main if any(d.result == name and d.difference is not None for d in found)]
    others = [run for run in runs.complete if run.name != reference.name]
    if not names:
        return Panel("differences", title, "No main result is known in two runs.")
    height = 70 + len(names) * (64 + ROW * len(others))
    base = figure(height, showlegend=False, margin=dict(l=12, r=12, t=34, b=12))
    made = make_subplots(
        rows=len(names), cols=1, figure=base, subplot_titles=[plot_text(label(name)) for name in names],
        vertical_spacing=min(0.9 / max(1, len(names) - 1), 84 / height) if len(names) > 1 else 0,
    )  # fmt: skip
    made.update_layout(base.layout)
    style_axes(made)
    made.update_annotations(font=dict(size=13, color=colour("ink")), x=0, xanchor="left")
    at_least(made, 560)
    clear = 0
    for row, name in enumerate(names, start=1):
        mine = {d.run: d for d in found if d.result == name}
        _, factor, unit = scale_of(name, reference.results[name])
        for place, run in enumerate(others):
            d = mine.get(run.name)
            if d is None or d.difference is None:
                continue
            apart = is_number(d.low) and is_number(d.high) and (d.low > 0 or d.high < 0)
            clear += apart
            tone = colour("simulated" if apart else "NE")
            low, high = (factor * (_or_nan(limit) - d.difference) for limit in (d.low, d.high))
            bars = dict(type="data", array=[np.nan_to_num(high)], arrayminus=[np.nan_to_num(-low)])
            made.add_scatter(
                x=[factor * d.difference], y=[place], mode="markers", error_x=bars | dict(color=tone, thickness=2, width=4),
                marker=dict(size=8, color=tone, symbol="circle" if d.paired else "diamond"),
                hovertemplate=f"%{{x:.3g}}<extra>{plot_text(told(run, runs.keys))}</extra>", row=row, col=1,
            )  # fmt: skip
        reference_line(made, x=0.0, row=row, col=1)
        made.update_xaxes(title_text="percentage points" if unit == "%" else plot_text(unit), row=row, col=1)
        made.update_yaxes(
            tickvals=list(range(len(others))), ticktext=[plot_lines(_short(run, runs), 24) for run in others],
            range=[len(others) - 0.5, -0.5], showgrid=False, ticks="", row=row, col=1,
        )  # fmt: skip
    total = sum(d.result in names and d.difference is not None for d in found)
    caption = (
        f"Points with 95 % intervals, run less reference ({told(reference, runs.keys)}). Blue: the interval does not hold 0, in "
        f"{clear} of {total}; grey: it does. Circles: the same patients, patient by patient; diamonds: independent runs."
        + (" Runs of several seeds are taken together." if any(run.members for run in runs.complete) else "")
    )
    return Panel("differences", title, caption, made)


def _short(run: Run, runs: Runs) -> str:
    """The run's own values without the keys' sections: ``dose 5 mg, seed 2``."""
    return ", ".join(f"{short(key)} {value_of(run, key)}" for key in runs.keys[:3]) or run.name
