"""Who is treated, in which virtual study, when and at which dose. One cohort holds many virtual studies of the published size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trialsim.conduct.simulate import simulate_courses
from trialsim.conduct.study_drugs import dlt_day, dose_limiting
from trialsim.designs.escalation.from_settings import play_design
from trialsim.designs.escalation.played import PHASES
from trialsim.designs.escalation.queue import Queue
from trialsim.protocol.visits import arrival_days
from trialsim.schema.design import EscalationSettings

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig


class Allocation(NamedTuple):
    """Attributes, all (patients,) in the order of the cohort unless said:
    treated: enters a study. replicate: virtual study. dose_level: in ``regimen.unit``, NaN if not treated. phase: "escalation",
        "backfill", "expansion", or "" outside an escalation. step: cohort of the escalation.
    start_day: day of the first dose from the first patient in of the study, NaN if not treated.
    mtd: MTD of each virtual study in ``regimen.unit``; 0 if even the lowest level was too toxic, NaN if the patients ran out
        before a decision, (studies,); None for designs that do not look for one.
    """

    treated: np.ndarray
    replicate: np.ndarray
    dose_level: np.ndarray
    phase: np.ndarray
    step: np.ndarray
    start_day: np.ndarray
    mtd: np.ndarray | None


class Outlook(NamedTuple):
    """What would happen to each patient at each dose level within the DLT window, all (patients, levels).

    Attributes:
        dlt_day: days from first dose to the DLT, inf: none. evaluable: could be judged. known_day: days until that is settled.
    """

    dlt_day: np.ndarray
    evaluable: np.ndarray
    known_day: np.ndarray


def allocate(config: StudyConfig, covariates: pd.DataFrame) -> Allocation:
    """Assign doses as the design does.

    Args:
        covariates: patients of the cohort in order of enrolment; in an escalation, of whole virtual studies.
    """
    design, n, ids = config.design, len(covariates), covariates["patient_id"].to_numpy()
    replicate = ids // design.replicate_size
    come = arrival_days(config.seed, ids, design.replicate_size, design.accrual_months)
    if not isinstance(design, EscalationSettings):
        no_phase = np.full(n, "", dtype=object)
        dose = np.full(n, config.regimen.dose)
        return Allocation(np.ones(n, bool), replicate, dose, no_phase, np.zeros(n, int), come, None)
    study, place = replicate - replicate[0], ids % design.replicate_size
    shape = (study[-1] + 1, design.replicate_size)

    def laid_out(values: np.ndarray, absent: float) -> np.ndarray:
        """(patients, ...) -> (studies, patients of a study, ...); the last study of a cohort may be smaller than the others."""
        table = np.full((*shape, *values.shape[1:]), absent, values.dtype)
        table[study, place] = values
        return table

    outlook = outlook_by_level(config, covariates)
    queue = Queue(
        laid_out(come, np.inf),
        laid_out(outlook.dlt_day, np.inf),
        laid_out(outlook.evaluable, False),
        laid_out(outlook.known_day, 0.0),
    )
    levels = np.array(design.levels)
    played = play_design(design, queue, int(np.argmin(np.abs(levels - config.regimen.dose))))
    given = played.level[study, place]
    return Allocation(
        treated=given >= 0,
        replicate=replicate,
        dose_level=np.where(given >= 0, levels[given], np.nan),
        phase=PHASES[played.phase[study, place]],
        step=played.step[study, place],
        start_day=played.start_day[study, place],
        mtd=np.where(played.mtd >= 0, levels[played.mtd], np.where(played.decided, 0.0, np.nan)),
    )


def outlook_by_level(config: StudyConfig, covariates: pd.DataFrame) -> Outlook:
    """Short runs of every patient at every dose level. Virtual twins: the same patient, the same chances. Whoever leaves early
    without a DLT is known not to be evaluable from that day; whoever took too little of the dose, at the end of the window."""
    n, levels, window = len(covariates), config.design.levels, config.design.dlt.window_days
    dlt, evaluable, known = np.full((n, len(levels)), np.inf), np.zeros((n, len(levels)), bool), np.zeros((n, len(levels)))
    for j, level in enumerate(levels):
        for part, course in simulate_courses(config, covariates, np.full(n, level), window):
            off = np.where(course.days.on_study.all(axis=1), np.inf, course.days.on_study.argmin(axis=1))
            until = np.minimum(off, window)
            _, evaluable[part, j] = dose_limiting(config, course, until)
            dlt[part, j] = np.where(evaluable[part, j], dlt_day(config, course, until), np.inf)
            known[part, j] = np.minimum(dlt[part, j], until)
    return Outlook(dlt, evaluable, known)
