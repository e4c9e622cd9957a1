"""The patients who come to a trial, each with the outcome under control and under the drug, and the marker as measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trialsim.designs.biomarker.assay import Assay, read
from trialsim.units import DAYS_PER_MONTH


class MarkedCandidates(NamedTuple):
    """Patients of many virtual trials in the order in which they come.

    Attributes:
        arrival: days since the trial opened, not falling; inf where nobody comes any more, (replicates, patients).
        time: days from randomisation to the endpoint or to loss from view, under control [0] and the drug [1]: the same patient
            under both (virtual twins), (replicates, patients, 2).
        event: whether it is the endpoint, bool, (replicates, patients, 2).
        marker: as measured: 1 positive, 0 negative, NaN without a result, (replicates, patients).
    """

    arrival: np.ndarray
    time: np.ndarray
    event: np.ndarray
    marker: np.ndarray


def plain_candidates(
    replicates: int,
    patients: int,
    rng: np.random.Generator,
    *,
    per_month: float,
    median: float,
    prevalence: float,
    hr_positive: float,
    hr_negative: float,
    prognosis: float = 1.0,
    loss_per_month: float = 0.0,
    follow_up: float = np.inf,
    assay: Assay | None = None,
) -> MarkedCandidates:
    """Patients with exponential times and hazards proportional within the truly positive and the truly negative.

    A patient's time under the drug is that under control over the hazard ratio: the twins share their luck.

    Args:
        per_month: patients a month, arriving as a Poisson process. median: time to the endpoint of negative patients under control,
            days. prevalence: of the true marker, 0-1. hr_positive, hr_negative: hazard ratio of the drug in those truly so.
            prognosis: hazard ratio of positive over negative patients under control. loss_per_month: rate of loss from view.
            follow_up: longest follow-up of one patient, days. assay: that measures the marker; None: the truth is known.
    """
    shape = (replicates, patients)
    arrival = np.cumsum(rng.exponential(DAYS_PER_MONTH / per_month, shape), axis=1)
    truth = rng.random(shape) < prevalence
    luck = rng.exponential(median / np.log(2.0), shape)[..., None] / np.where(truth, prognosis, 1.0)[..., None]
    effect = np.stack([np.ones(shape), np.where(truth, hr_positive, hr_negative)], axis=-1)
    end = luck / effect
    lost = np.full((*shape, 1), follow_up)
    if loss_per_month > 0.0:
        lost = np.minimum(lost, rng.exponential(DAYS_PER_MONTH / loss_per_month, (*shape, 1)))
    marker = read(truth, assay or Assay(), rng)
    return MarkedCandidates(arrival, np.minimum(end, lost), end <= lost, marker)
