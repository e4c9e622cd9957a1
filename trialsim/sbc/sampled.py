"""What repetitions of NumPyro models share: truths drawn from the prior, many data sets fitted side by side, their log likelihoods.

The sampler is that of the calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro import handlers
from numpyro.infer import log_likelihood

from trialsim.calibration.sampling import Sampler, run_chains, stacked

Run = Callable[..., None]
AT_ONCE = 25  # data sets


class Fits(NamedTuple):
    """Of R data sets. Attributes: draws: by site, (R, chains, draws, ...). divergences: (R,). likelihood: of the data, log,
    (R, chains, draws); of_truth: the same under the true values, (R,)."""

    draws: dict[str, np.ndarray]
    divergences: np.ndarray
    likelihood: np.ndarray
    of_truth: np.ndarray


def truth_of(run: Run, seed: int, **arguments: Any) -> dict[str, np.ndarray]:
    """One draw of all sites from the prior, and of the data where the model draws them."""
    with jax.enable_x64(True):
        trace = handlers.trace(handlers.seed(run, jax.random.key(seed))).get_trace(**arguments)
        return {name: np.asarray(site["value"]) for name, site in trace.items() if site["type"] in ("sample", "deterministic")}


class SideBySide:
    """Fits of one model to many data sets of the same shape; compiled once."""

    def __init__(self, run: Run, sampler: Sampler):
        """Args: run: of keyword arguments that are the data. sampler: settings."""
        self._run, self._sampler = run, sampler
        self._likelihood = jax.jit(jax.vmap(partial(_likelihood, run)))

    def __call__(self, arguments: Sequence[Mapping[str, Any]], truths: Sequence[Mapping[str, np.ndarray]], seed: int) -> Fits:
        """Args: arguments: of the model, one a data set. truths: what they were drawn from."""
        R, chains = len(arguments), self._sampler.chains
        with jax.enable_x64(True):
            keys = jax.random.split(jax.random.key(seed), R * chains)
            draws, diverging = run_chains(self._run, {}, arguments, self._sampler._replace(lanes=len(keys)), keys)
            data, joined = stacked(arguments), {name: value.reshape(R, -1, *value.shape[3:]) for name, value in draws.items()}
            likelihood = np.asarray(self._likelihood(joined, data)).reshape(R, chains, -1)
            true = stacked([{name: one[name][None] for name in draws} for one in truths])
            of_truth = np.asarray(self._likelihood(true, data))[:, 0]
        return Fits(draws, diverging, likelihood, of_truth)


def _likelihood(run: Run, draws: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """Log likelihood of the data, (draws,). Factors count as data: that is how the calibration's models tell theirs."""
    terms = log_likelihood(run, draws, **arguments)
    return sum(value.reshape(value.shape[0], -1).sum(1) for value in terms.values())
