"""A study's patients as the engine takes them: every dose of the schedule taken in full, nobody leaves, nothing is read off a scan.

What is left of a trial is what the drug does to the tumour, without chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.kernel import Subject
from trialsim.engine import Model, Plan, Regimen
from trialsim.mechanism import rapalog
from trialsim.mechanism.patient import MESH_GRADING, steps_for
from trialsim.protocol import dosing
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig


class FullDose(NamedTuple):
    """What `engine.simulate` takes.

    Attributes:
        model, parameters, regimen, plan: see ``engine.simulate``. The lesion is one of 1 mm, growing as the patient's disease.
        subjects: where the parameters are from.
    """

    model: Model
    parameters: dict[str, np.ndarray]
    regimen: Regimen
    plan: Plan
    subjects: Subject


def at_full_dose(config: StudyConfig, patients: pd.DataFrame, dose_level: np.ndarray, days: int) -> FullDose:
    """Patients over ``days`` days of the study's regimen.

    Args:
        patients: rows of the cohort. dose_level: assigned dose in ``regimen.unit``, (patients,).
    """
    subjects, setting = make_subjects(config, patients, dose_level), make_setting(config)
    lesion = {"d0_mm": np.ones(len(patients)), "growth_per_day": subjects.growth, "resistant": subjects.resistant}
    due = np.asarray(jax.vmap(lambda day: dosing.scheduled(setting.schedule, day))(np.arange(days)))
    return FullDose(
        model=rapalog.model_of(setting.constants),
        parameters=rapalog.parameters_of(subjects.parameters, lesion),
        regimen=Regimen(np.outer(subjects.full_dose_mg, due), HOURS_PER_DAY),
        plan=Plan(steps_for(config.compute.accuracy), grading=MESH_GRADING, precision=config.compute.precision),
        subjects=subjects,
    )
