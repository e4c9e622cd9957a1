"""One virtual study from validated settings to saved results: what the command line and the Python API both call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, make_schedule, start_dose_mg
from trialsim.conduct.observe import Tables, make_tables
from trialsim.conduct.simulate import simulate_courses
from trialsim.designs.allocate import Allocation, allocate
from trialsim.protocol.visits import enrolment_days
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


@dataclass(frozen=True)
class Study:
    """A simulated study.

    Attributes:
        config: what defined it.
        patients, visits, pharmacodynamics, adverse_events: its tables (columns: README, "What a run leaves behind").
        screened: patients of the cohort, treated or not.
        mtd: MTD of each virtual study in ``regimen.unit`` (NaN: none), or None if the design does not look for one.
        solver_check: error of the fast scheme against the reference solver, see ``conduct.solver_check``.
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
    from trialsim.conduct.solver_check import solver_check

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
        config.seed, cohort["patient_id"].to_numpy(), allocation.position, design.replicate_size, design.accrual_months
    )
    longest = min(design.max_follow_up_months * DAYS_PER_MONTH, float(follow_up_horizon(config)))
    enrolled = cohort.assign(
        replicate=allocation.replicate,
        dose_level=allocation.dose_level,
        start_dose_mg=start_dose_mg(config, cohort, allocation.dose_level),
        enrolment_day=day,
        follow_up_days=np.floor(np.minimum(design.cutoff_months * DAYS_PER_MONTH - day, longest)),
    )
    return enrolled[allocation.treated].reset_index(drop=True)
