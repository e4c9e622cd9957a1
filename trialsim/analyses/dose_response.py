"""Exposure and target inhibition against dose. Every patient takes every dose, with the same chances each time, so that what
differs between two doses is the effect of dose alone, and each patient has a dose-response curve of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from trialsim import console
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import start_dose_mg
from trialsim.conduct.solver_check import solver_check
from trialsim.endpoints import proportions
from trialsim.evidence import published_exposure
from trialsim.schema.analysis.dose_response import DoseResponseSettings
from trialsim.simulation import simulate_patients

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

EXPOSURE = ("cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml")
MARKERS = ("ps6_tumour", "p4ebp1_tumour", "pakt_tumour", "ps6_pbmc", "p4ebp1_pbmc", "pakt_pbmc")
INHIBITED = ("ps6_tumour", "p4ebp1_tumour", "ps6_pbmc", "p4ebp1_pbmc")  # pAKT is a feedback read-out: nobody doses to its fall
OUTCOMES = ("dlt", "responder", "disease_control")
KEPT = (
    "patient_id", "dose_level", "start_dose_mg", "tumour_type", *EXPOSURE, *(f"{name}_d28" for name in MARKERS), *OUTCOMES,
    "dlt_evaluable", "best_response", "relative_dose_intensity", "integration_ok",
)  # fmt: skip
QUANTILES = {"low_90": 0.05, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_90": 0.95}


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    patients: one row a patient a dose, `KEPT`. exposure, markers: dose, measure, n, `QUANTILES`. outcomes: dose, measure, n,
    estimate, low, high (95 %). potency: measure, n, share_reached (at the highest dose), `QUANTILES` of the dose in regimen.unit
    (-inf, inf: below the lowest, above the highest dose).
    """
    settings = config.analysis
    assert isinstance(settings, DoseResponseSettings)
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    doses = {f"dose_{dose:g}": partial(_at_dose, config, cohort, dose, settings.days) for dose in settings.doses}
    simulated = steps.each("simulating doses", doses)
    every = pd.concat([tables["patients"] for tables in simulated.values()], ignore_index=True)
    with console.step("checking the solver", config.compute.progress):
        check = solver_check(config, _enrolled(config, cohort, settings.doses[-1], settings.days))
    # a patient whose integration failed has no trustworthy value: counted, and left out
    patients = every[every["integration_ok"]]
    tables = {
        "patients": every,
        "exposure": by_dose(patients, EXPOSURE),
        "markers": by_dose(patients.rename(columns=lambda name: name.removesuffix("_d28")), MARKERS),
        "outcomes": outcomes(patients),
        "potency": pd.DataFrame([potency(patients, name, settings.inhibition) for name in INHIBITED]),
    }
    results: dict[str, Any] = {
        f"ed{100 * settings.inhibition:g}_{row.measure}": {
            "estimate": row.median, "low": row.low_90, "high": row.high_90, "n": row.n, "unit": config.regimen.unit,
            "method": "median and 90 % of patients, interpolated in the logarithm of dose; none: outside the doses tried",
        } for row in tables["potency"].itertuples()
    }  # fmt: skip
    results["auc_dose_exponent"] = proportionality(patients)
    published = published_exposure(config.drug.name, config.regimen.unit, config.regimen.schedule)
    facts = {"n_patients": len(cohort), "solver_check": check, "published_exposure": published}
    return Findings(tables, results | facts, simulation_faults(int((~every["integration_ok"]).sum()), check, "courses"))


def _enrolled(config: StudyConfig, cohort: pd.DataFrame, dose: float, days: int) -> pd.DataFrame:
    """The cohort, all of it at one dose."""
    level = np.full(len(cohort), dose)
    return cohort.assign(dose_level=level, start_dose_mg=start_dose_mg(config, cohort, level), follow_up_days=days)


