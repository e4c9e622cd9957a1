"""Hierarchical response model: partial pooling over tumour types, with covariates, for several endpoints at once.

    y[e, c] ~ Binomial(n[e, c], p[e, c]),      logit p[e, c] = mu[e] + effect[e, t(c)] + x[c] . beta[e]

    mu[e]         ~ Logistic(0, 1)      logit of the rate of endpoint e in a typical tumour type, at mean covariates; the prior
                                        is uniform on the rate
    beta[e]       ~ Normal(0, 1)        log odds ratio of each covariate
    tau[e]        ~ HalfNormal(1)       SD between tumour types, logit
    effect[e, t]  ~ Normal(0, tau[e])   tumour type t

for endpoint e in cell c, of tumour type t(c) and centred covariates x[c]. With one tumour type, effect and tau have nothing to
describe and are left out; then, without covariates, the posterior is Beta(y + 1, n - y + 1). The likelihood is on counts.
Endpoints are fitted side by side and independently given the counts: that a responder also has disease control is not used,
which leaves each endpoint's own posterior unchanged. Partial pooling in basket trials: Thall et al., Stat Med 2003;22:763;
Berry et al., Clin Trials 2013;10:720.

Sampling needs the effects non-centred where counts say little (else tau near 0 makes a funnel) and centred where they say much
(else tau and the effects lie on a ridge). The sampled variable is raw ~ Normal(w mu, tau^w) with mu + effect = mu + tau^(1-w)
(raw - w mu): w = 0 is non-centred, w = 1 centred, and w follows the counts, see `centring`. The posterior is the same for every
w. Papaspiliopoulos, Roberts, Skold, Stat Sci 2007;22:59. For the same reason tau is sampled as softplus(v), not exp(v): where
nearly no events are seen, tau may be large, and on the log scale about one trajectory in 100,000 diverges there.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import xarray as xr
from numpyro.distributions import constraints
from scipy import special, stats

from trialsim.inference.sampling import OBSERVED, draw_posterior, seed_of, to_tree
from trialsim.inference.tables import ResponseData, response_data
from trialsim.schema.inference import InferenceSettings

DIMS = {
    "mu": ["endpoint"],
    "tau": ["endpoint"],
    "beta": ["endpoint", "covariate"],
    "effect": ["endpoint", "tumour_type"],
    "cell_probability": ["endpoint", "cell"],
    "probability": ["endpoint", "tumour_type"],
    "cohort_probability": ["endpoint"],
    OBSERVED: ["observation"],
    "n": ["observation"],
    "endpoint_of": ["observation"],
    "cell_weight": ["cell"],
}
PARAMETERS = ("mu", "beta", "tau", "effect")
RAW = "raw"
HALF_CENTRED = 20.0  # variance between types over that of a type's own logit at which w = 1/2; chosen by trial: no divergences
#                      in 59 to 20,000 patients, like and unlike types (at 5 a few; at 50 slower mixing in large cohorts)
PRIOR_DRAWS = 1000


class _HalfNormal(dist.HalfNormal):
    """The same distribution, unconstrained by softplus instead of exp."""

    support = constraints.softplus_positive


def model(types, design, weight, centring, priors, n, y=None):
    """The model above. Shapes in words: C cells, T types, K covariates, E endpoints.

    Args:
        types: one-hot tumour type of each cell, (C, T).
        design: centred covariates, (C, K).
        weight: share of the population in each cell, (C,).
        centring: w of each endpoint and type, (E, T).
        priors: {intercept_location, intercept_scale, covariate_sd, heterogeneity_scale}, scalars.
        n: patients, 0 where a cell was not observed, (E, C).
        y: events, (E, C), or None to draw them.
    """
    endpoints, cells = n.shape
    kinds, covariates = types.shape[1], design.shape[1]
    prior_mu = dist.Logistic(priors["intercept_location"], priors["intercept_scale"])
    mu = numpyro.sample("mu", prior_mu.expand([endpoints]).to_event(1))[:, None]
    logit = jnp.broadcast_to(mu, (endpoints, cells))
    if covariates:
        beta = numpyro.sample("beta", dist.Normal(0.0, priors["covariate_sd"]).expand([endpoints, covariates]).to_event(2))
        logit = logit + beta @ design.T
    if kinds > 1:
        tau = numpyro.sample("tau", _HalfNormal(priors["heterogeneity_scale"]).expand([endpoints]).to_event(1))[:, None]
        raw = numpyro.sample(RAW, dist.Normal(centring * mu, tau**centring).to_event(2))
        effect = numpyro.deterministic("effect", tau ** (1.0 - centring) * (raw - centring * mu))
        logit = logit + effect @ types.T
    probability = numpyro.deterministic("cell_probability", jax.nn.sigmoid(logit))
    numpyro.deterministic("probability", probability @ (types * weight[:, None]) / (weight @ types))
    numpyro.deterministic("cohort_probability", probability @ weight)
    numpyro.sample(OBSERVED, dist.BinomialLogits(total_count=n, logits=logit).to_event(2), obs=y)


def fit_response(
    counts: pd.DataFrame | ResponseData,
    settings: InferenceSettings,
    seed: int,
    name: str = "response",
    population: pd.DataFrame | None = None,
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
        constant_data. Posterior variables: mu, beta, tau, effect; cell_probability (endpoint, cell), probability (endpoint,
        tumour_type: over the population of the type), cohort_probability (endpoint: over the population).
    """
    data = counts if isinstance(counts, ResponseData) else response_data(counts, population)
    draws, statistics = draw_posterior(model, model_arguments(data, settings), settings, seed, name)
    draws.pop(RAW, None)
    rng = np.random.default_rng(seed_of(seed, f"predictive/{name}", settings))
    prior = draw_prior(data, settings, rng)
    groups = {
        "posterior": draws,
        "sample_stats": statistics,
        "log_likelihood": {OBSERVED: stats.binom.logpmf(data.y, data.n, _observed(draws, data)).astype(np.float32)},
        "posterior_predictive": {OBSERVED: rng.binomial(data.n, _observed(draws, data)).astype(np.int32)},
        "prior": {site: values.astype(np.float32) for site, values in prior.items()},
        "prior_predictive": {OBSERVED: rng.binomial(data.n, _observed(prior, data)).astype(np.int32)},
        "observed_data": {OBSERVED: data.y},
        "constant_data": {"n": data.n, "endpoint_of": data.obs_endpoint, "cell_weight": data.cell_weight},
    }
    coords = {
        "endpoint": data.endpoints, "tumour_type": data.tumour_types, "covariate": data.covariates, "cell": data.cell_labels,
        "observation": data.labels,
    }  # fmt: skip
    return to_tree(groups, coords, DIMS)


