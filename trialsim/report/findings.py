"""The report of an analysis: the page of its kind, around it what all pages have."""

from __future__ import annotations

import importlib
from pathlib import Path

import pandas as pd

from trialsim.report import analyses
from trialsim.report.analyses.page import Page, Saved, read_saved
from trialsim.report.assumptions import Assumption, by_section
from trialsim.report.html import write_page
from trialsim.report.page import Verdict
from trialsim.report.table import Table
from trialsim.report.wording import texts
from trialsim.schema import ConfigError

ALWAYS = ("analysis", "study")  # sections of the configuration that every result rests on
NOT_SHOWN = pd.DataFrame()
NOBODY = "No real patient took part. The numbers follow from the assumptions listed below and are no basis for treating a patient."


def write_findings(folder: Path) -> Path:
    """Write the report of an analysis from its saved artefacts; see ``html.write_page``."""
    saved = read_saved(folder)
    kinds = sorted(file.stem for file in Path(analyses.__file__).parent.glob("*.py") if file.stem not in ("__init__", "page"))
    if saved.kind not in kinds:
        raise ConfigError("summary.json.kind", saved.kind, f"trial or one of {', '.join(kinds)}")
    page: Page = importlib.import_module(f"trialsim.report.analyses.{saved.kind}").page(saved)
    return write_page(
        saved.folder,
        "findings.html.j2",
        chapters=page.chapters,
        tables=[Table(name, name, saved.table(name), NOT_SHOWN) for name in saved.summary["tables"]],
        assumptions=_assumptions(saved, page),
        provenance=saved.provenance,
        title=saved.summary["title"],
        saved=saved,
        page=page,
        verdict=_verdict(saved, page),
        cautions=[NOBODY, *texts(saved.summary.get("cautions")), *page.cautions],
    )


def _verdict(saved: Saved, page: Page) -> Verdict | None:
    found = saved.summary["diagnostics"]
    if not found["ok"]:
        return Verdict(False, "Checks FAILED: do not rely on the numbers in this report.", found["messages"])
    return Verdict(True, f"Checks passed: {page.checks}.", []) if page.checks else None


def _assumptions(saved: Saved, page: Page) -> dict[str, list[Assumption]]:
    """Settings by section: those that the page names, in its order."""
    every = by_section(saved.config, saved.provenance.get("choices"))
    return {
        name: [row for row in rows if row.key not in page.unused]
        for wanted in (*ALWAYS, *page.settings)
        for name, rows in every.items()
        if name == wanted or name.startswith(f"{wanted}.")
    }
