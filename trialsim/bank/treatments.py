"""Every patient of the bank under every treatment that a design compares (`schema.design.treatments`): what is seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, start_dose_mg
from trialsim.schema.design.treatments import ALONE, CONTROL, CROSSOVER
from trialsim.simulation import Block, simulate_patients

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

COVARIATES = ("tumour_type", "pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss")
READ = ("pfs_days", "pfs_event", "best_response", "best_response_unconfirmed", "response_day")  # by a reader
OUTCOMES = (*READ, "os_days", "os_event", "integration_ok")
CENTRAL = "_central"


def enrolled(config: StudyConfig, block: Block, treatment: str) -> pd.DataFrame:
    """The patients of a block under one treatment, each followed for ``design.max_follow_up_months``."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, np.arange(*block))
    dose = 0.0 if treatment == CONTROL else config.regimen.dose
    level = np.full(len(cohort), float(treatment.removeprefix("dose_")) if treatment.startswith("dose_") else dose)
    if treatment == CROSSOVER:
        cohort = cohort.assign(crosses=True)
    return cohort.assign(
        replicate=0,
        dose_level=level,
        phase="",
        start_dose_mg=start_dose_mg(config, cohort, level),
        enrolment_day=0,
        follow_up_days=float(follow_up_horizon(config)),
    )


def simulate(config: StudyConfig, block: Block, treatment: str) -> dict[str, pd.DataFrame]:
    """One treatment of a block.

    Returns:
        Table ``patients``, one row a patient: patient_id, `COVARIATES`, `OUTCOMES`, and those of `READ` by the central reader,
        ``<outcome>_central``, where ``endpoint.central_review`` is set.
    """
    if treatment == ALONE:
        config = config.model_copy(update={"partner": {}})
    found = [tables.patients for tables in simulate_patients(config, enrolled(config, block, treatment))]
    columns = ["patient_id", *COVARIATES, *OUTCOMES]
    columns += [name + CENTRAL for name in READ] if config.endpoint.central_review else []
    return {"patients": pd.concat(found, ignore_index=True)[columns]}


def integrated(outcomes: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables without the patients whose course could not be integrated under some treatment: row by row the same patients."""
    ids = [table["patient_id"].to_numpy() for table in outcomes.values()]
    if any(not np.array_equal(ids[0], other) for other in ids[1:]):
        raise ValueError("all treatments must hold the same patients in the same order")
    ok = np.all([table["integration_ok"].to_numpy(bool) for table in outcomes.values()], axis=0)
    return {name: table[ok].reset_index(drop=True) for name, table in outcomes.items()}
