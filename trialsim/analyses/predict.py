"""What a trial that nobody has run yet, or one that was, would publish: predictive distributions of its endpoints.

    p(y) = mean over draws k of p(y | posterior draw k, population, protocol, size)

Each draw of the posterior (`calibration`) is a world; in each, virtual patients are treated under the trial's protocol, and many
trials of its size are drawn from them. The spread of what these trials find is that of the posterior, of what one study differs
from another by, and of chance together.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim import beforehand, console
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.bank import studies, treatments
from trialsim.calibration import posterior
from trialsim.calibration.settings import drawn as drawn_settings
from trialsim.conduct.solver_check import meet_accuracy
from trialsim.engine.population import over_devices
from trialsim.evidence import published_hazard_ratio, published_study
from trialsim.evidence.related import apart, related
from trialsim.schema.analysis.predict import PredictSettings
from trialsim.schema.design.treatments import CONTROL, DRUG
from trialsim.streams import derived_seed

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

LEVELS = (50, 80, 90)  # per cent of the predictive distribution
STEP = 0.5  # months between the points of the curves
SUCCESS = ("below_1", "significant", "error_below_1", "error_significant")
CRITICAL = -1.96  # of log HR over its standard error: one-sided 2.5 %
RESAMPLES = 200  # of the worlds, for the error that comes of their number
CURVES = 40  # trials a draw whose curves are kept
ROUNDING = {"months": 0.05, "patients": 0.5}  # half of the last digit that is printed; of rates and ratios 0.005
METHOD = "predictive distribution: posterior drawn, patients of the trial drawn; 90 % interval"
UNITS = {"orr": "fraction", "dcr": "fraction", "clinical_benefit_rate": "fraction", "dlt_rate": "fraction of evaluable",
         "median_relative_dose_intensity": "fraction", "pfs_hr": "ratio", "os_hr": "ratio"}  # fmt: skip


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    predicted: arm, endpoint, unit, n (patients), median, low_50, high_50, ... high_90 (inf: not reached), error_low_90,
        error_high_90 (standard errors of these limits: as many other worlds would move them; NaN: not reached in some), reached
        (share of trials with an estimate), published, published_low, published_high, inside_90 (of the predictive interval, as far
        as its rounding tells; missing if nothing was published), definition, source.
    success: endpoint (pfs, os), below_1, significant: share of trials with a hazard ratio below 1, and with one that is significant
        (one-sided 2.5 %, Wald); error_below_1, error_significant: their standard errors over worlds; of a trial with a control.
    settings: see `calibration.settings.drawn`. related: see `evidence.related`, of the studies that the posterior was fitted to.
    curves: arm, endpoint (pfs, os), months, median, low_50, ... high_90 (of the Kaplan-Meier curves of such trials).
    studies: draw, study, arm, endpoint, value.
    """
    settings = config.analysis
    assert isinstance(settings, PredictSettings)
    arms = {DRUG: settings.patients} | ({CONTROL: settings.patients_control} if settings.control != "none" else {})
    ids = studies.eligible(config, settings, settings.draws * settings.patients_per_draw)
    ids = ids.reshape(settings.draws, settings.patients_per_draw)
    with console.step("choosing the steps of the solver", config.compute.progress):
        of_drug = treatments.arm_of(config, DRUG)
        exact, check = meet_accuracy(of_drug, treatments.enrolled(of_drug, ids[0], DRUG))
        config = config.model_copy(update={"compute": exact.compute})
    fitted = posterior.chosen(settings.posterior)
    worlds = posterior.worlds(config, fitted, settings.draws, derived_seed(config.seed, "predict"))
    found = steps.each(
        f"trials in {settings.draws} worlds",
        {f"world_{i}": partial(_world, world, arms, ids[i], i) for i, world in enumerate(worlds)},
        over_devices(config.compute.devices, settings.patients_per_draw, settings.draws * len(arms)),
    )
    every = pd.concat([part["studies"].assign(draw=i) for i, part in enumerate(found.values())], ignore_index=True)
    curves = pd.concat([part["curves"] for part in found.values()], ignore_index=True)
    failed = int(sum(part["failed"]["failed"].sum() for part in found.values()))
    is_z = every["endpoint"].str.endswith("_z")
    predicted = _predicted(every[~is_z], arms, _published(config, settings), config.design.max_follow_up_months)
    results = {_name(row): _entry(row) for row in predicted.to_dict("records")}
    told: dict[str, Any] = {"n_patients": ids.size * len(arms), "solver_check": check}
    told["apart"] = apart(beforehand.asked_of(config), fitted.provenance["studies"])
    told |= {"published_differs": bool(beforehand.differences(config)), "posterior": _told(config, fitted)}
    success = _success(every)
    results |= {f"{row['endpoint']}_success": {name: row[name] for name in SUCCESS} for row in success.to_dict("records")}
    tables = {"predicted": predicted, "curves": _bands(curves), "studies": every, "success": success}
    tables["settings"] = drawn_settings(config, worlds, fitted)
    tables["related"] = related(beforehand.asked_of(config), fitted.provenance["studies"])
    return Findings(tables, results | told, simulation_faults(failed, check))