def _observed(draws: dict[str, np.ndarray], data: ResponseData) -> np.ndarray:
    """Probability of each observation, (chain, draw, O), kept off 0 and 1 where rounding reached them."""
    chosen = draws["cell_probability"][..., data.obs_endpoint, data.obs_cell].astype(float)
    return np.clip(chosen, 1e-12, 1.0 - 1e-12)


def model_arguments(data: ResponseData, settings: InferenceSettings) -> dict:
    """What the model takes. Covariates are centred at the population's mean, so that mu is the logit of an average patient."""
    table = np.zeros((2, len(data.endpoints), len(data.cell_type)))
    for position, values in enumerate((data.n, data.y)):  # arms of the same cell are added up: their sum is sufficient
        np.add.at(table[position], (data.obs_endpoint, data.obs_cell), values)
    n, y = table
    types = np.eye(len(data.tumour_types))[data.cell_type]
    return {
        "types": types,
        "design": data.cell_design - data.cell_weight @ data.cell_design,
        "weight": data.cell_weight,
        "centring": centring(n @ types, y @ types),
        "priors": settings.priors.model_dump(),
        "n": n,
        "y": y,
    }


def centring(n: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far each type's effect is sampled centred, w in [0, 1), (E, T): near 1 only where types plainly differ.

    With information i of a type's logit and variance v between types (DerSimonian and Laird, Control Clin Trials 1986;7:177),
    the best w for known v is i v / (1 + i v); a steeper curve keeps clear of the funnel where v is uncertain.

    Args:
        n, y: patients and events by endpoint and type, (E, T).
    """
    rate = (y.sum(1, keepdims=True) + 1.0) / (n.sum(1, keepdims=True) + 2.0)
    information = n * rate * (1.0 - rate)
    logit = np.log((y + 0.5) / (n - y + 0.5))
    total = np.maximum(information.sum(1, keepdims=True), 1e-9)
    mean = (information * logit).sum(1, keepdims=True) / total
    excess = (information * (logit - mean) ** 2).sum(1, keepdims=True) - (n.shape[1] - 1)
    variance = np.maximum(excess, 0.0) / np.maximum(total - (information**2).sum(1, keepdims=True) / total, 1e-9)
    ratio = information * variance
    return ratio**2 / (ratio**2 + HALF_CENTRED**2)


def draw_prior(data: ResponseData, settings: InferenceSettings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws from the prior, each array (1, draws, ...): the formula of `model` in numpy, which spares a compilation."""
    arguments, priors = model_arguments(data, settings), settings.priors
    shape, kinds = (1, PRIOR_DRAWS, len(data.endpoints)), len(data.tumour_types)
    made = {"mu": rng.logistic(priors.intercept_location, priors.intercept_scale, shape)}
    logit = made["mu"][..., None] + np.zeros(len(data.cell_type))
    if data.covariates:
        made["beta"] = rng.normal(0.0, priors.covariate_sd, (*shape, len(data.covariates)))
        logit = logit + made["beta"] @ arguments["design"].T
    if kinds > 1:
        made["tau"] = np.abs(rng.normal(0.0, priors.heterogeneity_scale, shape))
        made["effect"] = made["tau"][..., None] * rng.normal(0.0, 1.0, (*shape, kinds))
        logit = logit + made["effect"] @ arguments["types"].T
    made["cell_probability"] = special.expit(logit)
    made["cohort_probability"] = made["cell_probability"] @ data.cell_weight
    return made
