"""Dose-finding designs on the bank: every patient's DLTs at every level are known, so a design can be told how well it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.bank.stream import Stream
from trialsim.cohort import sample_cohort
from trialsim.designs.allocate import Outlook, outlook_by_level
from trialsim.designs.escalation.from_settings import play_design
from trialsim.designs.escalation.played import EXPANSION, Played
from trialsim.designs.escalation.queue import Queue
from trialsim.endpoints import proportions
from trialsim.simulation import Block
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.analysis.compare_designs import DoseFindingSettings
    from trialsim.schema.design import EscalationSettings
    from trialsim.schema.study import StudyConfig

OUTCOMES = Outlook._fields


def simulate(config: StudyConfig, design: EscalationSettings, block: Block) -> dict[str, pd.DataFrame]:
    """The patients of a block at every dose level through the DLT window.

    Returns:
        Table ``doses``: patient_id, and for level j ``dlt_day_<j>``, ``evaluable_<j>``, ``known_day_<j>``.
    """
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, np.arange(*block))
    found = outlook_by_level(config.model_copy(update={"design": design}), cohort)
    columns = {f"{name}_{j}": getattr(found, name)[:, j] for j in range(len(design.levels)) for name in OUTCOMES}
    return {"doses": pd.DataFrame({"patient_id": cohort["patient_id"].to_numpy()} | columns)}


def outlook_of(table: pd.DataFrame, levels: int) -> Outlook:
    """From the saved table."""
    return Outlook(*(np.stack([table[f"{name}_{j}"].to_numpy() for j in range(levels)], axis=1) for name in OUTCOMES))


def rates(outlook: Outlook) -> np.ndarray:
    """True probability of a DLT at each level, of a patient who can be judged, (levels,)."""
    dlt = np.isfinite(outlook.dlt_day) & outlook.evaluable
    return dlt.sum(axis=0) / outlook.evaluable.sum(axis=0)


def queue_of(outlook: Outlook, stream: Stream) -> Queue:
    """The patients of a batch of replicates, as a design meets them."""
    at = stream.patient
    return Queue(stream.arrival, outlook.dlt_day[at], outlook.evaluable[at], outlook.known_day[at])


def play(
    design: EscalationSettings, outlook: Outlook, true: np.ndarray, stream: Stream, asked: DoseFindingSettings
) -> pd.DataFrame:
    """One design on a batch of replicates.

    Args:
        true: probability of a DLT at each level, (levels,). asked: what should be found.

    Returns:
        One row a replicate: mtd (level index, -1 none, NaN undecided), correct, near (the level chosen has a DLT
        probability within ``tolerance`` of the target), overdose (a level that is too toxic was chosen),
        treated_<j>, enrolled (without an expansion at the MTD), above (patients treated at levels that are too toxic), dlts,
        months, dlt_rate (observed at the level chosen), dlt_rate_error (less its true rate), dlt_rate_covered
        (by the exact 95 % interval).
    """
    most = design.replicate_size
    queue = queue_of(outlook, Stream(stream.patient[:, :most], stream.arrival[:, :most]))
    start = design.levels.index(asked.start)
    return _measures(play_design(design, queue, start), queue, true, asked)


def _measures(played: Played, queue: Queue, true: np.ndarray, asked: DoseFindingSettings) -> pd.DataFrame:
    levels, toxic, right = len(true), true > asked.too_toxic, right_level(true, asked)
    given = np.where(played.phase == EXPANSION, -1, played.level)  # whom the design needs for its decision
    at = np.maximum(given, 0)[..., None]
    taken = lambda values: np.take_along_axis(values, at, axis=2)[..., 0]
    judged = (given >= 0) & taken(queue.evaluable)
    dlt = judged & np.isfinite(taken(queue.dlt_day))
    treated = np.stack([(given == j).sum(axis=1) for j in range(levels)], axis=1)
    mtd = np.where(played.decided, played.mtd, -2)
    chosen = mtd >= 0
    n, y = ((which & (given == mtd[:, None])).sum(axis=1) for which in (judged, dlt))
    truth = np.where(chosen, true[np.maximum(mtd, 0)], np.nan)
    interval = proportions.clopper_pearson(y, n)
    seen = chosen & (n > 0)
    rate = np.where(seen, y / np.maximum(n, 1), np.nan)
    columns = {
        "mtd": np.where(played.decided, played.mtd, np.nan),
        "correct": mtd == right,
        "near": chosen & (np.abs(truth - asked.target) <= asked.tolerance),
        "overdose": chosen & toxic[np.maximum(mtd, 0)],
        **{f"treated_{j}": treated[:, j] for j in range(levels)},
        "enrolled": treated.sum(axis=1),
        "above": treated[:, toxic].sum(axis=1),
        "dlts": dlt.sum(axis=1),
        "months": played.end_day / DAYS_PER_MONTH,
        "dlt_rate": rate,
        "dlt_rate_error": rate - truth,
        "dlt_rate_covered": np.where(seen, (interval.low <= truth) & (truth <= interval.high), np.nan),
    }
    return pd.DataFrame(columns).astype(float)


def right_level(true: np.ndarray, asked: DoseFindingSettings) -> int:
    """The level whose DLT probability is nearest to the target, of those that are no overdose; -1 if all are. Of two as near the
    less toxic, of two as toxic the higher."""
    safe = true <= asked.too_toxic
    distance = np.where(safe, np.round(np.abs(true - asked.target), 12), np.inf)
    return int(np.lexsort((-np.arange(len(true)), true, distance))[0]) if safe.any() else -1
