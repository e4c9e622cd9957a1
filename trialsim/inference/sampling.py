"""The sampler, shared by the models: NUTS with all chains in one batch, compiled once for each shape of data."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import numpy as np
import xarray as xr
from arviz_base import from_numpyro
from numpyro.infer import MCMC, NUTS

from trialsim.schema.inference import InferenceSettings

EXTRA = ("diverging", "energy", "num_steps", "accept_prob", "potential_energy")
OBSERVED = "y"  # site of the counts in every model


@lru_cache(maxsize=16)
def _sampler(model: Callable[..., None], chains: int, warmup: int, samples: int, target_accept: float, max_depth: int) -> MCMC:
    """One sampler a model and setting; the data are traced arguments, so data of the same shape reuse the compiled program."""
    kernel = NUTS(model, target_accept_prob=target_accept, max_tree_depth=max_depth)
    return MCMC(
        kernel, num_warmup=warmup, num_samples=samples, num_chains=chains, chain_method="vectorized", progress_bar=False,
        jit_model_args=True,
    )  # fmt: skip


def seed_of(seed: int, name: str, settings: InferenceSettings) -> np.random.SeedSequence:
    """Independent random numbers for each named use of a study seed."""
    return np.random.SeedSequence([seed, settings.seed_offset, zlib.crc32(name.encode())])


def sample(
    model: Callable[..., None],
    arguments: dict[str, Any],
    settings: InferenceSettings,
    seed: int,
    name: str,
    coords: dict[str, Any],
    dims: dict[str, list[str]],
) -> xr.DataTree:
    """Draw from the posterior.

    Args:
        model: NumPyro model of keyword arguments only; the counts are its site ``y``.
        arguments: arrays given to the model.
        settings: chains, warm-up, draws, target acceptance.
        seed: study seed; ``name`` keeps the fits of one study apart.
        coords, dims: names for ArviZ.

    Returns:
        Tree with groups posterior, sample_stats, log_likelihood, observed_data.
    """
    mcmc = _sampler(model, settings.chains, settings.warmup, settings.samples, settings.target_accept, settings.max_tree_depth)
    key = jax.random.key(int(seed_of(seed, f"inference/{name}", settings).generate_state(1)[0]))
    mcmc.run(key, extra_fields=EXTRA, **arguments)
    return from_numpyro(mcmc, log_likelihood=True, coords=coords, dims=dims)


def add_predictive(tree: xr.DataTree, group: str, draws: dict[str, np.ndarray], coords: dict[str, Any], dims: dict[str, list[str]]) -> None:
    """Add a group of draws, each array (chain, draw, ...), to a tree."""
    variables = {name: (["chain", "draw", *dims.get(name, [])], values) for name, values in draws.items()}
    used = {dim for name in draws for dim in dims.get(name, [])}
    tree[group] = xr.DataTree(xr.Dataset(variables, coords={dim: list(values) for dim, values in coords.items() if dim in used}))
