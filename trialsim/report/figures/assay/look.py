"""What all figures of an assay share: how lines and treatments are called and drawn, and the axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.theme import colour
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


class Look(NamedTuple):
    """How this experiment is drawn.

    Attributes:
        lines: name -> short label, those with blots and stains. treatments: name -> label, vehicle first.
    """

    lines: dict[str, str]
    treatments: dict[str, str]

    def line(self, name: str) -> dict[str, Any]:
        """Colour and symbol of a line; they repeat after nine lines."""
        place = list(self.lines).index(name)
        return {"tone": colour(f"series_{place % SERIES + 1}"), "symbol": SYMBOLS[place % len(SYMBOLS)]}

    def treatment(self, name: str) -> str:
        """Colour of a treatment."""
        place = list(self.treatments).index(name)
        return colour(f"treated_{0 if place == 0 else (place - 1) % TREATED + 1}")

    def sample(self, treatment: str, dose_nM: float) -> str:
        """``rapamycin 30 nM``."""
        if treatment == VEHICLE:
            return VEHICLE
        label = self.treatments[treatment]
        return f"{label}, {dose(dose_nM)}" if dose_nM else f"{label}, without the first"


def look_of(lines: pd.DataFrame, treatments: dict[str, Any]) -> Look:
    """From the table of lines and the settings of the treatments."""
    named = lines[~lines["virtual"]]
    return Look(
        dict(zip(named["line"], short(named["label"].tolist()), strict=True)),
        {VEHICLE: VEHICLE} | {name: treatment["label"] for name, treatment in treatments.items()},
    )


def short(labels: list[str]) -> list[str]:
    """``DG-75, Burkitt lymphoma`` -> ``DG-75``; where several begin alike, what follows the comma."""
    starts = [label.split(",")[0] for label in labels]
    return [
        start if starts.count(start) == 1 else label.split(",", 1)[-1].strip() for start, label in zip(starts, labels, strict=True)
    ]


def dose(nM: float) -> str:
    """A dose with its unit: 30 nM, 1 µM."""
    return f"{nM / 1000:g}{NBSP}µM" if nM >= 1000 else f"{nM:g}{NBSP}nM"


def concentration(nM: float, low: float, high: float) -> str:
    """A potency, or on which side of the doses tried it lies."""
    if np.isposinf(nM):
        return f"> {dose(high)}"
    if np.isneginf(nM):
        return f"< {dose(low)}"
    return f"{number(nM, 2)}{NBSP}nM" if np.isfinite(nM) else "none"


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


def ticks(labels: list[str], width: int = 14) -> list[str]:
    """Labels of categories on an axis."""
    return [plot_lines(label, width) for label in labels]


def hover(name: str, unit: str = "") -> str:
    """What a point says of itself."""
    return "%{x}: %{y:.3g}" + plot_text(f" {unit}" if unit else "") + "<extra>" + plot_text(name) + "</extra>"
