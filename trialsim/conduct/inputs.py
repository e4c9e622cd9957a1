"""From tables and settings to what the kernel takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np

from trialsim.conduct.kernel import Setting, Subject
from trialsim.mechanism.individual import individual_parameters, network_constants, toxicity_parameters
from trialsim.mechanism.routes import Routes
from trialsim.protocol.dosing import SCHEDULES, Rules
from trialsim.protocol.visits import ScanSchedule, scan_schedule
from trialsim.streams import normals, patient_key
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

LESIONS = 5  # RECIST 1.1: at most five target lesions
NEVER = 5  # above the highest CTCAE grade simulated


def _as(dtype: str, tree):
    cast = lambda leaf: np.asarray(leaf, dtype) if np.issubdtype(np.asarray(leaf).dtype, np.floating) else np.asarray(leaf)
    return jax.tree.map(cast, tree)


def follow_up_horizon(config: StudyConfig) -> int:
    """Longest follow-up, days."""
    return int(np.ceil(config.design.max_follow_up_months * DAYS_PER_MONTH))


def make_setting(config: StudyConfig) -> Setting:
    """What all patients share. Leaves without patient axis."""
    terms = config.drug.toxicity.terms
    rule = lambda grades: np.array([grades.get(term, NEVER) for term in terms], np.int32)
    m, growth = config.modification, config.network.growth
    setting = Setting(
        constants=network_constants(config.network),
        toxicity=toxicity_parameters(config.drug, config.seed, np.zeros(1, int))._replace(frailty=np.ones(len(terms))),
        rules=Rules(
            hold_at=rule(m.hold_at),
            reduce_at=rule(m.reduce_at),
            stop_at=rule(m.stop_at),
            resume_at=np.int32(m.resume_at),
            fractions=np.array(m.dose_fractions),
            max_hold_days=np.int32(m.max_hold_days),
        ),
        schedule=np.int32(SCHEDULES[config.regimen.schedule]),
        adherence=np.float64(config.regimen.adherence),
        max_treatment_days=np.int32(config.regimen.max_treatment_days),
        withdrawal_rate=np.float64(config.design.withdrawal_rate_per_month / DAYS_PER_MONTH),
        death_burden=np.float64(growth.death_burden),
        death_progression=np.float64(growth.death_progression),
        new_lesion_growth=np.float64(growth.new_lesion_growth),
        nontarget_ratio=np.float64(config.endpoint.nontarget_progression_ratio),
    )
    return _as(config.compute.precision, setting)


def start_dose_mg(config: StudyConfig, covariates: pd.DataFrame, dose_level: np.ndarray) -> np.ndarray:
    """mg of one administration at full dose."""
    per_m2 = config.regimen.unit == "mg/m2"
    return np.asarray(dose_level, float) * (covariates["bsa_m2"].to_numpy(float) if per_m2 else 1.0)


def make_schedule(config: StudyConfig, ids: np.ndarray) -> ScanSchedule:
    """Scan days of the patients, for the longest follow-up whatever the days simulated."""
    e = config.endpoint
    return scan_schedule(
        config.seed, ids, follow_up_horizon(config), e.scan_interval_weeks, e.scan_jitter_days, e.baseline_window_days,
        e.pre_treatment_scan_weeks, e.missed_scan_fraction,
    )  # fmt: skip


def make_subjects(config: StudyConfig, covariates: pd.DataFrame, dose_level: np.ndarray) -> Subject:
    """Enrolled patients; leaves with leading axis (patients,).

    Args:
        covariates: rows of the cohort, with ``patient_id``.
        dose_level: assigned dose in ``regimen.unit``, (patients,).
    """
    ids = covariates["patient_id"].to_numpy(np.int64)
    seed, growth = config.seed, config.network.growth
    n, occasions = len(ids), follow_up_horizon(config) // config.drug.pk.occasion_days + 1
    column = lambda name: covariates[name].to_numpy(float)
    lesions = np.stack([column(f"lesion_{i + 1}_mm") for i in range(LESIONS)], axis=1)
    resistant = column("resistant_fraction")
    spread = np.exp(growth.lesion_growth_sd * normals(seed, "lesion_growth", ids, LESIONS))
    lesion_resistant = resistant[:, None] * np.exp(growth.lesion_resistant_sd * normals(seed, "lesion_resistant", ids, LESIONS))
    schedule = make_schedule(config, ids)
    scans = schedule.days.shape[1]
    keys = jax.vmap(lambda i: jax.random.key_data(patient_key(seed, "course", i)))(ids.astype(np.uint32))
    subjects = Subject(
        parameters=individual_parameters(
            covariates, config.drug, config.network, config.tumour, seed, ids, occasions, Routes(**config.mechanism.model_dump())
        ),
        frailty=toxicity_parameters(config.drug, seed, ids).frailty,
        lesions_mm=lesions,
        lesion_growth=column("growth_rate_per_day")[:, None] * spread,
        lesion_resistant=np.minimum(lesion_resistant, 0.95),
        growth=column("growth_rate_per_day"),
        resistant=np.minimum(resistant, 0.95),
        nontarget=covariates["nontarget"].to_numpy(bool),
        new_lesion_rate=column("new_lesion_rate_per_day"),
        death_rate=column("death_rate_per_day"),
        full_dose_mg=start_dose_mg(config, covariates, dose_level),
        scan_days=schedule.days,
        scan_missed=schedule.missed,
        scan_normals=normals(seed, "scan_reading", ids, scans * (LESIONS + 1)).reshape(n, scans, LESIONS + 1),
        volume_normals=normals(seed, "scan_volume", ids, scans * LESIONS).reshape(n, scans, LESIONS),
        key=np.asarray(keys),
    )
    return _as(config.compute.precision, subjects)
