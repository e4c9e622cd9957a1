"""Which markers tell who benefits. Every patient is simulated on the drug and without it; markers are read as a laboratory reads
them; a randomised trial is cut from the twins, and what it finds is set beside what is true of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim import console, simulation
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps, Tables
from trialsim.biomarkers import discrimination, effects, enrichment, literature, models, outcome, twins
from trialsim.biomarkers.assay import measured
from trialsim.biomarkers.markers import BASELINE, BY_NAME, MARKERS, When, marker_table, positive
from trialsim.conduct.solver_check import solver_check
from trialsim.designs.biomarker.size import interaction_events, interaction_power
from trialsim.schema.analysis.biomarkers import BiomarkerSettings
from trialsim.simulation import enrol
from trialsim.streams import derived_seed

if TYPE_CHECKING:
    from trialsim.endpoints.estimate import Estimate
    from trialsim.schema.study import StudyConfig

CURVES = ("progression_free", "benefit")  # outcomes whose ROC curves are kept


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    patients: one row a patient: covariates, outcomes in both arms, pfs_gain_days, benefit, and each marker as measured and, with
    ``true_`` before its name, without error. auc: marker, label, when, landmark_day, outcome, n, cases, auc, low, high. roc:
    marker, outcome, false, true. models, calibration: sets of markers, see `biomarkers.models`. effects: see
    `biomarkers.effects`, basis (trial | twins). enrichment: see `biomarkers.enrichment`. published: see `biomarkers.literature`.
    """
    settings = config.analysis
    assert isinstance(settings, BiomarkerSettings)
    blocks = {
        f"{arm}_{block.start}": partial(twins.simulate_arm, config, block, arm, settings.biopsy_week)
        for block in simulation.blocks(config)
        for arm in twins.ARMS
    }
    simulated = steps.each("simulating every patient with and without the drug", blocks)
    arms = [
        pd.concat([tables["patients"] for name, tables in simulated.items() if name.startswith(f"{arm}_")], ignore_index=True)
        for arm in twins.ARMS
    ]
    with console.step("checking the solver", config.compute.progress):
        check = solver_check(config, enrol(config, simulation.blocks(config)[0]).patients)
    cohort = cohort_of(config, twins.pair(*arms))
    tables: dict[str, pd.DataFrame] = {"patients": patient_table(cohort)}
    questions = {
        "judging_markers": discriminate, "judging_markers_together": together, "estimating_effects": estimate,
        "planning_enrichment": enrich, "comparing_with_published": compare,
    }  # fmt: skip
    for name, ask in questions.items():
        tables |= steps.one(name, partial(ask, cohort))
    failed = len(arms[0]) - len(cohort.pairs)
    return Findings(tables, headlines(cohort, tables) | {"solver_check": check}, simulation_faults(failed, check))


class Cohort(NamedTuple):
    """What every question is asked of.

    Attributes:
        config, settings: of the study and of the analysis. pairs: from `twins.pair`. read: what the markers are made of, as
        measured.
        true, markers: from `marker_table`, without and with the assays' errors. landmarks: day of each kind of marker.
        stratum: of the Cox models, (patients,), or None.
    """

    config: StudyConfig
    settings: BiomarkerSettings
    pairs: pd.DataFrame
    read: pd.DataFrame
    true: pd.DataFrame
    markers: pd.DataFrame
    landmarks: dict[When, int]
    stratum: np.ndarray | None


def cohort_of(config: StudyConfig, pairs: pd.DataFrame) -> Cohort:
    """Read the markers of the twins."""
    settings = config.analysis
    assert isinstance(settings, BiomarkerSettings)
    read, types = measured(pairs, settings.assays, config.seed), pairs["tumour_type"].to_numpy()
    return Cohort(
        config=config,
        settings=settings,
        pairs=pairs,
        read=read,
        true=marker_table(pairs, settings.registered_types),
        markers=marker_table(read, settings.registered_types),
        landmarks=outcome.landmarks(config, settings.biopsy_week),
        stratum=types if settings.stratified and len(np.unique(types)) > 1 else None,
    )


