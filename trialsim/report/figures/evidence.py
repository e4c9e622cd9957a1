"""Figures of the published numbers: a forest plot of each table, one row a line of it, and the landmarks as curves.

Solid: may inform the posterior (fit). Open diamond: predicted only (validation). Pale: a number at second hand (trust low).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from trialsim.evidence import clopper_pearson, counts
from trialsim.evidence.counts import Count
from trialsim.evidence.load import load_efficacy
from trialsim.evidence.published import endpoints_of, hazard_ratio_of
from trialsim.report.theme import TONES, colour, figure, log_ticks, segments, style_axes
from trialsim.schema import ConfigError

ROW, HEAD, FOOT = 19, 128, 24  # px: of a row, above and below them
LABELS, PANEL, GAP = 360, 235, 34  # px: widths of the rows' names, of a panel, between panels
LONGEST = 52  # letters of a row's name
PALE = 0.42  # opacity of what is at second hand
RATIOS = ("dcr_ratio", "pfs_hr", "os_hr", "drug_hr", "drug_hr_without")  # measures of biomarkers that are ratios
MONTHS = ("median_pfs_months", "median_pfs_months_without")


class Look(NamedTuple):
    """How a kind of row is drawn."""

    name: str
    tone: str
    symbol: str


LOOKS = {
    "fit": Look("fit: may inform the posterior", "simulated", "circle"),
    "validation": Look("validation: predicted only", "published", "diamond-open"),
    "": Look("published value and its limits", "simulated", "circle"),
}


class Axis(NamedTuple):
    """A panel. log: whether its axis is; limits: of the axis; at: a value to mark, such as a ratio of 1."""

    title: str
    log: bool = False
    limits: tuple[float, float] | None = None
    at: float | None = None


class Mark(NamedTuple):
    """One number. row, group: its row's name and heading. axis: title of its panel. told: on hovering."""

    row: str
    group: str
    axis: str
    value: float
    low: float | None
    high: float | None
    told: str = ""
    role: str = ""
    pale: bool = False


def plot(table: str, rows: pd.DataFrame) -> go.Figure:
    """The figure of a table, or of some of its rows.

    Raises:
        ConfigError: the table has none, or none of the rows holds a number that is drawn.
    """
    if table not in PLOTS:
        raise ConfigError("--plot", table, f"of the tables {', '.join(PLOTS)}")
    made = PLOTS[table](rows)
    if made is not None:
        what = f"<b>Published numbers: {table.replace('_', ' ')}</b>, {len(rows)} rows"
        place = dict(x=0, xref="container", y=1, yref="container", yanchor="top", pad=dict(l=14, t=14))
        return made.update_layout(title=dict(text=what, font=dict(size=15), **place))
    raise ConfigError("--plot", f"{table}, {len(rows)} rows", "rows of which at least one holds a number that can be drawn")


# ---- the tables


def efficacy(rows: pd.DataFrame) -> go.Figure | None:
    """Response, disease control, median time to progression and hazard ratio of each arm, by tumour type."""
    axes = (
        Axis("objective response, %<br>exact limits", limits=(0, 100)), Axis("disease control, %<br>exact limits", limits=(0, 100)),
        Axis("median PFS or TTP, months<br>95 % limits as published", log=True),
        Axis("hazard ratio of PFS<br>95 % limits as published", log=True, at=1.0),
    )  # fmt: skip
    by_type = rows.sort_values("tumour_type", kind="stable", key=lambda names: names.str.lower())
    return forest([mark for _, row in by_type.iterrows() for mark in _of_arm(row, [axis.title for axis in axes])], axes)


