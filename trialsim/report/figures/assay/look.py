"""What all figures of an assay share: how lines and treatments are called and drawn, and the axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.theme import colour, figure
from trialsim.report.wording import number, plot_lines, plot_text
from trialsim.schema.analysis.assay import VEHICLE

BANDS = {
    "IRS1": "IRS1", "T308": "pAKT T308", "S473": "pAKT S473", "S6K": "pS6K T389", "S6": "pS6 S235/236", "BP": "p4E-BP1",
    "ERK": "pERK1/2", "CYCD": "cyclin D1",
}  # fmt: skip
STAINS = {"EdU": "EdU-positive", "annexin_V": "Annexin V-positive", "LC3_flux": "LC3 flux"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "hexagon")
SERIES, TREATED = 9, 6  # tones of each family in the theme
NBSP = "\u00a0"
FEW = 4  # lines whose names stand side by side
LEGEND_ROW = 20  # px


class Look(NamedTuple):
    """How this experiment is drawn.

    Attributes:
        lines: name -> short label, those with blots and stains. drugs: treatment -> label of the drug whose dose varies, vehicle
        first. beside: treatment -> what it is given beside, in words, or nothing.
    """

    lines: dict[str, str]
    drugs: dict[str, str]
    beside: dict[str, str]

    def line(self, name: str) -> dict[str, Any]:
        """Colour and symbol of a line; they repeat after nine lines."""
        place = list(self.lines).index(name)
        return {"tone": colour(f"series_{place % SERIES + 1}"), "symbol": SYMBOLS[place % len(SYMBOLS)]}

    def tone(self, treatment: str) -> str:
        """Colour of a treatment."""
        place = list(self.drugs).index(treatment)
        return colour(f"treated_{0 if place == 0 else (place - 1) % TREATED + 1}")

    def treatment(self, name: str) -> str:
        """``rapamycin + erlotinib 1 µM``."""
        return " + ".join(part for part in (self.drugs[name], self.beside[name]) if part)

    def sample(self, treatment: str, dose_nM: float) -> str:
        """``rapamycin 30 nM + erlotinib 1 µM``."""
        if treatment == VEHICLE:
            return VEHICLE
        given = f"{self.drugs[treatment]} {dose(dose_nM)}" if dose_nM else ""
        return " + ".join(part for part in (given, self.beside[treatment]) if part)


def look_of(lines: pd.DataFrame, treatments: dict[str, Any]) -> Look:
    """From the table of lines and the settings of the treatments."""
    named = lines[~lines["virtual"]]
    beside = {name: " + ".join(f"{drug} {dose(nM)}" for drug, nM in t["beside"].items()) for name, t in treatments.items()}
    return Look(
        dict(zip(named["line"], short(named["label"].tolist()), strict=True)),
        {VEHICLE: VEHICLE} | {name: treatment["label"] for name, treatment in treatments.items()},
        {VEHICLE: ""} | beside,
    )


def short(labels: list[str]) -> list[str]:
    """``DG-75, Burkitt lymphoma`` -> ``DG-75``; what several lines have in common at the start is left out instead."""
    starts = [label.split(",")[0] for label in labels]
    common = {start for start in starts if starts.count(start) > 1}

    def of(label: str, start: str) -> str:
        shared = next((text for text in common if label.startswith(text)), None)
        return start if shared is None else label.removeprefix(shared).lstrip(", ")

    return [of(label, start) for label, start in zip(labels, starts, strict=True)]


def dose(nM: float) -> str:
    """A dose with its unit: 30 nM, 1 µM."""
    return f"{nM / 1000:g}{NBSP}µM" if nM >= 1000 else f"{nM:g}{NBSP}nM"


def concentration(nM: float, low: float, high: float) -> str:
    """A potency, or on which side of the doses tried it lies."""
    if nM > high:
        return f">{NBSP}{dose(high)}"
    if nM < low:
        return f"<{NBSP}{dose(low)}"
    return f"{number(nM, 2)}{NBSP}nM" if np.isfinite(nM) else "none"


def blank(entries: int, plot: int = 350) -> go.Figure:
    """An empty figure of half the page; many entries of the legend stand in two columns above it.

    Args:
        entries: of the legend. plot: px, without what the legend needs beyond a line or two.
    """
    if entries <= FEW:
        return figure(plot)
    # a curve and its points are one group of the legend; "normal", since groups would stand below each other in one column
    columns = dict(entrywidth=0.5, entrywidthmode="fraction", font=dict(size=11), traceorder="normal")
    return figure(plot + LEGEND_ROW * (entries // 2 - 1)).update_layout(legend=columns)


def bars(look: Look, entries: int) -> go.Figure:
    """An empty figure for groups of bars, one group a line; higher where the names of many lines slant, and for a long legend."""
    many = len(look.lines) > FEW
    made = figure((430 if many else 350) + LEGEND_ROW * max(0, entries - FEW), barmode="group", bargap=0.25)
    names = [plot_lines(label, 40 if many else 14) for label in look.lines.values()]
    made.update_xaxes(tickangle=-45 if many else 0, tickvals=list(look.lines), ticktext=names)
    return made


def dose_axis(made: go.Figure, low: float, high: float) -> None:
    """A logarithmic axis in nM with a tick at each decade."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    values = [float(f"1e{decade}") for decade in decades]
    made.update_xaxes(
        type="log",
        title_text="concentration, nM",
        tickvals=values,
        ticktext=[f"{value:g}" if value < 1e4 else f"{value / 1e3:g}k" for value in values],
        range=[np.log10(low) - 0.15, np.log10(high) + 0.15],
    )


def hover(name: str, unit: str = "") -> str:
    """What a point says of itself."""
    return "%{x}: %{y:.3g}" + plot_text(f" {unit}" if unit else "") + "<extra>" + plot_text(name) + "</extra>"
