"""What this experiment shows of published facts, each on the scale of its own quantity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.assay.look import BANDS, STAINS, Look
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import ABOVE_LINE, ABOVE_ROW, ABOVE_WIDTH, colour, figure, names_above, reference_line, segments
from trialsim.report.wording import is_number, number, plot_lines

ROW, FRAME, WIDTH = 17, 110, 34  # px a line of a fact's name, px around them all, characters in a line
ROOM = 560  # px below which the names stand above their rows
EDGES = (0.03, 30.0)  # the axis ends no further out
UNITS = {"IC50": "nM", "EC50": "nM", "GR50": "nM", "GEC50": "nM"}
FOLDS = (*BANDS, *STAINS)


def panel(expected: pd.DataFrame, look: Look) -> Panel:
    """Measured value with its interval over the published band."""
    told = [what(row, look) for row in expected.itertuples()]
    names = [plot_lines(name, WIDTH) for name in told]
    n, y = len(expected), np.arange(len(expected))
    made = figure(FRAME + ROW * n * (1 + max(name.count("<br>") + 1 for name in names)))
    value = expected["estimate"].clip(*EDGES)
    ends = [*expected["low"].dropna(), *expected["high"].dropna(), *value]
    left, right = max(EDGES[0], 0.6 * min(ends)), min(EDGES[1], 1.8 * max(ends))
    low = expected["low"].fillna(left).clip(lower=left)
    high = expected["high"].fillna(right).clip(upper=right)
    made.add_scatter(
        x=segments(low, high), y=segments(y, y), mode="lines", line=dict(color=colour("simulated_50"), width=14),
        name="published band", showlegend=True, hoverinfo="skip",
    )  # fmt: skip
    for verdict, tone in (("agrees", "good"), ("undecided", "muted"), ("disagrees", "bad")):
        rows = (expected.apply(judge, axis=1) == verdict).to_numpy()
        if rows.any():
            x = value[rows]
            up = (expected["high_95"][rows].fillna(x).clip(upper=right) - x).clip(lower=0)
            down = (x - expected["low_95"][rows].fillna(x).clip(lower=left)).clip(lower=0)
            made.add_scatter(
                x=x, y=y[rows], mode="markers", name=f"measured: {verdict}", showlegend=True,
                marker=dict(symbol="diamond", size=10, color=colour(tone)),
                error_x=dict(type="data", array=up, arrayminus=down, color=colour(tone), thickness=1.8, width=4),
                hovertemplate="%{x:.3g}<extra>" + verdict + "</extra>",
            )  # fmt: skip
    values = [v for v in (0.03, 0.1, 0.3, 1, 3, 10, 30) if left <= v <= right]
    made.update_xaxes(
        type="log", title_text="fold, ratio or nM", range=[np.log10(left), np.log10(right)], tickvals=values,
        ticktext=[f"{v:g}" for v in values],
    )  # fmt: skip
    made.update_yaxes(tickvals=y, ticktext=names, range=[n - 0.5, -0.5], showgrid=False, ticks="")
    reference_line(made, x=1.0)
    row = ABOVE_ROW + ABOVE_LINE
    above = [plot_lines(name, ABOVE_WIDTH) for name in told]
    names_above(made, ROOM, {"y": above}, FRAME + row * n, shift=10, layout={"yaxis.range": [n - 0.5, -1.0]})
    counted = expected.apply(judge, axis=1).value_counts()
    caption = (
        "Diamond: this experiment with its 95 % interval; bar: the band set from the publication, open where it has no limit. "
    )
    caption += ", ".join(
        f"{counted[v]} {v.replace('agrees', 'agree')}" for v in ("agrees", "undecided", "disagrees") if v in counted
    )
    return Panel("facts", "Published facts in this experiment", f"{caption}.", made)


def judge(row: pd.Series) -> str:
    """``agrees`` within the band, ``disagrees`` if not even the interval touches it, else ``undecided``."""
    if row["inside"]:
        return "agrees"
    low, high = (row[name] if is_number(row[name]) else row["estimate"] for name in ("low_95", "high_95"))
    above = is_number(row["high"]) and low > row["high"]
    below = is_number(row["low"]) and high < row["low"]
    return "disagrees" if above or below else "undecided"


def what(row, look: Look) -> str:
    """``pAKT T308, CA46, dactolisib 100 nM``."""
    measured = BANDS.get(row.measure) or STAINS.get(row.measure) or row.measure.replace("_", " ")
    late = f" after {row.hours:g} h" if is_number(row.hours) else ""
    given = look.sample(row.treatment, row.dose_nM) if is_number(row.dose_nM) else look.treatment(row.treatment)
    text = f"{measured}{late}, {look.lines[row.line]}, {given}"
    return f"{text} over {_over(row, look)}" if _is_ratio(row) else text


def _is_ratio(row) -> bool:
    return isinstance(row.over_line, str)


def _over(row, look: Look) -> str:
    """The denominator, by what differs."""
    parts = [] if row.over_line == row.line else [look.lines[row.over_line]]
    return ", ".join(parts if row.over_treatment == row.treatment else [*parts, look.treatment(row.over_treatment)])


def amount(row, value: float) -> str:
    """A value in the unit of its measure."""
    if _is_ratio(row):
        return f"{number(value, 2)}-fold"
    if row.measure in UNITS:
        return f"{number(value, 2)} {UNITS[row.measure]}"
    return f"{number(value, 2)}-fold of vehicle" if row.measure in FOLDS else number(value, 2)
