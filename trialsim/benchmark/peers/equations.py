"""BENCH-1 in plain arithmetic, so that JAX, numba and Warp can each compile the same lines. Time in hours.

States, in order: drug in gut, centre and periphery (ug); IRS, PI3K, AKT, mTORC1 (C1), mTORC2 (C2), S6K, EBP, ERK, autophagy
(AUT) as active fractions; adaptation (ADP); sensitive and resistant tumour (mm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PARAMETERS = ("CL", "Vc", "Vp", "K", "kg", "V0", "a_fb", "m", "pten", "ras")  # what varies; units in benchmark.data
TYPICAL = (17.5, 191.0, 517.0, 4.0, 0.00035, 60.0, 3.0, 0.15, 1.0, 0.15)  # their medians, for a first call
DOSE_UG = 1e4  # into the gut at the start of every interval
INTERVAL_H = 24.0
DAYS = 168
STATES = 15
GUT, SENSITIVE, RESISTANT = 0, 13, 14  # places of the states that are dosed and read
KA = 4.0  # absorption, /h
Q = 43.0  # flow between centre and periphery, L/h
IMAX = 0.95  # largest inhibition of mTORC1
RESISTANT_FRACTION = 0.02  # of the tumour at the start
START = (0.0, 0.0, 0.0, 0.4, 0.3, 0.3, 0.5, 0.4, 0.5, 0.5, 0.3, 0.3, 0.0)  # all but the tumour


def rates(y: Any, p: Any) -> Any:
    """Change per hour of each state, as a tuple; ``y`` and ``p`` are indexed in the orders above."""
    gut, centre, periphery, irs, pi3k, akt, c1, c2, s6k, ebp, erk, aut, adp, sensitive, resistant = (
        y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7], y[8], y[9], y[10], y[11], y[12], y[13], y[14]
    )  # fmt: skip
    cl, vc, vp, k, kg, a_fb, m, pten, ras = p[0], p[1], p[2], p[3], p[4], p[6], p[7], p[8], p[9]
    concentration = centre / vc  # ug/L = ng/mL
    occupied = IMAX * concentration / (k + concentration)
    c1e = c1 * (1.0 - occupied)
    drive = 0.55 * ebp + 0.25 * akt + 0.2 * erk + 0.3 * adp * erk
    return (
        -KA * gut,
        KA * gut - (cl + Q) / vc * centre + Q / vp * periphery,
        Q / vc * centre - Q / vp * periphery,
        6.0 * (1.0 - irs) - 4.0 * irs * (1.0 + a_fb * s6k),
        8.0 * (0.5 * irs + m) * (1.0 - pi3k) - 6.0 * pten * pi3k,
        12.0 * pi3k * (0.4 + 0.6 * c2) * (1.0 - akt) - 5.0 * akt,
        6.0 * (0.2 + akt) * (1.0 - c1) - 3.0 * c1,
        3.0 * (0.2 + pi3k) * (1.0 - c2) - 1.5 * c2 * (1.0 + 0.5 * occupied),
        10.0 * c1e * (1.0 - s6k) - 3.0 * s6k,
        5.0 * c1e * (1.0 - ebp) - 2.0 * ebp,
        6.0 * (ras + 0.4 * (1.0 - s6k)) * (1.0 - erk) - 5.0 * erk,
        0.5 * (1.0 - c1e) * (1.0 - aut) - 0.4 * aut,
        0.002 * ((1.0 - c1e) - adp),
        kg * sensitive * (2.0 * drive - 0.45) - 0.0004 * sensitive * (1.0 - 0.6 * aut) * occupied,
        kg * resistant * (2.0 * drive - 0.25),
    )


def table(patients: Mapping[str, Sequence[float] | np.ndarray]) -> np.ndarray:
    """Parameters as (patients, 10), in the order of `PARAMETERS`."""
    return np.column_stack([np.asarray(patients[name], np.float64) for name in PARAMETERS])


def start(parameters: np.ndarray) -> np.ndarray:
    """States before the first dose, (patients, 15), from `table`."""
    v0 = parameters[:, PARAMETERS.index("V0")]
    tumour = np.column_stack([v0 * (1.0 - RESISTANT_FRACTION), v0 * RESISTANT_FRACTION])
    return np.concatenate([np.tile(np.array(START), (len(v0), 1)), tumour], axis=1)


def tumour(states: np.ndarray) -> np.ndarray:
    """Tumour size, mm, of (patients, 15) states."""
    return states[:, SENSITIVE] + states[:, RESISTANT]
