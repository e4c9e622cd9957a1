"""From shifts to the share of patients with an outcome, told from simulated patients by penalised logistic regression.

    logit p_k(z) = c_k + sum_j a_kj z_j + sum_i<=j b_kij z_i z_j,      z_j = (shift_j - mean_j)/sd_j
    c ~ N(logit of the mean rate, 1.5), a ~ N(A, 0.1), b_jj ~ N(B, 0.03), b_ij ~ N(B, 0.02)

for each outcome k of a cell, one Bernoulli trial a patient. A and B are what all cells with and without the rapalog have in common,
the mean of their own estimates with A = B = 0 and SDs of 0.5, 0.1 and 0.05, weighted by patients; the SDs are ours, of those tried
(0.04 to 2) near the best for patients left out. The mode is found by Newton's method; the curvature there gives the standard error
of logit p, which the calibration carries along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from trialsim.calibration.library import OUTCOMES
from trialsim.calibration.parameters import Parameter

ALONE = (0.5, 0.1, 0.05)  # SD of linear, square and product terms
TOGETHER = (0.1, 0.03, 0.02)  # of their deviation from what all cells have in common
INTERCEPT_SD = 1.5
ITERATIONS = 30
TOLERANCE = 1e-5  # of a Newton step
PARTNER = "partner"  # all partner drugs count as one parameter in what cells have in common


class Emulator(NamedTuple):
    """Of one cell.

    Attributes:
        names: parameters. mean, sd: their standardisation, (parameters,). coefficients: (features, outcomes).
        error: standard error of the logit, median over the prior, (outcomes,).
    """

    names: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    coefficients: np.ndarray
    error: np.ndarray


def pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the products, squares among them."""
    return np.triu_indices(count)


def features(z, xp=np):
    """1, z and the products of z, (..., parameters) -> (..., features). ``xp``: numpy or jax.numpy."""
    i, j = pairs(z.shape[-1])
    return xp.concatenate([xp.ones_like(z[..., :1]), z, z[..., i] * z[..., j]], axis=-1)


def labels(names: Sequence[str]) -> list[tuple[str, ...]]:
    """What each feature is of, partner drugs by one name, for cells to share."""
    plain = [PARTNER if name.startswith(PARTNER) else name for name in names]
    i, j = pairs(len(names))
    return [(), *((name,) for name in plain), *(tuple(sorted((plain[a], plain[b]))) for a, b in zip(i, j, strict=True))]


def fitted(cells: Sequence[tuple[dict[str, Parameter], pd.DataFrame, bool]]) -> list[Emulator]:
    """Emulators of all cells.

    Args:
        cells: parameters; patients from `library.simulated`; whether they were given the rapalog.
    """
    alone = [_of_cell(parameters, patients, ALONE, {}) for parameters, patients, _ in cells]
    common = {on_drug: _common(cells, alone, on_drug) for on_drug in (False, True)}
    return [_of_cell(parameters, patients, TOGETHER, common[on_drug]) for parameters, patients, on_drug in cells]


def _common(cells: Sequence, found: Sequence[Emulator], on_drug: bool) -> dict[tuple[str, ...], np.ndarray]:
    """Mean coefficients by feature, (outcomes,), over cells with or without the rapalog."""
    total: dict[tuple[str, ...], np.ndarray] = {}
    weight: dict[tuple[str, ...], float] = {}
    for (_, patients, given), emulator in zip(cells, found, strict=True):
        if given == on_drug:
            for label, row in zip(labels(emulator.names), emulator.coefficients, strict=True):
                total[label] = total.get(label, 0.0) + len(patients) * row
                weight[label] = weight.get(label, 0.0) + len(patients)
    return {label: total[label] / weight[label] for label in total if label}


def _of_cell(
    parameters: dict[str, Parameter],
    patients: pd.DataFrame,
    sds: tuple[float, float, float],
    common: Mapping[tuple[str, ...], np.ndarray],
) -> Emulator:
    names = tuple(parameters)
    mean = np.array([prior.mean for prior in parameters.values()])
    sd = np.array([prior.sd for prior in parameters.values()])
    X = features((patients[list(names)].to_numpy() - mean) / sd)
    i, j = pairs(len(names))
    precision = np.concatenate([[INTERCEPT_SD], np.full(len(names), sds[0]), np.where(i == j, sds[1], sds[2])]) ** -2
    zero = np.zeros(len(OUTCOMES))
    prior = np.stack([common.get(label, zero) for label in labels(names)])
    fits = [_logistic(X, patients[name].to_numpy(float), prior[:, k], precision) for k, name in enumerate(OUTCOMES)]
    return Emulator(names, mean, sd, np.stack([fit[0] for fit in fits], axis=1), np.array([fit[1] for fit in fits]))


def _logistic(X: np.ndarray, y: np.ndarray, prior: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients and the standard error of the logit."""
    rate = (y.sum() + 0.5) / (len(y) + 1.0)
    prior = np.concatenate([[np.log(rate / (1 - rate))], prior[1:]])
    beta = prior.copy()
    for _ in range(ITERATIONS):
        p = expit(X @ beta)
        w = np.maximum(p * (1 - p), 1e-9)
        H = (X * w[:, None]).T @ X + np.diag(precision)
        step = np.linalg.solve(H, X.T @ (y - p) - precision * (beta - prior))
        beta = beta + step * min(1.0, 4.0 / max(np.abs(X @ step).max(), 1e-12))
        if np.abs(step).max() < TOLERANCE:
            break
    some = X[: min(len(X), 512)]
    return beta, float(np.sqrt(np.median(np.einsum("ij,jk,ik->i", some, np.linalg.inv(H), some))))
