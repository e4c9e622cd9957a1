"""A run from validated settings to saved results, one virtual study or another analysis: what the command line and the Python
API both call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from trialsim import analyses, beforehand, console, simulation, summary
from trialsim.artefacts import RunFolder
from trialsim.artefacts.claim import BLOCKS
from trialsim.conduct.tables import Tables
from trialsim.engine.population import claim_cores
from trialsim.engine.xla import keep_programs
from trialsim.evidence import drugs_given_alone, monotherapy_counts, published_study
from trialsim.inference import predictive
from trialsim.inference.diagnostics import combine, diagnose
from trialsim.inference.dlt import fit_dlt
from trialsim.inference.recovery import recovery
from trialsim.inference.response import fit_response
from trialsim.inference.sampling import seed_of
from trialsim.inference.tables import cells_of, count_dlt, count_patients, count_published
from trialsim.report.write import draw_report
from trialsim.saving import Outcomes, block_files, load_outcomes, save_blocks, save_study
from trialsim.schema.study import StudyConfig


@dataclass(frozen=True)
class Study:
    """A simulated study.

    Attributes:
        config: what defined it.
        patients, visits, pharmacodynamics, adverse_events, doses: its tables (columns: README, "What a run leaves behind").
        screened: patients of the cohort, treated or not.
        mtd: MTD of each virtual study in ``regimen.unit`` (0: no level was safe, NaN: undecided); None: not sought.
        solver_check: numerical error of the run, see ``conduct.solver_check``.
    """

    config: StudyConfig
    patients: pd.DataFrame
    visits: pd.DataFrame
    pharmacodynamics: pd.DataFrame
    adverse_events: pd.DataFrame
    doses: pd.DataFrame
    screened: int
    mtd: np.ndarray | None
    solver_check: dict[str, Any]

    @property
    def worst_grades(self) -> pd.DataFrame:
        """Patients by worst grade of each adverse event, see ``summary.count_worst``; without those whose integration failed."""
        failed = self.patients.loc[~self.patients["integration_ok"], "patient_id"]
        return summary.count_worst([self.adverse_events[~self.adverse_events["patient_id"].isin(failed)]])


def simulate(config: StudyConfig) -> Study:
    """Sample the cohort, let the design assign doses, run every patient through the trial, and tabulate what it saw.

    All of it is held in memory; ``run`` is for studies that are too large for that.
    """
    start_engine(config)
    found: list[Tables] = []
    mtd: list[np.ndarray] = []
    blocks = simulation.blocks(config)
    with console.step("choosing the steps of the solver", config.compute.progress):
        exact, check = simulation.exact_enough(config)
    screened = sum(block.stop - block.start for block in blocks)
    with console.progress("simulating patients", screened, config.compute.progress) as advance:
        for block in blocks:
            enrolled = simulation.enrol(config, block)
            if enrolled.mtd is not None:
                mtd.append(enrolled.mtd)
            advance(block.stop - block.start - len(enrolled.patients))
            for tables in simulation.simulate_patients(exact, enrolled.patients):
                found.append(tables)
                advance(len(tables.patients))
    tables = Tables(*(pd.concat(parts, ignore_index=True) for parts in zip(*found, strict=True)))
    return Study(config, *tables, screened, np.concatenate(mtd) if mtd else None, check)


@dataclass(frozen=True)
class Fits:
    """Posteriors as ArviZ-compatible trees.

    Attributes:
        simulated: response model fitted to the simulated study. published: the same model fitted to published counts, or None
            for a drug that was not published alone.
        recovery: fitted to one virtual study of the published size, as a trialist would have it. dlt: dose-toxicity model, or
            None for designs without dose levels.
    """

    simulated: xr.DataTree
    published: xr.DataTree | None
    recovery: xr.DataTree
    dlt: xr.DataTree | None

    def by_name(self) -> dict[str, xr.DataTree]:
        """Those that exist."""
        return {field.name: tree for field in fields(self) if (tree := getattr(self, field.name)) is not None}


def fit_published(config: StudyConfig) -> xr.DataTree | None:
    """The response model fitted to what was published of the study's drug alone; None where nothing was."""
    if config.drug.name not in drugs_given_alone():
        return None
    counts = count_published(monotherapy_counts(config.drug.name))
    return fit_response(counts, config.inference, config.seed, "published")


def fit(study: Study | Outcomes) -> Fits:
    """Fit the hierarchical response model to the simulated study, to one virtual study of it, and to the published counts."""
    config, settings = study.config, study.config.inference
    # a patient whose integration failed has no trustworthy outcome: counted in the summary, kept out of the fits
    patients = study.patients[study.patients["integration_ok"]]
    population = cells_of(patients, settings)
    one = patients[patients["replicate"] == patients["replicate"].min()]
    with console.step("fitting the response model", config.compute.progress):
        return Fits(
            simulated=fit_response(count_patients(patients, settings), settings, config.seed, "simulated", population),
            published=fit_published(config),
            recovery=fit_response(count_patients(one, settings), settings, config.seed, "recovery", population),
            dlt=fit_dlt(count_dlt(patients), settings, config.seed) if config.design.escalates else None,
        )


