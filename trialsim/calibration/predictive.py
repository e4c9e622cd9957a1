"""What trials would publish, drawn from a posterior: one value a draw for each published number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.calibration.library import OS_MONTHS, PFS_MONTHS
from trialsim.calibration.likelihood import KINDS, SPREADS, TAIL, Data, error_sd, log_ratio, moved, rate_shares
from trialsim.calibration.published import Number
from trialsim.calibration.system import System
from trialsim.engine.threads import one_at_a_time

LATEST = 120.0  # months: no later median is drawn


def drawn(
    made: System, data: Data, numbers: Sequence[Number], draws: Mapping[str, np.ndarray], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Values by number, each (draws,). draws: of the posterior, leading axis (draws,), with shifts, u, omega_*, tau_*, e_*."""
    omega = np.stack([draws["omega_growth"], draws["omega_dependence"]], axis=-1)
    with jax.enable_x64(True):
        sd = error_sd(data, {kind: draws[f"tau_{kind}"][:, None] for kind in SPREADS})
        errors = {kind: draws[f"e_{kind}"] * np.asarray(sd[kind]) for kind in KINDS}
        run = _program(made)
        p, pfs, os, ratio = (np.asarray(x) for x in run(data, draws["shifts"], omega[:, None] * draws["u"], errors))
    found, place = {}, {"rate": 0, "time": 0, "ratio": 0}
    for number in numbers:
        if number.endpoint == "pfs_hr":
            i = place["ratio"]
            place["ratio"] += 1
            found[number.name] = np.exp(ratio[:, i] + number.se * rng.normal(size=len(ratio)))
        elif number.endpoint.startswith("median_"):
            i = place["time"]
            place["time"] += 1
            curve, grid = (pfs, PFS_MONTHS) if number.endpoint == "median_pfs" else (os, OS_MONTHS)
            S = np.asarray(moved(jnp.asarray(curve[:, data.time_arm[i]]), errors["time"][:, i, None]))
            found[number.name] = _medians(S, np.array(grid), number.n, rng)
        else:
            i = place["rate"]
            place["rate"] += 1
            found[number.name] = rng.binomial(number.n, p[:, i]) / number.n
    return found


@one_at_a_time
@lru_cache(maxsize=2)
def _program(made: System) -> Callable[..., Any]:
    """Shares, curves and log hazard ratios of many draws; compiled once for a system."""

    def one(data: Data, shifts: Any, added: Any, e: Mapping[str, Any]) -> tuple[Any, ...]:
        found = made.outcomes(shifts, added)
        return rate_shares(data, found.shares, e["rate"]), found.pfs, found.os, log_ratio(data, found) + e["ratio"]

    return jax.jit(lambda data, *draws: jax.lax.map(lambda draw: one(data, *draw), draws))


def _medians(S: np.ndarray, grid: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Medians of n patients each: where S falls to an order statistic of n uniform numbers, (draws,)."""
    level = rng.beta((n + 1) / 2, (n + 1) / 2, size=len(S))
    times = np.concatenate([[0.0], grid])
    curve = np.concatenate([np.ones((len(S), 1)), S], axis=1)
    hazard = np.log(S[:, -1 - TAIL] / S[:, -1]) / (grid[-1] - grid[-1 - TAIL])  # beyond the last point
    found = np.minimum(grid[-1] + np.log(S[:, -1] / level) / np.maximum(hazard, 1e-9), LATEST)
    for k in range(len(grid), 0, -1):
        a, b = curve[:, k - 1], curve[:, k]
        inside = (a > level) & (b <= level)
        share = (a - level) / np.maximum(a - b, 1e-9)
        found = np.where(inside, times[k - 1] + share * (times[k] - times[k - 1]), found)
    return found
