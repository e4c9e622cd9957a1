"""Blinded independent central review: another reader measures the scans that the site took.

The central reader sees the same lesions with reading errors of its own, and no scan later than the site's last: a patient whom the
site calls progressive leaves treatment and is scanned no more, so a progression that the reader does not confirm is censored there
(informative censoring: Dodd LE et al. J Clin Oncol 2008;26:3791-6). New lesions and progression of non-target disease are taken as
the site saw them (assumed: no count of lesions that only one reader sees was found).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trialsim.conduct.inputs import LARGEST_RESISTANT, LESIONS, lesion_courses
from trialsim.endpoints import measurement, recist
from trialsim.mechanism import growth
from trialsim.streams import normals

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.conduct.kernel import Course
    from trialsim.conduct.observe import Observed
    from trialsim.protocol.visits import ScanSchedule
    from trialsim.schema.study import StudyConfig

RESIDUAL = 0.1  # diameter over that at first dose below which non-target disease is gone, as in the kernel


class Reading(NamedTuple):
    """baseline, size: of the target lesions, sum of diameters in mm or volume in ml as the criteria ask, at baseline (patients,)
    and at the scans on study (patients, scans). response: at these."""

    baseline: np.ndarray
    size: np.ndarray
    response: np.ndarray


def review(config: StudyConfig, course: Course, schedule: ScanSchedule, seen: Observed, covariates: pd.DataFrame) -> Reading:
    """Read every scan again. Arguments as in `observe.patients_table`."""
    ids = covariates["patient_id"].to_numpy()
    n, scans = seen.scan_day.shape
    lesions = lesion_courses(config, covariates)
    error = normals(config.seed, "central_reading", ids, (scans + 1) * (LESIONS + 1)).reshape(n, scans + 1, LESIONS + 1)

    def grown(start: np.ndarray, rate: np.ndarray, resistant: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Diameters on the morning of a day; before the first dose the tumour grew freely."""
        row, last = np.arange(n), np.clip(day - 1, 0, course.days.alive.shape[1] - 1)
        I_s, I_r = (
            np.where(day > 0, np.asarray(value, float)[row, last], day)
            for value in (course.days.I_sensitive, course.days.I_resistant)
        )
        return np.asarray(growth.diameters(start, rate, resistant, I_s, I_r), float)

    criteria = recist.CRITERIA[config.endpoint.criteria]

    def total(scan: int, day: np.ndarray) -> np.ndarray:
        true_mm = grown(*lesions, day)
        if criteria.volume:
            return np.nansum(measurement.read_volumes(true_mm, error[:, scan, 1:], config.endpoint), axis=1)
        return measurement.target_sum(measurement.read_diameters(true_mm, error[:, scan], config.endpoint))

    day = np.where(np.isfinite(seen.scan_day), seen.scan_day, 0).astype(int)
    baseline = total(0, schedule.days[:, 1])
    done = np.isfinite(seen.sum_mm)  # read by the site: neither missed nor unreadable
    sums = np.stack([np.where(done[:, i], total(i + 1, day[:, i]), np.nan) for i in range(scans)], axis=1)
    everywhere = np.ones((n, 1)), covariates["growth_rate_per_day"].to_numpy(float)[:, None], _resistant(covariates)
    nontarget = np.stack([grown(*everywhere, day[:, i])[:, 0] for i in range(scans)], axis=1)
    residual = covariates["nontarget"].to_numpy(bool)[:, None] & (nontarget > RESIDUAL)
    response, _ = recist.assess_history(
        baseline, sums, seen.new_lesion, seen.nontarget_progression, nontarget_residual=residual, criteria=criteria
    )
    return Reading(baseline, sums, np.where(np.isfinite(seen.scan_day), response, int(recist.Response.NE)))


def _resistant(covariates: pd.DataFrame) -> np.ndarray:
    return np.minimum(covariates["resistant_fraction"].to_numpy(float), LARGEST_RESISTANT)[:, None]
