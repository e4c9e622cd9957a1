"""What repetitions of NumPyro models share: truths drawn from the prior, many data sets fitted side by side, their log likelihoods.

Side by side, since a step of the sampler is hundreds of small operations, whose start costs more than their arithmetic: a gradient
for 25 data sets takes 5 times as long as for one. The kernel is NumPyro's NUTS, as in `calibration.sampling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer import log_likelihood
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy

from trialsim.calibration.sampling import Sampler

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
        self._fit = jax.jit(jax.vmap(partial(_chain, run, sampler)))
        self._sampler = sampler
        self._likelihood = jax.jit(jax.vmap(partial(_likelihood, run)))

    def __call__(self, arguments: Sequence[Mapping[str, Any]], truths: Sequence[Mapping[str, np.ndarray]], seed: int) -> Fits:
        """Args: arguments: of the model, one a data set. truths: what they were drawn from."""
        with jax.enable_x64(True):
            data = _stacked(arguments)
            chains = self._sampler.chains
            keys = jax.random.split(jax.random.key(seed), len(arguments) * chains)
            every_chain = jax.tree.map(lambda leaf: jnp.repeat(leaf, chains, axis=0), data)
            draws, diverging = jax.device_get(self._fit(keys, every_chain))
            joined = {name: value.reshape(len(arguments), -1, *value.shape[2:]) for name, value in draws.items()}
            draws = {name: value.reshape(len(arguments), chains, *value.shape[1:]) for name, value in draws.items()}
            likelihood = np.asarray(self._likelihood(joined, data)).reshape(len(arguments), chains, -1)
            true = _stacked([{name: one[name][None] for name in draws} for one in truths])
            of_truth = np.asarray(self._likelihood(true, data))[:, 0]
        return Fits(draws, diverging.reshape(len(arguments), -1).sum(1), likelihood, of_truth)


def _stacked(parts: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *parts)


def _chain(run: Run, sampler: Sampler, key: jax.Array, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], jax.Array]:
    """One chain, from a draw of the prior."""
    begin_key, run_key = jax.random.split(key)
    trace = handlers.trace(handlers.seed(run, begin_key)).get_trace(**arguments)
    latent = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
    begin = {name: biject_to(site["fn"].support).inv(site["value"]) for name, site in latent.items()}
    init, step = hmc(partial(potential_energy, run, (), arguments), algo="NUTS")
    options = {"target_accept_prob": sampler.target_accept, "max_tree_depth": sampler.depth}
    state = init(begin, sampler.warmup, rng_key=run_key, **options)

    def advance(state: Any, _: None) -> tuple[Any, Any]:
        state = step(state)
        return state, (state.z, state.diverging)

    _, kept = jax.lax.scan(advance, state, None, length=sampler.warmup + sampler.samples)
    unconstrained, diverging = jax.tree.map(lambda value: value[sampler.warmup :], kept)
    return jax.vmap(partial(constrain_fn, run, (), arguments, return_deterministic=True))(unconstrained), diverging


def _likelihood(run: Run, draws: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """Log likelihood of the data, (draws,). Factors count as data: that is how the calibration's models tell theirs."""
    terms = log_likelihood(run, draws, **arguments)
    return sum(value.reshape(value.shape[0], -1).sum(1) for value in terms.values())
