"""3+3 dose escalation (Storer, Biometrics 1989;45:925-937, design with de-escalation), fed by simulated DLTs.

Three patients a level; none with a DLT: up; one: three more, and up if it stays at one of six; two or more: the level is too
toxic, and the level below is filled up to six. The MTD is the highest level with at most one DLT in six patients. Patients who
cannot be judged for DLT are replaced. Once the MTD stands, the rest of the study's patients are treated at it (expansion).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FULL = 6  # evaluable patients that settle a level
TOO_TOXIC = 2  # DLTs at a level that end its use


class Escalation(NamedTuple):
    """Attributes:
    level: index of the dose level of each patient in the queue, -1 if never treated, (patients,).
    phase: "escalation", "expansion" or "" of each patient, (patients,).
    step: number of the cohort that the patient was enrolled in; the next one waits for its DLT window, (patients,).
    mtd: index of the MTD, -1 if there is none. decided: whether the escalation reached a decision before the patients ran out
        (decided without an MTD: even the lowest level was too toxic).
    """

    level: np.ndarray
    phase: np.ndarray
    step: np.ndarray
    mtd: int
    decided: bool


def three_plus_three(dlt: np.ndarray, evaluable: np.ndarray, start: int, cohort: int = 3) -> Escalation:
    """One study.

    Args:
        dlt: would patient i have a DLT at level j, bool, (patients, levels), patients in order of enrolment.
        evaluable: could patient i be judged at level j, bool, (patients, levels).
        start: index of the first level.
        cohort: patients a step.
    """
    patients, levels = dlt.shape
    given = np.full(patients, -1)
    phase, step = np.full(patients, "", dtype=object), np.zeros(patients, int)
    seen, toxic = np.zeros(levels, int), np.zeros(levels, int)
    nxt = cohorts = 0

    def enrol(level: int, wanted: int) -> bool:
        """Treat patients at ``level`` until ``wanted`` more could be judged; False if the queue ends first."""
        nonlocal nxt, cohorts
        cohorts += 1
        while wanted > 0:
            if nxt == patients:
                return False
            given[nxt], phase[nxt], step[nxt] = level, "escalation", cohorts
            if evaluable[nxt, level]:
                seen[level] += 1
                toxic[level] += dlt[nxt, level]
                wanted -= 1
            nxt += 1
        return True

    level, ceiling, decided = start, levels, False
    while not decided:
        if not enrol(level, min(cohort, FULL - seen[level])):
            break
        if toxic[level] >= TOO_TOXIC:
            ceiling, level = level, level - 1
            decided = level < 0 or seen[level] >= FULL
        elif seen[level] >= FULL or toxic[level] == 0:
            if level + 1 < ceiling:
                level += 1
            else:
                decided = seen[level] >= FULL  # the highest usable level needs six
    mtd = level if decided else -1
    if mtd >= 0:
        given[nxt:], phase[nxt:], step[nxt:] = mtd, "expansion", cohorts + 1
    return Escalation(given, phase, step, mtd, decided)


def probability_of_escalation(rate: float) -> float:
    """Exact probability that a level with DLT rate ``rate`` is passed: 0/3, or 1/3 then 0/3."""
    return (1.0 - rate) ** 3 + 3.0 * rate * (1.0 - rate) ** 5
