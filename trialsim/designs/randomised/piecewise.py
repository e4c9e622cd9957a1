"""Rates that are constant between given times: of accrual, of events, of drop-out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Piecewise(NamedTuple):
    """A rate, per unit of time.

    Attributes:
        start: of each piece, rising from 0, (pieces,). rate: on it, up to the next; the last lasts for ever, (pieces,).
    """

    start: np.ndarray
    rate: np.ndarray

    def at(self, time: ArrayLike) -> np.ndarray:
        """Rate at a time; a piece includes its start."""
        return self.rate[np.searchsorted(self.start, time, side="right") - 1]

    def cumulative(self, time: ArrayLike) -> np.ndarray:
        """Integral of the rate from 0 to a time; 0 before 0."""
        t = np.maximum(np.asarray(time, float), 0.0)
        piece = np.searchsorted(self.start, t, side="right") - 1
        return self._until[piece] + self.rate[piece] * (t - self.start[piece])

    def inverse(self, value: ArrayLike) -> np.ndarray:
        """Time at which the integral reaches a value; inf where it never does."""
        v = np.asarray(value, float)
        piece = np.searchsorted(self._until, v, side="right") - 1
        more = v - self._until[piece]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(more <= 0.0, self.start[piece], self.start[piece] + more / self.rate[piece])

    def scaled(self, factor: float) -> Piecewise:
        """The same with every rate times a factor."""
        return Piecewise(self.start, self.rate * factor)

    @property
    def _until(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(self.rate[:-1] * np.diff(self.start))])


def piecewise(rate: ArrayLike, start: ArrayLike = (0.0,)) -> Piecewise:
    """Checked; a single number is a constant rate."""
    start, rate = np.asarray(start, float), np.atleast_1d(np.asarray(rate, float))
    if start.shape != rate.shape or start[0] != 0.0 or np.any(np.diff(start) <= 0) or np.any(rate < 0):
        raise ValueError(f"a rate of 0 or more for each start, rising from 0, got {rate.tolist()} from {start.tolist()}")
    return Piecewise(start, rate)
