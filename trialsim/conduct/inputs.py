"""From tables and settings to what the kernel takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from trialsim.conduct.combination import make_combination, schedule_of
from trialsim.conduct.kernel import Setting, Subject
from trialsim.mechanism.individual import individual_parameters, network_constants, toxicity_parameters
from trialsim.mechanism.routes import Routes
from trialsim.protocol.dosing import Rules
from trialsim.protocol.visits import ScanSchedule, scan_schedule
from trialsim.streams import keys, normals
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

LESIONS = 5  # RECIST 1.1: at most five target lesions
LARGEST_RESISTANT = 0.95  # share of the tumour
SCANS_TOGETHER = 16  # places for scans are a multiple of this
NO_DAY = 30_000  # of a place without a scan, beyond any follow-up; int16 would hold it
NEVER = 5  # above the highest CTCAE grade simulated


def _as(dtype: str, tree):
    cast = lambda leaf: np.asarray(leaf, dtype) if np.issubdtype(np.asarray(leaf).dtype, np.floating) else np.asarray(leaf)
    return jax.tree.map(cast, tree)


def follow_up_horizon(config: StudyConfig) -> int:
    """Longest follow-up, days."""
    return int(np.ceil(config.design.max_follow_up_months * DAYS_PER_MONTH))


def make_setting(config: StudyConfig) -> Setting:
    """What all patients share. Leaves without patient axis."""
    terms, m, growth = config.terms, config.rules, config.network.growth
    rule = lambda grades: np.array([grades.get(term, NEVER) for term in terms], np.int32)
    setting = Setting(
        constants=network_constants(config.network),
        toxicity=toxicity_parameters(config.drug, terms, config.seed, np.zeros(1, int))._replace(frailty=np.ones(len(terms))),
        rules=Rules(
            hold_at=rule(m.hold_at),
            reduce_at=rule(m.reduce_at),
            stop_at=rule(m.stop_at),
            resume_at=np.int32(m.resume_at),
            fractions=np.array(m.dose_fractions),
            max_hold_days=np.int32(m.max_hold_days),
        ),
        schedule=schedule_of(config.regimen),
        adherence=np.float64(config.regimen.adherence),
        max_treatment_days=np.int32(config.regimen.max_treatment_days),
        withdrawal_rate=np.float64(config.design.withdrawal_rate_per_month / DAYS_PER_MONTH),
        death_burden=np.float64(growth.death_burden),
        death_progression=np.float64(growth.death_progression),
        new_lesion_growth=np.float64(growth.new_lesion_growth),
        nontarget_ratio=np.float64(config.endpoint.nontarget_progression_ratio),
        partners=make_combination(config),
    )
    return _as(config.compute.precision, setting)


def _mg(dose: np.ndarray | float, unit: str, covariates: pd.DataFrame) -> np.ndarray:
    """mg of a dose in ``unit``, (patients,)."""
    size = covariates["bsa_m2"].to_numpy(float) if unit == "mg/m2" else np.ones(len(covariates))
    return np.asarray(dose, float) * size


def start_dose_mg(config: StudyConfig, covariates: pd.DataFrame, dose_level: np.ndarray) -> np.ndarray:
    """mg of one administration at full dose."""
    return _mg(dose_level, config.regimen.unit, covariates)


def partner_dose_mg(config: StudyConfig, covariates: pd.DataFrame) -> np.ndarray | None:
    """mg of one administration of each partner drug at full dose, (patients, partners); None if there are none."""
    regimens = [partner.regimen for partner in config.partner.values()]
    return np.stack([_mg(regimen.dose, regimen.unit, covariates) for regimen in regimens], axis=1) if regimens else None


def make_schedule(config: StudyConfig, ids: np.ndarray) -> ScanSchedule:
    """Scan days of the patients, for the longest follow-up whatever the days simulated."""
    e = config.endpoint
    return scan_schedule(
        config.seed, ids, follow_up_horizon(config), e.scan_interval_weeks, e.scan_jitter_days, e.baseline_window_days,
        e.pre_treatment_scan_weeks, e.missed_scan_fraction,
    )  # fmt: skip


class Lesions(NamedTuple):
    """Target lesions of the patients, NaN where absent, (patients, lesions): diameter at first dose (mm), untreated growth of the
    diameter (1/day), resistant part of the volume at first dose."""

    diameter_mm: np.ndarray
    growth: np.ndarray
    resistant: np.ndarray


def lesion_courses(config: StudyConfig, covariates: pd.DataFrame) -> Lesions:
    """A patient's lesions differ from each other in growth and resistance."""
    seed, growth = config.seed, config.network.growth
    ids = covariates["patient_id"].to_numpy(np.int64)
    column = lambda name: covariates[name].to_numpy(float)
    spread = np.exp(growth.lesion_growth_sd * normals(seed, "lesion_growth", ids, LESIONS))
    resistant = np.exp(growth.lesion_resistant_sd * normals(seed, "lesion_resistant", ids, LESIONS))
    return Lesions(
        diameter_mm=np.stack([column(f"lesion_{i + 1}_mm") for i in range(LESIONS)], axis=1),
        growth=column("growth_rate_per_day")[:, None] * spread,
        resistant=np.minimum(column("resistant_fraction")[:, None] * resistant, LARGEST_RESISTANT),
    )


