"""In vitro assay: cell lines against dose ranges, measured as a laboratory measures them, and analysed as it analyses them.

The cells are those of the patients (`assays.culture`). Each condition is grown once, exactly; what instruments make of it is drawn
for every well, lane and sample. Replicates are whole experiments, with plates, blots and stains of their own; they differ by
measuring alone, so their spread is less than that between cultures of different weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.analyses.findings import Findings
from trialsim.analyses.laboratory_facts import measured, sought_facts
from trialsim.analyses.steps import Steps
from trialsim.assays import experiment
from trialsim.assays.metrics import fit_wells
from trialsim.assays.panel import draw_lines
from trialsim.schema.analysis.assay import AssaySettings

if TYPE_CHECKING:
    from trialsim.schema.cell_line import CellLineSettings
    from trialsim.schema.study import StudyConfig

WORST_CV = 0.2  # of the vehicle wells of a plate; assumed: a usual limit of acceptance
REACHED = "fit to all replicates, 95 % interval; none: not reached within the doses tried"
HEADLINES = {"GR50": ("GR50_nM", "nM", REACHED), "GRmax": ("GRmax", "GR", "mean at the highest dose, t interval over replicates")}
GENES = {
    "pik3ca": "PIK3CA", "akt1": "AKT1", "kras": "KRAS", "mtor": "MTOR", "tsc": "TSC", "pten_loss": "PTEN loss", "frb": "MTOR FRB",
}  # fmt: skip


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    lines: line, label, virtual (drawn from the panel), genotype (its alterations in words), doubling_h, and a column for each
    alteration. states: `experiment.grow_line`, lines that are not virtual. wells: `experiment.read_plates`. fits:
    `metrics.fit_wells`. blots, stains, counts: the functions of `experiment` of the same names. expected: one row a published fact
    that was looked for: `measured`, and from the fact claim, published, low, high, source, seen; inside (its band).
    """
    settings = config.analysis
    assert isinstance(settings, AssaySettings)
    facts, not_shown = sought_facts(settings, config.cell_line)
    lines = dict(config.cell_line) | _drawn(config, settings)
    grown = steps.each("growing cells", {f"line_{name}": partial(_line, config, settings, name, lines[name]) for name in lines})
    states = pd.concat([grown[f"line_{name}"]["states"] for name in config.cell_line], ignore_index=True)
    wells = pd.concat([grown[f"line_{name}"]["wells"] for name in lines], ignore_index=True)
    done = steps.one("blots_and_stains", partial(_samples, config, settings, states))
    fits = steps.one("fitting_curves", lambda: {"fits": fit_wells(wells)})["fits"]
    tables = {"lines": _lines(lines, config), "states": states, "wells": wells, "fits": fits, **done}
    found = [measured(fact, settings.expected[fact.fact_id], tables, settings) for fact in facts]
    tables["expected"] = pd.DataFrame(found)
    quality = experiment.quality(wells)
    named = fits[fits["line"].isin(config.cell_line)]
    results: dict[str, Any] = {
        f"{name}_{row.treatment}_{row.line}": {
            "estimate": getattr(row, column), "low": getattr(row, f"{column}_low"), "high": getattr(row, f"{column}_high"),
            "n": settings.replicates, "unit": unit, "method": method,
        } for row in named.itertuples() for name, (column, unit, method) in HEADLINES.items()
    }  # fmt: skip
    results |= {
        "n_plates": int(wells["plate"].nunique()),
        "vehicle_cv": {"median": float(quality.median()), "worst": float(quality.max()), "limit": WORST_CV},
        "published_facts": {"agree": sum(row["inside"] for row in found), "of": len(found), "not_shown": not_shown},
    }
    return Findings(tables, results, _faults(quality))


def _drawn(config: StudyConfig, settings: AssaySettings) -> dict[str, CellLineSettings]:
    """Virtual lines of the panel."""
    ids = np.arange(settings.panel)
    return {f"virtual_{i}": line for i, line in zip(ids, draw_lines(config.panel, config.network, config.seed, ids), strict=True)}


def _line(config: StudyConfig, settings: AssaySettings, name: str, line: CellLineSettings) -> dict[str, pd.DataFrame]:
    """One line grown and read. Of virtual lines only the wells are kept."""
    states = experiment.grow_line(config, settings, name, line)
    wells = experiment.read_plates(states, config, settings)
    return {"states": states if name in config.cell_line else states.iloc[:0], "wells": wells}


def _samples(config: StudyConfig, settings: AssaySettings, states: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        "blots": experiment.blots(states, config, settings),
        "stains": experiment.stains(states, config, settings),
        "counts": experiment.counts(states, config, settings),
    }


def _lines(lines: Mapping[str, CellLineSettings], config: StudyConfig) -> pd.DataFrame:
    def row(name: str, line: CellLineSettings) -> dict[str, Any]:
        altered = {gene: bool(getattr(line.genotype, gene)) for gene in GENES}
        words = " + ".join(GENES[gene] for gene, present in altered.items() if present) or "none"
        growth = {"label": line.label, "virtual": name not in config.cell_line, "genotype": words}
        return {"line": name, **growth, "doubling_h": line.growth.doubling_h, **altered}

    return pd.DataFrame([row(name, line) for name, line in lines.items()])


def _faults(quality: pd.Series) -> tuple[str, ...]:
    bad = quality[quality > WORST_CV]
    if bad.empty:
        return ()
    which = ", ".join(bad.index[:5])
    return (f"vehicle wells vary by more than {100 * WORST_CV:g} % on {len(bad)} of {len(quality)} plates ({which}); see the edge",)
