"""Hierarchical response model: partial pooling over tumour types, with covariates, for several endpoints at once.

    y[o] ~ Binomial(n[o], p[e, c]),      logit p[e, c] = mu[e] + x[c] . beta[e] + tau[e] * z[e, t(c)]

    mu[e]   ~ Logistic(0, 1)      mean logit of endpoint e at the population's mean covariates; the rate is uniform on 0 to 1
    beta[e] ~ Normal(0, 1)        log odds ratio of each covariate
    tau[e]  ~ HalfNormal(1)       SD between tumour types, logit
    z[e, t] ~ Normal(0, 1)        standardised effect of tumour type t (non-centred: tau may be near 0)

for observation o of endpoint e in cell c (tumour type t(c), centred covariates x[c]). With one tumour type, z and tau have
nothing to describe and are left out; then, without covariates, the posterior is Beta(y + 1, n - y + 1). The likelihood is on
counts. Endpoints are fitted side by side and independently given the counts: that a responder also has disease control is not
used, which leaves each endpoint's own posterior unchanged. Partial pooling in basket trials: Thall et al., Stat Med
2003;22:763; Berry et al., Clin Trials 2013;10:720.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import xarray as xr

from trialsim.inference.sampling import OBSERVED, add_predictive, sample, seed_of
from trialsim.inference.tables import ResponseData, response_data
from trialsim.schema.inference import InferenceSettings

DIMS = {
    "mu": ["endpoint"],
    "tau": ["endpoint"],
    "beta": ["endpoint", "covariate"],
    "z": ["endpoint", "tumour_type"],
    "cell_probability": ["endpoint", "cell"],
    "probability": ["endpoint", "tumour_type"],
    "cohort_probability": ["endpoint"],
    OBSERVED: ["observation"],
}
PARAMETERS = ("mu", "beta", "tau", "z")


def model(types, design, weight, index, n, priors, y=None):
    """The model above. Shapes in words: C cells, T types, K covariates, E endpoints, O observations.

    Args:
        types: one-hot tumour type of each cell, (C, T).
        design: centred covariates, (C, K).
        weight: share of the population in each cell, (C,).
        index: position of each observation in the flattened (E, C) table of probabilities, int (O,).
        n: patients, (O,).
        priors: {intercept_location (E,), intercept_scale, covariate_sd, heterogeneity_scale}.
        y: events, (O,), or None to draw them.
    """
    endpoints = priors["intercept_location"].shape[0]
    kinds, covariates = types.shape[1], design.shape[1]
    mu = numpyro.sample("mu", dist.Logistic(priors["intercept_location"], priors["intercept_scale"]).to_event(1))
    logit = jnp.broadcast_to(mu[:, None], (endpoints, types.shape[0]))
    if covariates:
        beta = numpyro.sample("beta", dist.Normal(0.0, priors["covariate_sd"]).expand([endpoints, covariates]).to_event(2))
        logit = logit + beta @ design.T
    if kinds > 1:
        tau = numpyro.sample("tau", dist.HalfNormal(priors["heterogeneity_scale"]).expand([endpoints]).to_event(1))
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([endpoints, kinds]).to_event(2))
        logit = logit + (tau[:, None] * z) @ types.T
    probability = numpyro.deterministic("cell_probability", jax.nn.sigmoid(logit))
    of_type = types * weight[:, None]
    numpyro.deterministic("probability", probability @ of_type / of_type.sum(0))
    numpyro.deterministic("cohort_probability", probability @ weight)
    numpyro.sample(OBSERVED, dist.BinomialLogits(total_count=n, logits=logit.reshape(-1)[index]).to_event(0), obs=y)


def fit_response(
    counts: pd.DataFrame | ResponseData, settings: InferenceSettings, seed: int, name: str = "response", population: pd.DataFrame | None = None
) -> xr.DataTree:
    """Fit the model.

    Args:
        counts: as `tables.count_patients` or `tables.count_published` return them, or `ResponseData`.
        settings: sampler and priors.
        seed: study seed.
        name: keeps the random numbers of several fits of one study apart.
        population: cells of the population that the rates refer to, see `tables.response_data`.

    Returns:
        Tree with groups posterior, sample_stats, log_likelihood, posterior_predictive, prior, prior_predictive, observed_data,
        constant_data. Posterior variables: mu, beta, tau, z; cell_probability (endpoint, cell), probability (endpoint,
        tumour_type: over the population of the type), cohort_probability (endpoint: over the population).
    """
    data = counts if isinstance(counts, ResponseData) else response_data(counts, population)
    arguments = _arguments(data, settings)
    coords = {
        "endpoint": list(data.endpoints), "tumour_type": list(data.tumour_types), "covariate": list(data.covariates),
        "cell": list(data.cell_labels), "observation": list(data.labels),
    }  # fmt: skip
    tree = sample(model, arguments | {"y": data.y}, settings, seed, name, coords, DIMS)
    rng = np.random.default_rng(seed_of(seed, f"predictive/{name}", settings))
    posterior = tree["posterior"]["cell_probability"].values
    _add_counts(tree, "posterior_predictive", posterior, data, rng, coords)
    prior = _prior_probabilities(data, settings, rng)
    _add_counts(tree, "prior_predictive", prior["cell_probability"], data, rng, coords)
    add_predictive(tree, "prior", prior, coords, DIMS)
    tree["constant_data"] = xr.DataTree(
        xr.Dataset(
            {"n": ("observation", data.n), "cell_weight": ("cell", data.cell_weight), "endpoint_of": ("observation", data.obs_endpoint)},
            coords={"observation": list(data.labels), "cell": list(data.cell_labels)},
        )
    )
    return tree


def _arguments(data: ResponseData, settings: InferenceSettings) -> dict:
    """What the model takes. Covariates are centred at the population's mean, so that mu is the logit of an average patient."""
    centred = data.cell_design - data.cell_weight @ data.cell_design
    priors = settings.priors
    return {
        "types": np.eye(len(data.tumour_types))[data.cell_type],
        "design": centred,
        "weight": data.cell_weight,
        "index": data.obs_endpoint * len(data.cell_type) + data.obs_cell,
        "n": data.n,
        "priors": {
            "intercept_location": np.full(len(data.endpoints), priors.intercept_location),
            "intercept_scale": priors.intercept_scale,
            "covariate_sd": priors.covariate_sd,
            "heterogeneity_scale": priors.heterogeneity_scale,
        },
    }


