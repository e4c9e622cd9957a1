"""Global sensitivity over the unit cube: Morris screening and Sobol indices, designs and estimates by SALib.

Morris (Technometrics 1991;33:161-174): along each trajectory one parameter at a time takes a large step; the effects of a parameter
over the trajectories have a mean absolute value mu* (Campolongo 2007 Environ Model Softw 22:1509: how much it matters) and a spread
sigma (how much that depends on the others, or on where it stands).

Sobol (Math Comput Simul 2001;55:271-280; estimators of Saltelli 2010 Comput Phys Commun 181:259): the first-order index is the
share of an outcome's variance that would go if the parameter were known, the total index the share that would stay if all others
were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from SALib.analyze import morris as morris_analysis
from SALib.analyze import sobol as sobol_analysis
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample

LEVEL = 0.95  # of the intervals
RESAMPLES = 1000


def unit_cube(names: Sequence[str]) -> dict:
    """SALib's statement of independent uniforms."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def morris_design(names: Sequence[str], trajectories: int, levels: int, seed: int) -> np.ndarray:
    """(trajectories x (parameters + 1), parameters), each in 0 to 1."""
    return morris_sample.sample(unit_cube(names), trajectories, num_levels=levels, seed=seed)


def morris_indices(
    names: Sequence[str], design: np.ndarray, outcomes: Mapping[str, np.ndarray], levels: int, seed: int
) -> pd.DataFrame:
    """outcome, parameter, mu, mu_star, low, high (bootstrap interval of mu*), sigma; in the outcome's unit per whole range."""
    rows = []
    for outcome, y in outcomes.items():
        found = morris_analysis.analyze(
            unit_cube(names), design, np.asarray(y, float), RESAMPLES, LEVEL, num_levels=levels, seed=seed
        )
        half, mu_star = np.nan_to_num(_plain(found["mu_star_conf"])), _plain(found["mu_star"])
        low, high = np.maximum(mu_star - half, 0.0), mu_star + half
        columns = {"mu": _plain(found["mu"]), "mu_star": mu_star, "low": low, "high": high, "sigma": _plain(found["sigma"])}
        rows.append(pd.DataFrame({"outcome": outcome, "parameter": list(names)} | columns))
    return pd.concat(rows, ignore_index=True)


def sobol_design(names: Sequence[str], samples: int, seed: int) -> np.ndarray:
    """(samples x (parameters + 2), parameters), each in 0 to 1. ``samples``: a power of two."""
    return sobol_sample.sample(unit_cube(names), samples, calc_second_order=False, seed=seed)


def sobol_indices(names: Sequence[str], outcomes: Mapping[str, np.ndarray], seed: int) -> pd.DataFrame:
    """outcome, parameter, index (first, total), estimate, low, high (bootstrap); of an outcome that does not vary, all zero."""
    rows = []
    for outcome, y in outcomes.items():
        y = np.asarray(y, float)
        still = np.ptp(y) <= 1e-12 * max(1.0, float(np.max(np.abs(y))))
        if not still:
            found = sobol_analysis.analyze(
                unit_cube(names), y, calc_second_order=False, num_resamples=RESAMPLES, conf_level=LEVEL, seed=seed
            )
        for index, key in (("first", "S1"), ("total", "ST")):
            value = np.zeros(len(names)) if still else _plain(found[key])
            half = np.zeros(len(names)) if still else _plain(found[f"{key}_conf"])
            columns = {"estimate": value, "low": value - half, "high": value + half}
            rows.append(pd.DataFrame({"outcome": outcome, "parameter": list(names), "index": index} | columns))
    return pd.concat(rows, ignore_index=True)


def _plain(values) -> np.ndarray:
    return np.asarray(np.ma.filled(np.ma.asarray(values, float), 0.0), float)


def leading(indices: pd.DataFrame, rank_by: Sequence[str], count: int) -> list[str]:
    """The ``count`` parameters of largest mu*, each outcome's relative to its own largest, averaged over ``rank_by``."""
    table = indices[indices["outcome"].isin(rank_by)].pivot(index="parameter", columns="outcome", values="mu_star")
    relative = table / table.max().where(table.max() > 0, 1.0)
    return relative.mean(axis=1).sort_values(ascending=False, kind="stable").index[:count].tolist()