def _success(every: pd.DataFrame) -> pd.DataFrame:
    """Table ``success``. A trial without an estimate is none that succeeds."""
    rows = []
    for name in studies.LANDMARKS:
        ratio, z = (every[every["endpoint"] == f"{name}_{what}"] for what in ("hr", "z"))
        if len(ratio):
            won = {"below_1": (ratio["value"] < 1.0, ratio["draw"]), "significant": (z["value"] < CRITICAL, z["draw"])}
            by_world = {what: hit.astype(float).groupby(draw).mean() for what, (hit, draw) in won.items()}
            row = {what: float(share.mean()) for what, share in by_world.items()}
            errors = {f"error_{what}": float(share.std(ddof=0) / np.sqrt(len(share))) for what, share in by_world.items()}
            rows.append({"endpoint": name} | row | errors)
    return pd.DataFrame(rows, columns=["endpoint", *SUCCESS])


def _told(config: StudyConfig, fitted: posterior.Posterior) -> dict[str, Any]:
    """Of the posterior: how many studies and published numbers it was fitted to, whether this trial is one of them, and how it was
    judged on studies that it had not seen (null: not)."""
    facts, name = fitted.provenance, config.study.published
    return {
        "trials": len(facts["studies"]),
        "numbers": facts["numbers"],
        "fitted_to_this": name is not None and name.partition("/")[0] in facts["studies"],
        "judged": next((row for row in facts.get("judged", []) if _is_of_all(row)), None),
    }


def _is_of_all(row: dict[str, Any]) -> bool:
    """Of the scores of the posterior (`calibration.judging.summary`): this model's, over all endpoints."""
    return bool(row["model"] == "mechanistic" and row["endpoint"] == "all")


def _world(world: posterior.World, arms: dict[str, int], ids: np.ndarray, draw: int) -> dict[str, pd.DataFrame]:
    """Trials in one world: tables ``studies``, ``curves`` and ``failed``."""
    config = world.config
    settings = config.analysis
    assert isinstance(settings, PredictSettings)
    rng = np.random.default_rng([derived_seed(config.seed, "trials"), draw])
    simulated = {arm: studies.treated(config, ids, arm, settings.crossover) for arm in arms}
    tables = {arm: table[table["integration_ok"]].reset_index(drop=True) for arm, table in simulated.items()}
    of = {arm: studies.drawn(rng, len(tables[arm]), size, settings) for arm, size in arms.items()}
    months = np.arange(0.0, config.design.max_follow_up_months + STEP / 2, STEP)
    found, curves = studies.published(tables, of, settings, months, studies.Beyond(*world.error, rng), config.regimen.unit)
    failed = [len(simulated[arm]) - len(tables[arm]) for arm in arms]
    return {
        "studies": found,
        "curves": curves[curves["study"] < CURVES].drop(columns="study"),
        "failed": pd.DataFrame({"arm": list(arms), "failed": failed}),
    }


