"""Metrics side by side: potencies and largest effects of all lines, and their spread over a panel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.assay.look import Look, concentration, dose_axis
from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import number, plot_lines, plot_text, plural

ROW, FRAME = 15, 130  # px a line and treatment, and around them
GROUPS = ("none", "PIK3CA", "PTEN loss", "KRAS", "PIK3CA + KRAS")  # of the panel; whatever else is "other"


def potency(fits: pd.DataFrame, ranges: dict[str, tuple[float, float]], look: Look) -> Panel:
    """GR50 of each line under each treatment, 95 % interval; an arrow where it lies beyond the doses tried.

    Args:
        ranges: lowest and highest dose of each treatment, nM.
    """
    made = figure(_height(look))
    for place, treatment in enumerate(ranges):
        rows = _of(fits, treatment, look)
        low, high = ranges[treatment]
        beyond = ~np.isfinite(rows["GR50_nM"])
        x = rows["GR50_nM"].replace({np.inf: high, -np.inf: low})
        up = rows["GR50_nM_high"].clip(upper=high).where(~beyond, x) - x
        down = x - rows["GR50_nM_low"].clip(lower=low).where(~beyond, x)
        symbols = np.where(~beyond, "circle", np.where(rows["GR50_nM"] > 0, "triangle-right-open", "triangle-left-open"))
        tone, name = look.tone(treatment), look.treatment(treatment)
        made.add_scatter(
            x=x, y=_rows(look, place, len(ranges)), mode="markers", name=plot_text(name), showlegend=True,
            marker=dict(size=9, color=tone, symbol=symbols, line=dict(color=tone, width=1.5)),
            error_x=dict(type="data", array=up, arrayminus=down, color=tone, thickness=1.5, width=3),
            text=[concentration(value, low, high) for value in rows["GR50_nM"]],
            hovertemplate="GR50 %{text}<extra>" + plot_text(name) + "</extra>",
        )  # fmt: skip
    dose_axis(made, min(low for low, _ in ranges.values()), max(high for _, high in ranges.values()))
    made.update_xaxes(title_text="GR50, nM")
    _lines(made, look)
    reached = int(np.isfinite(fits[fits["line"].isin(look.lines)]["GR50_nM"]).sum())
    total = len(look.lines) * len(ranges)
    caption = f"GR50 with 95 % interval; reached in {reached} of {total} curves. Open triangle: not within the doses tried."
    return Panel("forest_gr50", "Potency: GR50", caption, made, wide=False)


def efficacy(fits: pd.DataFrame, treatments: list[str], look: Look) -> Panel:
    """GRmax of each line under each treatment, 95 % interval."""
    made, lowest = figure(_height(look)), 0.0
    for place, treatment in enumerate(treatments):
        rows = _of(fits, treatment, look)
        tone, name = look.tone(treatment), look.treatment(treatment)
        made.add_scatter(
            x=rows["GRmax"], y=_rows(look, place, len(treatments)), mode="markers", name=plot_text(name), showlegend=True,
            marker=dict(size=9, color=tone),
            error_x=dict(type="data", array=(rows["GRmax_high"] - rows["GRmax"]).fillna(0.0), color=tone, thickness=1.5, width=3),
            hovertemplate="GRmax %{x:.2f}<extra>" + plot_text(name) + "</extra>",
        )  # fmt: skip
        lowest = min(lowest, float(rows["GRmax_low"].fillna(rows["GRmax"]).min()))
    made.update_xaxes(title_text="GRmax", range=[max(-1.05, lowest - 0.1), 1.2])
    reference_line(made, x=0.0)
    _lines(made, look)
    worst = fits[fits["line"].isin(look.lines)].sort_values("GRmax").iloc[0]
    lowest_in = f"{look.lines[worst['line']]} under {look.treatment(worst['treatment'])}"
    caption = (
        "GR value at the highest dose, 95 % interval over replicates: 1 untreated, 0 no growth, below 0 cells die. Lowest: "
        f"{lowest_in}, {number(worst['GRmax'], 2)}."
    )
    return Panel("forest_grmax", "Efficacy: GRmax", caption, made, wide=False)


def panel(fits: pd.DataFrame, lines: pd.DataFrame, treatment: str, look: Look) -> Panel:
    """GRmax of the virtual lines by genotype."""
    drawn = lines[lines["virtual"]].merge(fits[fits["treatment"] == treatment], on="line")
    group = drawn["genotype"].where(drawn["genotype"].isin(GROUPS), "other")
    made, told, tone = figure(340), [], look.tone(treatment)
    for name in [name for name in (*GROUPS, "other") if (group == name).any()]:
        values, label = drawn[group == name]["GRmax"], "no alteration" if name == "none" else name
        made.add_box(
            y=values, name=plot_lines(label, 10), boxpoints="all", jitter=0.5, pointpos=0, showlegend=False,
            marker=dict(size=5, color=tone, opacity=0.65), line=dict(color=colour("muted"), width=1.2), fillcolor="rgba(0,0,0,0)",
            hovertemplate="%{y:.2f}<extra>" + plot_text(label) + "</extra>",
        )  # fmt: skip
        told.append(f"{label} {number(values.median(), 2)} (n = {len(values)})")
    made.update_xaxes(tickangle=0)
    made.update_yaxes(title_text="GRmax", zeroline=False)
    caption = f"{plural(len(drawn), 'virtual line')}; box: quartiles. Median: {'; '.join(told)}."
    return Panel(f"panel_{treatment}", f"Panel: {look.treatment(treatment)}", caption, made, wide=False)


def _of(fits: pd.DataFrame, treatment: str, look: Look) -> pd.DataFrame:
    return fits[fits["treatment"] == treatment].set_index("line").loc[list(look.lines)]


def _rows(look: Look, place: int, of: int) -> np.ndarray:
    """Heights of one treatment's marks, beside those of the others."""
    return np.arange(len(look.lines)) + 0.7 * ((place + 0.5) / of - 0.5)


def _height(look: Look) -> int:
    return FRAME + ROW * len(look.lines) * max(3, len(look.drugs) - 1)


def _lines(made, look: Look) -> None:
    made.update_yaxes(
        tickvals=list(range(len(look.lines))), ticktext=[plot_lines(label, 18) for label in look.lines.values()],
        range=[len(look.lines) - 0.4, -0.6], showgrid=False, ticks="",
    )  # fmt: skip