def patient_table(cohort: Cohort) -> pd.DataFrame:
    days = cohort.settings.benefit_days
    told = cohort.pairs.assign(pfs_gain_days=twins.gain(cohort.pairs), benefit=twins.benefit(cohort.pairs, days))
    genes = ["pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss", "ecog", "line"]
    told = told.rename(columns={name: f"covariate_{name}" for name in genes})
    return pd.concat([told, cohort.markers, cohort.true.add_prefix("true_")], axis=1)


def asked_of(cohort: Cohort, name: str, landmark: int) -> outcome.Outcome:
    return outcome.outcome(cohort.pairs, name, landmark, cohort.settings.horizon_days, cohort.settings.benefit_days)


def discriminate(cohort: Cohort) -> Tables:
    rows, curves = [], []
    for marker in MARKERS:
        values = cohort.markers[marker.name].to_numpy(float)
        if len(np.unique(values[np.isfinite(values)])) < 2:
            continue  # nobody has it, or everybody
        for name in outcome.NAMES:
            day = cohort.landmarks[marker.when]
            asked = asked_of(cohort, name, day)
            x = values[asked.rows]
            found = discrimination.auc(x, asked.happened, asked.weight)
            rows.append(_auc_row(marker.name, marker.label, marker.when, day, name, found, asked.happened[np.isfinite(x)]))
            if name in CURVES and np.isfinite(found.estimate):
                curves.append(_curve(marker.name, name, x, asked))
    columns = ["marker", "label", "when", "landmark_day", "outcome", "n", "cases", "auc", "low", "high"]
    return {"auc": pd.DataFrame(rows, columns=columns), "roc": pd.concat(curves) if curves else _NO_CURVE}


def together(cohort: Cohort) -> Tables:
    rows, curves, calibrated = [], [], []
    seed = derived_seed(cohort.config.seed, "biomarker_folds")
    for chosen in models.SETS:
        day = cohort.landmarks[chosen.landmark]
        asked = asked_of(cohort, "progression_free", day)
        predicted = models.predict(
            cohort.markers[list(chosen.columns)], cohort.pairs["tumour_type"], asked, cohort.settings.folds, seed
        )
        found = discrimination.auc(predicted, asked.happened, asked.weight)
        everyone = np.full(len(cohort.pairs), np.nan)
        everyone[asked.rows] = predicted
        gained = asked_of(cohort, "benefit", day)
        true = discrimination.auc(everyone[gained.rows], gained.happened)
        entry = {"set": chosen.name, "label": chosen.label, "landmark_day": day, "n": found.n, "cases": int(asked.happened.sum())}
        entry |= {"auc": found.estimate, "low": found.low, "high": found.high}
        entry |= {"auc_benefit": true.estimate, "auc_benefit_low": true.low, "auc_benefit_high": true.high}
        rows.append(entry | models.calibration(predicted, asked.happened, asked.weight))
        calibrated.append(models.calibration_curve(predicted, asked.happened, asked.weight).assign(set=chosen.name))
        if np.isfinite(found.estimate):
            curves.append(_curve(chosen.name, "progression_free", predicted, asked))
    roc = pd.concat(curves) if curves else _NO_CURVE
    return {"models": pd.DataFrame(rows), "calibration": pd.concat(calibrated, ignore_index=True), "models_roc": roc}


