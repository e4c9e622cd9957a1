"""Who gets which arm: complete or in permuted blocks, by stratum, for many trials at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def allocate(
    rng: np.random.Generator,
    trials: int,
    patients: int,
    ratio: Sequence[int] = (1, 1),
    blocks: Sequence[int] | None = None,
    stratum: np.ndarray | None = None,
) -> np.ndarray:
    """Arm of each patient, in order of randomisation: 0 control, 1 ..., (trials, patients).

    Args:
        ratio: patients of each arm, control first: (1, 2) has two on the drug for one on control.
        blocks: sizes of the permuted blocks, each a multiple of the ratio's sum; one of several is drawn anew for each block, so
            that nobody knows the last of a block. None: complete randomisation.
        stratum: label of each patient, (trials, patients); each has blocks of its own. None: one list for all.
    """
    each = np.asarray(ratio, int)
    whole = int(each.sum())
    if blocks is None:
        return np.searchsorted(np.cumsum(each), rng.random((trials, patients)) * whole, side="right")
    if any(size % whole or size <= 0 for size in blocks):
        raise ValueError(f"blocks hold a multiple of {whole} patients, got {list(blocks)}")
    if stratum is None:
        return _permuted(rng, trials, patients, each, blocks)
    arm = np.zeros((trials, patients), int)
    for label in np.unique(stratum):
        here = stratum == label
        place = np.cumsum(here, axis=1) - 1
        most = int(here.sum(axis=1).max())
        own = _permuted(rng, trials, most, each, blocks)
        arm = np.where(here, np.take_along_axis(own, np.where(here, place, 0), 1), arm)
    return arm


def _permuted(rng: np.random.Generator, trials: int, patients: int, ratio: np.ndarray, blocks: Sequence[int]) -> np.ndarray:
    """Lists of permuted blocks, (trials, patients)."""
    sizes, longest = np.asarray(blocks, int), max(blocks)
    number = -(-patients // min(blocks))
    content = np.full((len(sizes), longest), -1)
    for row, size in zip(content, sizes, strict=True):
        row[:size] = np.repeat(np.arange(len(ratio)), ratio * (size // ratio.sum()))
    arm = content[rng.integers(len(sizes), size=(trials, number))]
    key = np.where(arm >= 0, rng.random(arm.shape), 2.0)  # what a shorter block lacks comes last
    arm = np.take_along_axis(arm, np.argsort(key, axis=-1), -1).reshape(trials, -1)
    if len(sizes) > 1:
        arm = np.take_along_axis(arm, np.argsort(arm < 0, axis=1, kind="stable"), 1)
    return arm[:, :patients]
