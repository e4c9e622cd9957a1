"""Every patient of the bank under every treatment that a design compares (`schema.design.treatments`): what is seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon, start_dose_mg
from trialsim.conduct.tables import make_patients
from trialsim.schema.design.treatments import ALONE, CONTROL, CROSSOVER, DRUG
from trialsim.simulation import Block, simulate_patients

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

COVARIATES = ("tumour_type", "pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss")
READ = ("pfs_days", "pfs_event", "best_response", "best_response_unconfirmed", "response_day")  # by a reader
OUTCOMES = (*READ, "os_days", "os_event", "integration_ok")
CENTRAL = "_central"


def arm_of(config: StudyConfig, arm: str) -> StudyConfig:
    """The study as the patients of one arm of a predicted trial live it: with the partner drugs of that arm only."""
    settings = config.analysis
    if getattr(settings, "control", None) != "active":
        return config
    if arm == DRUG:
        return config.model_copy(update={"partner": {name: config.partner[name] for name in settings.drug_partners}})
    given = {}
    for name, asked in settings.control_partners.items():
        partner = config.partner[name]
        changes = {key: value for key, value in asked.model_dump().items() if value is not None}
        given[name] = partner.model_copy(update={"regimen": partner.regimen.model_copy(update=changes)})
    return config.model_copy(update={"partner": given})


def enrolled(config: StudyConfig, ids: np.ndarray, treatment: str) -> pd.DataFrame:
    """Patients under one treatment, each followed for ``design.max_follow_up_months``."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, ids)
    dose = 0.0 if treatment == CONTROL else config.regimen.dose
    level = np.full(len(cohort), float(treatment.removeprefix("dose_")) if treatment.startswith("dose_") else dose)
    levels = getattr(config.analysis, "dose_levels", None)
    if levels and treatment == DRUG:
        level = np.asarray(levels, float)[ids % len(levels)]
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
    found = list(simulate_patients(config, enrolled(config, np.arange(*block), treatment), make=make_patients))
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
