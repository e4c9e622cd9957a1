"""A study's patients as the engine takes them: every dose of the schedule taken in full, nobody leaves, nothing is read off a scan.

What is left of a trial is what the drug does to the tumour, without chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from trialsim.conduct import combination
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.kernel import Setting, Subject
from trialsim.engine import Model, Plan, Regimen
from trialsim.mechanism import partners, rapalog, routes
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import TUMOUR, steps_for
from trialsim.protocol import dosing
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig


class FullDose(NamedTuple):
    """What `engine.simulate` takes.

    Attributes:
        model, parameters, regimen, plan: see ``engine.simulate``. The lesion is one of 1 mm, growing as the patient's disease;
            partner drugs enter by the mean of their effects.
        subjects, setting: where they are from.
    """

    model: Model
    parameters: dict[str, np.ndarray]
    regimen: Regimen
    plan: Plan
    subjects: Subject
    setting: Setting


def at_full_dose(config: StudyConfig, patients: pd.DataFrame, dose_level: np.ndarray, days: int) -> FullDose:
    """Patients over ``days`` days of the study's regimen.

    Args:
        patients: rows of the cohort. dose_level: assigned dose in ``regimen.unit``, (patients,).
    """
    subjects, setting = make_subjects(config, patients, dose_level), make_setting(config)
    kinetics = kinetics_of(config.drug)
    lesion = {"d0_mm": np.ones(len(patients)), "growth_per_day": subjects.growth, "resistant": subjects.resistant}
    due = np.asarray(jax.vmap(lambda day: dosing.scheduled(setting.schedule, day))(np.arange(days)))
    return FullDose(
        model=rapalog.model_of(setting.constants, kinetics),
        parameters=rapalog.parameters_of(subjects.parameters, lesion) | mean_effects(subjects, setting, days),
        regimen=Regimen(np.outer(subjects.full_dose_mg, due), HOURS_PER_DAY),
        plan=Plan(steps_for(config.compute.accuracy, kinetics), grading=kinetics.grading, precision=config.compute.precision),
        subjects=subjects,
        setting=setting,
    )


def mean_effects(subjects: Subject, setting: Setting, days: int) -> dict[str, np.ndarray]:
    """What partner drugs at full dose do to each node of the tumour, (patients,), on average over ``days`` days; by parameter of
    `rapalog.model_of`, empty without partners."""
    if setting.partners is None:
        return {}
    due = jax.vmap(lambda day: combination.due(setting.partners, day))(np.arange(days))
    patients_last = routes.cut(jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), subjects.parameters))
    _, effects = partners.course(patients_last.partners, due[..., None] * subjects.partner_mg.T)
    return {f"i_{node}": np.asarray(value.mean(axis=0)) for node, value in effects[TUMOUR].items()}