def _quantiles(values: np.ndarray) -> dict[str, float]:
    """Median and central intervals; a median that was not reached (inf) is later than any other."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return {"median": np.nan} | {f"{end}_{level}": np.nan for level in LEVELS for end in ("low", "high")}
    at = lambda q: float(np.quantile(known, q, method="inverted_cdf"))
    found = {"median": at(0.5)}
    for level in LEVELS:
        found |= {f"low_{level}": at(0.5 - level / 200), f"high_{level}": at(0.5 + level / 200)}
    return found


def _errors(values: np.ndarray, draw: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Standard errors of the limits of the 90 % interval, as they hang on the worlds: these are drawn anew with replacement."""
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    values, draw = values[known][order], draw[known][order]
    if len(values) == 0:
        return {"error_low_90": np.nan, "error_high_90": np.nan}
    worlds, place = np.unique(draw, return_inverse=True)
    weight = np.cumsum(rng.multinomial(len(worlds), np.full(len(worlds), 1 / len(worlds)), RESAMPLES)[:, place], axis=1)
    at = lambda q: values[np.array([np.searchsorted(one, q * one[-1]) for one in weight])]
    ends = {"error_low_90": at(0.05), "error_high_90": at(0.95)}
    return {name: float(np.std(found)) if np.isfinite(found).all() else np.nan for name, found in ends.items()}


def _predicted(every: pd.DataFrame, arms: dict[str, int], known: dict[tuple[str, str], Any], followed: float) -> pd.DataFrame:
    """Table ``predicted``. followed: months that a patient can be followed."""
    rows, rng = [], np.random.default_rng(RESAMPLES)
    for (arm, endpoint), part in every.groupby(["arm", "endpoint"], sort=False):
        values = part["value"].to_numpy(float)
        seen, found, unit = known.get((arm, endpoint)), _quantiles(values), _unit(endpoint)
        rows.append(
            {"arm": arm, "endpoint": endpoint, "unit": unit, "n": arms.get(arm, sum(arms.values()))}
            | found
            | _errors(values, part["draw"].to_numpy(), rng)
            | {"reached": float(np.mean(np.isfinite(values)))}
            | {
                "published": seen.value if seen else np.nan,
                "published_low": seen.low if seen and seen.low is not None else np.nan,
                "published_high": seen.high if seen and seen.high is not None else np.nan,
                "inside_90": _inside(seen.value, found, unit, followed) if seen else None,
                "definition": seen.definition if seen else "",
                "source": seen.source if seen else "",
            }
        )
    return pd.DataFrame(rows)


def _inside(value: float, found: dict[str, float], unit: str, followed: float) -> bool:
    """Whether a value, or one that is printed like it, lies in the 90 % interval; a median later than anybody is followed, whether
    the interval goes on beyond that."""
    if unit == "months" and value > followed:
        return bool(np.isposinf(found["high_90"]))
    half = ROUNDING.get(unit, 0.005)
    return bool(found["low_90"] - half <= value <= found["high_90"] + half)


def _unit(endpoint: str) -> str:
    if endpoint in UNITS:
        return UNITS[endpoint]
    if endpoint.startswith("median_"):
        return "months"
    if endpoint.startswith("dlt_count_"):
        return "patients"
    return "fold of baseline" if endpoint.endswith("_d28") else "fraction"


def _published(config: StudyConfig, settings: PredictSettings) -> dict[tuple[str, str], Any]:
    """What was published of the trial, by arm and endpoint; to be set beside the prediction, which does not see it."""
    name = config.study.published
    found = {(DRUG, one.name): one for one in published_study(name)}
    found |= {(CONTROL, one.name): one for one in published_study(settings.published_control, "analysis.published_control")}
    ratio = published_hazard_ratio(name)
    return found | ({(studies.BOTH, "pfs_hr"): ratio} if ratio else {})


def _bands(curves: pd.DataFrame) -> pd.DataFrame:
    """Point by point over trials, as far as nine in ten of them still follow anybody."""
    rows = []
    for (arm, endpoint, months), part in curves.groupby(["arm", "endpoint", "months"], sort=False):
        values = part["survival"].to_numpy(float)
        if np.isfinite(values).mean() >= 0.9:
            rows.append({"arm": arm, "endpoint": endpoint, "months": months} | _quantiles(values))
    return pd.DataFrame(rows)


def _name(row: dict[str, Any]) -> str:
    return f"control_{row['endpoint']}" if row["arm"] == CONTROL else str(row["endpoint"])


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    """For summary.json: null where a median is not reached in that share of trials."""
    number = lambda value: float(value) if np.isfinite(value) else None
    found = {"estimate": number(row["median"]), "low": number(row["low_90"]), "high": number(row["high_90"])}
    found |= {"n": int(row["n"]), "unit": row["unit"], "method": METHOD}
    found |= {f"{end}_{level}": number(row[f"{end}_{level}"]) for level in LEVELS for end in ("low", "high")}
    return found | {"reached": row["reached"], "published": number(row["published"])}
