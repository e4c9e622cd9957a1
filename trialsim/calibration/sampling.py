"""NUTS for the models of the calibration: chains one after another, compiled once for all folds of the same evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import arviz_stats
import jax
import numpy as np
from arviz_base import from_dict
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer import MCMC, NUTS

LARGEST_RHAT, SMALLEST_ESS = 1.02, 200.0  # of the sites `CHECKED`; Vehtari et al. ask 1.01 and 400 of every quantity
CHECKED = ("mu_", "tau", "omega_", "rho", "sd_", "hr", "rapalog", "mu")  # sites whose mixing is told: what others hang on


class Sampler(NamedTuple):
    """Attributes: chains; warmup, samples: iterations of each; target_accept: of NUTS; depth: largest tree depth."""

    chains: int = 4
    warmup: int = 500
    samples: int = 500
    target_accept: float = 0.85
    depth: int = 8


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


@lru_cache(maxsize=8)
def _chains(model: Callable[..., None], sampler: Sampler, known: Geometry | None) -> MCMC:
    """One that has run keeps its compiled program."""
    given = {} if known is None else dict(dense_mass=True, inverse_mass_matrix=known.metric, adapt_mass_matrix=False)
    kernel = NUTS(model, target_accept_prob=sampler.target_accept, max_tree_depth=sampler.depth, **given)
    return MCMC(
        kernel, num_warmup=sampler.warmup, num_samples=sampler.samples, num_chains=sampler.chains,
        chain_method="sequential", progress_bar=False, jit_model_args=True,
    )  # fmt: skip


def sample(
    model: Callable[..., None], arguments: Mapping[str, Any], sampler: Sampler, seed: int, known: Geometry | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws by site, chains joined, and diagnostics: divergences, largest R-hat and smallest ESS of the sites `CHECKED`.

    Args:
        model: of keyword arguments that are arrays; the same object finds its compiled program again.
        known: of the fit to nearly the same data, which spares most of the adaptation.
    """
    with jax.enable_x64(True):
        chains, begin = _chains(model, sampler, known), None
        if known is not None:
            which = np.random.default_rng(seed).integers(0, len(next(iter(known.draws.values()))), sampler.chains)
            begin = {name: values[which if sampler.chains > 1 else which[0]] for name, values in known.draws.items()}
        chains.run(jax.random.key(seed), extra_fields=("diverging",), init_params=begin, **arguments)
        by_chain = {name: np.asarray(value) for name, value in chains.get_samples(group_by_chain=True).items()}
        diverging = int(np.sum(np.asarray(chains.get_extra_fields()["diverging"])))
    told: dict[str, Any] = {"divergences": diverging}
    checked = {name: value for name, value in by_chain.items() if name.startswith(CHECKED)}
    if sampler.chains > 1 and sampler.samples >= 4:
        summary = arviz_stats.summary(from_dict({"posterior": checked}), kind="diagnostics", round_to="none")
        told |= {"largest_rhat": float(summary["r_hat"].max()), "smallest_ess": float(summary["ess_bulk"].min())}
    return {name: value.reshape(-1, *value.shape[2:]) for name, value in by_chain.items()}, told
