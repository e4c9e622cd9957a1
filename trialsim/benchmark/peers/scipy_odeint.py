"""scipy's odeint (LSODA in Fortran or C) with a right-hand side compiled by numba."""

from __future__ import annotations

import numpy as np

from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Peer

RTOL = ATOL = 3e-4


def build(patients: int, days: int) -> Peer:
    """Compile the right-hand side; one call of odeint per dose."""
    import numba
    import scipy
    from scipy.integrate import odeint

    rates = numba.njit(equations.rates)
    right_hand_side = numba.njit(lambda y, t, p: np.array(rates(y, p)))
    times = np.array([0.0, equations.INTERVAL_H])

    def solve(parameters: np.ndarray) -> np.ndarray:
        states = equations.start(parameters)
        for i, p in enumerate(parameters):
            y = states[i]
            for _ in range(days):
                y[equations.GUT] += equations.DOSE_UG
                y = odeint(right_hand_side, y, times, args=(p,), rtol=RTOL, atol=ATOL)[1]
            states[i] = y
        return equations.tumour(states)

    right_hand_side(np.ones(equations.STATES), 0.0, np.array(equations.TYPICAL))
    return Peer(
        scipy.__version__, f"odeint (LSODA), numba right-hand side, one call per dose, rtol={RTOL:g} atol={ATOL:g}", solve
    )
