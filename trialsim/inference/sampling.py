"""The sampler, shared by the models: NUTS chains one after another inside one compiled program.

The models are tiny (tens of parameters), so a fit costs compilation, not arithmetic. Measured on 2 cores: NumPyro's MCMC class
with vectorised chains 9 to 15 s a fit and again for the next data set; this program, in which `lax.map` runs the same NumPyro
NUTS kernel chain by chain, 3 s to compile once for each shape of data and 1 to 2 s to run. It always runs on the CPU: on an
accelerator the thousands of minute steps would wait for launches.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
import xarray as xr
from arviz_base import from_dict
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy

from trialsim.schema.inference import InferenceSettings

OBSERVED = "y"  # name of the counts in every group
Model = Callable[..., None]


def seed_of(seed: int, name: str, settings: InferenceSettings) -> np.random.SeedSequence:
    """Independent random numbers for each named use of a study seed."""
    return np.random.SeedSequence([seed, settings.seed_offset, zlib.crc32(name.encode())])


def draw_posterior(
    model: Model, arguments: dict[str, Any], settings: InferenceSettings, seed: int, name: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Run the chains.

    Args:
        model: NumPyro model of keyword arguments only, conditioned on its data by them.
        arguments: arrays given to the model; data of the same shapes reuse the compiled program.
        settings: chains, warm-up, draws, target acceptance.
        seed, name: study seed and name of the fit.

    Returns:
        Parameters and deterministic values, each (chain, draw, ...), and the sampler's statistics under ArviZ's names.
    """
    program = _program(model, settings.warmup, settings.samples, settings.target_accept, settings.max_tree_depth)
    key = int(seed_of(seed, f"inference/{name}", settings).generate_state(1)[0])
    with _on_cpu(), jax.enable_x64(True):  # the log likelihood of a large cohort needs more than seven digits
        keys = jax.random.split(jax.random.key(key), settings.chains)
        draws, stats = jax.device_get(program(keys, jax.tree.map(_floating, arguments)))
    return {site: value.astype(np.float32) for site, value in draws.items()}, stats


@lru_cache(maxsize=16)
def _program(model: Model, warmup: int, samples: int, target_accept: float, max_depth: int) -> Callable[..., Any]:
    """The jitted function (keys, arguments) -> (draws, statistics)."""

    def chain(key: jax.Array, arguments: dict[str, Any]) -> tuple[Any, dict[str, jax.Array]]:
        begin_key, run_key = jax.random.split(key)
        begin = _prior_draw(model, begin_key, arguments)
        init, step = hmc(partial(potential_energy, model, (), arguments), algo="NUTS")
        state = init(begin, warmup, target_accept_prob=target_accept, rng_key=run_key, max_tree_depth=max_depth)

        def advance(state, _):
            state = step(state)
            return state, (state.z, _statistics(state))

        _, (unconstrained, stats) = jax.lax.scan(advance, state, None, length=warmup + samples)
        unconstrained, stats = jax.tree.map(lambda array: array[warmup:], (unconstrained, stats))
        return jax.vmap(partial(constrain_fn, model, (), arguments, return_deterministic=True))(unconstrained), stats

    return jax.jit(lambda keys, arguments: jax.lax.map(lambda key: chain(key, arguments), keys))


def _prior_draw(model: Model, key: jax.Array, arguments: dict[str, Any]) -> dict[str, jax.Array]:
    """Where a chain begins: a draw from the prior, unconstrained. Such starts lie wide of the posterior, as R-hat needs."""
    trace = handlers.trace(handlers.seed(model, key)).get_trace(**arguments)
    latent = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
    return {name: biject_to(site["fn"].support).inv(site["value"]) for name, site in latent.items()}


def _statistics(state: Any) -> dict[str, jax.Array]:
    return {
        "diverging": state.diverging, "energy": state.energy, "lp": -state.potential_energy, "n_steps": state.num_steps,
        "acceptance_rate": state.accept_prob,
    }  # fmt: skip


@contextlib.contextmanager
def _on_cpu() -> Iterator[None]:
    try:
        device = jax.devices("cpu")[0]
    except RuntimeError:  # a platform list without the CPU
        yield
        return
    with jax.default_device(device):
        yield


def _floating(value: Any) -> np.ndarray:
    """Counts and settings all as float64, so that a change of value never recompiles."""
    return np.asarray(value, dtype=np.float64)


def to_tree(groups: dict[str, dict[str, Any]], coords: dict[str, Any], dims: dict[str, list[str]]) -> xr.DataTree:
    """Groups of named arrays to an ArviZ tree; arrays of sampled groups are (chain, draw, ...)."""
    return from_dict(groups, coords={name: list(values) for name, values in coords.items()}, dims=dims)
