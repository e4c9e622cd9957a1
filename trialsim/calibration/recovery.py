"""Does the calibration find what it should? Numbers drawn from parameters of the prior, fitted as if they had been published.

If the fit is right, the rank of each true parameter among its posterior draws is uniform over repetitions (simulation-based
calibration: Cook, Gelman & Rubin, J Comput Graph Stat 2006;15:675; Talts et al., arXiv 1804.06788). Medians are drawn as order
statistics of the curves, not from the likelihood's normal approximation of them, so that this is tested too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro import handlers

from trialsim.calibration import likelihood, meta, model, predictive
from trialsim.calibration.library import OS_MONTHS, PFS_MONTHS
from trialsim.calibration.run import Problem
from trialsim.calibration.sampling import Sampler, sample

WATCHED = ("mu_growth", "mu_dependence", "mu_death", "tau_growth", "tau_dependence", "omega_growth", "omega_dependence", "tau_rate",
           "tau_time", "tau_ratio")  # fmt: skip
WATCHED_STATISTICAL = ("mu", "rapalog", "sd_type", "sd_study", "tau", "hr", "hr_sd", "hr_tau")


class Recovered(NamedTuple):
    """Attributes: truth: by parameter. rank: share of posterior draws below it, 0-1. inside_90: of the central interval."""

    truth: dict[str, float]
    rank: dict[str, float]
    inside_90: dict[str, bool]


def truth_of(run: Any, seed: int, **arguments: Any) -> dict[str, np.ndarray]:
    """One draw of all sites from the prior."""
    with jax.enable_x64(True):
        trace = handlers.trace(handlers.seed(run, jax.random.key(seed))).get_trace(**arguments)
        return {name: np.asarray(site["value"]) for name, site in trace.items() if site["type"] in ("sample", "deterministic")}


def published_by(problem: Problem, truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> likelihood.Data:
    """What trials would publish if the truth were so."""
    data, one = problem.data, {name: value[None] for name, value in truth.items()}
    values = predictive.drawn(problem.system, data, problem.numbers, one, rng)
    kinds = problem.kinds
    events = np.array([round(float(values[n.name][0]) * n.n) for n in kinds["rate"]])
    ends = [likelihood.window(n.endpoint.removeprefix("median_"), _within(n.endpoint, values[n.name][0])) for n in kinds["time"]]
    ratio = np.log(np.array([float(values[n.name][0]) for n in kinds["ratio"]]))
    return data._replace(
        rate_events=events.astype(float),
        time_weight=np.array([weight for weight, _ in ends]).reshape(data.time_weight.shape),
        time_one=np.array([one for _, one in ends]).reshape(data.time_one.shape),
        ratio_value=ratio.reshape(data.ratio_value.shape),
    )


def _within(endpoint: str, months: float) -> float:
    """A median that lies beyond the curves is published as their end: nobody could tell it."""
    grid = PFS_MONTHS if endpoint == "median_pfs" else OS_MONTHS
    return float(np.clip(months, likelihood.HALF, grid[-1] - likelihood.HALF))


def recover(problem: Problem, sampler: Sampler, seed: int, run: Any | None = None) -> Recovered:
    """One repetition. run: the model, kept between repetitions so that it is compiled once."""
    run = run or partial(model.model, problem.system, problem.hierarchy)
    truth = truth_of(run, seed, data=problem.data)
    rng = np.random.default_rng(seed)
    data = published_by(problem, truth, rng)
    everything = {kind: np.ones(len(numbers), bool) for kind, numbers in problem.kinds.items()}
    draws, _ = sample(run, {"data": data, "observed": everything}, sampler, seed)
    watched = {name: (truth[name], draws[name]) for name in WATCHED}
    for k, name in enumerate(problem.system.shifts):
        watched[name] = (truth["shifts"][k], draws["shifts"][:, k])
    return _ranked(watched)


def recover_statistical(made: meta.Table, sampler: Sampler, seed: int, run: Any | None = None) -> Recovered:
    """One repetition of the meta-analysis."""
    run = run or partial(meta.model, made)
    truth, rng = truth_of(run, seed), np.random.default_rng(seed)
    eta, ratio = truth["eta"], truth["ratio"]
    p = 1.0 / (1.0 + np.exp(-eta[made.count_arm, made.count_endpoint]))
    noise = lambda se, tau: np.hypot(se, tau) * rng.normal(size=len(se))
    values = {
        "count": rng.binomial(made.count_n.astype(int), p).astype(float),
        "time": eta[made.time_arm, 3] + noise(made.time_se, truth["tau"]),
        "ratio": ratio + noise(made.ratio_se, truth["hr_tau"]),
    }
    everything = {kind: np.ones(len(value), bool) for kind, value in values.items()}
    draws, _ = sample(run, {"values": values, "observed": everything}, sampler, seed)
    watched = {}
    for name in WATCHED_STATISTICAL:
        for k in range(truth[name].size):
            watched[f"{name}[{k}]"] = (truth[name].ravel()[k], draws[name].reshape(len(draws[name]), -1)[:, k])
    return _ranked(watched)


def _ranked(watched: Mapping[str, tuple[Any, np.ndarray]]) -> Recovered:
    rank = {name: float(np.mean(draws < true)) for name, (true, draws) in watched.items()}
    return Recovered(
        {name: float(true) for name, (true, _) in watched.items()}, rank, {name: 0.05 <= r <= 0.95 for name, r in rank.items()}
    )
