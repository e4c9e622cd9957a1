"""A select-the-winner trial on the calendar, many virtual trials at once.

Stage 1 randomises equally to all arms in permuted blocks; the arm with the largest z goes on with the control, one to one. At
every look accrual halts until all outcomes are known, and later patients come later by as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trialsim.designs.adaptive.outcomes import Outcomes
from trialsim.designs.adaptive.selection import Winner, pooled_z


class WinnerPlayed(NamedTuple):
    """What became of each trial, (replicates,) unless said.

    Attributes:
    enrolled: patients treated. n, responders: by arm, the control first, (replicates, arms + 1).
    selected: arm with the largest z at the first look, 1 the first after the control. look: at which the trial ended, 0 the first.
    decision: the selected arm is better than the control. z: of the selected arm at the last look taken.
    end_day: day of the decision, since the trial opened.
    """

    enrolled: np.ndarray
    n: np.ndarray
    responders: np.ndarray
    selected: np.ndarray
    look: np.ndarray
    decision: np.ndarray
    z: np.ndarray
    end_day: np.ndarray


def patients_needed(arms: int, per_arm: Sequence[int]) -> int:
    """Patients of a trial that goes to its end, with `arms` experimental arms and `per_arm` patients an arm at the looks."""
    return (arms + 1) * per_arm[0] + 2 * (per_arm[-1] - per_arm[0])


def play_winner(design: Winner, per_arm: Sequence[int], patients: Outcomes, rng: np.random.Generator) -> WinnerPlayed:
    """Play every replicate.

    Args:
        design: with a ratio of 1. per_arm: patients of the control, and of the arm that goes on, at each look.
        rng: for the randomisation.
    """
    replicates, available, arms = patients.response.shape
    if available < patients_needed(design.arms, per_arm) or arms != design.arms + 1:
        needed = f"{patients_needed(design.arms, per_arm)} patients in {design.arms + 1} arms"
        raise ValueError(f"the design needs {needed}, there are {available} in {arms}")
    if len(per_arm) != len(design.information) or not np.allclose(np.divide(per_arm, per_arm[-1]), design.information):
        raise ValueError(f"per_arm = {list(per_arm)} does not give the information {design.information.tolist()}")
    row = np.arange(replicates)
    n, responders = np.zeros((replicates, arms), int), np.zeros((replicates, arms), int)
    enrolled, look = np.zeros(replicates, int), np.zeros(replicates, int)
    going, decision = np.ones(replicates, bool), np.zeros(replicates, bool)
    shift, day, z, selected = np.zeros(replicates), np.zeros(replicates), np.zeros(replicates), np.zeros(replicates, int)
    first = 0
    for j, more in enumerate(np.diff([0, *per_arm])):
        choice = np.broadcast_to(np.arange(arms), (replicates, arms)) if j == 0 else np.stack([0 * selected, selected], axis=1)
        arm = _permuted(choice, int(more), rng)
        stage = slice(first, first + arm.shape[1])
        first = stage.stop
        taken = lambda values, stage=stage, arm=arm: np.take_along_axis(values[:, stage], arm[..., None], axis=2)[..., 0]
        response, wait = taken(patients.response), taken(patients.known_day)
        for k in range(arms):
            n[:, k] += going * (arm == k).sum(axis=1)
            responders[:, k] += going * (response & (arm == k)).sum(axis=1)
        came = patients.arrival[:, stage] + shift[:, None]
        known = np.maximum(day, (came + wait).max(axis=1))
        shift += known - came[:, -1]
        every = pooled_z(responders, n)
        if j == 0:
            selected = 1 + (every[:, 1:] + 1e-9 * rng.random((replicates, design.arms))).argmax(axis=1)  # ties by lot
        now = every[row, selected]
        day, z, look = np.where(going, known, day), np.where(going, now, z), np.where(going, j, look)
        enrolled += going * arm.shape[1]
        decision |= going & (now > design.efficacy[j])
        going &= (now > design.futility[j]) & (now <= design.efficacy[j])
    return WinnerPlayed(enrolled, n, responders, selected, look, decision, z, day)


def _permuted(choice: np.ndarray, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Each of a replicate's arms once in every block, in random order, (replicates, blocks x arms)."""
    replicates, arms = choice.shape
    order = np.argsort(rng.random((replicates, blocks, arms)), axis=2).reshape(replicates, -1)
    return np.take_along_axis(choice, order, axis=1)
