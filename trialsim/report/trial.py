"""The report of a trial."""

from __future__ import annotations

from pathlib import Path

from trialsim.report import summary_text, tables
from trialsim.report.assumptions import by_section
from trialsim.report.flow import flow, treatment_ends
from trialsim.report.html import write_page
from trialsim.report.methods import methods
from trialsim.report.reader import read_run
from trialsim.report.sections import sections


def write_trial(folder: Path) -> Path:
    """Write the report of a trial from its saved artefacts, at least summary.json and patients.parquet; see ``html.write_page``."""
    run = read_run(folder)
    baseline = tables.baseline(run)
    return write_page(
        run.folder,
        "trial.html.j2",
        chapters=sections(run),
        tables=[baseline],
        assumptions=by_section(run.config, run.provenance.get("choices")),
        provenance=run.provenance,
        run=run,
        title=run.summary.get("title") or run.part("study").get("title") or run.summary.get("study") or "Virtual study",
        treatment=summary_text.treatment(run),
        baseline=baseline,
        what=summary_text.what_was_simulated(run),
        cards=summary_text.cards(run),
        verdict=summary_text.verdict(run),
        agreement=summary_text.agreement(run),
        cautions=summary_text.cautions(run),
        flow=flow(run),
        ends=treatment_ends(run),
        methods=methods(run),
    )
