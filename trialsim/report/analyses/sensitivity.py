"""The page of the sensitivity analysis."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures import sensitivity as figures
from trialsim.report.figures.sensitivity import OUTCOMES, UNINFORMED, ranked, titled
from trialsim.report.page import Card, Section
from trialsim.report.parameters import described, named
from trialsim.report.table import Table
from trialsim.report.wording import amount, fixed, fixed_spread, interval, join, kind_of, number, percent, plural, words

SETTINGS = ("cohort", "tumour", "drug", "network", "regimen", "modification", "endpoint", "compute")
REFERENCE = re.compile(r".*?\b(19|20)\d\d;[^;:]+:[\w.-]*\w")  # authors, journal, year;volume:page
SHOWN = ("orr", "pfs_mean", "size_week_8")  # outcomes whose screening is drawn; the others are in the table


def page(saved: Saved) -> Page:
    screening, settings = saved.table("screening"), saved.settings
    chapters = [
        Section(
            "screening",
            "What the outcomes depend on",
            "Every uncertain parameter over its whole prior range, the same patients each time.",
            [*(figures.morris(screening, outcome) for outcome in SHOWN), figures.plane(screening, "pfs_mean")],
            [_present(saved.table("present")), _screening(screening)],
        )
    ]
    if settings["sobol_parameters"]:
        sobol = saved.table("sobol")
        chapters.append(
            Section(
                "variance",
                "Who shares the uncertainty",
                "The leading parameters vary together over their priors; all others stay at their present values.",
                [figures.sobol(sobol, SHOWN)],
                [_sobol(sobol)],
            )
        )
    if settings["local_patients"]:
        local = saved.table("local")
        chapters.append(
            Section(
                "local",
                "At the present values",
                "Derivatives of patients' courses under full doses, through the untreated steady state and eight weeks of "
                "treatment.",
                [figures.elasticities(local)],
                [_local(local)],
            )
        )
    if settings["identifiability"]:
        parameters, facts = saved.table("parameters"), saved.table("facts")
        chapters.append(
            Section(
                "identifiability",
                "Which published data inform which parameter",
                "Linear Gaussian approximation about the present values: prior ranges on one side, the tolerance of each "
                "laboratory fact on the other.",
                [
                    figures.fact_map(saved.table("slopes"), facts, parameters),
                    figures.shrinkage(parameters),
                    figures.spectrum(saved.table("eigenvalues")),
                ],
                [
                    _informed(parameters[parameters["shrinkage"] <= UNINFORMED], facts),
                    _informed(parameters[parameters["shrinkage"] > UNINFORMED], facts, hardly=True),
                    _directions(saved.table("directions")),
                    _correlations(saved.table("correlations")),
                    _facts(facts),
                ],
            )
        )
    return Page(
        summary=[_what(saved), *_found(saved, screening)],
        cards=_cards(saved),
        chapters=chapters,
        methods=_methods(saved),
        settings=SETTINGS,
        cautions=_cautions(saved),
        checks=f"all {plural(saved.results['evaluations'] * saved.results['n_patients'], 'course')} could be integrated",
    )


# ---- words


def _what(saved: Saved) -> str:
    results, settings = saved.results, saved.settings
    told = (
        f"The same {plural(results['n_patients'], 'virtual patient')} under {saved.config['drug']['name']} went through the "
        f"trial at {number(results['evaluations'])} settings of {results['n_parameters']} uncertain parameters of the model, "
        "each within its prior range."
    )
    if settings["identifiability"]:
        told += (
            f" {results['facts']} published laboratory facts were then asked how much they tell about each parameter."
        )
    return told


def _found(saved: Saved, screening: pd.DataFrame) -> list[str]:
    told = []
    for outcome in SHOWN:
        first = [named(name) for name in ranked(screening, outcome)["parameter"].iloc[:3]]
        told.append(f"the {OUTCOMES[outcome][0]} depends most on {join(first)}")
    found = [f"In this model {'; '.join(told)}."]
    if saved.settings["identifiability"]:
        results = saved.results
        table = saved.table("parameters").set_index("parameter")["shrinkage"]
        weak = [name for name in ranked(screening, "pfs_mean")["parameter"].iloc[:10] if table[name] > UNINFORMED]
        text = (
            f"The facts inform {plural(results['well_informed'], 'parameter')} well and hardly inform {results['not_informed']}; "
            f"together they tell as much as would settle {number(results['parameters_worth'], 2)} parameters."
        )
        if weak:
            text += (
                f" Of the ten parameters that progression-free survival depends on most, they hardly inform {len(weak)}: "
                f"{join(named(name) for name in weak)}. That is where new data would help most."
            )
        found.append(text)
    return found


def _cards(saved: Saved) -> list[Card]:
    cards = []
    for outcome in ("orr", "pfs_mean"):
        found = saved.results[f"present_{outcome}"]
        kind = kind_of(outcome, found["unit"])
        limits = f"at the present values; 95 % interval {interval(found['low'], found['high'], kind)}"
        cards.append(Card(titled(outcome), amount(found["estimate"], kind), limits))
    if saved.settings["identifiability"]:
        results = saved.results
        cards.append(Card("Well informed by facts", f"{results['well_informed']} of {results['n_parameters']}", "parameters"))
        cards.append(Card("Hardly informed", f"{results['not_informed']} of {results['n_parameters']}", "parameters"))
    return cards


def _cautions(saved: Saved) -> list[str]:
    orr = saved.results["present_orr"]["estimate"]
    n = saved.results["n_patients"]
    told = [
        f"A response rate of {percent(orr)} among {n} patients moves in steps of {percent(1 / n)}: screening sees its large "
        "effects only. The change of tumour size, which moves smoothly, ranks the same mechanisms more sharply.",
        "Effects are over the whole prior range of each parameter, so a parameter of wide range can lead although a small "
        "change of it does little; the chapter on the present values shows small changes.",
    ]
    if saved.settings["identifiability"]:
        told.append(
            "Prior ranges of calibrated constants were set about the values that these same facts gave, by a factor of 1.6 each "
            "way, so that shrinkage is what the facts tell within that range. The table says which data bear on which "
            "parameter; it is no second use of the data."
        )
        told.append(
            "Published response rates, progression-free survival and concentrations are not among the facts: parameters of "
            "growth and kinetics that no laboratory fact informs may be informed by those."
        )
    return told


def _methods(saved: Saved) -> list[str]:
    s = saved.settings
    told = [
        "Priors: independent, uniform over the stated range on the parameter's own scale (logarithm; logit for fractions; "
        "linear for a range that begins at 0). Reference levels of the network, which are those of an untreated wild-type cell, "
        "follow the constants in every evaluation.",
        f"Trial: {saved.results['n_patients']} patients with the same covariates, variability, scans and random numbers at every "
        "setting (common random numbers), RECIST 1.1, doses as given in practice. Mean progression-free survival is restricted "
        f"to {s['weeks']} weeks; a median that is not reached counts as the end of follow-up.",
        f"Screening: {s['trajectories']} Morris trajectories on {s['levels']} levels (Morris, Technometrics 1991;33:161-174; μ*: "
        "Campolongo et al., Environ Model Softw 2007;22:1509-18), intervals by bootstrap of the trajectories.",
    ]
    if s["sobol_parameters"]:
        told.append(
            f"Sobol indices of the {s['sobol_parameters']} parameters of largest μ* (relative to the largest of each outcome, "
            f"averaged over {join(OUTCOMES[name][0] for name in s['rank_by'])}) from {number(s['sobol_samples'])} base samples "
            "(Saltelli et al., Comput Phys Commun 2010;181:259-70), by SALib (Herman and Usher, J Open Source Softw 2017;2:97)."
        )
    if s["local_patients"]:
        told.append(
            "Elasticities are derivatives of the numerical scheme itself, taken in reverse by automatic differentiation; the "
            "untreated reference cell by the implicit function theorem. Doses are those of the schedule, all taken."
        )
    if s["identifiability"]:
        told.append(
            f"Identifiability: slopes of every fact by central differences of {s['fact_step']:g} prior standard deviations each "
            "way. The tolerance of a fact (half the width of its band; a quarter of a one-sided limit) serves as its standard "
            "error; a one-sided fact counts as the observation that the value lies on that side, so one that is held with room "
            "tells little. Posterior covariance (1 + F)⁻¹ with F the Fisher information in prior standard deviations. The share "
            "of variance taken away by a fact is that of this fact alone, all other parameters being uncertain too."
        )
    return told


# ---- tables


def _present(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.itertuples():
        kind = kind_of(row.outcome, row.unit)
        rows.append([titled(row.outcome), amount(row.estimate, kind), interval(row.low, row.high, kind), row.n])
    shown = pd.DataFrame(rows, columns=["Outcome", "Present values", "95 % interval", "n"])
    return Table("present", "Outcomes at the present values", table, shown, "Intervals are those of a cohort of this size.")


def _screening(table: pd.DataFrame) -> Table:
    grid = []
    for name in ranked(table, "pfs_mean")["parameter"]:
        found = table[table["parameter"] == name].set_index("outcome")
        cells = [_effect(found.loc[outcome], scale) for outcome, (_, _, scale) in OUTCOMES.items()]
        grid.append([name, described(name), *cells])
    heads = [f"{titled(name)} ({unit})" for name, (_, unit, _) in OUTCOMES.items()]
    shown = pd.DataFrame(grid, columns=["Parameter", "Meaning", *heads])
    note = "Mean absolute effect μ* over the prior range and its bootstrap 95 % interval."
    return Table("screening", "Screening of all parameters", table, shown, note, folded=True)


def _effect(row: Any, scale: float) -> str:
    return fixed_spread(scale * row["mu_star"], scale * row["low"], scale * row["high"])


def _sobol(table: pd.DataFrame) -> Table:
    rows = []
    for (outcome, name), found in table.groupby(["outcome", "parameter"], sort=False):
        by = found.set_index("index")
        cells = [fixed_spread(*by.loc[index, ["estimate", "low", "high"]]) for index in ("first", "total")]
        rows.append([titled(outcome), named(name), *cells])
    shown = pd.DataFrame(rows, columns=["Outcome", "Parameter", "First order", "Total"])
    return Table("sobol", "Sobol indices", table, shown, "In brackets the bootstrap 95 % interval.", folded=True)


def _local(table: pd.DataFrame) -> Table:
    grid = []
    for name, found in table.groupby("parameter", sort=False):
        by = found.set_index("outcome")
        grid.append([name, described(name), *(fixed_spread(*by.loc[o, ["mean", "low_90", "high_90"]]) for o in figures.COURSE)])
    shown = pd.DataFrame(grid, columns=["Parameter", "Meaning", *figures.COURSE.values()])
    note = "Mean over patients, in brackets the middle 90 % of patients. Free drug is that of plasma at the end of the interval."
    return Table("local", "Elasticities after eight weeks", table, shown, note, folded=True)


def _informed(parameters: pd.DataFrame, facts: pd.DataFrame, hardly: bool = False) -> Table:
    source, claim = (facts.set_index("fact_id")[name] for name in ("source", "claim"))
    rows = []
    for row in parameters.sort_values("shrinkage", kind="stable").itertuples():
        data = [(getattr(row, place), getattr(row, f"{place}_share")) for place in ("first", "second", "third")]
        told = "; ".join(f"{claim[name]} ({percent(share, 0)}; {_cited(source[name])})" for name, share in data if share >= 0.005)
        rows.append(
            [row.parameter, described(row.parameter), number(row.value), f"{number(row.low)} to {number(row.high)}",
             fixed(row.shrinkage), told or "none"]
        )  # fmt: skip
    shown = pd.DataFrame(
        rows, columns=["Parameter", "Meaning", "Value", "Prior range", "Posterior over prior SD", "Most informative data"]
    )
    note = (
        "In brackets the share of the parameter's prior variance that the fact by itself takes away, and its source; facts "
        "below 0.5 % are left out."
    )
    if hardly:
        return Table("uninformed", "Parameters that the facts hardly inform", parameters, shown, note, folded=True)
    return Table("identifiability", "Which published data inform which parameter", parameters, shown, note)


def _cited(source: str) -> str:
    """The first reference of a source, as far as its pages."""
    found = REFERENCE.match(source)
    return found.group(0) if found else source.split(";")[0]


def _directions(table: pd.DataFrame) -> Table:
    rows = []
    for (order, value), found in table.groupby(["number", "eigenvalue"], sort=False):
        told = ", ".join(f"{row.parameter} {fixed(row.loading)}" for row in found.itertuples())
        rows.append([order, number(value), told])
    shown = pd.DataFrame(rows, columns=["Combination", "Information over the prior's", "Largest loadings"])
    note = "Eigenvectors of the Fisher information in prior standard deviations: the facts see these sums, not their terms."
    return Table("directions", "Combinations of parameters that the facts see", table, shown, note, folded=True)


def _correlations(table: pd.DataFrame) -> Table:
    rows = [[named(row.first), named(row.second), fixed(row.correlation)] for row in table.itertuples()]
    shown = pd.DataFrame(rows, columns=["Parameter", "And", "Posterior correlation"])
    return Table("correlations", "Parameters that the facts cannot tell apart", table, shown, folded=True)


def _facts(facts: pd.DataFrame) -> Table:
    rows = [
        [words(row.fact_id), row.topic, number(row.model), number(row.tolerance), fixed(row.weight), row.source]
        for row in facts.itertuples()
    ]
    shown = pd.DataFrame(rows, columns=["Fact", "Part of the network", "Model", "Tolerance", "Weight", "Source"])
    note = "Weight: 1 for a band with two sides; of a one-sided fact less the further the value lies within its limit."
    return Table("facts", "The facts and what they weigh", facts, shown, note, folded=True)
