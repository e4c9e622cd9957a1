"""Does the fitted hierarchy describe what it was fitted to? PSIS-LOO by study, and posterior predictive checks.

Leave-one-study-out is estimated from the one fit to all studies (Vehtari, Gelman & Gabry, Stat Comput 2017;27:1413). What belongs
to a study alone is integrated out, or else its own effects would follow its numbers and no draw would stand for the fit without it:

    p(y_s | draw) = E_u prod_i int L(y_i | u, e) phi(e) de,       u ~ N(0, I) (scrambled Sobol), e by Gauss-Hermite

where u adds to the study's growth and dependence and e moves a number by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import arviz_stats
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from arviz_base import from_dict
from scipy.stats import norm, qmc

from trialsim.calibration.fits import Fit
from trialsim.calibration.likelihood import KINDS, SPREADS, Data, error_sd, log_likelihood
from trialsim.calibration.problem import Problem
from trialsim.calibration.published import Number

POINTS = 64  # of u
NODES = 9  # of e
PLENTY = 0.3  # response rate of an arm that counts as high in `checks`


def study_log_likelihood(problem: Problem, fit: Fit, seed: int) -> np.ndarray:
    """log p(numbers of a study | draw), (draws, studies), in the order of ``problem.system.studies``."""
    d, made = fit.draws, problem.system
    u = norm.ppf(qmc.Sobol(2, rng=np.random.default_rng(seed)).random(POINTS))
    omega = np.stack([d["omega_growth"], d["omega_dependence"]], axis=-1)
    taus = np.stack([d[f"tau_{kind}"] for kind in SPREADS], axis=-1)
    with jax.enable_x64(True):
        run = _program(problem)
        return np.asarray(run(problem.data, u, d["shifts"], omega, taus))[:, : len(made.studies)]


@lru_cache(maxsize=2)
def _program(problem: Problem) -> Callable[..., Any]:
    made, kinds = problem.system, problem.kinds
    x, w = np.polynomial.hermite_e.hermegauss(NODES)
    log_w = np.log(w / w.sum())
    places = {kind: np.array([made.studies.index(one.study) for one in kinds[kind]], int) for kind in KINDS}

    def one_draw(data: Data, u: Any, shifts: Any, omega: Any, tau: Any) -> Any:
        spread = error_sd(data, dict(zip(SPREADS, tau, strict=True)))

        def at(point: Any) -> Any:
            found = made.outcomes(shifts, jnp.tile(omega * point, (len(made.studies), 1)))
            of_node = lambda e: log_likelihood(data, found, {kind: e * sd for kind, sd in spread.items()})
            terms = jax.vmap(of_node)(jnp.array(x))
            total = jnp.zeros(len(made.studies))
            for kind, values in terms.items():
                number = jax.scipy.special.logsumexp(values + log_w[:, None], axis=0)
                total = total + jax.ops.segment_sum(number, places[kind], len(made.studies))
            return total

        return jax.scipy.special.logsumexp(jax.lax.map(at, u), axis=0) - jnp.log(len(u))

    return jax.jit(lambda data, u, *draws: jax.lax.map(lambda draw: one_draw(data, u, *draw), draws))


class Loo(NamedTuple):
    """Attributes: table: one row a study with numbers: study, numbers, elpd (log predictive density without it), pareto_k (above
    `scores.RELIABLE`: not to be relied upon), lpd (with it). weights: of the draws for each of these studies, as if it had not been
    there, (draws, studies), columns sum to 1."""

    table: pd.DataFrame
    weights: np.ndarray


def loo(problem: Problem, fit: Fit, chains: int, seed: int, among: Collection[str] | None = None) -> Loo:
    """Leave-one-study-out by importance weights. among: the studies that the fit has seen, all if None."""
    terms = study_log_likelihood(problem, fit, seed)
    count = pd.Series([one.study for one in problem.numbers]).value_counts()
    studies = [name for name in problem.system.studies if count.get(name, 0) and (among is None or name in among)]
    terms = terms[:, [problem.system.studies.index(name) for name in studies]]
    shaped = terms.reshape(chains, -1, len(studies))
    groups = {"posterior": {"rho": fit.draws["rho"].reshape(chains, -1)}, "log_likelihood": {"study": shaped}}
    tree = from_dict(groups, coords={"study_name": studies}, dims={"study": ["study_name"]})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Estimated shape parameter")  # the table tells it, study by study
        found = arviz_stats.loo(tree, pointwise=True, var_name="study")
    lpd = np.logaddexp.reduce(terms, axis=0) - np.log(len(terms))
    table = pd.DataFrame(
        {
            "study": studies,
            "numbers": [int(count[name]) for name in studies],
            "elpd": np.asarray(found.elpd_i).ravel(),
            "pareto_k": np.asarray(found.pareto_k).ravel(),
            "lpd": lpd,
        }
    )
    log_weights = np.asarray(found.log_weights.transpose("chain", "draw", ...)).reshape(len(terms), -1)
    weights = np.exp(log_weights - log_weights.max(axis=0))
    return Loo(table, weights / weights.sum(axis=0))


def checks(numbers: Sequence[Number], predicted: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Posterior predictive checks (Gelman, Meng & Stern, Stat Sinica 1996;6:733): one row a feature of the evidence as a whole:
    check, published, low_90, median, high_90 of replicated evidence, p (share of replicates at or above the published)."""
    of = lambda endpoint: [one for one in numbers if one.endpoint == endpoint]
    table = lambda chosen: np.stack([np.asarray(predicted[one.name], float) for one in chosen], axis=1)
    value = lambda chosen: np.array([one.value for one in chosen])
    rows = []

    def add(name: str, chosen: Sequence[Number], feature: Callable[[np.ndarray], np.ndarray]) -> None:
        if len(chosen) < 2:
            return
        seen = float(feature(value(chosen)[None])[0])
        replicated = feature(table(chosen))
        low, middle, high = np.quantile(replicated, [0.05, 0.5, 0.95])
        p = float(np.mean(replicated > seen) + 0.5 * np.mean(replicated == seen))
        rows.append({"check": name, "published": seen, "low_90": low, "median": middle, "high_90": high, "p": p})

    orr, control = of("orr"), [one for one in of("orr") if one.arm.endswith("/control")]
    add("arms in which nobody responds", orr, lambda y: np.sum(y < 1e-9, axis=1).astype(float))
    add(f"arms in which {PLENTY:.0%} or more respond", orr, lambda y: np.sum(y >= PLENTY, axis=1).astype(float))
    add("highest response rate", orr, lambda y: y.max(axis=1))
    add("mean response rate of control arms", control, lambda y: y.mean(axis=1))
    add("mean disease control", of("dcr"), lambda y: y.mean(axis=1))
    add("SD of disease control between arms", of("dcr"), lambda y: y.std(axis=1))
    add("mean log median PFS", of("median_pfs"), lambda y: np.log(y).mean(axis=1))
    add("SD of log median PFS between arms", of("median_pfs"), lambda y: np.log(y).std(axis=1))
    add("mean log hazard ratio", of("pfs_hr"), lambda y: np.log(y).mean(axis=1))
    add("SD of log hazard ratios", of("pfs_hr"), lambda y: np.log(y).std(axis=1))
    both = [(a, b) for a in orr for b in of("median_pfs") if a.arm == b.arm]
    add("correlation of response and log median PFS", [one for pair in both for one in pair], _correlation)
    return pd.DataFrame(rows)


def _correlation(y: np.ndarray) -> np.ndarray:
    """Of response and log median PFS of the same arms, which alternate, (replicates, 2 arms) -> (replicates,)."""
    rate, time = y[:, ::2], np.log(y[:, 1::2])
    a, b = rate - rate.mean(axis=1, keepdims=True), time - time.mean(axis=1, keepdims=True)
    return np.sum(a * b, axis=1) / np.maximum(np.sqrt(np.sum(a**2, axis=1) * np.sum(b**2, axis=1)), 1e-12)
