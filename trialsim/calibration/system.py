"""All arms as arrays: from named shifts to what each arm's patients do, in one differentiable function.

A cell's logits are quadratic in its shifts (`emulator`); an arm's shares of patients are the mean over its cells, weighted by the
mix of tumour types. Survival is made to fall in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.calibration.emulator import Emulator, pairs
from trialsim.calibration.library import OS_MONTHS, OUTCOMES, PFS_MONTHS, Cell
from trialsim.calibration.parameters import OF_TYPE

EDGE = 3.0  # standard deviations of the prior: beyond what was simulated by little
FIRST_PFS = OUTCOMES.index(f"pfs_{PFS_MONTHS[0]:g}")
FIRST_OS = OUTCOMES.index(f"os_{OS_MONTHS[0]:g}")
ADDED = ("growth", "dependence")  # shifts that a study may add to those of the tumour type


def shift_name(cell: Cell, parameter: str) -> str:
    """The shift that a cell's parameter is: ``growth colorectal``, ``exposure everolimus``, ``new_lesions``."""
    if parameter in OF_TYPE:
        return f"{parameter} {cell.kind}"
    return f"exposure {cell.arm.config.drug.name}" if parameter == "exposure" else parameter


class Outcomes(NamedTuple):
    """Of each arm: shares of patients with `OUTCOMES`, (arms, outcomes)."""

    shares: jax.Array

    @property
    def pfs(self) -> jax.Array:
        return self.shares[:, FIRST_PFS : FIRST_PFS + len(PFS_MONTHS)]

    @property
    def os(self) -> jax.Array:
        return self.shares[:, FIRST_OS : FIRST_OS + len(OS_MONTHS)]


@dataclass(frozen=True, eq=False)
class System:
    """Arrays of all cells, padded to the largest number of parameters.

    Attributes:
        shifts: names of all shifts. arms, studies: names.
        index: shift of each parameter of each cell, (cells, parameters); the last shift is a zero for padding.
        mean, sd: standardisation, same shape. coefficients: (cells, features, outcomes). error: (arms, outcomes).
        arm, share: of each cell. study: of each cell. adds: whether a parameter is growth or dependence, (cells, parameters, 2).
    """

    shifts: tuple[str, ...]
    arms: tuple[str, ...]
    studies: tuple[str, ...]
    index: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    coefficients: np.ndarray
    error: np.ndarray
    arm: np.ndarray
    share: np.ndarray
    study: np.ndarray
    adds: np.ndarray

    def outcomes(self, shifts: Any, added: Any) -> Outcomes:
        """Args: shifts: (shifts,), in the order of the names. added: to growth and dependence of each study, (studies, 2)."""
        values = jnp.concatenate([shifts, jnp.zeros(1)])[self.index]
        values = values + jnp.einsum("cpk,ck->cp", self.adds, added[self.study])
        z = jnp.clip((values - self.mean) / self.sd, -EDGE, EDGE)
        i, j = pairs(z.shape[1])
        X = jnp.concatenate([jnp.ones_like(z[:, :1]), z, z[:, i] * z[:, j]], axis=1)
        p = jax.nn.sigmoid(jnp.einsum("cf,cfk->ck", X, self.coefficients))
        of_arms = jax.ops.segment_sum(p * self.share[:, None], self.arm, len(self.arms))
        falling = lambda part: jax.lax.cummin(part, axis=1)
        pfs, os = of_arms[:, FIRST_PFS : FIRST_PFS + len(PFS_MONTHS)], of_arms[:, FIRST_OS : FIRST_OS + len(OS_MONTHS)]
        return Outcomes(jnp.concatenate([of_arms[:, :FIRST_PFS], falling(pfs), falling(os)], axis=1))


def system(cells: Sequence[Cell], emulators: Sequence[Emulator]) -> System:
    """Everything in one place; cells of one arm must carry shares that sum to 1."""
    arms = tuple(dict.fromkeys(cell.arm.name for cell in cells))
    studies = tuple(dict.fromkeys(cell.arm.study for cell in cells))
    named = [[shift_name(cell, name) for name in emulator.names] for cell, emulator in zip(cells, emulators, strict=True)]
    shifts = tuple(sorted({name for names in named for name in names}))
    place: Mapping[str, int] = {name: k for k, name in enumerate(shifts)}
    C, P, K = len(cells), max(len(names) for names in named), len(OUTCOMES)
    i, j = pairs(P)
    F = 1 + P + len(i)
    index, mean, sd = np.full((C, P), len(shifts)), np.zeros((C, P)), np.ones((C, P))
    coefficients, adds = np.zeros((C, F, K)), np.zeros((C, P, len(ADDED)))
    at = {pair: 1 + P + k for k, pair in enumerate(zip(i.tolist(), j.tolist(), strict=True))}
    arm, error = np.zeros(C, int), np.zeros((len(arms), K))
    for c, (cell, emulator) in enumerate(zip(cells, emulators, strict=True)):
        n = len(emulator.names)
        index[c, :n], mean[c, :n], sd[c, :n] = [place[name] for name in named[c]], emulator.mean, emulator.sd
        coefficients[c, : 1 + n] = emulator.coefficients[: 1 + n]
        rows = [at[pair] for pair in zip(*(axis.tolist() for axis in pairs(n)), strict=True)]
        coefficients[c, rows] = emulator.coefficients[1 + n :]
        for k, name in enumerate(ADDED):
            if name in emulator.names:
                adds[c, emulator.names.index(name), k] = 1.0
        arm[c] = arms.index(cell.arm.name)
        error[arm[c]] += (cell.share * emulator.error) ** 2  # errors of cells are independent
    study = np.array([studies.index(cell.arm.study) for cell in cells])
    share = np.array([cell.share for cell in cells])
    return System(shifts, arms, studies, index, mean, sd, coefficients, np.sqrt(error), arm, share, study, adds)
