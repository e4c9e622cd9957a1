"""What an escalation did: who was treated, when, at which level, and which level it declared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

UNTREATED, ESCALATION, BACKFILL, EXPANSION = range(4)
PHASES = np.array(["", "escalation", "backfill", "expansion"], dtype=object)  # by code


class Played(NamedTuple):
    """Attributes:
    level: index of the dose level of each patient of the queue, -1 if never treated, (replicates, patients).
    phase: code of what each patient was treated for, an index into `PHASES`, (replicates, patients).
    step: number of the cohort of the escalation in force when the patient started, from 1; one more in the expansion; 0 if
        never treated, (replicates, patients).
    start_day: day of the first dose, NaN if never treated, (replicates, patients).
    mtd: index of the level declared the maximum tolerated dose (MTD), -1 if none, (replicates,).
    decided: whether the design came to a decision before the patients ran out; decided without an MTD: even the lowest level
        was too toxic, (replicates,).
    end_day: day of that decision, NaN if undecided, (replicates,).
    """

    level: np.ndarray
    phase: np.ndarray
    step: np.ndarray
    start_day: np.ndarray
    mtd: np.ndarray
    decided: np.ndarray
    end_day: np.ndarray
