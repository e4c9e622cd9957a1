"""Which patients are drawn when not all can be: a fixed, proportional choice without random numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd


def even_ranks(count: int, limit: int) -> np.ndarray:
    """Positions of at most ``limit`` evenly spaced ranks among ``count``, first and last included."""
    if count <= limit:
        return np.arange(count)
    return np.unique(np.round(np.linspace(0, count - 1, limit)).astype(int))


def stratified(strata: pd.Series, limit: int) -> pd.Index:
    """At most ``limit`` rows, each stratum in proportion to its size and present at least once while there is room.

    Largest-remainder apportionment; inside a stratum, rows are evenly spaced in their given order.

    Args:
        strata: one label a row.
        limit: most rows wanted.
    """
    if len(strata) <= limit:
        return strata.index
    sizes = strata.value_counts(sort=False).sort_index()
    ideal = sizes * limit / len(strata)
    taken = np.floor(ideal).astype(int)
    for name in sizes.index[np.argsort(-sizes.to_numpy(), kind="stable")][:limit]:
        taken[name] = max(taken[name], 1)
    while taken.sum() > limit:
        taken[(taken - ideal).where(taken > 1, -np.inf).idxmax()] -= 1
    while taken.sum() < limit:
        taken[(ideal - taken).where(taken < sizes, -np.inf).idxmax()] += 1
    chosen = [strata.index[strata == name][even_ranks(sizes[name], taken[name])] for name in sizes.index if taken[name] > 0]
    return strata.index[strata.index.isin(np.concatenate(chosen))]
