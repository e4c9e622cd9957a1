"""Aggregated counts: from patients, or from published arms, to the cells that the response model is fitted to.

A cell is a tumour type and a combination of binary covariates. Patients of one cell are exchangeable in the model, so their
number and the number with the event are all that the likelihood needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trialsim.schema import ConfigError
from trialsim.schema.inference import InferenceSettings

# Endpoint of the model -> column of the patients table; names are those of summary.json.
ENDPOINTS: dict[str, str] = {"orr": "responder", "dcr": "disease_control", "clinical_benefit_rate": "clinical_benefit"}
_PATHWAY = ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "mtor")
_COVARIATES: dict[str, Callable[[pd.DataFrame, InferenceSettings], pd.Series]] = {
    "pathway_altered": lambda patients, _: patients[list(_PATHWAY)].astype(bool).any(axis=1),
    "kras_mutated": lambda patients, _: patients["kras"].astype(bool),
    "later_line": lambda patients, settings: patients["line"] >= settings.later_line_from,
    "poor_performance": lambda patients, _: patients["ecog"] >= 2,
}


@dataclass(frozen=True)
class ResponseData:
    """Counts in the form of the model. C cells, T tumour types, K covariates, E endpoints, O observations.

    Attributes:
        tumour_types: names, (T,).
        covariates: names, (K,).
        endpoints: names, (E,).
        cell_type: index of the tumour type of each cell, int (C,).
        cell_design: binary covariates of each cell, as given (not centred), float (C, K).
        cell_weight: share of the population in each cell; sums to 1, (C,).
        obs_cell, obs_endpoint: cell and endpoint of each observation, int (O,).
        n: patients of each observation, > 0, int (O,).
        y: those with the event, int (O,).
        labels: name of each observation, (O,).
    """

    tumour_types: tuple[str, ...]
    covariates: tuple[str, ...]
    endpoints: tuple[str, ...]
    cell_type: np.ndarray
    cell_design: np.ndarray
    cell_weight: np.ndarray
    obs_cell: np.ndarray
    obs_endpoint: np.ndarray
    n: np.ndarray
    y: np.ndarray
    labels: tuple[str, ...]

    @property
    def cell_labels(self) -> tuple[str, ...]:
        """``colorectal, pathway_altered, not later_line``: one a cell."""
        return tuple(
            ", ".join(
                [self.tumour_types[kind], *(name if on else f"not {name}" for name, on in zip(self.covariates, row, strict=True))]
            )
            for kind, row in zip(self.cell_type, self.cell_design, strict=True)
        )


def cells_of(patients: pd.DataFrame, settings: InferenceSettings) -> pd.DataFrame:
    """The cell of each patient: columns tumour_type and one bool a covariate; index as given."""
    cells = {"tumour_type": patients["tumour_type"].astype(str)}
    for name in settings.covariates:
        cells[name] = _COVARIATES[name](patients, settings).astype(bool)
    return pd.DataFrame(cells)


def count_patients(
    patients: pd.DataFrame, settings: InferenceSettings, endpoints: Sequence[str] = tuple(ENDPOINTS)
) -> pd.DataFrame:
    """Aggregate a patients table.

    Args:
        patients: one row a patient; a missing endpoint takes the patient out of that endpoint's counts.
        settings: names the covariates.
        endpoints: keys of `ENDPOINTS`.

    Returns:
        One row a cell and endpoint with at least one patient: tumour_type, one bool column a covariate, endpoint, n, y.
    """
    if patients.empty:
        raise ConfigError("cohort.size", 0, "at least one treated patient, or nothing can be counted")
    unknown = sorted(set(endpoints) - set(ENDPOINTS))
    if unknown:
        raise ConfigError("endpoints", unknown, f"any of {', '.join(ENDPOINTS)}")
    cells = cells_of(patients, settings)
    frames = []
    for endpoint in endpoints:
        event = patients[ENDPOINTS[endpoint]]
        seen = event.notna()
        if not seen.any():
            continue
        counted = cells[seen].assign(y=event[seen].astype(bool).astype(int))
        grouped = counted.groupby(["tumour_type", *settings.covariates], observed=True)["y"].agg(n="size", y="sum")
        frames.append(grouped.reset_index().assign(endpoint=endpoint))
    return pd.concat(frames, ignore_index=True)[["tumour_type", *settings.covariates, "endpoint", "n", "y"]]


def count_published(arms: pd.DataFrame) -> pd.DataFrame:
    """Counts of published arms in the same form: no covariates, one row an arm and endpoint.

    Args:
        arms: as `trialsim.evidence.monotherapy_counts` returns them.
    """
    frames = [
        arms.assign(endpoint=endpoint, y=arms[column])[["trial_id", "arm", "tumour_type", "endpoint", "n", "y"]].dropna()
        for endpoint, column in (("orr", "responders"), ("dcr", "disease_control"))
    ]
    return pd.concat(frames, ignore_index=True).astype({"n": int, "y": int})


_RESERVED = ("tumour_type", "endpoint", "n", "y", "trial_id", "arm")


def response_data(counts: pd.DataFrame, population: pd.DataFrame | None = None) -> ResponseData:
    """Counts to arrays.

    Args:
        counts: columns tumour_type, endpoint, n, y, any binary covariates, and optionally trial_id and arm.
        population: cells of the population that rates refer to (columns tumour_type and the same covariates, one row a
            patient, as `cells_of` returns them). Its cells without observations are predicted from the model. None: the
            population is that of the counts, each cell weighted by its largest n.
    """
    for column in ("tumour_type", "endpoint", "n", "y"):
        if column not in counts:
            raise ConfigError("counts", list(counts.columns), f"a table with the column {column}")
    counts = counts[counts["n"] > 0]
    if counts.empty or ((counts["y"] < 0) | (counts["y"] > counts["n"])).any():
        raise ConfigError("counts", counts[["n", "y"]].to_dict("list"), "at least one row with n > 0, and 0 <= y <= n")
    covariates = tuple(name for name in counts.columns if name not in _RESERVED)
    keys = ["tumour_type", *covariates]
    if population is None:
        arm = [name for name in ("trial_id", "arm") if name in counts]
        sizes = counts.groupby([*arm, *keys], observed=True)["n"].max().groupby(keys).sum()
    else:
        sizes = population.groupby(keys, observed=True).size()
        unseen = counts.set_index(keys).index.difference(sizes.index)
        if len(unseen):
            raise ConfigError("population", list(unseen), "a population that has every cell of the counts")
    cells = sizes.rename("weight").reset_index().sort_values(keys, ignore_index=True)
    types = tuple(dict.fromkeys(cells["tumour_type"]))
    endpoints = tuple(dict.fromkeys(counts["endpoint"]))
    cell_of = {key: index for index, key in enumerate(cells[keys].itertuples(index=False, name=None))}
    weight = cells["weight"].to_numpy(float)
    rows = list(counts[keys].itertuples(index=False, name=None))
    data = ResponseData(
        tumour_types=types,
        covariates=covariates,
        endpoints=endpoints,
        cell_type=cells["tumour_type"].map(types.index).to_numpy(int),
        cell_design=cells[list(covariates)].to_numpy(float),
        cell_weight=weight / weight.sum(),
        obs_cell=np.array([cell_of[row] for row in rows]),
        obs_endpoint=counts["endpoint"].map(endpoints.index).to_numpy(int),
        n=counts["n"].to_numpy(int),
        y=counts["y"].to_numpy(int),
        labels=(),
    )
    return _labelled(data, counts)


def _labelled(data: ResponseData, counts: pd.DataFrame) -> ResponseData:
    cell_labels = data.cell_labels
    prefix = [f"{trial}: " for trial in counts["trial_id"]] if "trial_id" in counts else [""] * len(counts)
    labels = [
        f"{data.endpoints[endpoint]} | {before}{cell_labels[cell]}"
        for endpoint, before, cell in zip(data.obs_endpoint, prefix, data.obs_cell, strict=True)
    ]
    if len(set(labels)) < len(labels):
        labels = [f"{label} ({index})" for index, label in enumerate(labels)]
    return replace(data, labels=tuple(labels))


def count_dlt(patients: pd.DataFrame) -> pd.DataFrame:
    """Evaluable patients and DLTs by dose level: columns dose, n, y. Replicates of the study are added up."""
    evaluable = patients[patients["dlt_evaluable"].astype(bool)]
    grouped = evaluable.groupby("dose_level")["dlt"].agg(n="size", y="sum").reset_index()
    return grouped.rename(columns={"dose_level": "dose"}).astype({"dose": float, "n": int, "y": int})