def estimate(cohort: Cohort) -> Tables:
    seed, size = cohort.config.seed, cohort.settings.trial_size
    trial = effects.randomised(cohort.pairs, size, seed)
    stratum = None if cohort.stratum is None else cohort.stratum[: len(trial)]
    weight = _weight(cohort)
    rows = []
    for marker in BASELINE:
        told, true = (positive(table[marker.name], marker) for table in (cohort.markers, cohort.true))
        if len(np.unique(true[np.isfinite(true)])) < 2:
            continue
        named = {"marker": marker.name, "label": marker.label}
        rows.append(named | {"basis": "trial"} | effects.in_trial(trial, told[: len(trial)], stratum))
        rows.append(named | {"basis": "twins"} | effects.in_twins(cohort.pairs, true, weight, cohort.stratum))
    table = pd.DataFrame(rows)
    table["p_holm"] = effects.adjusted(table["p"])
    share = table["n_positive"] / table["n"]
    alpha, power = cohort.settings.alpha, cohort.settings.power
    ratio, events = np.log(table["interaction"]), float(trial["event"].sum())
    table["interaction_events"] = np.ceil(interaction_events(ratio, share, alpha, power))
    table["interaction_power"] = interaction_power(ratio, share, events, alpha)
    return {"effects": table}


def enrich(cohort: Cohort) -> Tables:
    table, cost = enrichment.enrichment(cohort.pairs, cohort.markers, _weight(cohort), cohort.stratum, cohort.settings)
    return {"enrichment": table, "enrichment_resamples": pd.DataFrame(cost)}


def compare(cohort: Cohort) -> Tables:
    return {
        "published": literature.compare(
            cohort.config, cohort.pairs, cohort.read, derived_seed(cohort.config.seed, "biomarker_published")
        )
    }


def _weight(cohort: Cohort) -> np.ndarray:
    return effects.resamples(len(cohort.pairs), cohort.settings.resamples, derived_seed(cohort.config.seed, "biomarker_resamples"))


def headlines(cohort: Cohort, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Estimates and facts of summary.json."""
    auc, found = tables["auc"], {}
    for name in CURVES:
        best = auc[auc["outcome"] == name].dropna(subset=["auc"])
        for when, part in (("baseline", best[best["when"] == "baseline"]), ("early", best[best["when"] != "baseline"])):
            if len(part):
                top = part.loc[part["auc"].idxmax()]
                found[f"best_auc_{when}_{name}"] = {
                    "estimate": top["auc"], "low": top["low"], "high": top["high"], "n": int(top["n"]), "unit": "AUC",
                    "method": f"{top['label']}; {discrimination.METHOD}",
                }  # fmt: skip
    told = twins.benefit(cohort.pairs, cohort.settings.benefit_days)
    found["share_benefiting"] = {
        "estimate": float(np.nanmean(told)), "n": int(np.isfinite(told).sum()), "unit": "fraction",
        "method": f"PFS at least {cohort.settings.benefit_weeks:g} weeks longer than the same patient's without the drug",
    }  # fmt: skip
    plans = tables["enrichment"]
    assayed = plans["marker"].map(lambda name: name == "" or BY_NAME[name].assay != "") if len(plans) else []
    advice = {
        "recommendation": enrichment.recommend(plans, cohort.settings.confidence),
        "recommendation_assay": enrichment.recommend(plans[assayed], cohort.settings.confidence),  # of what takes a laboratory
    }
    trial = effects.randomised(cohort.pairs, cohort.settings.trial_size, cohort.config.seed)
    facts = {"n_patients": len(cohort.pairs), "n_trial": len(trial), "landmarks": cohort.landmarks}
    return found | advice | facts | {"n_unknown_benefit": int(np.isnan(told).sum())}


_NO_CURVE = pd.DataFrame(columns=["marker", "outcome", "false", "true"])


def _auc_row(name: str, label: str, when: str, day: int, asked: str, found: Estimate, happened: np.ndarray) -> list[Any]:
    return [name, label, when, day, asked, found.n, int(happened.sum()), found.estimate, found.low, found.high]


def _curve(name: str, asked: str, marker: np.ndarray, found: outcome.Outcome) -> pd.DataFrame:
    false, true = discrimination.roc(marker, found.happened, found.weight)
    return pd.DataFrame({"marker": name, "outcome": asked, "false": false, "true": true})
