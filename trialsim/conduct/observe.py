"""What was seen of each patient by the data cut-off. Nothing later than that is visible."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.conduct.kernel import Course
from trialsim.protocol.dosing import DEATH, ON, WITHDRAWAL
from trialsim.protocol.visits import ScanSchedule


class Observed(NamedTuple):
    """What was seen of each patient. Shapes (patients,) unless said.

    Attributes:
        follow_up: days to the data cut-off. off_study: day of death or withdrawal, inf if neither was seen.
        death: day of death, inf if not seen. until: last day under observation, days.
        treated_until: number of days of treatment, days; ended: treatment ended while observed.
        scan_day: day of each scan on study, NaN if not done or after the end of observation, (patients, scans).
        scan: fields of ``kernel.Scan`` at those scans, (patients, scans).
    """

    follow_up: np.ndarray
    off_study: np.ndarray
    death: np.ndarray
    until: np.ndarray
    treated_until: np.ndarray
    ended: np.ndarray
    scan_day: np.ndarray
    sum_mm: np.ndarray
    volume_ml: np.ndarray
    new_lesion: np.ndarray
    nontarget_progression: np.ndarray
    response: np.ndarray


def _first(happened: np.ndarray) -> np.ndarray:
    """Index of the first True along days, inf if none: (patients, days) -> (patients,)."""
    return np.where(happened.any(axis=1), happened.argmax(axis=1), np.inf)


def observe(course: Course, schedule: ScanSchedule, follow_up: np.ndarray) -> Observed:
    """Cut each course at death, withdrawal or data cut-off."""
    days = course.days
    total = days.alive.shape[1]
    follow_up = np.minimum(follow_up, total)
    death = _first(~days.alive)
    off_study = _first(~days.on_study)
    seen_off = off_study < follow_up
    until = np.where(seen_off, off_study, follow_up)
    stopped = _first(days.status != ON)
    ended = stopped < np.minimum(until + 1, follow_up)
    # death and withdrawal come at the end of a day whose dose was taken; progression and toxicity are seen before the dose
    at_stop = days.status[np.arange(len(stopped)), np.where(np.isfinite(stopped), stopped, 0).astype(int)]
    last_dose_taken = np.isin(at_stop, (DEATH, WITHDRAWAL))
    on_study = schedule.days[:, 2:]
    rows = np.arange(len(on_study))[:, None]
    inside = np.clip(on_study, 0, total - 1)
    done = days.scanned[rows, inside] & (on_study < total) & (on_study <= until[:, None])
    at = lambda field: np.where(done, field[rows, inside], np.nan)
    flag = lambda field: done & field[rows, inside]
    return Observed(
        follow_up=follow_up,
        off_study=np.where(seen_off, off_study, np.inf),
        death=np.where(seen_off & (death <= off_study), death, np.inf),
        until=until,
        treated_until=np.where(ended, np.minimum(stopped + last_dose_taken, until + last_dose_taken), until),
        ended=ended,
        scan_day=np.where(done, on_study, np.nan),
        sum_mm=at(days.scan.sum_mm),
        volume_ml=at(days.scan.volume_ml),
        new_lesion=flag(days.scan.new_lesion),
        nontarget_progression=flag(days.scan.nontarget_progression),
        response=np.where(done, days.scan.response[rows, inside], 0).astype(int),
    )


def pathway(course: Course) -> dict[str, np.ndarray]:
    """Pathway read-outs by name, folds of the patient's own untreated state, (patients, days)."""
    day = course.days.day
    return {
        "ps6_tumour": day.ps6[..., 0],
        "p4ebp1_tumour": day.p4ebp1[..., 0],
        "pakt_tumour": day.pakt[..., 0],
        "perk_tumour": day.perk,
        "autophagy_tumour": day.autophagy,
        "ps6_pbmc": day.ps6[..., 1],
        "p4ebp1_pbmc": day.p4ebp1[..., 1],
        "pakt_pbmc": day.pakt[..., 1],
    }
