"""May the fit be believed? Sampler diagnostics and predictive checks, judged in words.

R-hat and effective sample sizes: Vehtari et al., Bayesian Anal 2021;16:667. E-BFMI: Betancourt, arXiv:1604.00695. PSIS-LOO:
Vehtari, Gelman, Gabry, Stat Comput 2017;27:1413.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import arviz_stats
import numpy as np
import xarray as xr

from trialsim.inference.sampling import OBSERVED
from trialsim.schema.inference import DiagnosticThresholds


@dataclass(frozen=True)
class Diagnostics:
    """Verdict on one fit, or on several.

    Attributes:
        ok: whether the draws may be used.
        max_rhat: largest rank-normalised split R-hat. min_ess: smallest bulk or tail effective sample size.
        divergences: divergent transitions. min_bfmi: smallest energy fraction of missing information.
        predictive_p: posterior predictive p-value of lack of fit.
        max_pareto_k: largest Pareto k of leave-one-out. elpd_loo: expected log predictive density.
        messages: what is wrong and what to do; empty if nothing is.
    """

    ok: bool
    max_rhat: float
    min_ess: float
    divergences: int
    min_bfmi: float
    predictive_p: float
    max_pareto_k: float
    elpd_loo: float
    messages: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For summary.json."""
        return asdict(self) | {"messages": list(self.messages)}


def diagnose(tree: xr.DataTree, thresholds: DiagnosticThresholds) -> Diagnostics:
    """Judge one fit.

    Args:
        tree: posterior, sample_stats, log_likelihood, posterior_predictive, observed_data and constant_data groups.
        thresholds: when a fit is bad.
    """
    sampled = {name: values for name, values in tree["posterior"].data_vars.items() if not str(name).endswith("probability")}
    rhats, sizes = [], []
    with np.errstate(invalid="ignore"):  # a chain that never moves has NaN, which fails below
        for values in sampled.values():
            draws = np.moveaxis(values.to_numpy(), (0, 1), (-2, -1)).reshape(-1, values.sizes["chain"], values.sizes["draw"])
            for draw in draws:
                rhats.append(_array(arviz_stats.rhat, draw))
                sizes += [
                    _array(arviz_stats.ess, draw, method="bulk"),
                    _array(arviz_stats.ess, draw, method="tail", prob=(0.05, 0.95)),
                ]
    max_rhat, min_ess = float(np.max(rhats)), float(np.min(sizes))
    divergences = int(tree["sample_stats"]["diverging"].sum())
    bfmi = float(np.min([_bfmi(chain) for chain in tree["sample_stats"]["energy"].to_numpy()]))
    p = predictive_p(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a high Pareto k is judged below, in words
        loo = arviz_stats.loo(tree.copy(), var_name=OBSERVED, pointwise=True)
    pareto_k = np.asarray(loo.pareto_k).reshape(-1)
    k, unreliable = float(np.max(pareto_k)), int(np.sum(pareto_k > thresholds.max_pareto_k))

    t, faults = thresholds, []  # each test is written so that NaN fails it
    if not max_rhat < t.max_rhat:
        faults.append(
            f"R-hat is {max_rhat:.3f}, not below {t.max_rhat}: chains disagree; increase inference.warmup and inference.samples"
        )
    if not min_ess > t.min_ess:
        faults.append(f"effective sample size is {min_ess:.0f}, not above {t.min_ess:g}: increase inference.samples")
    if divergences > t.max_divergences:
        faults.append(f"{divergences} divergent transitions: increase inference.target_accept (towards 0.999)")
    if not bfmi >= t.min_bfmi:
        faults.append(f"E-BFMI is {bfmi:.2f}, below {t.min_bfmi}: the energy is explored badly; increase inference.warmup")
    if not p >= t.min_predictive_p:
        faults.append(f"posterior predictive p is {p:.4f}: the model does not describe these counts")
    note = (
        f"Pareto k above {t.max_pareto_k} for {unreliable} of {pareto_k.size} counts (largest {k:.2f}): the leave-one-out estimate "
        "is unreliable for them, as each carries most of what is known about its cell; the posterior is not affected"
    )
    messages = [*faults, note] if unreliable else faults
    return Diagnostics(not faults, max_rhat, min_ess, divergences, bfmi, p, k, float(loo.elpd), tuple(messages))


def combine(fits: Mapping[str, Diagnostics], more_faults: tuple[str, ...] = ()) -> dict[str, Any]:
    """The ``diagnostics`` section of summary.json: the worst of all fits, and each of them.

    Args:
        fits: by name. more_faults: what else spoils the run, e.g. numerical error.
    """
    return {
        "ok": all(fit.ok for fit in fits.values()) and not more_faults,
        "max_rhat": max(fit.max_rhat for fit in fits.values()),
        "min_ess": min(fit.min_ess for fit in fits.values()),
        "divergences": sum(fit.divergences for fit in fits.values()),
        "messages": [*more_faults, *(f"{name}: {text}" for name, fit in fits.items() for text in fit.messages)],
        "fits": {name: fit.as_dict() for name, fit in fits.items()},
    }


def predictive_p(tree: xr.DataTree) -> float:
    """Posterior predictive p-value of lack of fit: how often replicated counts lie at least as far from the predictive mean as the
    observed ones, by the chi-square distance sum (y - E)^2 / V over observations (Gelman, Meng, Stern, Stat Sinica 1996;6:733).
    The data are used twice, so it is conservative: only small values say something."""
    predicted = _flat(tree["posterior_predictive"][OBSERVED].to_numpy())
    observed = tree["observed_data"][OBSERVED].to_numpy().reshape(-1)
    mean, variance = predicted.mean(axis=0), np.maximum(predicted.var(axis=0), 1e-3)
    replicated = np.sum((predicted - mean) ** 2 / variance, axis=1)
    seen = np.sum((observed - mean) ** 2 / variance)
    return float((1 + np.sum(replicated >= seen)) / (1 + len(replicated)))


def _flat(draws: np.ndarray) -> np.ndarray:
    """(chain, draw, ...) -> (chain * draw, observations)."""
    return draws.reshape(draws.shape[0] * draws.shape[1], -1)


def _array(function: Any, draws: np.ndarray, **more: Any) -> float:
    return float(function(draws, chain_axis=0, draw_axis=1, **more))


def _bfmi(energy: np.ndarray) -> float:
    return float(np.mean(np.diff(energy) ** 2) / np.var(energy))