def make_subjects(config: StudyConfig, covariates: pd.DataFrame, dose_level: np.ndarray) -> Subject:
    """Enrolled patients; leaves with leading axis (patients,).

    Args:
        covariates: rows of the cohort, with ``patient_id``; those with a column ``crosses`` that is true take the rapalog only from
            progression on.
        dose_level: assigned dose in ``regimen.unit``, (patients,).
    """
    ids = covariates["patient_id"].to_numpy(np.int64)
    seed = config.seed
    n, occasions = len(ids), follow_up_horizon(config) // config.drug.pk.occasion_days + 1
    dose_mg, routes = start_dose_mg(config, covariates, dose_level), Routes(**config.mechanism.model_dump())
    column = lambda name: covariates[name].to_numpy(float)
    lesions = lesion_courses(config, covariates)
    schedule = make_schedule(config, ids)
    scans = schedule.days.shape[1]
    unused = -scans % SCANS_TOGETHER  # so that studies that scan at other intervals run the same compiled program
    padded = lambda values, value: np.pad(values, ((0, 0), (0, unused)) + ((0, 0),) * (values.ndim - 2), constant_values=value)
    subjects = Subject(
        parameters=individual_parameters(
            covariates, config.drug, config.network, config.tumour, seed, ids, occasions, dose_mg, config.partner, routes
        ),
        frailty=toxicity_parameters(config.drug, config.terms, seed, ids).frailty,
        lesions_mm=lesions.diameter_mm,
        lesion_growth=lesions.growth,
        lesion_resistant=lesions.resistant,
        growth=column("growth_rate_per_day"),
        resistant=np.minimum(column("resistant_fraction"), LARGEST_RESISTANT),
        nontarget=covariates["nontarget"].to_numpy(bool),
        new_lesion_rate=column("new_lesion_rate_per_day"),
        death_rate=column("death_rate_per_day"),
        full_dose_mg=dose_mg,
        scan_days=padded(schedule.days, NO_DAY),
        scan_missed=padded(schedule.missed, True),
        scan_normals=padded(normals(seed, "scan_reading", ids, scans * (LESIONS + 1)).reshape(n, scans, LESIONS + 1), 0.0),
        volume_normals=padded(normals(seed, "scan_volume", ids, scans * LESIONS).reshape(n, scans, LESIONS), 0.0),
        key=keys(seed, "course", ids),
        partner_mg=partner_dose_mg(config, covariates),
        crosses=covariates["crosses"].to_numpy(bool) if "crosses" in covariates else None,
    )
    return _as(config.compute.precision, subjects)
