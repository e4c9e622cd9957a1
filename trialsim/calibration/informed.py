"""What the evidence tells: of each parameter, how much narrower it became; of adults and children, what each adds to the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from numpyro.infer import Predictive

from trialsim.calibration import scores
from trialsim.calibration.arms import CHILDREN_BELOW_Y, Arm
from trialsim.calibration.fits import Fit, geometry_of, kept
from trialsim.calibration.parameters import OF_TYPE
from trialsim.calibration.problem import Evidence, Problem
from trialsim.calibration.published import Number
from trialsim.calibration.sampling import Sampler

PRIOR_DRAWS = 4000
OF_HIERARCHY = {
    "mu_growth": "log growth rate, mean over tumour types",
    "mu_dependence": "logit dependence, mean over tumour types",
    "mu_death": "log death rate, mean over tumour types",
    "tau_growth": "log growth rate, SD between tumour types",
    "tau_dependence": "logit dependence, SD between tumour types",
    "tau_death": "log death rate, SD between tumour types",
    "rho": "slope of log death on log growth",
    "child_growth": "log growth rate, offset of children's types",
    "child_dependence": "logit dependence, offset of children's types",
    "low_grade_growth": "log growth rate, offset of low-grade types",
    "omega_growth": "log growth rate, SD between studies",
    "omega_dependence": "logit dependence, SD between studies",
    "tau_response": "logit of a response rate, SD beyond all else",
    "tau_control": "logit of another rate, SD beyond all else",
    "tau_time": "logit of survival at a median, SD beyond all else",
    "tau_ratio": "log hazard ratio, SD beyond all else",
}
GROUPS = ("adults", "children", "together")


def prior_draws(problem: Problem, seed: int) -> dict[str, np.ndarray]:
    """Draws of all sites from the prior."""
    with jax.enable_x64(True):
        found = Predictive(problem.model, num_samples=PRIOR_DRAWS, parallel=True)(jax.random.key(seed), data=None)
    return {name: np.asarray(value) for name, value in found.items()}


def contraction(problem: Problem, draws: Mapping[str, np.ndarray], seed: int) -> pd.DataFrame:
    """One row a parameter: parameter, of (hierarchy, growth, dependence, death, partner, rapalog, all), meaning, prior_mean,
    prior_sd, mean, sd, low_90, high_90, contraction = 1 - sd^2/prior_sd^2 (0: the evidence says nothing, 1: all)."""
    prior = prior_draws(problem, seed)
    rows = [_row(name, "hierarchy", meaning, prior[name], draws[name]) for name, meaning in OF_HIERARCHY.items()]
    for k, name in enumerate(problem.system.shifts):
        first = name.split(" ", 1)[0]
        of = first if first in (*OF_TYPE, "partner") else "rapalog" if first == "exposure" else "all"
        rows.append(_row(name, of, "shift of the setting", prior["shifts"][:, k], draws["shifts"][:, k]))
    return pd.DataFrame(rows)


def _row(name: str, of: str, meaning: str, prior: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    low, high = np.quantile(draws, [0.05, 0.95])
    found = {"prior_mean": prior.mean(), "prior_sd": prior.std(), "mean": draws.mean(), "sd": draws.std(), "low_90": low}
    share = 1.0 - float(draws.var() / prior.var())
    return {"parameter": name, "of": of, "meaning": meaning} | found | {"high_90": high, "contraction": share}


def is_of_children(arm: Arm) -> bool:
    return arm.config.cohort.age.maximum_y < CHILDREN_BELOW_Y


def by_age(
    found: Evidence, problem: Problem, together: Fit, sampler: Sampler, seed: int, folder: Path
) -> tuple[dict[str, pd.DataFrame], dict[str, Fit]]:
    """The hierarchy fitted to the studies of adults, of children, and to both.

    Args:
        together: the fit to all. folder: where the two others are kept.

    Returns:
        Tables ``numbers`` (study, arm, endpoint, value, n, children, fitted, median, low_90, high_90, width, inside_90, crps: each
        number predicted by each fit, of which it was part or not) and ``parameters`` (parameter, meaning, and mean and SD under
        each fit, as mean_adults, sd_adults, ...); and the fits.
    """
    young = {arm.name: is_of_children(arm) for arm in found.arms}
    counts = {"adults": lambda one: not young[one.arm], "children": lambda one: young[one.arm]}
    known = geometry_of(problem, together)
    by_fit = {name: kept(folder, name, problem, sampler, seed, which, known) for name, which in counts.items()}
    by_fit["together"] = together
    rows = [_predicted(one, young[one.arm], name, fit) for name, fit in by_fit.items() for one in problem.numbers]
    parameters = pd.DataFrame({"parameter": list(OF_HIERARCHY), "meaning": list(OF_HIERARCHY.values())})
    for name, fit in by_fit.items():
        parameters[f"mean_{name}"] = [float(fit.draws[site].mean()) for site in OF_HIERARCHY]
        parameters[f"sd_{name}"] = [float(fit.draws[site].std()) for site in OF_HIERARCHY]
    return {"numbers": pd.DataFrame(rows), "parameters": parameters}, by_fit


def _predicted(one: Number, young: bool, fitted: str, fit: Fit) -> dict[str, Any]:
    draws = np.asarray(fit.predicted[one.name], float)
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95], method="inverted_cdf")
    half = 0.05 if one.endpoint.startswith("median") else 0.005
    part = {"study": one.study, "arm": one.arm, "endpoint": one.endpoint, "value": one.value, "n": one.n, "children": young}
    part |= {"fitted": fitted, "median": middle, "low_90": low, "high_90": high, "width": high - low}
    return part | {"inside_90": scores.inside(draws, one.value, 90, half), "crps": scores.scored(draws, one.value, one.endpoint)}
