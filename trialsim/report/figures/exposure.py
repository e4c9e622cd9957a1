"""Drug exposure on day 15 by dose level, beside what was published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure
from trialsim.report.wording import dose, is_number, join, number, plot_text

MEASURES: dict[str, tuple[str, str]] = {
    "cmin_ng_ml": ("Trough concentration (Cmin)", "ng/mL"),
    "auc24_ng_h_ml": ("Exposure over 24 h (AUC)", "ng·h/mL"),
}
QUANTILES = {"low_90": 0.05, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_90": 0.95}


def exposure_table(run: Run) -> pd.DataFrame:
    """Quantiles by measure and dose level: columns measure, dose_level, n, low_90, low_50, median, high_50, high_90."""
    rows = []
    for measure in (*MEASURES, "cmax_ng_ml"):
        if measure not in run.patients:
            continue
        for level in run.dose_levels:
            values = run.patients.loc[run.patients["dose_level"] == level, measure].dropna()
            if len(values):
                rows.append(
                    {
                        "measure": measure,
                        "dose_level": level,
                        "n": len(values),
                        **{key: float(values.quantile(q)) for key, q in QUANTILES.items()},
                    }
                )
    return pd.DataFrame(rows, columns=["measure", "dose_level", "n", *QUANTILES])


def published_references(run: Run, measure: str) -> list[dict[str, Any]]:
    """Published values of one measure in summary.pharmacokinetics: [{value, low, high, level, source}]."""
    kinetics = run.section("pharmacokinetics")
    found = kinetics.get(measure) or (kinetics.get("published") or {}).get(measure)
    entries = found if isinstance(found, list) else [found]
    if isinstance(found, dict):
        entries += found.get("references") or []
    references = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        value = entry.get("published", entry.get("published_median"))
        if is_number(value):
            limits = {"low": entry.get("published_low"), "high": entry.get("published_high")}
            level, source = entry.get("dose_level", entry.get("dose")), str(entry.get("source", "published"))
            references.append({"value": float(value), **limits, "level": level, "source": source})
    return references


def exposure_panel(run: Run, measure: str) -> Panel:
    """Box by dose level: middle 50 % and 90 % of patients."""
    title, unit = MEASURES[measure]
    table = exposure_table(run)
    table = table[table["measure"] == measure]
    if table.empty:
        return Panel(f"exposure_{measure}", title, "Exposure was not saved for any patient.", wide=False)
    made = figure(340)
    places = {level: index for index, level in enumerate(table["dose_level"])}
    x = list(places.values())
    made.add_box(
        x=x,
        q1=table["low_50"],
        median=table["median"],
        q3=table["high_50"],
        lowerfence=table["low_90"],
        upperfence=table["high_90"],
        name="simulated: median, middle 50 % and 90 %",
        fillcolor=colour("simulated_50"),
        line=dict(color=colour("simulated"), width=1.5),
        width=0.5,
    )
    references = published_references(run, measure)
    for number_, reference in enumerate(references):
        place = places.get(float(reference["level"])) if is_number(reference["level"]) else None
        spots = [place] if place is not None else x
        made.add_scatter(
            x=[spot + 0.36 for spot in spots],
            y=[reference["value"]] * len(spots),
            mode="markers",
            name="published",
            legendgroup="published",
            showlegend=number_ == 0,
            error_y=_bar(reference, len(spots)),
            marker=dict(symbol="diamond", size=10, color=colour("published")),
            hovertemplate="%{y:.3g} " + unit + f"<extra>{plot_text(reference['source'])}</extra>",
        )
    made.update_xaxes(
        tickvals=x,
        ticktext=[plot_text(dose(level, run.dose_unit)) for level in places],
        title_text="assigned dose",
        range=[-0.6, len(x) - 0.4],
    )
    made.update_yaxes(title_text=unit, rangemode="tozero")
    told = [
        f"{number(row.median, 3)} {unit} at {dose(row.dose_level, run.dose_unit)} "
        f"(90 % of patients {number(row.low_90)} to {number(row.high_90)})"
        for row in table.itertuples()
    ]
    caption = f"Median on day 15 in whole blood: {join(told)}."
    if references:
        caption += f" Published: {join(_told(run, item, unit) for item in references)}."
    return Panel(f"exposure_{measure}", title, caption, made, wide=False)


def _told(run: Run, reference: dict[str, Any], unit: str) -> str:
    level = reference["level"]
    where = f" at {dose(level, run.dose_unit)}" if is_number(level) else ""
    return f"{number(reference['value'])} {unit}{where} ({reference['source']})"


def _bar(reference: dict[str, Any], count: int) -> dict[str, Any] | None:
    if not (is_number(reference["low"]) and is_number(reference["high"])):
        return None
    return dict(
        type="data",
        array=np.full(count, reference["high"] - reference["value"]),
        arrayminus=np.full(count, reference["value"] - reference["low"]),
        color=colour("published"),
        thickness=1.5,
    )
