"""NUTS for the models of the calibration: many chains to many data sets of the same shape, compiled once a device.

Chains run on all devices, a thread and a chain each. Of a small model several may advance side by side on one (`Sampler.lanes`): a
step is hundreds of small operations, whose start costs more than their arithmetic, so that a gradient for 25 chains takes some 5
times as long as for one. All wait for the one with the deepest tree, though, and a large model gains nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import arviz_stats
import jax
import jax.numpy as jnp
import numpy as np
from arviz_base import from_dict
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy

from trialsim.engine.population import on_devices, usable_devices
from trialsim.engine.threads import one_at_a_time

LARGEST_RHAT, SMALLEST_ESS = 1.02, 200.0  # of the sites `CHECKED`; Vehtari et al. ask 1.01 and 400 of every quantity
CHECKED = ("mu_", "tau", "omega_", "rho", "sd_", "hr", "rapalog", "mu")  # sites whose mixing is told: what others hang on


class Sampler(NamedTuple):
    """Attributes: chains; warmup, samples: iterations of each; target_accept: of NUTS; depth: largest tree depth; lanes: chains
    that advance side by side."""

    chains: int = 4
    warmup: int = 500
    samples: int = 500
    target_accept: float = 0.85
    depth: int = 8
    lanes: int = 1


@dataclass(frozen=True, eq=False)
class Geometry:
    """Of a posterior that is known: what a longer fit, or one to nearly the same data, may begin with.

    Attributes: draws: by site, unconstrained, (draws, ...). metric: their covariance, (dimensions, dimensions).
    """

    draws: dict[str, np.ndarray]
    metric: np.ndarray


def geometry(model: Callable[..., None], arguments: Mapping[str, Any], draws: Mapping[str, np.ndarray]) -> Geometry:
    """From a fit's draws, shrunk towards a unit matrix as Stan shrinks it (reference manual, HMC algorithm parameters)."""
    with jax.enable_x64(True):
        trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace(**arguments)
        sites = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
        plain = {name: np.asarray(biject_to(site["fn"].support).inv(draws[name])) for name, site in sites.items()}
    flat = np.concatenate([plain[name].reshape(len(plain[name]), -1) for name in sorted(plain)], axis=1)
    n = len(flat)
    metric = n / (n + 5.0) * np.cov(flat, rowvar=False) + 1e-3 * 5.0 / (n + 5.0) * np.eye(flat.shape[1])
    return Geometry(plain, metric)


