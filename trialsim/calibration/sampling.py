"""NUTS for the models of the calibration: chains one after another, compiled once for all folds of the same evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import arviz_stats
import jax
import numpy as np
from arviz_base import from_dict
from numpyro.infer import MCMC, NUTS

LARGEST_RHAT = 1.02
CHECKED = ("mu_", "tau", "omega_", "rho", "sd_", "hr", "rapalog", "mu")  # sites whose mixing is told: what others hang on


class Sampler(NamedTuple):
    """Attributes: chains; warmup, samples: iterations of each; target_accept: of NUTS; depth: largest tree depth."""

    chains: int = 4
    warmup: int = 500
    samples: int = 500
    target_accept: float = 0.85
    depth: int = 8


_SAMPLERS: dict[Any, MCMC] = {}  # a sampler that has run keeps its compiled program


def sample(
    model: Callable[..., None], arguments: Mapping[str, Any], sampler: Sampler, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws by site, chains joined, and diagnostics: divergences, largest R-hat and smallest ESS of the sites `CHECKED`.

    Args:
        model: of keyword arguments that are arrays; the same object finds its compiled program again.
    """
    with jax.enable_x64(True):
        key = (id(model), sampler)
        if key not in _SAMPLERS:
            kernel = NUTS(model, target_accept_prob=sampler.target_accept, max_tree_depth=sampler.depth)
            _SAMPLERS[key] = MCMC(
                kernel, num_warmup=sampler.warmup, num_samples=sampler.samples, num_chains=sampler.chains,
                chain_method="sequential", progress_bar=False, jit_model_args=True,
            )  # fmt: skip
        chains = _SAMPLERS[key]
        chains.run(jax.random.key(seed), extra_fields=("diverging",), **arguments)
        by_chain = {name: np.asarray(value) for name, value in chains.get_samples(group_by_chain=True).items()}
        diverging = int(np.sum(np.asarray(chains.get_extra_fields()["diverging"])))
    told: dict[str, Any] = {"divergences": diverging}
    checked = {name: value for name, value in by_chain.items() if name.startswith(CHECKED)}
    if sampler.chains > 1 and sampler.samples >= 4:
        summary = arviz_stats.summary(from_dict({"posterior": checked}), kind="diagnostics", round_to="none")
        told |= {"largest_rhat": float(summary["r_hat"].max()), "smallest_ess": float(summary["ess_bulk"].min())}
    return {name: value.reshape(-1, *value.shape[2:]) for name, value in by_chain.items()}, told
