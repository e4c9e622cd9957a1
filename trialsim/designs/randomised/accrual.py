"""When patients enter, and when they leave for reasons of their own."""

from __future__ import annotations

import numpy as np

from trialsim.designs.randomised.piecewise import Piecewise


def poisson_arrivals(rng: np.random.Generator, trials: int, patients: int, rate: Piecewise) -> np.ndarray:
    """Entry of the first patients of each trial, rising, in the unit of the rate's time, (trials, patients).

    A Poisson process of piecewise-constant rate: where its integral passes the sums of unit exponential waits.
    """
    return rate.inverse(np.cumsum(rng.exponential(size=(trials, patients)), axis=1))


def uniform_arrivals(rng: np.random.Generator, trials: int, patients: int, duration: float) -> np.ndarray:
    """Entry of a given number of patients spread evenly over the accrual, rising, (trials, patients)."""
    return np.sort(rng.uniform(0.0, duration, (trials, patients)), axis=1)


def drop_out(rng: np.random.Generator, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """Exponential time to loss of view; inf at a rate of 0."""
    return rng.exponential(size=shape) / rate if rate > 0 else np.full(shape, np.inf)
