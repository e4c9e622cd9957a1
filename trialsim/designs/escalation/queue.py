"""The patients whom an escalation can draw on: when they could start, and what would happen to them at every dose level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trialsim.units import DAYS_PER_MONTH


class Queue(NamedTuple):
    """Patients in order of arrival, for each trial replicate. A patient is the same at all levels (virtual twins).

    Attributes:
        arrival: day on which each could start, non-decreasing; inf: never comes, (replicates, patients).
        dlt_day: days from first dose to the dose-limiting toxicity (DLT); inf: none within the window,
            (replicates, patients, levels).
        evaluable: could be judged for DLT; True wherever there is a DLT, (replicates, patients, levels).
        known_day: days from first dose until the judgement stands: the DLT, the end of the window, or the day of leaving of
            a patient who cannot be judged, (replicates, patients, levels).
        response: responds to treatment, known when the judgement of DLT is; None: not looked at, (replicates, patients, levels).
    """

    arrival: np.ndarray
    dlt_day: np.ndarray
    evaluable: np.ndarray
    known_day: np.ndarray
    response: np.ndarray | None = None


def plain_queue(
    rates: ArrayLike,
    replicates: int,
    patients: int,
    window_days: float,
    per_month: float,
    rng: np.random.Generator,
    evaluable: float = 1.0,
    latency: str = "uniform",
    response_rates: ArrayLike | None = None,
) -> Queue:
    """Bernoulli DLTs and a Poisson stream of patients, the first on day 0.

    Args:
        rates: DLT rate of each level among patients who can be judged, 0-1, (levels,). One uniform a patient serves all levels,
            so that a DLT at a level is one at every more toxic level.
        window_days: DLT window, days. per_month: patients who come in a month.
        evaluable: share who can be judged; the others leave, free of DLT, on a uniform day of the window.
        latency: when DLTs happen: "uniform" over the window, or "late": in its second half (uniform there).
        response_rates: response rate of each level, 0-1, (levels,); None: responses are not looked at.
    """
    rates = np.asarray(rates, float)
    shape = (replicates, patients)
    gaps = rng.exponential(DAYS_PER_MONTH / per_month, shape)
    gaps[:, 0] = 0.0
    toxic = rng.random(shape)[..., None] < rates
    when = rng.random(shape)
    when = {"uniform": when, "late": 0.5 + 0.5 * when}[latency] * window_days
    judged = np.broadcast_to((rng.random(shape) < evaluable)[..., None], toxic.shape)
    leaving = rng.random(shape)[..., None] * window_days
    dlt_day = np.where(toxic & judged, when[..., None], np.inf)
    known_day = np.where(judged, np.minimum(dlt_day, window_days), leaving)
    response = None if response_rates is None else rng.random(shape)[..., None] < np.asarray(response_rates, float)
    return Queue(np.cumsum(gaps, axis=1), dlt_day, judged, known_day, response)
