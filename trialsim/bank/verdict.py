"""Success or failure of one patient, as a design with a binary endpoint sees it, and when it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trialsim.bank.treatments import CENTRAL

if TYPE_CHECKING:
    import pandas as pd


class Verdict(NamedTuple):
    """Of each patient under one treatment, (patients,).

    Attributes:
        success: bool. known_day: days from the first dose until it is known whether it is one. evaluable: False for whoever left
            before anything could be said; counted as failure or replaced, as the design has it.
    """

    success: np.ndarray
    known_day: np.ndarray
    evaluable: np.ndarray


def response_by(table: pd.DataFrame, day: float, confirmed: bool, central: bool) -> Verdict:
    """Objective response (CR or PR) first seen by ``day``.

    Known at the response, at progression, or on ``day``; a response to be confirmed counts from its first visit. Not evaluable:
    no readable scan and no progression.

    Args:
        table: from `treatments.simulate`. confirmed: by a later scan, as ``endpoint.confirmation_weeks`` asks. central: as the
            central reader saw it.
    """
    read = lambda name: table[name + (CENTRAL if central else "")].to_numpy()
    best = read("best_response" if confirmed else "best_response_unconfirmed")
    response_day, pfs_days, pfs_event = read("response_day").astype(float), read("pfs_days").astype(float), read("pfs_event")
    success = np.isin(best, ("CR", "PR")) & (response_day <= day)
    known = np.where(success, response_day, np.where(pfs_event, np.minimum(pfs_days, day), day))
    return Verdict(success, known, success | pfs_event.astype(bool) | (pfs_days > 0))


def progression_free_at(table: pd.DataFrame, day: float, jitter: float, central: bool) -> Verdict:
    """Neither progression nor death by ``day``, a scan on about that day included.

    Success: no event up to ``day + jitter``, and a readable scan without progression no earlier than ``day - jitter``. Not
    evaluable: lost to view before that.

    Args:
        table, central: as in `response_by`. jitter: largest deviation of a scan from its planned day, days.
    """
    read = lambda name: table[name + (CENTRAL if central else "")].to_numpy()
    days, event = read("pfs_days").astype(float), read("pfs_event").astype(bool)
    failure = event & (days <= day + jitter)
    success = ~failure & (days >= day - jitter)
    return Verdict(success, np.where(failure, days, day + jitter), success | failure)