def _of_arm(row: pd.Series, panels: list[str]) -> Iterator[Mark]:
    """An arm without any number keeps its row."""
    n = "" if pd.isna(row["n_enrolled"]) else f" (n = {int(row['n_enrolled'])})"
    name = _short(f"{row['trial_id']} · {row['arm_id'].replace('_', ' ')}", LONGEST - len(n)) + n
    own = {"role": row["role"], "pale": row["trust"] == "low"}
    mark = lambda panel, value, low, high, told: Mark(name, row["tumour_type"], panels[panel], value, low, high, told, **own)
    yield mark(0, np.nan, None, None, "")
    known = {one.name: one for one in endpoints_of(row)}
    for panel, endpoint, count in ((0, "orr", counts.response(row)), (1, "dcr", counts.disease_control(row))):
        if count is not None:
            yield mark(panel, *_exact(count), f"{count.events} of {count.n} {count.denominator}; {row['source_url']}")
        elif endpoint in known:
            one = known[endpoint]
            yield mark(panel, 100 * one.value, *(None if end is None else 100 * end for end in (one.low, one.high)), one.definition)
    times = known.get("median_pfs_months") or known.get("median_ttp_months")
    for panel, found in ((2, times), (3, hazard_ratio_of(row))):
        if found is not None:
            yield mark(panel, found.value, found.low, found.high, f"{found.definition}; {row['source_url']}")


def _exact(count: Count) -> tuple[float, float, float]:
    """Per cent, with exact 95 % limits."""
    low, high = clopper_pearson(count.events, count.n)
    return 100 * count.events / count.n, 100 * low, 100 * high


def phase1(rows: pd.DataFrame) -> go.Figure | None:
    """Share of patients with a dose-limiting toxicity by level, where the source tells both numbers."""
    axis = Axis("patients with a DLT, %<br>exact 95 % limits", limits=(0, 100))
    marks = []
    for _, row in rows.iterrows():
        n = row["n_evaluable_dlt"] if pd.notna(row["n_evaluable_dlt"]) else row["n_treated"]
        if pd.notna(n) and pd.notna(row["n_dlt"]) and n > 0:
            found = Count(int(row["n_dlt"]), int(n), "", "counts")
            level = ", ".join(filter(None, [f"{row['dose_level']} {row['unit']}".strip(), row["schedule"]]))
            name = _short(level, LONGEST - 12) + f" ({found.events} of {found.n})"
            marks.append(Mark(name, row["trial_id"], axis.title, *_exact(found), row["dlt_kinds"]))
    return forest(marks, [axis])


def biomarkers(rows: pd.DataFrame) -> go.Figure | None:
    """What was found of patients with a marker, where it is a number: shares, months, ratios."""
    axes = (Axis("share, %", limits=(0, 100)), Axis("median PFS, months", log=True), Axis("ratio", log=True, at=1.0))
    marks = []
    for _, row in rows.iterrows():
        if not row["measure"] or pd.isna(row["published"]):
            continue
        axis = axes[2 if row["measure"] in RATIOS else 1 if row["measure"] in MONTHS else 0].title
        factor = 100.0 if axis == axes[0].title else 1.0
        ends = [None if pd.isna(row[key]) else factor * row[key] for key in ("published_low", "published_high")]
        name = _short(f"{row['gene_or_marker']} {row['status']}: {row['measure'].replace('_', ' ')}")
        marks.append(Mark(name, f"{row['trial_id']}, {row['drug']}", axis, factor * row["published"], *ends, row["statistic"]))
    return forest(marks, axes)


def exposure(rows: pd.DataFrame) -> go.Figure | None:
    """Concentrations in whole blood."""
    titles = {"cmin_ng_ml": "trough, ng/mL", "cmax_ng_ml": "peak, ng/mL", "auc24_ng_h_ml": "AUC of a day, ng h/mL"}
    marks = [
        Mark(f"{row['dose_level']:g} {row['unit']} {row['schedule'].replace('_', ' ')}, {row['age_group']} ({k})", row["drug"],
             titles[row["measure"]], row["published"], _end(row["published_low"]), _end(row["published_high"]), row["statistic"])
        for k, (_, row) in enumerate(rows.iterrows(), 1)
    ]  # fmt: skip
    return forest(marks, [Axis(title, log=True) for title in titles.values()])


