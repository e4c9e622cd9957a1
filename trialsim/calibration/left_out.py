"""Every study predicted from all others, by both models, and how well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.artefacts.files import atomic
from trialsim.calibration import predictive, scores
from trialsim.calibration.criticism import RELIABLE, Loo
from trialsim.calibration.fits import Fit, fit_mechanistic, fit_statistical, geometry_of, without
from trialsim.calibration.problem import Opponent, Problem
from trialsim.calibration.published import JUDGED, Number
from trialsim.calibration.sampling import Sampler
from trialsim.streams import derived_seed

ROUNDING = {"orr": 0.005, "dcr": 0.005, "median_pfs": 0.05, "pfs_hr": 0.005}  # half of the last digit that is printed
MODELS = ("mechanistic", "statistical")
VERSION = 2  # of what a file holds; a change makes all anew


def left_out(
    problem: Problem,
    opponent: Opponent,
    fits: Mapping[str, Fit],
    weighted: Loo,
    sampler: Sampler,
    seed: int,
    folder: Path,
    mode: console.Mode = "auto",
) -> pd.DataFrame:
    """Every study predicted by both models from all others: by this model with importance weights where they are reliable and from
    a fit without the study elsewhere, by the meta-analysis always from such a fit.

    Args:
        fits: of both models to all studies, by name of `MODELS`; the fits without one begin there. weighted: of this model's.

    Returns:
        One row a number of `JUDGED` and model, as from `judged`. What a folder holds of the same evidence is read.
    """
    numbers = problem.numbers
    studies = list(dict.fromkeys(one.study for one in numbers if one.endpoint in JUDGED))
    mark = hashlib.sha256(repr((sampler, seed, numbers, VERSION)).encode())
    stamps = {"statistical": mark.hexdigest()[:16]}
    for array in (problem.system.coefficients, *problem.data):
        mark.update(np.ascontiguousarray(array).tobytes())
    stamps["mechanistic"] = mark.hexdigest()[:16]
    made = {"mechanistic": problem, "statistical": opponent}
    known = {name: geometry_of(made[name], fits[name]) for name in fits}
    fit = {"mechanistic": partial(fit_mechanistic, problem, sampler), "statistical": partial(fit_statistical, opponent, sampler)}
    place = {study: k for k, study in enumerate(weighted.table["study"])}
    rows = []
    with console.progress("predicting each study from the others", len(studies) * len(MODELS), mode) as advance:
        for name, study in product(MODELS, studies):
            own, judge = [one for one in numbers if one.study == study], derived_seed(seed, f"{name} {study}") % 2**31
            if name == "mechanistic" and weighted.table["pareto_k"][place[study]] <= RELIABLE:
                draws = as_without(problem, fits[name], study, weighted.weights[:, place[study]], np.random.default_rng(judge))
                predicted = predictive.drawn(problem.system, problem.data, numbers, draws, np.random.default_rng(judge + 1))
                rows.append(judged(own, predicted, name, seed).assign(how="weighted"))
            else:
                path = folder / "left_out" / f"{name}-{study}-{stamps[name]}.parquet"
                if not path.is_file():
                    predicted = fit[name](judge, without(study), known[name]).predicted
                    with atomic(path) as partial_path:
                        judged(own, predicted, name, seed).to_parquet(partial_path, index=False, engine="pyarrow")
                rows.append(pd.read_parquet(path).assign(how="refitted"))
            advance(1)
    return pd.concat(rows, ignore_index=True)


def as_without(
    problem: Problem, fit: Fit, study: str, weights: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws of a fit to all studies resampled to stand for one without a study, whose own effects are drawn anew."""
    which = rng.choice(len(weights), size=len(weights), p=weights)
    draws = {name: np.array(values[which]) for name, values in fit.draws.items()}
    draws["u"][:, problem.system.studies.index(study)] = rng.normal(size=(len(which), draws["u"].shape[-1]))
    for kind, numbers in problem.kinds.items():
        of_study = [k for k, one in enumerate(numbers) if one.study == study]
        draws[f"e_{kind}"][:, of_study] = rng.normal(size=(len(which), len(of_study)))
    return draws


def judged(numbers: list[Number], predicted: Mapping[str, np.ndarray], name: str, seed: int) -> pd.DataFrame:
    """Predictions beside what was published.

    Args:
        numbers: those that are judged, whose endpoint is of `JUDGED`. predicted: draws of each number. name: of the model.

    Returns:
        study, arm, endpoint, value, n, model, crps, median, low_50, high_50, ... high_90, inside_50, inside_80, inside_90, rank
        (share of draws below the value, ties at random).
    """
    rows = []
    for one in numbers:
        if one.endpoint not in JUDGED:
            continue
        draws, half = np.asarray(predicted[one.name], float), ROUNDING[one.endpoint]
        row = {"study": one.study, "arm": one.arm, "endpoint": one.endpoint, "value": one.value, "n": one.n, "model": name}
        row |= {"crps": scores.scored(draws, one.value, one.endpoint), "median": float(np.median(draws))}
        for level in scores.LEVELS:
            low, high = np.quantile(draws, [0.5 - level / 200, 0.5 + level / 200], method="inverted_cdf")
            row |= {f"low_{level}": low, f"high_{level}": high, f"inside_{level}": scores.inside(draws, one.value, level, half)}
        rng = np.random.default_rng(derived_seed(seed, f"rank {name} {one.name}"))
        rows.append(row | {"rank": scores.rank(draws, one.value, half, rng)})
    return pd.DataFrame(rows)
