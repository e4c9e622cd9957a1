"""The patients of a study, simulated block by block: each block is sampled, given doses, run and tabulated on its own.

A patient is a function of the seed and the patient's own id (in an escalation: of the virtual study), so where one block ends and
the next begins changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, make_schedule, start_dose_mg
from trialsim.conduct.simulate import simulate_courses
from trialsim.conduct.solver_check import meet_accuracy
from trialsim.conduct.tables import make_tables
from trialsim.designs.allocate import allocate
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

Made = TypeVar("Made")


class Block(NamedTuple):
    """Patients ``start`` to ``stop`` - 1 of the cohort."""

    start: int
    stop: int


class Enrolment(NamedTuple):
    """The treated patients of a block.

    Attributes:
        patients: one row a treated patient: the cohort's columns, replicate, dose_level, phase, start_dose_mg, enrolment_day,
            follow_up_days.
        mtd: MTD of each virtual study of the block in ``regimen.unit``, see ``designs.allocate``; None: not sought.
    """

    patients: pd.DataFrame
    mtd: np.ndarray | None


def blocks(config: StudyConfig) -> list[Block]:
    """The blocks of this run's part of the cohort, in order. An escalation is cut between virtual studies only."""
    compute, size, together = config.compute, config.cohort.size, config.design.inseparable
    units = -(-size // together)
    first = units * (compute.part - 1) // compute.parts * together
    last = min(units * compute.part // compute.parts * together, size)
    step = max(compute.block // together, 1) * together
    return [Block(start, min(start + step, last)) for start in range(first, last, step)]


def enrol(config: StudyConfig, block: Block) -> Enrolment:
    """Sample the patients of a block and let the design assign doses."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, np.arange(*block))
    allocation = allocate(config, cohort)
    design = config.design
    longest = min(design.max_follow_up_months * DAYS_PER_MONTH, float(follow_up_horizon(config)))
    day = np.floor(np.where(allocation.treated, allocation.start_day, 0.0)).astype(int)
    enrolled = cohort.assign(
        replicate=allocation.replicate,
        dose_level=allocation.dose_level,
        phase=allocation.phase,
        start_dose_mg=start_dose_mg(config, cohort, allocation.dose_level),
        enrolment_day=day,
        # whoever was enrolled is followed at least through the DLT window, if the accrual ran late
        follow_up_days=np.floor(np.clip(design.cutoff_months * DAYS_PER_MONTH - day, design.dlt.window_days, longest)),
    )
    return Enrolment(enrolled[allocation.treated].reset_index(drop=True), allocation.mtd)


def exact_enough(config: StudyConfig) -> tuple[StudyConfig, dict[str, Any]]:
    """Settings with which the study's patients are computed as exactly as ``compute.accuracy`` asks.

    Found with its first patients, the same in all blocks and parts of it.

    Returns:
        The settings to simulate with, and the numerical error that these have, see `conduct.solver_check`.
    """
    count, together = config.compute.solver_check_patients, config.design.inseparable
    if count == 0:
        return config, {}
    screened = -(-2 * count // together) * together  # not all who are screened are treated
    return meet_accuracy(config, enrol(config, Block(0, min(screened, config.cohort.size))).patients)


def simulate_patients(
    config: StudyConfig, enrolled: pd.DataFrame, days: int | None = None, make: Callable[..., Made] = make_tables
) -> Iterator[Made]:
    """Run enrolled patients through the trial and tabulate what it saw, a chunk at a time.

    Args:
        enrolled: as from `enrol`. days: days simulated; None: the longest follow-up.
        make: tables that are wanted, a function of ``conduct.tables``; not making the others saves a quarter of the time.
    """
    level = enrolled["dose_level"].to_numpy()
    for part, course in simulate_courses(config, enrolled, level, days or follow_up_horizon(config)):
        chunk = enrolled.iloc[part]
        schedule = make_schedule(config, chunk["patient_id"].to_numpy())
        follow_up = chunk["follow_up_days"].to_numpy(float)
        yield make(config, course, schedule, chunk.drop(columns="follow_up_days"), follow_up)
