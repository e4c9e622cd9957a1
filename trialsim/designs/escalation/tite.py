"""Designs that use patients who are still followed (TITE): what they have in common with those that wait for all results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.escalation.conduct import Seen


class TimeToEvent(NamedTuple):
    """Attributes:
    window_days: DLT window, days; a patient followed for u of them free of DLT weighs u / window.
    max_pending: share of the patients at the present level who are not judged yet, above which the trial waits, 0-1.
    min_judged: patients judged at the present level before the one above is opened.
    """

    window_days: float
    max_pending: float
    min_judged: int = 0


def weights(seen: Seen, tite: TimeToEvent) -> np.ndarray:
    """Share of the window for which each patient who is not judged yet has been followed; 0 for all others: (rows, patients)."""
    share = np.clip(np.nan_to_num(seen.open_days) / tite.window_days, 0.0, 1.0)
    return np.where(seen.open_level >= 0, share, 0.0)


def too_many_pending(seen: Seen, tite: TimeToEvent) -> np.ndarray:
    """Whether too few of the present level have been judged for a decision, (rows,)."""
    pending = seen.here(seen.pending)
    return pending > tite.max_pending * (pending + seen.here(seen.judged))


def must_wait(seen: Seen, tite: TimeToEvent | None, last: np.ndarray) -> np.ndarray:
    """Whether the design waits: for too many not judged yet, and before it stops (``last``) for every patient, (rows,)."""
    waits = np.zeros_like(last) if tite is None else too_many_pending(seen, tite)
    return waits | (last & seen.pending.any(axis=1))
