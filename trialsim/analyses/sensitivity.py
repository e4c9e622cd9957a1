"""Which constants decide response and progression-free survival, and which of them published data inform.

Global: the same patients go through the trial at many parameter sets drawn from the priors; a Morris screening of all parameters,
then Sobol indices of the leading ones. Local: derivatives of patients' courses at the present values. Identifiability: slopes of
the laboratory facts in all parameters, and what they leave of the priors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.analyses.findings import Findings
from trialsim.analyses.steps import Steps
from trialsim.schema.analysis.sensitivity import SensitivitySettings
from trialsim.sensitivity import facts, local, screening
from trialsim.sensitivity.cohort import OUTCOMES, Trial
from trialsim.sensitivity.information import information, tolerance, weight
from trialsim.sensitivity.priors import Prior, priors_of
from trialsim.streams import derived_seed

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

INFORMED, UNINFORMED = 0.5, 0.9  # posterior over prior standard deviation: below well informed, above not informed
CORRELATED = 0.5  # posterior correlation from which a pair is listed
DIRECTIONS, SHARED_BY = 12, 5  # combinations of parameters listed, and how many parameters of each
PARAMETERS_A_STEP = 4
QUANTILES = {"low_90": 0.05, "median": 0.5, "high_90": 0.95}


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):

    parameters: parameter, path, value, low, high, scale (of the prior), source; with identifiability shrinkage (posterior over
        prior standard deviation) and first, second, third: the facts that inform it most by themselves, and first_share and so on:
        the share of its prior variance that each takes away.
    present: outcome, estimate, low, high, n, unit, method: at the present values, with the interval that the cohort leaves.
    screening: outcome, parameter, mu, mu_star, low, high, sigma (see ``sensitivity.screening``). sobol: outcome, parameter, index,
        estimate, low, high. evaluations: one row a parameter set: the outcomes, failed, design (morris, sobol), the parameters.
    local: outcome, parameter, mean over patients of the elasticity, `QUANTILES`.
    facts: one row a fact: fact_id, topic, claim, source, low, high, model, tolerance, weight. slopes: fact_id, parameter, slope
        (tolerances per prior standard deviation), alone, apart (see ``sensitivity.information``).
    directions: number, eigenvalue, parameter, loading. eigenvalues: number, eigenvalue. correlations: first, second, correlation
        (posterior).
    """
    settings = config.analysis
    assert isinstance(settings, SensitivitySettings)
    priors, trial = priors_of(config), Trial(config, priors_of(config))
    names = [prior.name for prior in priors]
    tables: dict[str, pd.DataFrame] = {"parameters": _described(priors)}
    tables["present"] = steps.one("present_values", partial(_present, trial))["present"]

    design = screening.morris_design(names, settings.trajectories, settings.levels, derived_seed(config.seed, "morris"))
    screened = _evaluated(f"screening {len(names)} parameters", "morris", trial, priors, design, steps)
    outcomes = {name: screened[name].to_numpy(float) for name in OUTCOMES}
    tables["screening"] = screening.morris_indices(
        names, design, outcomes, settings.levels, derived_seed(config.seed, "morris_bootstrap")
    )
    evaluations = [screened]
    if settings.sobol_parameters:
        chosen = screening.leading(tables["screening"], settings.rank_by, settings.sobol_parameters)
        design = screening.sobol_design(chosen, settings.sobol_samples, derived_seed(config.seed, "sobol"))
        # what is not chosen stays at its present value
        whole = np.array([[prior.value] * len(design) for prior in priors]).T
        sampled = _evaluated(f"Sobol indices of {len(chosen)} parameters", "sobol", trial, priors, design, steps, chosen, whole)
        outcomes = {name: sampled[name].to_numpy(float) for name in OUTCOMES}
        tables["sobol"] = screening.sobol_indices(chosen, outcomes, derived_seed(config.seed, "sobol_bootstrap"))
        evaluations.append(sampled)
    tables["evaluations"] = pd.concat(evaluations, ignore_index=True)
    if settings.local_patients:
        tables["local"] = _local(config, trial, priors, steps)
    if settings.identifiability:
        tables |= _identifiability(config, priors, steps)
        tables["parameters"] = tables["parameters"].merge(tables.pop("informed"), on="parameter")
    failed = int(tables["evaluations"]["failed"].sum())
    courses = len(trial.cohort) * len(tables["evaluations"])
    faults = (f"{failed} of {courses} courses could not be integrated: lower compute.accuracy",) if failed else ()
    return Findings(tables, _results(tables, settings) | {"n_patients": len(trial.cohort), "n_parameters": len(names)}, faults)


