"""Probability that a sequence of test statistics crosses its bounds, by recursive numerical integration.

Looks k = 1 ... K at information I_k. The score S_k = Z_k sqrt(I_k) has independent normal increments of mean theta (I_k - I_(k-1))
and variance I_k - I_(k-1). With f_k the density of Z_k among the trials still running after look k,

    f_k(z) = int f_(k-1)(y) sqrt(I_k / D) phi( (z sqrt(I_k) - y sqrt(I_(k-1)) - theta D) / sqrt(D) ) dy,    D = I_k - I_(k-1)

and a bound is crossed with the integral of the same against the normal distribution function (Armitage, McPherson & Rowe, J R Stat
Soc A 1969;132:235-44; Jennison & Turnbull, Group Sequential Methods, 2000, chapter 19). Here by Gauss-Legendre quadrature on what
lies between the bounds, for any leading axes (designs, drifts, trials) at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

TAIL = 8.5
"""Standard deviations beyond which a normal density is left out: 1e-17 of it."""
FEWEST, MOST = 48, 512  # nodes of a look
PER_SD = 2.2
"""Nodes for a standard deviation of the kernel: the quadrature then errs by less than 1e-10 (tested against scipy's)."""


class Running(NamedTuple):
    """Trials that have crossed no bound so far.

    Attributes:
        information: at the last look, (...).
        z: nodes, (..., nodes). mass: probability of each node, (..., nodes).
    """

    information: np.ndarray
    z: np.ndarray
    mass: np.ndarray


class Crossing(NamedTuple):
    """Probability of crossing the upper and the lower bound at each look, and no bound before, (..., looks)."""

    upper: np.ndarray
    lower: np.ndarray


def crossing(information: ArrayLike, lower: ArrayLike, upper: ArrayLike, drift: ArrayLike = 0.0) -> Crossing:
    """Crossing probabilities of a design.

    Args:
        information: rising, (..., looks). lower, upper: bounds of Z, -inf and inf where there is none, (..., looks).
        drift: theta, mean of Z over the root of information, (...).
    """
    information, lower, upper = (np.asarray(x, float) for x in (information, lower, upper))
    theta, nodes = np.asarray(drift, float), enough_nodes(information)
    running, up, down = start((), nodes), [], []
    for i, low, high in zip(*(np.moveaxis(x, -1, 0) for x in np.broadcast_arrays(information, lower, upper)), strict=True):
        up.append(exceed(running, i, theta, high))
        down.append(fall_below(running, i, theta, low))
        running = advance(running, i, theta, low, high, nodes)
    return Crossing(np.stack(up, axis=-1), np.stack(down, axis=-1))


def start(shape: tuple[int, ...], nodes: int) -> Running:
    """Before the first look: no information, Z = 0."""
    return Running(np.zeros(shape), np.zeros((*shape, nodes)), np.full((*shape, nodes), 1.0 / nodes))


def enough_nodes(information: ArrayLike) -> int:
    """Nodes with which every step between these looks is resolved; `MOST` where a step is tiny."""
    i = np.asarray(information, float)
    if i.shape[-1] < 2:
        return FEWEST
    share = np.diff(i, axis=-1) / i[..., 1:]
    narrowest = np.sqrt(max(float(np.min(share)), 1e-6))
    return int(np.clip(np.ceil(PER_SD * 2 * TAIL / narrowest), FEWEST, MOST))


def exceed(running: Running, information: np.ndarray, drift: ArrayLike, bound: ArrayLike) -> np.ndarray:
    """Probability of being still running and having Z above the bound at the next look, (...)."""
    return np.sum(running.mass * ndtr(_ahead(running, information, drift, bound)), axis=-1)


def fall_below(running: Running, information: np.ndarray, drift: ArrayLike, bound: ArrayLike) -> np.ndarray:
    """Probability of being still running and having Z below the bound at the next look, (...)."""
    return np.sum(running.mass * ndtr(-_ahead(running, information, drift, bound)), axis=-1)


def _ahead(running: Running, information: np.ndarray, drift: ArrayLike, bound: ArrayLike) -> np.ndarray:
    """How far each node's mean lies above the bound, in standard deviations of the step, (..., nodes)."""
    new, root, past = information - running.information, np.sqrt(information), np.sqrt(running.information)
    step, root, past, high, theta = (x[..., None] for x in np.broadcast_arrays(new, root, past, bound, drift))
    return (running.z * past + theta * step - high * root) / np.sqrt(step)


def advance(
    running: Running, information: np.ndarray, drift: ArrayLike, lower: ArrayLike, upper: ArrayLike, nodes: int
) -> Running:
    """Trials between the bounds at the next look."""
    information, theta, below, above = np.broadcast_arrays(*(np.asarray(x, float) for x in (information, drift, lower, upper)))
    centre = theta * np.sqrt(information)
    low = np.clip(below, centre - TAIL, centre + TAIL)
    high = np.maximum(np.clip(above, centre - TAIL, centre + TAIL), low)
    x, w = _legendre(nodes)
    half = 0.5 * (high - low)[..., None]
    z = low[..., None] + half * (1.0 + x)
    step = (information - running.information)[..., None, None]
    root, past = np.sqrt(information)[..., None, None], np.sqrt(running.information)[..., None, None]
    ahead = (z[..., :, None] * root - running.z[..., None, :] * past - theta[..., None, None] * step) / np.sqrt(step)
    density = np.sum(running.mass[..., None, :] * np.exp(-0.5 * ahead**2) * (root / np.sqrt(2.0 * np.pi * step)), axis=-1)
    return Running(information, z, density * half * w)


@lru_cache(maxsize=64)
def _legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(nodes)
