"""Who is treated, in which virtual study, at which dose. One cohort holds many virtual studies of the published size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trialsim.conduct.observe import dose_limiting
from trialsim.conduct.simulate import simulate_courses
from trialsim.designs.escalation import three_plus_three
from trialsim.schema.design import EscalationSettings

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig


class Allocation(NamedTuple):
    """Attributes, all (patients,) in the order of the cohort unless said:
    treated: enters a study. replicate: virtual study. dose_level: in ``regimen.unit``, NaN if not treated. phase: "escalation",
        "expansion", or "" outside an escalation. step: cohort of the escalation.
    mtd: MTD of each virtual study in ``regimen.unit``; 0 if even the lowest level was too toxic, NaN if the patients ran out
        before a decision, (studies,); None for designs that do not look for one.
    """

    treated: np.ndarray
    replicate: np.ndarray
    dose_level: np.ndarray
    phase: np.ndarray
    step: np.ndarray
    mtd: np.ndarray | None


def allocate(config: StudyConfig, covariates: pd.DataFrame) -> Allocation:
    """Assign doses as the design does.

    Args:
        covariates: patients of the cohort in order of enrolment; in an escalation, of whole virtual studies.
    """
    n = len(covariates)
    replicate = covariates["patient_id"].to_numpy() // config.design.replicate_size
    if not isinstance(config.design, EscalationSettings):
        no_phase = np.full(n, "", dtype=object)
        return Allocation(np.ones(n, bool), replicate, np.full(n, config.regimen.dose), no_phase, np.zeros(n, int), None)
    dlt, evaluable = dlt_by_level(config, covariates)
    levels = np.array(config.design.levels)
    start = int(np.argmin(np.abs(levels - config.regimen.dose)))
    studies = [
        three_plus_three(dlt[queue], evaluable[queue], start, config.design.cohort_size)
        for queue in (replicate == study for study in np.unique(replicate))
    ]
    given = np.concatenate([study.level for study in studies])
    mtd = [levels[study.mtd] if study.mtd >= 0 else 0.0 if study.decided else np.nan for study in studies]
    return Allocation(
        treated=given >= 0,
        replicate=replicate,
        dose_level=np.where(given >= 0, levels[given], np.nan),
        phase=np.concatenate([study.phase for study in studies]),
        step=np.concatenate([study.step for study in studies]),
        mtd=np.array(mtd),
    )


def dlt_by_level(config: StudyConfig, covariates: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Would each patient have a DLT, and could it be judged, at each dose level? Virtual twins: the same patient, the same chances.

    Returns:
        dlt, evaluable: bool, (patients, levels).
    """
    n, levels = len(covariates), config.design.levels
    window = config.design.dlt.window_days
    dlt, evaluable = np.zeros((n, len(levels)), bool), np.zeros((n, len(levels)), bool)
    for j, level in enumerate(levels):
        for part, course in simulate_courses(config, covariates, np.full(n, level), window):
            off = np.where(course.days.on_study.all(axis=1), np.inf, course.days.on_study.argmin(axis=1))
            by_term, can = dose_limiting(config, course, np.minimum(off, window))
            dlt[part, j], evaluable[part, j] = by_term.any(axis=1), can
    return dlt, evaluable
