"""Runs that differ in their seed alone, taken together: what a setting gives over all the patients that the seeds made.

The patients of trials are put together and the endpoints are those of all of them. Any other result is the mean of the runs'
estimates, its interval recovered from theirs (MOVER; Zou & Donner, Stat Med 2008;27:1693-702): of the mean of S independent
estimates x_s with limits l_s and u_s,

    low = mean - sqrt(sum (x_s - l_s)^2) / S,   high = mean + sqrt(sum (u_s - x_s)^2) / S.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trialsim import summary
from trialsim.artefacts.tables import read_table
from trialsim.sweeps.record import COMPLETE
from trialsim.sweeps.runs import SEED, Result, Run, Runs, is_trial, results_of


def together(runs: Runs) -> Runs:
    """The complete runs by setting, those of several seeds as one; the same runs where no setting has several seeds."""
    keys = tuple(key for key in runs.keys if key != SEED)
    groups: dict[str, list[Run]] = {}
    for run in runs.complete:
        groups.setdefault(repr([run.values.get(key) for key in keys]), []).append(run)
    if SEED not in runs.keys or len(groups) < 2 or max(map(len, groups.values())) < 2:
        return runs
    return Runs(runs.folder, keys, [_one(members, keys) for members in groups.values()], runs.more, runs.record)


def _one(members: Sequence[Run], keys: Sequence[str]) -> Run:
    first = members[0]
    return Run(
        ", ".join(run.name for run in members), first.folder, {key: first.values.get(key) for key in keys}, COMPLETE, "",
        first.results if len(members) == 1 else _results(members), first.saved, first.units, tuple(members),
    )  # fmt: skip


def _results(members: Sequence[Run]) -> dict[str, Result]:
    names = [name for name in members[0].results if all(name in run.results for run in members)]
    pooled = _of_all_patients(members) if all(map(is_trial, members)) else {}
    return {name: pooled[name] if name in pooled else mean([run.results[name] for run in members]) for name in names}


def _of_all_patients(members: Sequence[Run]) -> dict[str, Result]:
    tables = [read_table(run.folder / "patients.parquet") for run in members]
    every = pd.concat([table[table["integration_ok"]] for table in tables], ignore_index=True)
    assert members[0].saved is not None
    unit = str(members[0].saved.config["regimen"]["unit"])
    return results_of({"kind": "trial", "endpoints": summary.endpoints(every, unit)})


def mean(results: Sequence[Result]) -> Result:
    """Of independent estimates of one quantity; not known where one of them is not."""
    x, low, high = (np.array([getattr(one, name) for one in results], float) for name in ("estimate", "low", "high"))
    known = lambda value: float(value) if np.isfinite(value) else None
    middle, count = x.mean(), len(results)
    sizes = [one.n for one in results if one.n is not None]
    below, above = (np.sqrt(np.sum((x - limit) ** 2)) / count for limit in (low, high))
    n = sum(sizes) if len(sizes) == count else None
    method = f"mean of {count} seeds, MOVER"
    return Result(known(middle), known(middle - below), known(middle + above), n, results[0].unit, method)
