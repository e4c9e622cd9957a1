"""The one reader of an ArviZ posterior file: its variable and dimension names are known here and nowhere else."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from trialsim.artefacts.netcdf import check_netcdf

PROBABILITY = "probability"  # the per-type event probabilities, dims (chain, draw, endpoint, tumour_type)
SAMPLE_DIMS = ("chain", "draw")
TAILS = (0.05, 0.95)  # tail effective sample size: the smaller of those of the 5 % and 95 % quantiles
LEVELS = {"low_95": 0.025, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_95": 0.975}


@dataclass(frozen=True)
class Posterior:
    """One fit. Groups read: posterior, posterior_predictive, observed_data, log_likelihood."""

    tree: xr.DataTree

    def group(self, name: str) -> xr.Dataset | None:
        return self.tree[name].to_dataset() if name in self.tree.children else None


class Loo(NamedTuple):
    """Leave-one-out check (Vehtari, Gelman & Gabry 2017, Stat Comput 27:1413).

    Attributes:
        elpd, se, p: expected log predictive density, its standard error, effective number of parameters.
        pareto_k: of each observation; above ``good_k`` the estimate is not reliable.
        labels: of the observations.
    """

    elpd: float
    se: float
    p: float
    pareto_k: np.ndarray
    good_k: float
    labels: list[str]


def read_posterior(path: Path) -> Posterior | None:
    """Read a NetCDF posterior into memory, or None if there is none."""
    if not path.is_file():
        return None
    check_netcdf(path)
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return Posterior(tree.load())


def type_probabilities(fit: Posterior | None) -> pd.DataFrame:
    """Event probability by tumour type: columns endpoint, tumour_type, median, low_50, high_50, low_95, high_95."""
    columns = ["endpoint", "tumour_type", *LEVELS]
    data = fit.group("posterior") if fit else None
    if data is None:
        return pd.DataFrame(columns=columns)
    rows = []
    for name, array in data.data_vars.items():
        kind = next((dim for dim in array.dims if "tumour" in str(dim) or "type" in str(dim)), None)
        if kind is None or not str(name).endswith(PROBABILITY) or not set(SAMPLE_DIMS) <= set(array.dims):
            continue
        endpoint = next((dim for dim in array.dims if "endpoint" in str(dim)), None)
        if set(array.dims) - {*SAMPLE_DIMS, kind, endpoint}:
            continue
        names = [str(item) for item in array[endpoint].values] if endpoint else [str(name).removesuffix(f"_{PROBABILITY}")]
        for index, endpoint_name in enumerate(names):
            draws = (array.isel({endpoint: index}) if endpoint else array).transpose(*SAMPLE_DIMS, kind).values
            values = np.quantile(draws.reshape(-1, draws.shape[-1]), list(LEVELS.values()), axis=0)
            for column, tumour in enumerate(array[kind].values):
                rows.append(
                    {
                        "endpoint": endpoint_name,
                        "tumour_type": str(tumour),
                        **{key: float(values[row, column]) for row, key in enumerate(LEVELS)},
                    }
                )
    return pd.DataFrame(rows, columns=columns)


def flat_parameters(fit: Posterior | None) -> dict[str, np.ndarray]:
    """Every scalar parameter with its draws, shape (chain, draw); derived probabilities are left out."""
    data = fit.group("posterior") if fit else None
    found: dict[str, np.ndarray] = {}
    for name, array in data.data_vars.items() if data is not None else ():
        if not set(SAMPLE_DIMS) <= set(array.dims) or str(name).endswith(PROBABILITY):
            continue
        for label, values in _elements(array):
            found[label] = values
    return found


def convergence_table(fit: Posterior | None) -> pd.DataFrame:
    """Columns parameter, mean, sd, low_95, high_95, ess_bulk, ess_tail, rhat; largest R-hat first."""
    from arviz_stats.base import array_stats

    columns = ["parameter", "mean", "sd", "low_95", "high_95", "ess_bulk", "ess_tail", "rhat"]
    rows = []
    for label, draws in flat_parameters(fit).items():
        low, high = np.quantile(draws, [0.025, 0.975])
        row = {
            "parameter": label,
            "mean": draws.mean(),
            "sd": draws.std(ddof=1) if draws.size > 1 else np.nan,
            "low_95": low,
            "high_95": high,
            "ess_bulk": np.nan,
            "ess_tail": np.nan,
            "rhat": np.nan,
        }
        if draws.shape[1] >= 4 and np.ptp(draws) > 0:  # arviz needs four draws, and a constant has no R-hat
            row["ess_bulk"] = float(array_stats.ess(draws, method="bulk", chain_axis=0, draw_axis=1))
            row["ess_tail"] = float(array_stats.ess(draws, method="tail", prob=TAILS, chain_axis=0, draw_axis=1))
            row["rhat"] = float(array_stats.rhat(draws, chain_axis=0, draw_axis=1)) if draws.shape[0] > 1 else np.nan
        rows.append(row)
    return pd.DataFrame(rows, columns=columns).sort_values("rhat", ascending=False, kind="stable", ignore_index=True)


def rank_histogram(draws: np.ndarray, bins: int = 20) -> np.ndarray:
    """Share of each chain's draws in each bin of the pooled ranks, relative to even mixing: shape (chain, bins).

    Vehtari et al. 2021, Bayesian Analysis 16:667: chains that explore the same distribution have flat rank histograms.
    """
    ranks = draws.reshape(-1).argsort(kind="stable").argsort(kind="stable").reshape(draws.shape)
    edges = np.linspace(0, draws.size, bins + 1)
    return np.stack([np.histogram(chain, edges)[0] / (draws.shape[1] / bins) for chain in ranks])


def predictive_check(fit: Posterior | None) -> pd.DataFrame:
    """Observed counts and their posterior predictive: columns variable, label, observed, low_90 .. high_90."""
    columns = ["variable", "label", "observed", "low_90", "low_50", "median", "high_50", "high_90"]
    predicted, observed = (fit.group("posterior_predictive"), fit.group("observed_data")) if fit else (None, None)
    if predicted is None or observed is None:
        return pd.DataFrame(columns=columns)
    rows = []
    for name, seen in observed.data_vars.items():
        if name not in predicted or set(predicted[name].dims) != {*SAMPLE_DIMS, *seen.dims}:
            continue
        for (label, draws), (_, value) in zip(
            _elements(predicted[name].transpose(*SAMPLE_DIMS, *seen.dims)), _elements(seen), strict=True
        ):
            quantiles = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95])
            rows.append(
                dict(
                    zip(
                        columns,
                        [
                            str(name),
                            label.removeprefix(f"{name}[").removesuffix("]"),
                            float(value),
                            *map(float, quantiles),
                        ],
                        strict=True,
                    )
                )
            )
    return pd.DataFrame(rows, columns=columns)


def leave_one_out(fit: Posterior | None) -> Loo | None:
    """PSIS-LOO of the fit, or None where the file carries no log likelihood."""
    data = fit.group("log_likelihood") if fit else None
    if fit is None or data is None or not data.data_vars:
        return None
    from arviz_stats import loo

    names = list(data.data_vars)
    try:
        with warnings.catch_warnings():  # a high Pareto k is shown in the figure, not warned about on the console
            warnings.simplefilter("ignore")
            found = loo(fit.tree, pointwise=True, var_name=names[0] if len(names) > 1 else None)
    except (ValueError, TypeError, KeyError):  # e.g. too few draws; the section then says that there is none
        return None
    values = np.asarray(found.pareto_k, float).reshape(-1)
    labels = [label for label, _ in _elements(data[names[0]])]
    return Loo(float(found.elpd), float(found.se), float(found.p), values, float(found.good_k), labels)


def _elements(array: xr.DataArray) -> list[tuple[str, np.ndarray]]:
    """Split an array by everything but its samples: [(``name[coordinate, ...]``, draws)]."""
    others = [dim for dim in array.dims if dim not in SAMPLE_DIMS]
    samples = [dim for dim in SAMPLE_DIMS if dim in array.dims]
    if not others:
        return [(str(array.name), array.transpose(*samples).values)]
    moved = array.transpose(*others, *samples)
    names = [
        [str(item) for item in array[dim].values] if dim in array.coords else [str(i) for i in range(array.sizes[dim])]
        for dim in others
    ]
    return [
        (f"{array.name}[{', '.join(names[axis][i] for axis, i in enumerate(index))}]", moved.values[index])
        for index in np.ndindex(*(array.sizes[dim] for dim in others))
    ]
