"""The chapters of the report, in reading order: which figures and tables belong together."""

from __future__ import annotations

from trialsim.report import tables
from trialsim.report.figures import (
    comparison,
    course,
    diagnostics,
    escalation,
    exposure,
    pharmacodynamics,
    recovery,
    response,
    safety,
    survival,
    tumour_types,
)
from trialsim.report.figures.panel import Panel
from trialsim.report.page import Section
from trialsim.report.reader import Run
from trialsim.report.table import Table, facts


def sections(run: Run) -> list[Section]:
    """All chapters with figures or tables; the template itself has summary, flow, assumptions and provenance."""
    chapters = [
        Section(
            "agreement",
            "Simulated against published",
            "Would a virtual study of the published size have given the published result?",
            [comparison.comparison_panel(run)],
            [tables.comparison(run)],
        ),
        Section(
            "response",
            "Tumour response",
            "RECIST 1.1; the same colours mean the same best response in every figure. Point at a bar or line to see the patient.",
            [response.waterfall(run), response.spider(run), course.swimmer(run)],
            [tables.endpoints(run), tables.patients_drawn(run)],
        ),
        Section(
            "survival",
            "Survival",
            "Kaplan-Meier estimates with pointwise 95 % confidence bands.",
            [
                survival.kaplan_meier_panel(run, "pfs", "Progression-free survival", "progression-free"),
                survival.kaplan_meier_panel(run, "os", "Overall survival", "alive"),
            ],
            [],
        ),
        Section(
            "exposure",
            "Drug in the blood",
            "Whole-blood concentrations on day 15.",
            [exposure.exposure_panel(run, measure) for measure in exposure.MEASURES],
            [tables.exposure(run)],
        ),
        Section(
            "pharmacodynamics",
            "Target inhibition",
            "1 is the patient's own value before treatment; below 1 means inhibited.",
            pharmacodynamics.panels(run),
            [tables.pharmacodynamics(run)],
        ),
        Section(
            "safety",
            "Safety and dose",
            "Adverse events change the dose while the simulated study runs.",
            [safety.toxicity(run), safety.dose_intensity(run), safety.modifications(run)],
            [tables.toxicity(run), tables.modifications(run), *([tables.partners(run)] if run.part("partner") else [])],
        ),
        Section(
            "tumour-types",
            "What the analysis learns by tumour type",
            "Posterior of a model that lets tumour types borrow strength from each other.",
            tumour_types.forest_panels(run),
            [tables.tumour_types(run)],
        ),
        Section(
            "reliability",
            "May the analysis be believed?",
            "Known truth, sampler, fit and numerical solver, each checked.",
            _reliability(run),
            _reliability_tables(run),
        ),
    ]
    if run.escalation:
        terms = escalation.dlt_terms(run)
        lead = f"Events that were dose-limiting: {terms}." if terms else "Escalation by simulated dose-limiting toxicity."
        panels = [escalation.dlt_panel(run), escalation.mtd_panel(run)]
        chapters.insert(3, Section("dose-finding", "Dose finding", lead, panels, [tables.dlts(run)]))
    return chapters


def _reliability(run: Run) -> list[Panel]:
    return [
        recovery.recovery_panel(run),
        diagnostics.rank_panel(run),
        diagnostics.predictive_panel(run),
        diagnostics.loo_panel(run),
    ]


def _reliability_tables(run: Run) -> list[Table]:
    found = run.section("diagnostics")
    rest = {key: value for key, value in found.items() if key != "solver_check"}
    return [
        facts("solver_check", "Numerical error: the same patients with finer steps in float64", found.get("solver_check") or {}),
        tables.recovery(run),
        tables.convergence(run.posterior, "convergence_simulated", "Convergence: fit to the simulated study"),
        tables.convergence(run.posterior_published, "convergence_published", "Convergence: fit to published counts"),
        facts("diagnostics", "Diagnostics as judged by the run", rest, folded=True),
    ]
