"""The page of a signalling model of others beside our network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim import provenance
from trialsim.report.analyses.page import Page
from trialsim.report.assumptions import Assumption, assumptions, by_section
from trialsim.report.figures.panel import Panel
from trialsim.report.html import write_page
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import MISSING, join, number, plot_text, plural
from trialsim.sbml.experiment import READOUTS, Experiment

if TYPE_CHECKING:
    from trialsim.sbml import Comparison
    from trialsim.schema.study import StudyConfig

DASHES = ("solid", "dash", "dot", "dashdot")
WHOSE = {"model": ("published", "diamond"), "trialsim": ("simulated", "circle")}


def write_signalling(found: Comparison, config: StudyConfig, folder: Path) -> Path:
    """Write report.html, tables/folds.csv, tables/levels.csv and the figures.

    Args:
        found: from `sbml.compare`. config: that it was made with. folder: made if need be.
    """
    asked = found.experiment
    meta = f"{found.document.path.name} · {found.simulator} · {config.cell_line[asked.cell_line].label}"
    page = Page(
        summary=[_what(found), _result(found)],
        cards=_cards(found),
        chapters=[
            Section(
                "folds", "Folds under the drug",
                "A level with the drug over that without it at the same time; 1 is no change. Open symbols: the model's control "
                "had drifted too far for the fold to mean much.",
                [_panel(found, readout) for readout in asked.readouts], [_fold_table(found)],
            ),
        ],
        methods=_methods(found),
        settings=(),
        cautions=_cautions(found),
    )  # fmt: skip
    return write_page(
        folder,
        "signalling.html.j2",
        chapters=page.chapters,
        tables=[Table("levels", "levels", found.levels, pd.DataFrame())],
        assumptions=_assumptions(found, config),
        provenance=provenance.collect() | {"model": found.document.path.name, "simulator": found.simulator},
        title=f"{asked.title} and trialsim",
        page_meta=meta,
        page=page,
        verdict=None,
        cautions=page.cautions,
    )


# ---- words


def _what(found: Comparison) -> str:
    asked = found.experiment
    before = f"After {asked.before_hours:g} h of stimulation, " if asked.before_hours else ""
    drug = "mTORC1's kinase activity was cut" if asked.block is not None else "rapamycin was given"
    text = (
        f"{before}{drug} in the model “{found.document.title}” ({plural(len(found.document.species), 'species', 'species')}) "
        f"and in trialsim's network: {join(asked.dose_words(dose) for dose in asked.doses)}."
    )
    return text[0].upper() + text[1:]


def _result(found: Comparison) -> str:
    same, known = found.agreeing
    if not known:
        return "In none of the comparisons was the model's control steady enough for a fold to be read."
    apart = found.folds[found.folds["agree"].eq(False).fillna(False)]
    text = f"Directions agree in {same} of {known} comparisons."
    if len(apart):
        told = [
            f"{label} ({join(sorted({f'{row.model_way} there, {row.trialsim_way} here' for row in rows.itertuples()}))})"
            for label, rows in apart.groupby("label", sort=False)
        ]
        text += f" They part for {join(told)}."
    return text


def _cards(found: Comparison) -> list[Card]:
    same, known = found.agreeing
    cards = [Card("Directions that agree", f"{same} of {known}", f"{len(found.folds) - known} left out: control drifted")]
    last = found.folds[(found.folds["dose"] == found.experiment.doses[-1]) & (found.folds["hours"] == found.experiment.hours[-1])]
    where = f"{found.experiment.dose_words(found.experiment.doses[-1])}, {found.experiment.hours[-1]:g} h"
    for row in last.itertuples():
        theirs = number(row.model) if row.usable else f"{number(row.model)}, drifting"
        cards.append(Card(row.label, f"{number(row.trialsim)}-fold", where, theirs))
    return cards


def _cautions(found: Comparison) -> list[str]:
    asked = found.experiment
    told = [
        "Both are models: that they agree is no evidence that cells do so. Models of one laboratory, or that share their "
        "constants, are not independent of each other.",
        f"A fold counts as a change beyond {100 * asked.no_change:g} %, and is left out where the model's control has moved by "
        f"more than a factor of {asked.most_drift:g} since the drug came.",
    ]
    if asked.block is not None:
        told.append("A rapalog is no uniform block of mTORC1: trialsim's spare 4E-BP1 in part and, with time, take mTORC2.")
    return told


def _methods(found: Comparison) -> list[str]:
    asked = found.experiment
    drug = asked.block
    if drug is not None:
        theirs = f"{join(drug.constants)} multiplied by what the block leaves"
        ours = "every substrate inhibited alike at full occupancy, no re-phosphorylation of 4E-BP1, mTORC2 left alone"
    else:
        assert asked.rapamycin is not None
        theirs = f"{asked.rapamycin.name} set to {join(f'{value:g}' for value in asked.rapamycin.values)}"
        theirs += " and held there" if asked.rapamycin.held else ""
        ours = "free rapamycin in the cell at the same concentration, bound to FKBP12 at equilibrium; occupancy of mTORC1 follows"
    reads = "; ".join(f"{READOUTS[name]} = {text}" for name, text in asked.readouts.items())
    return [
        f"Model: {asked.source}. Simulated by {found.simulator}, relative tolerance 1e-8. Drug: {theirs}. Read-outs: {reads}.",
        f"trialsim: the network of one cell at rest, then {ours}.",
    ]


# ---- figure and table


def _panel(found: Comparison, readout: str) -> Panel:
    rows = found.folds[found.folds["readout"] == readout]
    made = figure(330)
    for i, dose in enumerate(found.experiment.doses):
        at = rows[rows["dose"] == dose]
        words = found.experiment.dose_words(dose)
        for whose, (tone, symbol) in WHOSE.items():
            shapes = [symbol if ok or whose == "trialsim" else f"{symbol}-open" for ok in at["usable"]]
            name = f"{found.experiment.title if whose == 'model' else whose}, {words}"
            made.add_scatter(
                x=at["hours"], y=at[whose], mode="lines+markers", name=plot_text(name), showlegend=True,
                line=dict(color=colour(tone), width=2, dash=DASHES[i % len(DASHES)]),
                marker=dict(symbol=shapes, size=8, color=colour(tone)),
                hovertemplate="%{x:g} h: %{y:.3g}<extra>" + plot_text(name) + "</extra>",
            )  # fmt: skip
    _axes(made, rows)
    last = rows[rows["hours"] == found.experiment.hours[-1]]
    told = [
        f"{number(row.model)} in the model, {number(row.trialsim)} in trialsim at {found.experiment.dose_words(row.dose)}"
        for row in last.itertuples()
    ]
    caption = f"After {found.experiment.hours[-1]:g} h: {'; '.join(told)}."
    return Panel(f"fold_{readout}", READOUTS[readout], caption, made, wide=False)


def _axes(made: go.Figure, rows: pd.DataFrame) -> None:
    seen = rows[["model", "trialsim"]].to_numpy(float)
    seen = seen[np.isfinite(seen) & (seen > 0.0)]
    made.update_xaxes(title_text="hours with the drug", rangemode="tozero")
    made.update_yaxes(title_text="fold of control", rangemode="tozero")
    if seen.size and seen.max() / seen.min() > 30.0:
        made.update_yaxes(type="log", dtick=1)
    reference_line(made, y=1.0)


def _fold_table(found: Comparison) -> Table:
    rows = [
        [row.label, found.experiment.dose_words(row.dose), f"{row.hours:g}", number(row.model), number(row.trialsim), row.model_way,
         row.trialsim_way, MISSING if pd.isna(row.agree) else ("yes" if row.agree else "no")]
        for row in found.folds.itertuples()
    ]  # fmt: skip
    head = ["Read-out", "Drug", "Hours", "Model, fold", "trialsim, fold", "Model", "trialsim", "Agree"]
    note = "Agreement is not judged where the model's control had drifted too far."
    return Table("folds", "Every fold", found.folds, pd.DataFrame(rows, columns=head), note, folded=len(rows) > 30)


def _assumptions(found: Comparison, config: StudyConfig) -> dict[str, list[Assumption]]:
    asked, every = found.experiment, config.model_dump(mode="json")
    ours = {"network": every["network"], "cell_line": {asked.cell_line: every["cell_line"][asked.cell_line]}}
    if asked.rapamycin is not None:
        ours["drug"] = {"binding": every["analysis"]["dish_drug"]["binding"]}
    theirs = assumptions(asked.model_dump(mode="json", exclude_none=True), "experiment", Experiment)
    return {"experiment": theirs, **by_section(ours)}