def interactions(rows: pd.DataFrame) -> go.Figure | None:
    """Exposure with an inhibitor or an inducer of CYP3A4 over that without."""
    axes = (Axis("ratio of AUC", log=True, at=1.0), Axis("ratio of peak", log=True, at=1.0))
    marks = [
        Mark(f"{row['drug']} {row['dose_mg']:g} mg: {row['analyte']}", row["comedication"], axes[row["measure"] == "cmax"].title,
             row["ratio"], _end(row["ratio_low"]), _end(row["ratio_high"]))
        for _, row in rows.sort_values("comedication", kind="stable").iterrows()
    ]  # fmt: skip
    return forest(marks, axes)


def survival_points(rows: pd.DataFrame) -> go.Figure | None:
    """Shares free of progression at landmarks, joined by arm; looks as in the forest plot of efficacy."""
    if rows.empty:
        return None
    arms = load_efficacy().set_index(["trial_id", "arm_id"])[["role", "trust"]]
    made = figure(540)
    series = [tone.light for name, tone in TONES.items() if name.startswith("series_")]
    for k, ((trial, arm), part) in enumerate(rows.groupby(["trial_id", "arm_id"], sort=False)):
        role, trust = arms.loc[(trial, arm)] if (trial, arm) in arms.index else ("", "")
        part = part.sort_values("months")
        made.add_scatter(
            x=[0.0, *part["months"]], y=[100.0, *part["survival_percent"]], mode="lines+markers",
            name=f"{trial} · {arm.replace('_', ' ')}",
            line=dict(color=series[k % len(series)], width=1.4, dash="dot"), opacity=PALE if trust == "low" else 1.0,
            marker=dict(size=8, symbol=LOOKS[role].symbol), hovertemplate="%{x:g} months: %{y:g} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    made.update_xaxes(title_text="months", rangemode="tozero")
    made.update_yaxes(title_text="free of progression, %", range=[0, 104])
    beside = dict(orientation="v", x=1.02, y=1, yanchor="top")
    return made.update_layout(width=900, legend=beside, margin=dict(l=70, r=20, t=56, b=60))


PLOTS: dict[str, Callable[[pd.DataFrame], go.Figure | None]] = {
    "efficacy": efficacy, "phase1": phase1, "biomarkers": biomarkers, "survival_points": survival_points, "exposure": exposure,
    "interactions": interactions,
}  # fmt: skip


def _end(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _short(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# ---- the form


def forest(marks: list[Mark], axes: tuple[Axis, ...] | list[Axis]) -> go.Figure | None:
    """Rows under the headings of their groups, a panel for each axis that has a number; None without numbers."""
    axes = [axis for axis in axes if any(mark.axis == axis.title and np.isfinite(mark.value) for mark in marks)]
    if not axes:
        return None
    lines: list[tuple[str, str]] = []  # group and row; a row without a name is a heading
    for mark in marks:
        if (mark.group, "") not in lines:
            lines.append((mark.group, ""))
        if (mark.group, mark.row) not in lines:
            lines.append((mark.group, mark.row))
    groups = list(dict.fromkeys(group for group, _ in lines))
    lines.sort(key=lambda line: groups.index(line[0]))  # rows of a group together, as they came
    place = {line: k for k, line in enumerate(lines)}
    width = LABELS + len(axes) * PANEL + (len(axes) - 1) * GAP + 24
    made = make_subplots(1, len(axes), shared_yaxes=True, horizontal_spacing=GAP / (width - LABELS - 24))
    made.update_layout(figure(HEAD + ROW * len(lines) + FOOT).layout)
    style_axes(made)
    for column, axis in enumerate(axes, 1):
        _panel(made, column, axis, [mark for mark in marks if mark.axis == axis.title], place)
    heading = dict(type="rect", xref="paper", x0=0, x1=1, fillcolor=colour("panel"), line_width=0, layer="below")
    shapes = [heading | dict(y0=k - 0.5, y1=k + 0.5) for k, (_, row) in enumerate(lines) if not row]
    made.update_layout(shapes=[*shapes, *made.layout.shapes])
    names = [row or f"<b>{group}</b>" for group, row in lines]
    rows = dict(tickvals=list(range(len(lines))), range=[len(lines) - 0.5, -0.5], tickfont=dict(size=11))
    made.update_yaxes(showgrid=False, ticks="", **rows)
    made.update_yaxes(ticktext=names, col=1)
    for role in [role for role in LOOKS if role and any(mark.role == role for mark in marks)]:
        _entry(made, LOOKS[role].name, LOOKS[role], 1.0)
    if any(mark.pale for mark in marks):
        _entry(made, "pale: trust low, a number at second hand", Look("", "muted", "circle"), PALE)
    legend = dict(y=1 + (HEAD - 62) / (ROW * len(lines)), yanchor="bottom", x=0, xanchor="left")  # above the panels' titles
    return made.update_layout(width=width, margin=dict(l=LABELS, r=24, t=HEAD, b=FOOT), legend=legend)


def _panel(made: go.Figure, column: int, axis: Axis, marks: list[Mark], place: dict[tuple[str, str], int]) -> None:
    numbers = [value for mark in marks for value in (mark.value, mark.low, mark.high)]
    values = np.array([value for value in numbers if value is not None and value > 0])
    for role in dict.fromkeys(mark.role for mark in marks):
        for pale in (False, True):
            part = [mark for mark in marks if mark.role == role and mark.pale == pale]
            if not part:
                continue
            y = np.array([place[mark.group, mark.row] for mark in part], float)
            low, high = (np.array([getattr(mark, end) if getattr(mark, end) is not None else mark.value for mark in part], float)
                         for end in ("low", "high"))  # fmt: skip
            if axis.log:
                low = np.maximum(low, values.min())
            tone, opacity = colour(LOOKS[role].tone), PALE if pale else 1.0
            made.add_scatter(
                x=segments(low, high), y=segments(y, y), mode="lines", line=dict(color=tone, width=1.6), opacity=opacity,
                hoverinfo="skip", showlegend=False, row=1, col=column,
            )  # fmt: skip
            made.add_scatter(
                x=[mark.value for mark in part], y=y, mode="markers", opacity=opacity, showlegend=False, row=1, col=column,
                marker=dict(color=tone, size=8, symbol=LOOKS[role].symbol, line=dict(width=1.6 if role == "validation" else 0)),
                customdata=[(mark.row, mark.told) for mark in part],
                hovertemplate="%{customdata[0]}<br>%{x:.3g}; %{customdata[1]}<extra></extra>",
            )  # fmt: skip
    below = dict(col=column, side="top", title=dict(text=axis.title, standoff=6, font=dict(size=12)))
    if axis.log:
        edges = np.log10([values.min() / 1.15, values.max() * 1.15])
        made.update_xaxes(type="log", range=edges.tolist(), **log_ticks(values.min(), values.max()), **below)
    else:
        made.update_xaxes(range=[-3, 103] if axis.limits == (0, 100) else axis.limits, **below)
    if axis.at is not None:
        made.add_vline(x=axis.at, line=dict(color=colour("muted"), width=1), layer="between", row=1, col=column)


def _entry(made: go.Figure, name: str, look: Look, opacity: float) -> None:
    """A line of the legend."""
    line = dict(color=colour(look.tone), width=1.6)
    marker = dict(color=colour(look.tone), size=8, symbol=look.symbol, line=line)
    made.add_scatter(
        x=[None], y=[None], mode="lines+markers", name=name, opacity=opacity, line=line, marker=marker, row=1, col=1
    )