def summarise(study: Study | Outcomes, fits: Fits) -> dict[str, Any]:
    """summary.json as a dictionary (schema: README, "summary.json")."""
    config, settings = study.config, study.config.inference
    patients = study.patients[study.patients["integration_ok"]]
    published = config.published
    comparison, not_published = predictive.compare(
        published_study(published),
        patients,
        fits.simulated,
        study.mtd,
        config.regimen.unit,
        config.design.replicate_size,
        settings.predictive_draws,
        np.random.default_rng(seed_of(config.seed, "comparison", settings)),
    )
    failed = int((~study.patients["integration_ok"]).sum())
    faults = []
    if failed:
        faults.append(f"{failed} patients could not be integrated: lower compute.accuracy or set compute.precision=float64")
    if study.solver_check and not study.solver_check["ok"]:
        error, accuracy = study.solver_check["error"], study.solver_check["accuracy"]
        faults.append(f"numerical error {error:.1e} above compute.accuracy={accuracy:g}; a lower one takes more steps")
    judged = {name: diagnose(tree, settings.thresholds) for name, tree in fits.by_name().items()}
    return {
        "schema_version": summary.SCHEMA_VERSION,
        "kind": config.analysis.kind,
        "study": config.study.name,
        "title": config.title,
        "seed": config.seed,
        "n_patients": len(study.patients),
        "n_failed": failed,
        "drug": config.drug.name,
        "regimen": {key: getattr(config.regimen, key) for key in ("dose", "unit", "schedule")},
        "partners": summary.partners(patients, config),
        "published_trial": published,
        "diagnostics": combine(judged, tuple(faults)) | {"solver_check": study.solver_check},
        "endpoints": summary.endpoints(patients, config.regimen.unit),
        "comparison": comparison,
        "not_published": not_published if published else [],
        "recovery": recovery(fits.recovery, patients, settings.recovery_level),
        "pharmacokinetics": summary.exposure(patients, config),
        "pharmacodynamics": summary.pathway(patients),
        "toxicity": summary.toxicity(len(patients), study.worst_grades, list(config.terms)),
        "mtd": summary.maximum_tolerated_dose(study.mtd, config.design.levels),
        "flow": summary.flow(study.patients, study.screened),
        "cautions": beforehand.cautions(config),
    }


def start_engine(config: StudyConfig) -> None:
    """Settings that must be made before JAX starts: every core a device, compiled programs kept."""
    claim_cores(config.compute.devices)
    keep_programs()


def analyse(config: StudyConfig) -> analyses.Findings:
    """An analysis other than a trial, in memory. ``run`` keeps it in a folder, from which it can go on, and writes its report."""
    start_engine(config)
    return analyses.find(config, analyses.Steps(mode=config.compute.progress))


def run(config: StudyConfig, run_dir: Path | str, keep: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole job that ``analysis.kind`` names, from settings to report. Whatever is complete is saved, so a killed run can be
    resumed.

    Args:
        config: validated settings. run_dir: folder of the run, see ``artefacts.RunFolder``. keep: texts to lie in it beside the
            results, by the name of the file.

    Returns:
        The content of summary.json; of one part of a study (``compute.parts`` > 1), which is only simulated: its ``part``,
        ``parts`` and ``patients``.
    """
    start_engine(config)
    beforehand.check(config)  # a slip is told now, not after the simulation
    with RunFolder(run_dir, config) as folder:
        if folder.finished:
            return folder.read_json("summary.json")
        for name, text in (keep or {}).items():
            folder.write_text(name, text)
        for caution in beforehand.cautions(config):
            console.log.warning("Caution: %s", caution)
        if config.analysis.kind == "trial":
            return _run_trial(config, folder)
        stage = folder.stage("analyse")
        if not stage.complete:
            with stage:
                analyses.save(config, folder, analyses.find(config, analyses.Steps(folder, config.compute.progress)))
        folder.drop_blocks()
        return _report(config, folder)


def _run_trial(config: StudyConfig, folder: RunFolder) -> dict[str, Any]:
    """Simulate, fit, compare, report."""
    whole = config.compute.parts == 1
    stage = folder.stage("simulate")
    if not stage.complete:
        with stage:
            names = save_blocks(config, folder)
            if whole:
                save_study(config, folder, [folder.path / BLOCKS / name for name in names])
            else:
                folder.adopt(*(file for name in names for file in block_files(name)))
    if not whole:
        folder.finish_part()
        done = simulation.blocks(config)
        return {"part": config.compute.part, "parts": config.compute.parts, "patients": done[-1].stop - done[0].start}
    folder.drop_blocks()
    return conclude(config, folder)


def conclude(config: StudyConfig, folder: RunFolder) -> dict[str, Any]:
    """From the saved tables of a trial to its report: the stages of a run that follow the simulation.

    Returns:
        The content of summary.json.
    """
    stage = folder.stage("analyse")
    if not stage.complete:
        with stage:
            _fit_and_summarise(config, folder)
    return _report(config, folder)


def _report(config: StudyConfig, folder: RunFolder) -> dict[str, Any]:
    """The last stage of every run. Returns the content of summary.json."""
    folder.write_provenance()  # the report shows it
    with folder.stage("report"), console.step("writing the report", config.compute.progress):
        draw_report(folder.path)
    folder.finish()
    return folder.read_json("summary.json")


def _fit_and_summarise(config: StudyConfig, folder: RunFolder) -> None:
    """A function of its own, so that its tables are gone when the report reads others."""
    outcomes = load_outcomes(config, folder)
    fits = fit(outcomes)
    for name, tree in fits.by_name().items():
        with folder.atomic("posterior.nc" if name == "simulated" else f"posterior_{name}.nc") as path:
            tree.to_netcdf(path, engine="h5netcdf")
    folder.write_json("summary.json", summarise(outcomes, fits))
