"""One fit of either model, with all numbers or some left out, and what the trials would publish by it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trialsim.artefacts.files import atomic
from trialsim.calibration.problem import Opponent, Problem
from trialsim.calibration.published import Number
from trialsim.calibration.sampling import Geometry, Sampler, geometry, sample
from trialsim.streams import derived_seed

Counts = Callable[[Number], bool]
VERSION = 2  # of what a file holds; a change makes all anew


def everything(number: Number) -> bool:
    """All numbers count."""
    return True


def without(study: str) -> Counts:
    """All but a study's."""
    return lambda number: number.study != study


def masks(kinds: Mapping[str, Sequence[Number]], counts: Counts) -> dict[str, np.ndarray]:
    """Which numbers count, by the kind of their likelihood."""
    return {kind: np.array([counts(one) for one in numbers], bool) for kind, numbers in kinds.items()}


class Fit(NamedTuple):
    """Attributes: draws: by site, chains joined. diagnostics: see `sampling.sample`. predicted: by number, (draws,)."""

    draws: dict[str, np.ndarray]
    diagnostics: dict[str, Any]
    predicted: dict[str, np.ndarray]


def fits(
    made: Problem | Opponent, sampler: Sampler, seeds: Sequence[int], counts: Sequence[Counts], known: Geometry | None = None
) -> list[Fit]:
    """Fits of a model to the numbers that count, one a seed; each predicts all numbers. known: see `sampling.run_chains`."""
    observed = [{"observed": masks(made.kinds, which)} for which in counts]
    found = sample(made.model, made.shared, observed, sampler, seeds, known)
    rngs = (np.random.default_rng(derived_seed(seed, "predictive")) for seed in seeds)
    return [Fit(draws, told, made.predicted(draws, rng)) for (draws, told), rng in zip(found, rngs, strict=True)]


def fit(
    made: Problem | Opponent, sampler: Sampler, seed: int, counts: Counts = everything, known: Geometry | None = None
) -> Fit:
    """One of `fits`."""
    return fits(made, sampler, [seed], [counts], known)[0]


def kept(
    folder: Path,
    name: str,
    made: Problem | Opponent,
    sampler: Sampler,
    seed: int,
    counts: Counts = everything,
    known: Geometry | None = None,
) -> Fit:
    """`fit`, with the seconds that it took among its diagnostics, kept as ``folder/fits/NAME-DIGEST.npz`` and read where it is
    there. The digest is of all that the fit depends on but what it begins with."""
    mark = hashlib.sha256(repr((VERSION, made.digest, sampler, seed, known is None)).encode())
    mark.update(b"".join(masks(made.kinds, counts)[kind].tobytes() for kind in made.kinds))
    path = folder / "fits" / f"{name}-{mark.hexdigest()[:16]}.npz"
    if not path.is_file():
        started = time.perf_counter()
        found = fit(made, sampler, seed, counts, known)
        found = found._replace(diagnostics=found.diagnostics | {"seconds": round(time.perf_counter() - started)})
        with atomic(path) as partial_path, open(partial_path, "wb") as file:
            np.savez(file, diagnostics=np.array(json.dumps(found.diagnostics)), **found.draws)
        return found
    with np.load(path) as saved:
        draws = {site: saved[site] for site in saved.files if site != "diagnostics"}
        told = json.loads(str(saved["diagnostics"]))
    return Fit(draws, told, made.predicted(draws, np.random.default_rng(derived_seed(seed, "predictive"))))


def geometry_of(made: Problem | Opponent, fit: Fit) -> Geometry:
    """Where a fit without one study may begin: of the fit to all."""
    return geometry(made.model, {**made.shared, "observed": masks(made.kinds, everything)}, fit.draws)
