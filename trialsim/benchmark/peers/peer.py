"""What a peer's file must offer.

Each file beside this one has a function ``build(patients, days) -> Peer``. It imports its library, compiles, and touches nothing
else of trialsim than the equations. It may raise ImportError (library missing) or `Unavailable` (a reason in words).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Unavailable(Exception):
    """This peer cannot run here; the message says why."""


class Peer(NamedTuple):
    """A simulator, compiled and ready to be timed."""

    version: str
    settings: str  # method, tolerances, how doses are given
    solve: Callable[[np.ndarray], np.ndarray]  # (patients, 10) parameters -> (patients,) tumour at the end, mm
