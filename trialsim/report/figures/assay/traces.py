"""Means with SD over replicates, as bars and as courses: drawn the same in every figure of an assay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.assay.look import Look
from trialsim.report.theme import colour
from trialsim.report.wording import plot_text


def summary(table: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Mean and SD over replicates, 0 for one replicate; index ``by``, in the order of the table."""
    return table.groupby(by, sort=False)[value].agg(["mean", "std"]).fillna({"std": 0.0})


def samples(table: pd.DataFrame, look: Look) -> Iterator[tuple[str, pd.DataFrame, str, bool]]:
    """Name, rows and colour of each treatment and dose, and whether it is the highest dose of its treatment."""
    highest = table.groupby("treatment")["dose_nM"].max()
    for (treatment, level), rows in table.groupby(["treatment", "dose_nM"], sort=False):
        yield look.sample(treatment, level), rows, look.tone(treatment), level == highest[treatment]


def entries(table: pd.DataFrame) -> int:
    """Number of `samples`, each of which has its place in the legend."""
    return table.groupby(["treatment", "dose_nM"]).ngroups


def add_bars(made: go.Figure, found: pd.DataFrame, name: str, tone: Any, full: bool = True, **bar: Any) -> None:
    """Bars of the lines in ``found`` (index line; mean, std); hatched unless ``full``."""
    made.add_bar(
        x=found.index,
        y=found["mean"],
        name=plot_text(name),
        marker=dict(color=tone, pattern=dict(shape="" if full else "/", size=5, solidity=0.45, fillmode="replace")),
        error_y=dict(type="data", array=found["std"], color=colour("ink"), thickness=1.2, width=3),
        hovertemplate="%{y:.3g}<extra>" + plot_text(name) + "</extra>",
        **dict(showlegend=True) | bar,
    )


def add_course(made: go.Figure, found: pd.DataFrame, name: str, tone: str, symbol: str = "circle", dash: str = "solid") -> None:
    """A line through the means in ``found`` (index hours; mean, std)."""
    made.add_scatter(
        x=found.index,
        y=found["mean"],
        mode="lines+markers",
        name=plot_text(name),
        showlegend=True,
        error_y=dict(type="data", array=found["std"], color=tone, thickness=1, width=2),
        line=dict(color=tone, width=2, dash=dash),
        marker=dict(size=7, color=tone, symbol=symbol),
        hovertemplate="%{x:g} h: %{y:.3g}<extra>" + plot_text(name) + "</extra>",
    )
