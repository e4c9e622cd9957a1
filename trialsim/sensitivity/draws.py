"""The model with its uncertain constants drawn from their priors: how unsure we are of it, as a set of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np
from scipy.stats import qmc

from trialsim.sensitivity.priors import changed, constants_of, network_priors
from trialsim.sensitivity.references import REFERENCES, with_references

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


def drawn(config: StudyConfig, draws: int, seed: int) -> list[StudyConfig]:
    """The study with other constants of the network, independent draws from their uniform priors, spread evenly over them (Latin
    hypercube); the reference levels of the untreated cell follow."""
    priors = network_priors(config)
    u = qmc.LatinHypercube(len(priors), rng=np.random.default_rng(seed)).random(draws)
    values = np.stack([prior.quantile(u[:, j]) for j, prior in enumerate(priors)], axis=1)
    column = {prior.name: values[:, j] for j, prior in enumerate(priors)}
    k = constants_of(config)
    k = k._replace(**{name: column.get(name, np.full(draws, value)) for name, value in k._asdict().items()})
    spread = config.network.spread
    with jax.enable_x64(True):
        found = jax.jit(with_references)(k, np.full(draws, spread.f_S6K), np.full(draws, spread.f_GRB10))
    levels = {name: np.asarray(getattr(found, name)) for name in REFERENCES}
    paths = {prior.name: prior.path for prior in priors} | {name: f"network.signalling.{name}" for name in REFERENCES}
    return [
        changed(config, {paths[name]: float(of[i]) for name, of in (column | levels).items()}) for i in range(draws)
    ]