def _described(priors: Sequence[Prior]) -> pd.DataFrame:
    return pd.DataFrame(
        [[p.name, p.path, p.value, p.low, p.high, p.scale, p.source] for p in priors],
        columns=["parameter", "path", "value", "low", "high", "scale", "source"],
    )


# ---- global


def _present(trial: Trial) -> dict[str, pd.DataFrame]:
    rows = [
        [name, found.estimate, found.low, found.high, found.n, OUTCOMES[name], found.method]
        for name, found in trial.estimates(trial.present).items()
    ]
    table = pd.DataFrame(rows, columns=["outcome", "estimate", "low", "high", "n", "unit", "method"])
    return {"present": table.astype({"estimate": float, "low": float, "high": float})}


def _evaluated(
    what: str,
    key: str,
    trial: Trial,
    priors: Sequence[Prior],
    design: np.ndarray,
    steps: Steps,
    chosen: Sequence[str] | None = None,
    whole: np.ndarray | None = None,
) -> pd.DataFrame:
    """Outcomes at each row of a design over the unit cube, block by block.

    Args:
        chosen: parameters of the design's columns, None: all. whole: values of all parameters elsewhere.
    """
    values = np.empty((len(design), len(priors))) if whole is None else whole.copy()
    for j, prior in enumerate(priors):
        if chosen is None or prior.name in chosen:
            values[:, j] = prior.quantile(design[:, j if chosen is None else list(chosen).index(prior.name)])
    size = trial.sets_a_block
    blocks = {
        f"{key}_{start}": partial(_block, trial, values[start : start + size]) for start in range(0, len(values), size)
    }
    done = steps.each(f"{what}: {len(values)} cohorts", blocks)
    outcomes = pd.concat([tables["outcomes"] for tables in done.values()], ignore_index=True)
    columns = pd.DataFrame(values, columns=[prior.name for prior in priors])
    return pd.concat([outcomes.assign(design=key), columns], axis=1)


def _block(trial: Trial, values: np.ndarray) -> dict[str, pd.DataFrame]:
    return {"outcomes": trial.outcomes(values)}


# ---- local


def _local(config: StudyConfig, trial: Trial, priors: Sequence[Prior], steps: Steps) -> pd.DataFrame:
    patients = trial.cohort.iloc[: config.analysis.local_patients]
    links: dict[str, Any] = {}
    course: list[local.Course] = []

    def differentiate(outcome: str) -> dict[str, pd.DataFrame]:
        if not links:  # not where every step is kept from an earlier run
            slopes = local.slopes_of_references(config)
            links.update({prior.name: local.chain(config, patients, prior, slopes) for prior in priors})
            course.append(local.course_of(config, patients))
        return {"local": _elasticities(outcome, local.elasticities(local.slopes_of(course[0], outcome), links, priors), priors)}

    found = steps.each("differentiating", {f"local_{name}": partial(differentiate, name) for name in local.OUTCOMES})
    return pd.concat([tables["local"] for tables in found.values()], ignore_index=True)


def _elasticities(outcome: str, values: np.ndarray, priors: Sequence[Prior]) -> pd.DataFrame:
    columns = dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values()), axis=1), strict=True))
    names = [prior.name for prior in priors]
    return pd.DataFrame({"outcome": outcome, "parameter": names, "mean": values.mean(axis=1)} | columns)


# ---- identifiability


def _identifiability(config: StudyConfig, priors: Sequence[Prior], steps: Steps) -> dict[str, pd.DataFrame]:
    asked = facts.facts_asked()
    value = steps.one("laboratory_facts", partial(_values, config))["values"]["model"].to_numpy(float)
    parts = [priors[i : i + PARAMETERS_A_STEP] for i in range(0, len(priors), PARAMETERS_A_STEP)]
    found = steps.each(
        f"slopes of {len(asked)} facts in {len(priors)} parameters",
        {f"facts_{part[0].name}": partial(_slopes, config, part) for part in parts},
    )
    J = np.concatenate([tables["slopes"].to_numpy(float) for tables in found.values()], axis=1)
    limits = np.array([[np.nan if end is None else end for end in (fact.low, fact.high)] for fact in asked], float)
    columns = ("fact_id", "topic", "claim", "source")
    table = pd.DataFrame([[getattr(fact, name) for name in columns] for fact in asked], columns=columns)
    table = table.assign(low=limits[:, 0], high=limits[:, 1], model=value)
    table["tolerance"] = [tolerance(*row) for row in limits]
    usable = np.isfinite(value) & np.isfinite(J).all(axis=1)
    table["weight"] = [weight(v, *row) if ok else 0.0 for v, row, ok in zip(value, limits, usable, strict=True)]
    return {"facts": table} | informed(table, J, [prior.name for prior in priors])