def _prior_probabilities(data: ResponseData, settings: InferenceSettings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws from the prior, each array (1, draws, ...): the same formula as `model`, in numpy, to spare a compilation."""
    arguments, priors = _arguments(data, settings), settings.priors
    draws, endpoints = settings.chains * settings.samples, len(data.endpoints)
    made = {"mu": rng.logistic(priors.intercept_location, priors.intercept_scale, (1, draws, endpoints))}
    logit = made["mu"][..., None] + np.zeros(len(data.cell_type))
    if data.covariates:
        made["beta"] = rng.normal(0, priors.covariate_sd, (1, draws, endpoints, len(data.covariates)))
        logit = logit + made["beta"] @ arguments["design"].T
    if len(data.tumour_types) > 1:
        made["tau"] = np.abs(rng.normal(0, priors.heterogeneity_scale, (1, draws, endpoints)))
        made["z"] = rng.normal(0, 1, (1, draws, endpoints, len(data.tumour_types)))
        logit = logit + (made["tau"][..., None] * made["z"]) @ arguments["types"].T
    made["cell_probability"] = 1.0 / (1.0 + np.exp(-logit))
    made["cohort_probability"] = made["cell_probability"] @ data.cell_weight
    return made


def _add_counts(
    tree: xr.DataTree, group: str, probability: np.ndarray, data: ResponseData, rng: np.random.Generator, coords: dict
) -> None:
    """Counts that the model would produce, from cell probabilities (chain, draw, endpoint, cell)."""
    chosen = np.clip(probability[..., data.obs_endpoint, data.obs_cell].astype(float), 0.0, 1.0)
    add_predictive(tree, group, {OBSERVED: rng.binomial(data.n, chosen)}, coords, DIMS)
