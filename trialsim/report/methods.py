"""How a trial was simulated and analysed, in a few paragraphs; only what the settings of the run say and its artefacts hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialsim.report.design_words import KINDS, kind_of
from trialsim.report.reader import Run
from trialsim.report.wording import benefit_words, join, number, percent, plural, words


def methods(run: Run) -> list[str]:
    """One paragraph a step of the study, in its order; those of settings that were not saved are left out."""
    told = (_patients(run), _course(run), _design(run), _response(run), _survival(run), _model(run), _published(run))
    return [text for text in told if text]


def _patients(run: Run) -> str:
    file = run.part("cohort").get("covariates_file")
    start = (
        "Covariates that the file of patients holds are taken from it; all others, the genotype and what differs between patients"
        if file
        else "Covariates, genotype, tumour and what differs between patients"
    )
    return (
        f"{start} in kinetics, signalling, growth and toxicity are drawn from the distributions listed under Assumptions. The "
        "random numbers belong to the seed and to the patient's own number: a patient is the same in a cohort of any size."
    )


def _course(run: Run) -> str:
    compute, check = run.part("compute"), run.section("diagnostics").get("solver_check") or {}
    if not compute:
        return ""
    told = [
        "Every patient lives the trial day by day. Blood concentrations are the exact solution of linear compartments. Drug in "
        "cells, signalling and growth of the tumour are integrated together, in the tumour and in blood cells, by a linearly "
        "implicit Runge-Kutta scheme (Rodas3; Sandu et al., Atmos Environ 1997;31:3459-72) in "
        f"{compute.get('precision', 'float32')}, with steps such that 99 % of the patients are to stay below an error of "
        f"{compute['accuracy']:g}, in net growth as a share of the untreated rate and in the folds of the markers.",
        "Adverse events, new lesions, withdrawal and death come with hazards of the day; whether a dose is held, reduced or "
        "stopped is decided each day from the adverse events that the patient then has.",
    ]
    if run.part("partner"):
        told.append("Partner drugs act by the mean of their effect over a day (exact one-compartment kinetics).")
    if {"patients", "refinement", "days", "error"} <= check.keys():
        told.insert(1, (
            f"{plural(int(check['patients']), 'patient')} were computed again in float64 with {check['refinement']} times as many "
            f"steps, over {check['days']} days: the error was {check['error']:.1g}."
        ))  # fmt: skip
    return " ".join(told)


def _design(run: Run) -> str:
    design = run.part("design")
    if not {"replicate_size", "accrual_months", "cutoff_months", "max_follow_up_months"} <= design.keys():
        return ""
    name, reference = KINDS.get(kind_of(design), (words(str(design.get("kind"))), ""))
    told = [
        f"Virtual studies hold {plural(design['replicate_size'], 'patient')}, who come over {design['accrual_months']:g} months; "
        f"the data cut-off is {design['cutoff_months']:g} months after the first, and nobody is followed for longer than "
        f"{design['max_follow_up_months']:g}. What happens later is not seen."
    ]
    if run.escalation:
        told.append(f"Each study finds its dose by itself, by {name}{f' ({reference})' if reference else ''}.")
    window = (design.get("dlt") or {}).get("window_days")
    if window:
        told.append(f"Toxicity is dose-limiting within {window} days of the first dose, by the grades listed under Assumptions.")
    return " ".join(told)


def _response(run: Run) -> str:
    endpoint = run.part("endpoint")
    if not {"scan_interval_weeks", "reader_cv", "missed_scan_fraction", "sd_minimum_weeks"} <= endpoint.keys():
        return ""
    weeks = endpoint.get("confirmation_weeks")
    confirmed = f"confirmed after {weeks:g} weeks" if weeks is not None else "unconfirmed"
    told = [
        f"Scans are due every {endpoint['scan_interval_weeks']:g} weeks from the first dose; "
        f"{percent(endpoint['missed_scan_fraction'], 0)} are missed. Target lesions are read with an error (CV of their sum "
        f"{percent(endpoint['reader_cv'])}) and judged by RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009;45:228-47), responses "
        f"{confirmed}, stable disease from week {endpoint['sd_minimum_weeks']:g} on; progression is final and ends treatment. "
        "Lymph nodes are no target lesions here."
    ]
    if benefit := benefit_words(endpoint):
        told.append(f"Clinical benefit is {benefit}.")
    told.append(
        "Rates are of all patients treated, those who were not evaluable among them, rates of dose-limiting toxicity of those who "
        "could be judged for it; all with exact intervals (Clopper & Pearson, Biometrika 1934;26:404-13)."
    )
    return " ".join(told)


def _survival(run: Run) -> str:
    told = [
        "Progression-free survival runs from the first dose to the scan that shows progression, or to death, and is censored at "
        "the last readable scan; overall survival runs to death. Both are Kaplan-Meier estimates with log-log intervals, their "
        "medians with those of Brookmeyer & Crowley (Biometrics 1982;38:29-41)."
    ]
    gap = run.part("endpoint").get("maximum_gap_weeks")
    if gap is not None:
        told.append(f"An event more than {gap:g} weeks after the last readable scan is censored at that scan.")
    if "median_pfs_turnbull_months" in run.section("endpoints"):
        told.append(
            "As a scan shows progression late, Turnbull's estimate and a Weibull model, for which progression lies between two "
            "scans, stand beside the median."
        )
    return " ".join(told)


def _model(run: Run) -> str:
    asked = run.part("inference")
    if run.posterior is None or not {"chains", "samples", "warmup", "covariates"} <= asked.keys():
        return ""
    covariates = join(words(name) for name in asked["covariates"])
    told = [
        "What the analysis learns by tumour type is the posterior of a hierarchical logistic model of the numbers of patients with "
        f"response, disease control and clinical benefit by tumour type{f' and covariates ({covariates})' if covariates else ''}: "
        "types differ by a normal distribution on the logit whose SD has a half-normal prior. It is sampled by NUTS (NumPyro), "
        f"{asked['chains']} chains of {number(asked['samples'])} draws after {number(asked['warmup'])} of adaptation."
    ]
    told += list(_judged(asked.get("thresholds") or {}))
    if run.posterior_published is not None:
        told.append("The same model was fitted to published counts of the drug given alone.")
    if run.section("recovery"):
        told.append("To see whether it finds the known truth, it was fitted to one virtual study and held against the cohort.")
    return " ".join(told)


def _judged(thresholds: dict[str, Any]) -> Iterator[str]:
    if {"max_rhat", "min_ess", "max_divergences", "min_bfmi"} <= thresholds.keys():
        yield (
            f"A fit is not to be believed with R-hat above {thresholds['max_rhat']:g}, an effective sample size below "
            f"{thresholds['min_ess']:g}, more than {plural(thresholds['max_divergences'], 'divergent step')} or E-BFMI below "
            f"{thresholds['min_bfmi']:g}."
        )


def _published(run: Run) -> str:
    if not run.section("comparison"):
        return ""
    told = (
        "Predictions of a published study: rates, by a draw of the population's rate from the posterior and then of as many "
        "patients as that study had; medians, by as many patients drawn from the cohort."
    )
    own = " Those of dose-limiting toxicity and of the dose found are the virtual studies themselves."
    return told + own if run.escalation else told
