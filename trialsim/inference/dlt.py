"""Dose-toxicity model of phase I: the probability of a dose-limiting toxicity rises with the dose.

    y[d] ~ Binomial(n[d], p[d]),      logit p[d] = alpha[s(d)] + slope * log(dose[d] / reference)

    alpha[s] ~ Normal(logit(0.25), 2)    logit of P(DLT) at the reference dose in stratum s (e.g. a study)
    log slope ~ Normal(0, 1)             shared by the strata and positive, so the curve rises in each of them

Form and SDs: Neuenschwander, Branson, Gsponer, Stat Med 2008;27:2420. The reference dose is the geometric mean of the dose levels.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import xarray as xr
from scipy import special, stats

from trialsim.inference.sampling import OBSERVED, draw_posterior, seed_of, to_tree
from trialsim.schema import ConfigError
from trialsim.schema.inference import InferenceSettings

DIMS = {"alpha": ["stratum"], "dlt_probability": ["stratum", "dose_level"], OBSERVED: ["observation"], "n": ["observation"]}
PARAMETERS = ("alpha", "log_slope")


def model(log_dose, levels, stratum, n, priors, y=None):
    """The model above. S strata, O observations, L dose levels.

    Args:
        log_dose: log(dose / reference) of each observation, (O,).
        levels: the same of each dose level, (L,).
        stratum: one-hot stratum of each observation, (O, S).
        n: evaluable patients, (O,).
        priors: {alpha_mean, alpha_sd, log_slope_mean, log_slope_sd}.
        y: patients with a DLT, (O,), or None to draw them.
    """
    strata = stratum.shape[1]
    alpha = numpyro.sample("alpha", dist.Normal(priors["alpha_mean"], priors["alpha_sd"]).expand([strata]).to_event(1))
    log_slope = numpyro.sample("log_slope", dist.Normal(priors["log_slope_mean"], priors["log_slope_sd"]))
    slope = jnp.exp(log_slope)
    numpyro.deterministic("dlt_probability", jax.nn.sigmoid(alpha[:, None] + slope * levels))
    numpyro.sample(OBSERVED, dist.BinomialLogits(total_count=n, logits=stratum @ alpha + slope * log_dose), obs=y)


def fit_dlt(counts: pd.DataFrame, settings: InferenceSettings, seed: int, name: str = "dlt") -> xr.DataTree:
    """Fit the model.

    Args:
        counts: columns dose, n, y and optionally stratum, as `tables.count_dlt` returns them; rows with n = 0 are dropped.
        settings: sampler and priors.
        seed: study seed.

    Returns:
        Tree with groups posterior (alpha, log_slope, dlt_probability by stratum and dose_level), sample_stats, log_likelihood,
        posterior_predictive, observed_data, constant_data.
    """
    counts = counts[counts["n"] > 0].reset_index(drop=True)
    if counts.empty or (counts["dose"] <= 0).any() or ((counts["y"] < 0) | (counts["y"] > counts["n"])).any():
        raise ConfigError("counts", counts.to_dict("list"), "at least one dose level with patients; dose > 0, 0 <= y <= n")
    strata = list(dict.fromkeys(counts["stratum"].astype(str))) if "stratum" in counts else ["all"]
    member = counts["stratum"].astype(str).map(strata.index) if "stratum" in counts else pd.Series(0, index=counts.index)
    doses = np.unique(counts["dose"].to_numpy(float))
    reference = float(np.exp(np.log(doses).mean()))
    n, y = counts["n"].to_numpy(int), counts["y"].to_numpy(int)
    labels = [f"{strata[s]}: {dose:g}" if len(strata) > 1 else f"{dose:g}" for s, dose in zip(member, counts["dose"], strict=True)]
    coords = {"stratum": strata, "dose_level": doses, "observation": labels}
    priors = settings.dlt_priors
    arguments = {
        "log_dose": np.log(counts["dose"].to_numpy(float) / reference),
        "levels": np.log(doses / reference),
        "stratum": np.eye(len(strata))[member.to_numpy()],
        "n": n,
        "priors": {
            "alpha_mean": float(np.log(priors.reference_rate / (1 - priors.reference_rate))), "alpha_sd": priors.intercept_sd,
            "log_slope_mean": priors.log_slope_mean, "log_slope_sd": priors.log_slope_sd,
        },
    }  # fmt: skip
    draws, statistics = draw_posterior(model, arguments | {"y": y}, settings, seed, name)
    rng = np.random.default_rng(seed_of(seed, f"predictive/{name}", settings))
    slope = np.exp(draws["log_slope"].astype(float))[..., None]
    logit = draws["alpha"].astype(float)[..., member.to_numpy()] + slope * arguments["log_dose"]
    probability = np.clip(special.expit(logit), 1e-12, 1.0 - 1e-12)
    groups = {
        "posterior": draws,
        "sample_stats": statistics,
        "log_likelihood": {OBSERVED: stats.binom.logpmf(y, n, probability)},
        "posterior_predictive": {OBSERVED: rng.binomial(n, probability)},
        "observed_data": {OBSERVED: y},
        "constant_data": {"n": n, "reference_dose": reference},
    }
    return to_tree(groups, coords, DIMS)
