"""Which patients of the bank come to which replicate of a trial, and when.

The bank is cut into parts that share no patient, and each part serves its own batch of replicates. The spread of a mean between
batches is therefore all of its Monte Carlo error: that of the replicates and that of a bank of finite size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trialsim.streams import derived_seed
from trialsim.units import DAYS_PER_MONTH


class Stream(NamedTuple):
    """Patients in the order in which they come, the same for every design.

    Attributes:
        patient: row of the bank, (replicates, patients). arrival: days from the opening of the trial, inf where nobody comes any
        more, (replicates, patients).
    """

    patient: np.ndarray
    arrival: np.ndarray


def streams(bank: int, replicates: int, patients: int, batches: int, per_month: float, seed: int) -> Iterator[Stream]:
    """One batch of replicates after another.

    Within a replicate no patient comes twice: the part's patients are shuffled, dealt out, and shuffled again when they run out.

    Args:
        bank: patients of the bank, at least ``batches * patients``. replicates: of all batches together. patients: that may come to
            one replicate. per_month: patients a month, arriving as a Poisson process.
    """
    if bank < batches * patients:
        raise ValueError(f"{bank} patients cannot serve {batches} batches of trials to which {patients} patients may come")
    for batch in range(batches):
        rng = np.random.default_rng([derived_seed(seed, "trial_replicates"), batch])
        part = np.arange(batch, bank, batches)
        count = replicates // batches + (batch < replicates % batches)
        a_round = len(part) // patients
        rounds = [rng.permutation(part)[: a_round * patients].reshape(a_round, patients) for _ in range(-(-count // a_round))]
        gaps = rng.exponential(DAYS_PER_MONTH / per_month, (count, patients))
        yield Stream(np.concatenate(rounds)[:count] if rounds else np.zeros((0, patients), int), np.cumsum(gaps, axis=1))


def only(stream: Stream, eligible: np.ndarray, delay: float = 0.0) -> Stream:
    """The eligible patients of a stream, moved to the front of each replicate.

    Args:
        eligible: by row of the bank, bool. delay: days from arrival until eligibility is known (turnaround of an assay).
    """
    fits = eligible[stream.patient]
    order = np.argsort(~fits, axis=1, kind="stable")
    take = lambda values: np.take_along_axis(values, order, axis=1)
    return Stream(take(stream.patient), np.where(take(fits), take(stream.arrival) + delay, np.inf))