def _values(config: StudyConfig) -> dict[str, pd.DataFrame]:
    return {"values": pd.DataFrame({"model": facts.fact_values(config)})}


def _slopes(config: StudyConfig, priors: Sequence[Prior]) -> dict[str, pd.DataFrame]:
    return {"slopes": pd.DataFrame({prior.name: facts.slope(config, prior, config.analysis.fact_step) for prior in priors})}


def informed(table: pd.DataFrame, J: np.ndarray, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables of identifiability but ``facts``, and ``informed``, which joins ``parameters``.

    Args:
        table: ``facts``. J: slopes in the facts' units, (facts, parameters).
    """
    scaled = np.where(table["weight"].to_numpy()[:, None] > 0, J, 0.0) / table["tolerance"].to_numpy()[:, None]
    found = information(scaled, table["weight"].to_numpy())
    ids, n = table["fact_id"].to_numpy(), len(names)
    order = np.argsort(-found.alone, axis=0, kind="stable")[:3]
    best = pd.DataFrame({"parameter": list(names), "shrinkage": found.shrinkage})
    for row, place in zip(order, ("first", "second", "third"), strict=True):
        best[place] = ids[row]
        best[f"{place}_share"] = found.alone[row, np.arange(n)]
    rows, columns = np.repeat(ids, n), np.tile(list(names), len(ids))
    slopes = {"slope": scaled.ravel(), "alone": found.alone.ravel(), "apart": found.apart.ravel()}
    directions = []
    for number in range(min(DIRECTIONS, n)):
        vector = found.directions[:, number]
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        for j in np.argsort(-np.abs(vector), kind="stable")[:SHARED_BY]:
            directions.append([number + 1, found.eigenvalues[number], names[j], vector[j]])
    correlation = found.covariance / np.outer(found.shrinkage, found.shrinkage)
    i, j = np.nonzero(np.triu(np.abs(correlation) >= CORRELATED, 1))
    pairs = pd.DataFrame({"first": np.array(names)[i], "second": np.array(names)[j], "correlation": correlation[i, j]})
    return {
        "informed": best,
        "slopes": pd.DataFrame({"fact_id": rows, "parameter": columns} | slopes),
        "directions": pd.DataFrame(directions, columns=["number", "eigenvalue", "parameter", "loading"]),
        "correlations": pairs.sort_values("correlation", key=lambda r: -r.abs(), ignore_index=True),
        "eigenvalues": pd.DataFrame({"number": np.arange(1, n + 1), "eigenvalue": found.eigenvalues}),
    }


# ---- headline


def _results(tables: dict[str, pd.DataFrame], settings: SensitivitySettings) -> dict[str, Any]:
    results: dict[str, Any] = {
        f"present_{row.outcome}": {
            "estimate": row.estimate, "low": row.low, "high": row.high, "n": row.n, "unit": row.unit, "method": row.method
        } for row in tables["present"].itertuples()
    }  # fmt: skip
    for outcome, rows in tables["screening"].groupby("outcome", sort=False):
        first = rows.loc[rows["mu_star"].idxmax()]
        results[f"leading_{outcome}"] = {"parameter": first["parameter"], "mu_star": first["mu_star"]}
    results["evaluations"] = len(tables["evaluations"])
    results["sobol_parameters"] = list(dict.fromkeys(tables["sobol"]["parameter"])) if settings.sobol_parameters else []
    if settings.identifiability:
        shrinkage, eigenvalues = tables["parameters"]["shrinkage"], tables["eigenvalues"]["eigenvalue"].to_numpy(float)
        results |= {
            "facts": int((tables["facts"]["weight"] > 0).sum()),
            "well_informed": int((shrinkage < INFORMED).sum()),
            "not_informed": int((shrinkage > UNINFORMED).sum()),
            "known_directions": int((eigenvalues > 1.0).sum()),
            "parameters_worth": float(np.sum(eigenvalues / (1.0 + eigenvalues))),
        }
    return results
