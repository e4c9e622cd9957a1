"""Every patient of the bank with the drug and without it: what is seen of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, start_dose_mg
from trialsim.simulation import Block, simulate_patients

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Arm = Literal["drug", "control", "crossover"]
ARMS: tuple[Arm, ...] = ("drug", "control")
COVARIATES = ("tumour_type", "pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss")
READ = ("pfs_days", "pfs_event", "best_response", "best_response_unconfirmed", "response_day")  # by a reader
OUTCOMES = (*READ, "os_days", "os_event", "integration_ok")
CENTRAL = "_central"


def enrolled(config: StudyConfig, block: Block, arm: Arm) -> pd.DataFrame:
    """The patients of a block, all in one arm, each followed for ``design.max_follow_up_months``."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, np.arange(*block))
    level = np.full(len(cohort), 0.0 if arm == "control" else config.regimen.dose)
    if arm == "crossover":
        cohort = cohort.assign(crosses=True)
    return cohort.assign(
        replicate=0,
        dose_level=level,
        phase="",
        start_dose_mg=start_dose_mg(config, cohort, level),
        enrolment_day=0,
        follow_up_days=float(follow_up_horizon(config)),
    )


def simulate(config: StudyConfig, block: Block, arm: Arm) -> dict[str, pd.DataFrame]:
    """One arm of a block. ``drug``: the rapalog at ``regimen.dose``; ``control``: without it; ``crossover``: from progression on.
    Partner drugs are given in all of them.

    Returns:
        Table ``patients``, one row a patient: patient_id, `COVARIATES`, `OUTCOMES`, and those of `READ` by the central reader,
        ``<outcome>_central``, where ``endpoint.central_review`` is set.
    """
    found = [tables.patients for tables in simulate_patients(config, enrolled(config, block, arm))]
    columns = ["patient_id", *COVARIATES, *OUTCOMES]
    columns += [name + CENTRAL for name in READ] if config.endpoint.central_review else []
    return {"patients": pd.concat(found, ignore_index=True)[columns]}


def paired(drug: pd.DataFrame, control: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two arms without the patients whose course could not be integrated in either, row by row the same patients."""
    if not np.array_equal(drug["patient_id"], control["patient_id"]):
        raise ValueError("the two arms must hold the same patients in the same order")
    ok = drug["integration_ok"].to_numpy(bool) & control["integration_ok"].to_numpy(bool)
    return drug[ok].reset_index(drop=True), control[ok].reset_index(drop=True)
