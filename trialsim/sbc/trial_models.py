"""The models that every run fits: response and dose-limiting toxicity, through the functions that a run calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from trialsim.inference import dlt, response
from trialsim.inference.sampling import OBSERVED
from trialsim.inference.tables import ResponseData, response_data
from trialsim.sbc.ranks import Batch, Repetition, among_draws
from trialsim.sbc.sampled import truth_of
from trialsim.schema.inference import InferenceSettings

SETTINGS = InferenceSettings(chains=2, warmup=500, samples=500, target_accept=0.9)
PATIENTS = {"colorectal": (12, 5), "rcc_clear_cell": (9, 3), "breast_hr": (6, 7), "hcc": (2, 4), "thyroid": (1, 0)}  # without, with
#                                                                                    the first covariate: a trial of CPCT-03's size
ENDPOINTS = ("orr", "dcr", "clinical_benefit_rate")
DOSES = np.array([2.1, 3.0, 5.0, 6.5])
TREATED = {"one": (3, 3, 6, 12), "two": (6, 6, 12, 3)}  # patients a dose level, by stratum


def cells(types: int, covariates: int, endpoints: int) -> ResponseData:
    """A trial without its results. types: of `PATIENTS`. covariates: binary, 0 to 2. endpoints: of `ENDPOINTS`."""
    rows = []
    for kind, (without, with_it) in list(PATIENTS.items())[:types]:
        for first, size in ((False, without), (True, with_it)):
            for second, share in ((False, 0.6), (True, 0.4)):
                n = round(size * share) if covariates > 1 else size if not second else 0
                named = {"pathway_altered": first, "later_line": second}
                rows.append({"tumour_type": kind, "n": n, "y": 0} | dict(list(named.items())[:covariates]))
    table = pd.DataFrame(rows)
    keys = [name for name in table if name not in ("n", "y")]
    table = table.groupby(keys, sort=False, as_index=False).sum()
    return response_data(pd.concat([table.assign(endpoint=name) for name in ENDPOINTS[:endpoints]], ignore_index=True))


def response_model(types: int, covariates: int = 0, endpoints: int = 1, settings: InferenceSettings = SETTINGS) -> Batch:
    """Arguments as of `cells`. Ranked: all parameters of the first endpoint, mean and rate of the others, the log likelihood."""
    data = cells(types, covariates, endpoints)

    def once(seed: int) -> Repetition:
        arguments = response.model_arguments(data, settings)
        truth = truth_of(response.model, seed, **arguments)
        p = truth["cell_probability"][data.obs_endpoint, data.obs_cell]
        y = np.random.default_rng(seed).binomial(data.n, p)
        tree = response.fit_response(replace(data, y=y), settings, seed)
        watched: list[tuple[str, str, tuple[int, ...]]] = []
        for e, endpoint in enumerate(data.endpoints):
            watched += [(f"{name}: {endpoint}", name, (e,)) for name in ("mu", "cohort_probability")]
            watched += [(f"tau: {endpoint}", "tau", (e,))] if types > 1 else []
        watched += [(f"beta: {name}", "beta", (0, k)) for k, name in enumerate(data.covariates)]
        watched += [(f"effect: {name}", "effect", (0, t)) for t, name in enumerate(data.tumour_types)] if types > 1 else []
        return _ranked(tree, truth, watched, float(stats.binom.logpmf(y, data.n, p).sum()), seed)

    return lambda seeds: [once(seed) for seed in seeds]


def dlt_model(strata: Sequence[str], settings: InferenceSettings = SETTINGS) -> Batch:
    """Args: strata: of `TREATED`."""
    counts = pd.concat([pd.DataFrame({"dose": DOSES, "n": TREATED[name], "stratum": name}) for name in strata], ignore_index=True)
    log_dose = np.log(counts["dose"].to_numpy()) - np.log(DOSES).mean()
    member = counts["stratum"].map(list(strata).index).to_numpy()
    priors = settings.dlt_priors

    def once(seed: int) -> Repetition:
        rng = np.random.default_rng(seed)
        alpha = rng.normal(special.logit(priors.reference_rate), priors.intercept_sd, len(strata))
        log_slope = rng.normal(priors.log_slope_mean, priors.log_slope_sd)
        p = special.expit(alpha[member] + np.exp(log_slope) * log_dose)
        y = rng.binomial(counts["n"], p)
        tree = dlt.fit_dlt(counts.assign(y=y), settings, seed)
        truth = {"alpha": alpha, "log_slope": log_slope, "dlt_probability": p.reshape(len(strata), len(DOSES))}
        watched = [(f"alpha: {name}", "alpha", (s,)) for s, name in enumerate(strata)] + [("log slope", "log_slope", ())]
        watched += [(f"DLT rate at {dose:g}", "dlt_probability", (0, k)) for k, dose in enumerate(DOSES)]
        seen = np.clip(p, 1e-12, 1.0 - 1e-12)  # as the fit has it
        return _ranked(tree, truth, watched, float(stats.binom.logpmf(y, counts["n"], seen).sum()), seed)

    return lambda seeds: [once(seed) for seed in seeds]


def _ranked(tree: xr.DataTree, truth: dict[str, Any], watched: Sequence[Any], likelihood: float, seed: int) -> Repetition:
    """Args: watched: name, site and place in it. likelihood: log, of the data under the truth."""
    posterior = {site: tree["posterior"][site].to_numpy() for site in {site for _, site, _ in watched}}
    found = {name: (np.asarray(truth[site])[place], posterior[site][(slice(None), slice(None), *place)])
             for name, site, place in watched}  # fmt: skip
    found["log likelihood"] = (likelihood, tree["log_likelihood"][OBSERVED].to_numpy().sum(-1))
    return among_draws(found, np.random.default_rng([seed, 1]), int(tree["sample_stats"]["diverging"].sum()))