def _at_dose(config: StudyConfig, cohort: pd.DataFrame, dose: float, days: int) -> dict[str, pd.DataFrame]:
    """What a trial would see of every patient at one dose."""
    chunks = simulate_patients(config, _enrolled(config, cohort, dose, days), days)
    return {"patients": pd.concat([chunk.patients[list(KEPT)] for chunk in chunks], ignore_index=True)}


def by_dose(patients: pd.DataFrame, measures: tuple[str, ...]) -> pd.DataFrame:
    """Quantiles over patients, one row a dose a measure."""
    rows = []
    for measure in measures:
        for dose, values in patients.groupby("dose_level")[measure]:
            x = values.dropna().to_numpy(float)
            found = np.quantile(x, list(QUANTILES.values())) if len(x) else np.full(len(QUANTILES), np.nan)
            rows.append({"dose": dose, "measure": measure, "n": len(x), **dict(zip(QUANTILES, found, strict=True))})
    return pd.DataFrame(rows)


def outcomes(patients: pd.DataFrame) -> pd.DataFrame:
    """Shares of patients with exact 95 % intervals, one row a dose an outcome: DLT of those evaluable for it, response and
    disease control only where somebody was scanned."""
    rows = []
    for dose, group in patients.groupby("dose_level"):
        for measure in OUTCOMES:
            judged = group[group["dlt_evaluable"]] if measure == "dlt" else group
            if measure != "dlt" and (group["best_response"] == "NE").all():
                continue
            found = proportions.share(judged[measure].to_numpy(bool))
            rows.append([dose, measure, found.n, found.estimate, found.low, found.high])
    return pd.DataFrame(rows, columns=["dose", "measure", "n", "estimate", "low", "high"])


def potency(patients: pd.DataFrame, measure: str, inhibition: float) -> dict[str, Any]:
    """Dose at which a patient's marker first falls to 1 - ``inhibition`` of its own baseline; over the patients measured at
    every dose."""
    folds = patients.pivot(index="patient_id", columns="dose_level", values=f"{measure}_d28").dropna()
    needed = np.array([first_crossing(np.log(folds.columns.to_numpy(float)), row, 1.0 - inhibition) for row in folds.to_numpy()])
    dose = np.exp(needed)
    dose[needed == -np.inf] = -np.inf  # below the lowest dose, and so of unknown size
    # a quantile between two patients one of whom never gets there is that patient's, as for any censored value
    found = np.quantile(dose, list(QUANTILES.values()), method="inverted_cdf") if len(dose) else np.full(len(QUANTILES), np.nan)
    reached = float(np.mean(needed < np.inf)) if len(dose) else np.nan
    return {"measure": measure, "n": len(dose), "share_reached": reached, **dict(zip(QUANTILES, found, strict=True))}


def first_crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Smallest x at which the line through the points (x, y) is no higher than ``level``: -inf if y begins there, inf if never."""
    below = np.flatnonzero(y <= level)
    if not len(below):
        return np.inf
    i = below[0]
    return -np.inf if i == 0 else float(x[i - 1] + (x[i] - x[i - 1]) * (y[i - 1] - level) / (y[i - 1] - y[i]))


def proportionality(patients: pd.DataFrame) -> dict[str, Any]:
    """Exponent b of the power model AUC = a dose^b (Smith et al. Pharm Res 2000;17:1278-83), fitted in each patient by least
    squares of the logarithms: mean and 95 % t interval over patients. 1: proportional."""
    auc = patients.pivot(index="patient_id", columns="dose_level", values="auc24_ng_h_ml").dropna()
    x = np.log(auc.columns.to_numpy(float))
    slope = np.log(auc.to_numpy(float)) @ (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    n, mean = len(slope), float(np.mean(slope)) if len(slope) else np.nan
    half = float(stats.t.ppf(0.975, n - 1) * stats.sem(slope)) if n > 1 else np.nan
    return {
        "estimate": mean, "low": mean - half, "high": mean + half, "n": n, "unit": "exponent",
        "method": "power model in each patient measured at every dose; mean, t interval",
    }  # fmt: skip
