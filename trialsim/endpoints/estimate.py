"""The one shape in which every endpoint is reported: a number, its interval, how many patients, which method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A point estimate with a two-sided interval.

    Attributes:
        estimate: the value; NaN where it is not reached or not defined. Scalar, or an array of any shape.
        low, high: limits of the interval, same shape; NaN where not reached.
        n: patients the estimate rests on.
        method: name of the interval, e.g. ``"Clopper-Pearson"``.
    """

    estimate: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    n: int | np.ndarray
    method: str
