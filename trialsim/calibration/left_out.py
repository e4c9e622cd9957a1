"""Every study predicted from all others, by both models, and how well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.artefacts.files import atomic
from trialsim.calibration import scores
from trialsim.calibration.criticism import Loo
from trialsim.calibration.fits import Fit, geometry_of, without
from trialsim.calibration.fits import fits as fits_of
from trialsim.calibration.problem import Opponent, Problem
from trialsim.calibration.published import JUDGED, Number
from trialsim.calibration.sampling import Geometry, Sampler
from trialsim.engine.population import on_devices, usable_devices
from trialsim.streams import derived_seed

ROUNDING = {"orr": 0.005, "dcr": 0.005, "median_pfs": 0.05, "pfs_hr": 0.005}  # half of the last digit that is printed
MODELS = ("mechanistic", "statistical")
LANES = 25  # folds of the meta-analysis that advance side by side, which is three times as fast; of this model it is not
VERSION = 3  # of what a file holds; a change makes all anew


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
    studies = list(dict.fromkeys(one.study for one in problem.numbers if one.endpoint in JUDGED))
    k = dict(zip(weighted.table["study"], weighted.table["pareto_k"], strict=True))
    again = [study for study in studies if k[study] > scores.RELIABLE]
    refit = partial(_refitted, sampler=sampler, seed=seed, folder=folder)
    with console.progress("predicting each study from the others", len(studies) * len(MODELS), mode) as advance:
        rows = [_weighted(problem, fits["mechanistic"], weighted, study, seed) for study in studies if study not in again]
        advance(len(rows))
        for name, made, which, lanes in (("mechanistic", problem, again, 1), ("statistical", opponent, studies, LANES)):
            known = geometry_of(made, fits[name])
            parts = [which[first : first + lanes] for first in range(0, len(which), lanes)]
            jobs = (partial(refit, name, made, part, known, lanes) for part in parts)
            for part, found in zip(parts, on_devices(jobs, usable_devices(None)), strict=True):
                rows += found
                advance(len(part))
    every, place = pd.concat(rows, ignore_index=True), {study: i for i, study in enumerate(studies)}
    order = every.assign(place=every["study"].map(place)).sort_values(["model", "place"], kind="stable").index
    return every.loc[order].reset_index(drop=True)


def _weighted(problem: Problem, fit: Fit, weighted: Loo, study: str, seed: int) -> pd.DataFrame:
    """One study, from the fit to all with importance weights."""
    rng = np.random.default_rng(derived_seed(seed, f"mechanistic {study}"))
    place = list(weighted.table["study"]).index(study)
    predicted = problem.predicted(as_without(problem, fit, study, weighted.weights[:, place], rng), rng)
    return judged(of_study(problem, study), predicted, "mechanistic", seed).assign(how="weighted")


def _refitted(
    name: str,
    made: Problem | Opponent,
    studies: Sequence[str],
    known: Geometry,
    lanes: int,
    sampler: Sampler,
    seed: int,
    folder: Path,
) -> list[pd.DataFrame]:
    """Some studies, each from a fit without it; kept in a file each, and read where the file is there."""
    mark = hashlib.sha256(repr((sampler, seed, made.digest, VERSION)).encode()).hexdigest()[:16]
    path = {study: folder / "left_out" / f"{name}-{study}-{mark}.parquet" for study in studies}
    missing = [study for study in studies if not path[study].is_file()]
    if missing:
        seeds = [derived_seed(seed, f"{name} {study}") % 2**31 for study in missing]
        fits = fits_of(made, sampler._replace(lanes=lanes), seeds, [without(study) for study in missing], known)
        for study, fit in zip(missing, fits, strict=True):
            with atomic(path[study]) as partial_path:
                judged(of_study(made, study), fit.predicted, name, seed).to_parquet(partial_path, index=False, engine="pyarrow")
    return [pd.read_parquet(path[study]).assign(how="refitted") for study in studies]


def of_study(made: Problem | Opponent, study: str) -> list[Number]:
    return [one for one in made.numbers if one.study == study]


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
