"""One fit of either model, with all numbers or some left out, and what the trials would publish by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trialsim.calibration import meta, predictive
from trialsim.calibration.problem import Opponent, Problem
from trialsim.calibration.published import Number
from trialsim.calibration.sampling import Geometry, Sampler, geometry, sample
from trialsim.streams import derived_seed

Counts = Callable[[Number], bool]


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


def fit_mechanistic(
    problem: Problem, sampler: Sampler, seed: int, counts: Counts = everything, known: Geometry | None = None
) -> Fit:
    """The hierarchy, fitted to the numbers that count; it predicts all of them. known: see `sampling.sample`."""
    arguments = {"data": problem.data, "observed": masks(problem.kinds, counts)}
    draws, told = sample(problem.model, arguments, sampler, seed, known)
    rng = np.random.default_rng(derived_seed(seed, "predictive"))
    return Fit(draws, told, predictive.drawn(problem.system, problem.data, problem.numbers, draws, rng))


def fit_statistical(
    opponent: Opponent, sampler: Sampler, seed: int, counts: Counts = everything, known: Geometry | None = None
) -> Fit:
    """The meta-analysis of the same numbers."""
    draws, told = sample(opponent.model, {"observed": masks(opponent.kinds, counts)}, sampler, seed, known)
    rng = np.random.default_rng(derived_seed(seed, "predictive"))
    return Fit(draws, told, meta.drawn(opponent.table, opponent.numbers, draws, rng))


def geometry_of(made: Problem | Opponent, fit: Fit) -> Geometry:
    """Where a fit without one study may begin: of the fit to all."""
    data = {"data": made.data} if isinstance(made, Problem) else {}
    return geometry(made.model, data | {"observed": masks(made.kinds, everything)}, fit.draws)
