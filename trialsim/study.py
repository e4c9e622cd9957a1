"""One virtual study from validated settings to saved results: what the command line and the Python API both call."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from trialsim import console, summary
from trialsim.artefacts import RunFolder
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, make_schedule, start_dose_mg
from trialsim.conduct.observe import Tables, make_tables
from trialsim.conduct.simulate import simulate_courses
from trialsim.conduct.solver_check import solver_check
from trialsim.designs.allocate import Allocation, allocate
from trialsim.evidence import monotherapy_counts, published_study
from trialsim.inference import predictive
from trialsim.inference.diagnostics import combine, diagnose
from trialsim.inference.dlt import fit_dlt
from trialsim.inference.recovery import recovery
from trialsim.inference.response import fit_response
from trialsim.inference.sampling import seed_of
from trialsim.inference.tables import cells_of, count_dlt, count_patients, count_published
from trialsim.protocol.visits import enrolment_days
from trialsim.report import write_report
from trialsim.schema.study import StudyConfig
from trialsim.units import DAYS_PER_MONTH

SCHEMA_VERSION = 1
TABLES = ("patients", "visits", "pharmacodynamics", "adverse_events")


@dataclass(frozen=True)
class Study:
    """A simulated study.

    Attributes:
        config: what defined it.
        patients, visits, pharmacodynamics, adverse_events: its tables (columns: README, "What a run leaves behind").
        screened: patients of the cohort, treated or not.
        mtd: MTD of each virtual study in ``regimen.unit`` (0: no level was safe, NaN: undecided); None: not sought.
        solver_check: numerical error of the run, see ``conduct.solver_check``.
    """

    config: StudyConfig
    patients: pd.DataFrame
    visits: pd.DataFrame
    pharmacodynamics: pd.DataFrame
    adverse_events: pd.DataFrame
    screened: int
    mtd: np.ndarray | None
    solver_check: dict[str, Any]


def simulate(config: StudyConfig) -> Study:
    """Sample the cohort, let the design assign doses, run every patient through the trial, and tabulate what it saw."""
    mode = config.compute.progress
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    levels = len(config.design.dose_levels) if config.design.kind == "three_plus_three" else 0
    with console.progress("escalating doses", levels * len(cohort), mode) as advance:
        allocation = allocate(config, cohort, advance)
    enrolled = _enrol(config, cohort, allocation)
    chunks: list[Tables] = []
    with console.progress("simulating patients", len(enrolled), mode) as advance:
        level = enrolled["dose_level"].to_numpy()
        for part, course in simulate_courses(config, enrolled, level, follow_up_horizon(config)):
            chunk = enrolled.iloc[part]
            schedule = make_schedule(config, chunk["patient_id"].to_numpy())
            follow_up = chunk["follow_up_days"].to_numpy(float)
            chunks.append(make_tables(config, course, schedule, chunk.drop(columns="follow_up_days"), follow_up))
            advance(len(chunk))
    with console.step("checking the solver", mode):
        check = solver_check(config, enrolled)
    tables = Tables(*(pd.concat(parts, ignore_index=True) for parts in zip(*chunks, strict=True)))
    return Study(config, *tables, screened=len(cohort), mtd=allocation.mtd, solver_check=check)


def _enrol(config: StudyConfig, cohort: pd.DataFrame, allocation: Allocation) -> pd.DataFrame:
    """The treated patients of the cohort with dose, enrolment and follow-up."""
    design = config.design
    day = enrolment_days(
        config.seed,
        cohort["patient_id"].to_numpy(),
        allocation.replicate,
        allocation.step,
        design.replicate_size,
        design.accrual_months,
        design.dlt.window_days,
    )
    longest = min(design.max_follow_up_months * DAYS_PER_MONTH, float(follow_up_horizon(config)))
    enrolled = cohort.assign(
        replicate=allocation.replicate,
        dose_level=allocation.dose_level,
        phase=allocation.phase,
        start_dose_mg=start_dose_mg(config, cohort, allocation.dose_level),
        enrolment_day=day,
        # whoever was enrolled is followed at least through the DLT window, if the accrual ran late
        follow_up_days=np.floor(np.clip(design.cutoff_months * DAYS_PER_MONTH - day, design.dlt.window_days, longest)),
    )
    return enrolled[allocation.treated].reset_index(drop=True)


@dataclass(frozen=True)
class Fits:
    """Posteriors as ArviZ-compatible trees.

    Attributes:
        simulated: response model fitted to the simulated study. published: the same model fitted to published counts.
        recovery: fitted to one virtual study of the published size, as a trialist would have it. dlt: dose-toxicity model, or
            None for designs without dose levels.
    """

    simulated: xr.DataTree
    published: xr.DataTree
    recovery: xr.DataTree
    dlt: xr.DataTree | None

    def by_name(self) -> dict[str, xr.DataTree]:
        """Those that exist."""
        return {field.name: tree for field in fields(self) if (tree := getattr(self, field.name)) is not None}


def fit(study: Study) -> Fits:
    """Fit the hierarchical response model to the simulated study, to one virtual study of it, and to the published counts."""
    config, settings = study.config, study.config.inference
    # a patient whose integration failed has no trustworthy outcome: counted in the summary, kept out of the fits
    patients = study.patients[study.patients["integration_ok"]]
    population = cells_of(patients, settings)
    one = patients[patients["replicate"] == patients["replicate"].min()]
    with console.step("fitting the response model", config.compute.progress):
        return Fits(
            simulated=fit_response(count_patients(patients, settings), settings, config.seed, "simulated", population),
            published=fit_response(count_published(monotherapy_counts(config.drug.name)), settings, config.seed, "published"),
            recovery=fit_response(count_patients(one, settings), settings, config.seed, "recovery", population),
            dlt=fit_dlt(count_dlt(patients), settings, config.seed) if config.design.kind == "three_plus_three" else None,
        )


def summarise(study: Study, fits: Fits) -> dict[str, Any]:
    """summary.json as a dictionary (schema: README, "summary.json")."""
    config, settings = study.config, study.config.inference
    patients = study.patients[study.patients["integration_ok"]]
    events = study.adverse_events[study.adverse_events["patient_id"].isin(patients["patient_id"])]
    published = config.study.published
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
        faults.append(f"{failed} patients could not be integrated: raise compute.steps_per_day or set compute.precision=float64")
    if study.solver_check and not study.solver_check["ok"]:
        faults.append(f"numerical error above {study.solver_check['limit']:g}: raise compute.steps_per_day")
    judged = {name: diagnose(tree, settings.thresholds) for name, tree in fits.by_name().items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "study": config.study.name,
        "title": config.study.title,
        "seed": config.seed,
        "n_patients": len(study.patients),
        "n_failed": failed,
        "drug": config.drug.name,
        "regimen": {key: getattr(config.regimen, key) for key in ("dose", "unit", "schedule")},
        "published_trial": published,
        "diagnostics": combine(judged, tuple(faults)) | {"solver_check": study.solver_check},
        "endpoints": summary.endpoints(patients, config),
        "comparison": comparison,
        "not_published": not_published if published else [],
        "recovery": recovery(fits.recovery, patients, settings.recovery_level),
        "pharmacokinetics": summary.exposure(patients, config),
        "pharmacodynamics": summary.pathway(patients),
        "toxicity": summary.toxicity(patients, events, list(config.drug.toxicity.terms)),
        "mtd": summary.maximum_tolerated_dose(study.mtd, config.design.dose_levels),
        "flow": summary.flow(study.patients, study.screened),
    }


def run(config: StudyConfig, run_dir: Path | str) -> dict[str, Any]:
    """The whole job: simulate, fit, compare, report. Each stage is saved as it completes, so a killed run can be resumed.

    Args:
        config: validated settings. run_dir: folder of the run, see ``artefacts.RunFolder``.

    Returns:
        The content of summary.json.
    """
    published_study(config.study.published)  # a misspelt name is told now, not after the simulation
    with RunFolder(run_dir, config) as folder:
        if folder.finished:
            return folder.read_json("summary.json")
        stage = folder.stage("simulate")
        if stage.complete:
            study = _load(config, folder)
        else:
            with stage:
                study = simulate(config)
                _save(study, folder)
        stage = folder.stage("analyse")
        if not stage.complete:
            with stage:
                fits = fit(study)
                for name, tree in fits.by_name().items():
                    with folder.atomic("posterior.nc" if name == "simulated" else f"posterior_{name}.nc") as path:
                        tree.to_netcdf(path, engine="h5netcdf")
                folder.write_json("summary.json", summarise(study, fits))
        with folder.stage("report"), console.step("writing the report", config.compute.progress):
            write_report(folder.path)
        folder.finish()
        return folder.read_json("summary.json")


def _save(study: Study, folder: RunFolder) -> None:
    for name in TABLES:
        folder.write_table(name, getattr(study, name))
    mtd = None if study.mtd is None else study.mtd.tolist()
    folder.write_json("simulation.json", {"screened": study.screened, "mtd": mtd, "solver_check": study.solver_check})


def _load(config: StudyConfig, folder: RunFolder) -> Study:
    """The simulated study of an interrupted run."""
    rest = folder.read_json("simulation.json")
    mtd = None if rest["mtd"] is None else np.array(rest["mtd"], float)  # null: undecided
    tables = {name: folder.read_table(name) for name in TABLES}
    return Study(config, **tables, screened=rest["screened"], mtd=mtd, solver_check=rest["solver_check"])
