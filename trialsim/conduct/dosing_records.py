"""Doses as they were taken, as a table short enough to keep for every patient: one row a stretch of equal doses at equal intervals.

A missed, held or reduced dose ends a stretch, so that the rows are what a dosing record of a pharmacometric data set is: amount,
time, interval and number of further doses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from trialsim.units import HOURS_PER_DAY


class Taken(NamedTuple):
    """What was taken of one drug.

    Attributes:
        drug: its name. mg: of each administration, 0 where none was taken, (patients, days).
        interval_days: days between two administrations of its schedule. doses_a_day: administrations on such a day, evenly spaced.
    """

    drug: str
    mg: np.ndarray
    interval_days: int
    doses_a_day: int = 1


def doses_table(taken: list[Taken], treated_until: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    """One row a stretch, by patient and day: patient_id, drug, dose_mg (of one administration), start_day and end_day (first and
    last day with a dose, 0 = first day of the study; the first dose of a day is at its start), interval_h (time between two
    administrations), n_doses.

    Args:
        treated_until: number of days of treatment that were seen, (patients,); later doses are not in the table. ids: (patients,).
    """
    return pd.concat([_stretches(one, treated_until, ids) for one in taken]).sort_values(
        ["patient_id", "start_day"], kind="stable", ignore_index=True
    )


def _stretches(one: Taken, treated_until: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    given = (one.mg > 0) & (np.arange(one.mg.shape[1]) < np.asarray(treated_until)[:, None])
    patient, day = np.nonzero(given)
    mg = one.mg[patient, day]
    goes_on = (np.diff(patient) == 0) & (np.diff(day) == one.interval_days) & (np.diff(mg) == 0)
    if one.doses_a_day > 1 and one.interval_days > 1:  # not evenly spaced from one day to the next
        goes_on[:] = False
    first = np.flatnonzero(np.concatenate([np.ones(min(len(day), 1), bool), ~goes_on]))
    last = np.append(first[1:], len(day))[: len(first)] - 1
    within_a_day = HOURS_PER_DAY / one.doses_a_day
    return pd.DataFrame(
        {
            "patient_id": ids[patient[first]],
            "drug": np.full(len(first), one.drug, dtype=object),
            "dose_mg": mg[first],
            "start_day": day[first],
            "end_day": day[last],
            "interval_h": within_a_day if one.doses_a_day > 1 else within_a_day * one.interval_days,
            "n_doses": (last - first + 1) * one.doses_a_day,
        }
    )