def run_chains(
    model: Callable[..., None],
    shared: Mapping[str, Any],
    arguments: Sequence[Mapping[str, Any]],
    sampler: Sampler,
    keys: Any,
    known: Geometry | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Chains for each of several data sets of the same shape.

    Args:
        model: of keyword arguments that are arrays; the same object finds its compiled program again.
        shared: its arguments that are the same for all data sets. arguments: its others, one mapping a data set.
        keys: one a chain, the chains of a data set after one another.
        known: of the fit to nearly the same data, which spares most of the adaptation.

    Returns:
        Draws by site, (data sets, chains, samples, ...), and how many of each data set diverged.
    """
    count, (R, chains) = len(keys), (len(arguments), sampler.chains)
    begin = None if known is None else (known.draws, known.metric)
    with jax.enable_x64(True):
        data, keys, run = jax.device_get(stacked(arguments)), jax.random.key_data(keys), _program(model, sampler)

        def part(first: int) -> Any:
            some = np.minimum(np.arange(first, first + sampler.lanes), count - 1)  # the last part is filled up
            own = jax.tree.map(lambda leaf: leaf[some // chains], data)
            return jax.device_get(run(np.asarray(keys)[some], own, dict(shared), begin))

        firsts = range(0, count, sampler.lanes)
        parts = list(on_devices((partial(part, first) for first in firsts), usable_devices(None)[: len(firsts)]))
    draws, diverging = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
    return {name: value.reshape(R, chains, *value.shape[1:]) for name, value in draws.items()}, diverging.reshape(R, -1).sum(1)


def stacked(parts: Sequence[Any]) -> Any:
    """Trees of arrays with a leading axis over the parts."""
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *parts)


_TRACING = threading.Lock()  # NumPyro has one stack of handlers for all threads


class Program:
    """Chains of a model: (keys, own arguments, shared arguments, what is known) -> see `_chain`; compiled once a device."""

    def __init__(self, model: Callable[..., None], sampler: Sampler):
        self._jitted = jax.jit(jax.vmap(partial(_chain, model, sampler), in_axes=(0, 0, None, None)))
        self._compiled: dict[Any, Any] = {}

    def __call__(self, *arguments: Any) -> Any:
        leaves, structure = jax.tree.flatten(arguments)
        key = jax.config.jax_default_device, structure, tuple((np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves)
        if key not in self._compiled:
            with _TRACING:
                lowered = self._jitted.lower(*arguments)
            self._compiled[key] = lowered.compile()
        return self._compiled[key](*arguments)


@one_at_a_time
@lru_cache(maxsize=8)
def _program(model: Callable[..., None], sampler: Sampler) -> Program:
    return Program(model, sampler)


def _chain(
    model: Callable[..., None], sampler: Sampler, key_data: jax.Array, own: Mapping[str, Any], shared: Mapping[str, Any], known: Any
) -> tuple[dict[str, Any], jax.Array]:
    """One chain, from a draw of the prior, or of what is known: the draws and the metric of a `Geometry`."""
    arguments = own | shared
    begin_key, run_key = jax.random.split(jax.random.wrap_key_data(key_data))
    options = {"target_accept_prob": sampler.target_accept, "max_tree_depth": sampler.depth}
    if known is None:
        trace = handlers.trace(handlers.seed(model, begin_key)).get_trace(**arguments)
        latent = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
        begin = {name: biject_to(site["fn"].support).inv(site["value"]) for name, site in latent.items()}
    else:
        draws, metric = known
        which = jax.random.randint(begin_key, (), 0, len(next(iter(draws.values()))))
        begin = {name: values[which] for name, values in draws.items()}
        options |= {"dense_mass": True, "inverse_mass_matrix": metric, "adapt_mass_matrix": False}
    init, step = hmc(partial(potential_energy, model, (), arguments), algo="NUTS")
    state = init(begin, sampler.warmup, rng_key=run_key, **options)

    def advance(state: Any, _: None) -> tuple[Any, Any]:
        state = step(state)
        return state, (state.z, state.diverging)

    _, kept = jax.lax.scan(advance, state, None, length=sampler.warmup + sampler.samples)
    unconstrained, diverging = jax.tree.map(lambda value: value[sampler.warmup :], kept)
    return jax.vmap(partial(constrain_fn, model, (), arguments, return_deterministic=True))(unconstrained), diverging


def sample(
    model: Callable[..., None],
    shared: Mapping[str, Any],
    arguments: Sequence[Mapping[str, Any]],
    sampler: Sampler,
    seeds: Sequence[int],
    known: Geometry | None = None,
) -> list[tuple[dict[str, np.ndarray], dict[str, Any]]]:
    """Of each data set: draws by site, chains joined, and diagnostics: divergences, largest R-hat and smallest ESS of the sites
    `CHECKED`. Arguments as of `run_chains`, and the seed of each data set."""
    keys = jnp.concatenate([jax.random.split(jax.random.key(seed), sampler.chains) for seed in seeds])
    draws, diverging = run_chains(model, shared, arguments, sampler, keys, known)
    found = []
    for r, divergences in enumerate(diverging):
        by_chain = {name: value[r] for name, value in draws.items()}
        told = {"divergences": int(divergences)} | _mixing(by_chain)
        found.append(({name: value.reshape(-1, *value.shape[2:]) for name, value in by_chain.items()}, told))
    return found


def _mixing(by_chain: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Largest R-hat, smallest ESS; nothing of a single chain."""
    if len(next(iter(by_chain.values()))) < 2:
        return {}
    checked = {name: value for name, value in by_chain.items() if name.startswith(CHECKED)}
    summary = arviz_stats.summary(from_dict({"posterior": checked}), kind="diagnostics", round_to="none")
    return {"largest_rhat": float(summary["r_hat"].max()), "smallest_ess": float(summary["ess_bulk"].min())}
