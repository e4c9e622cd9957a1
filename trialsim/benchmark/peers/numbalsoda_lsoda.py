"""numbalsoda: LSODA in C++, with right-hand side, doses and patients compiled by numba."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from trialsim.benchmark.peers import equations
from trialsim.benchmark.peers.peer import Peer

RTOL = ATOL = 3e-4


def build(patients: int, days: int) -> Peer:
    """Compile for any number of patients."""
    return compiled("lsoda", RTOL, ATOL, days)


def compiled(method: str, rtol: float, atol: float, days: int) -> Peer:
    """One of numbalsoda's methods by name, restarted at every dose."""
    import numba
    import numbalsoda

    rates = numba.njit(equations.rates)
    integrate = getattr(numbalsoda, method)
    states, parameters_each = equations.STATES, len(equations.PARAMETERS)
    interval, dose = equations.INTERVAL_H, equations.DOSE_UG
    gut, sensitive, resistant = equations.GUT, equations.SENSITIVE, equations.RESISTANT

    @numba.cfunc(numbalsoda.lsoda_sig)
    def right_hand_side(t, y, dy, p):
        change = rates(numba.carray(y, (states,)), numba.carray(p, (parameters_each,)))
        out = numba.carray(dy, (states,))
        for i in range(states):
            out[i] = change[i]

    @numba.njit
    def run(address, start, parameters):
        tumour = np.empty(len(start))
        times = np.array([0.0, interval])
        for i in range(len(start)):
            y, p = start[i].copy(), parameters[i].copy()
            for _ in range(days):
                y[gut] += dose
                path, success = integrate(address, y, times, p, rtol, atol)
                y = path[1].copy()
                if not success:
                    y[:] = np.nan
                    break
            tumour[i] = y[sensitive] + y[resistant]
        return tumour

    def solve(parameters: np.ndarray) -> np.ndarray:
        return run(right_hand_side.address, equations.start(parameters), parameters)

    solve(np.array([equations.TYPICAL]))
    settings = f"{method.upper()}, numba right-hand side, restart at each dose, rtol={rtol:g} atol={atol:g}"
    return Peer(version("numbalsoda"), settings, solve)
