"""The page of options side by side: the answer in words, what is true of each, what each gains, and the trial that shows it."""

from __future__ import annotations

import pandas as pd

from trialsim.options.truths import COMPARED, ENDPOINTS, HAZARD_RATIO
from trialsim.report import option_tables as tables
from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures import options as figures
from trialsim.report.figures.options import SURE, Column
from trialsim.report.figures.panel import Panel
from trialsim.report.option_words import TESTS, Names, answer, dose_found, inside, what_was_compared
from trialsim.report.page import Card, Section
from trialsim.report.wording import (
    ENDPOINT_NAMES,
    amount,
    fixed,
    interval,
    is_number,
    join,
    kind_of,
    percent,
    plural,
    words,
)

CARDS = 4
MOST_ROWS = 20  # of a forest; more options are told by the heat map and the tables
MOST_LINES = 12  # of an assurance figure
UNUSED = ("cohort.size", "design.kind", "design.replicate_size", "design.accrual_months", "design.cutoff_months")
SETTINGS = ("drug", "partner", "regimen", "modification", "design", "endpoint", "network", "mechanism", "compute")


def page(saved: Saved) -> Page:
    names, there = Names(saved), saved.summary["tables"]
    options, compared = saved.table("options"), saved.table("compared")
    chapters = [_truths(saved, options, compared, names), _gains(saved, compared, names)]
    if "matched" in there:
        chapters.append(_exposures(saved, names))
    if "sizes" in there:
        chapters.append(_trials(saved, names))
    return Page(
        summary=[what_was_compared(saved, names, len(options[["who", "what"]].drop_duplicates())), *answer(saved, names)],
        cards=_doses(saved, names) if "matched" in there else _cards(options, compared, names),
        chapters=chapters,
        methods=_methods(saved),
        settings=("cohort", *(f"tumour.{kind}" for kind in _types(saved)), *SETTINGS),
        unused=UNUSED,
        cautions=_cautions(saved),
        checks=_checks(saved),
    )


def _types(saved: Saved) -> list[str]:
    """Tumour types that some population has."""
    found: dict[str, None] = {}
    for one in saved.settings["who"].values():
        mix = one["mix"] or (one["cohort"] or saved.config["cohort"])["mix"]
        found |= {kind: None for kind, share in mix.items() if share}
    return list(found)


def _cards(options: pd.DataFrame, compared: pd.DataFrame, names: Names) -> list[Card]:
    """What options are judged by, of the best of them."""
    judged = names.judged_by
    if judged == HAZARD_RATIO:
        rows, title = compared[(compared["kind"] == "treatment") & (compared["endpoint"] == judged)], "Hazard ratio"
        show, limits = fixed, lambda low, high: f"{fixed(low)} to {fixed(high)}"
    else:
        rows, kind = options[options["endpoint"] == judged], kind_of(judged, ENDPOINTS[judged].unit)
        title = tables.endpoint_name(judged)
        show, limits = lambda value: amount(value, kind), lambda low, high: interval(low, high, kind)
    rows = rows.sort_values("median", ascending=COMPARED[judged].better < 0, kind="stable").head(CARDS)
    return [
        Card(f"{title}, {names.option(r.who, r.what)}", show(r.median), f"90 % interval {limits(r.low_90, r.high_90)}")
        for r in rows.itertuples() if is_number(r.median)
    ]  # fmt: skip


def _doses(saved: Saved, names: Names) -> list[Card]:
    title = f"Dose with the exposure of {names.who[names.reference[0]]} on {names.base}"
    rows = saved.table("matched").query("endpoint == @match", local_dict={"match": saved.settings["match"]})
    return [Card(f"{title}, {names.who[row['who']]}", dose_found(row)) for row in rows.to_dict("records")]


# ---- chapters


def _truths(saved: Saved, options: pd.DataFrame, compared: pd.DataFrame, names: Names) -> Section:
    pairs = list(options[["who", "what"]].drop_duplicates().itertuples(index=False, name=None))
    ratios = compared[(compared["kind"] == "treatment") & (compared["endpoint"] == HAZARD_RATIO)]
    panels: list[Panel] = []
    if len(names.who) > 1 and ratios["what"].nunique() > 1:
        panels.append(_heat(saved, ratios, names))
    if len(pairs) <= MOST_ROWS:
        panels.append(_forest(options, ratios, {pair: names.option(*pair) for pair in pairs}, names))
    shown = [
        tables.options_table(options, saved.table("people"), names),
        tables.every_level(options, names),
        tables.events_table(options, names),
    ]
    lead = "True values are those of a trial without end in one world; intervals are over worlds, not over who comes in."
    return Section("options", "What is true of each option", lead, panels, shown)


def _heat(saved: Saved, ratios: pd.DataFrame, names: Names) -> Panel:
    best = saved.table("best")
    best = best[(best["kind"] == "treatment") & (best["endpoint"] == HAZARD_RATIO)]
    who = {name: label for name, label in names.who.items() if name in set(ratios["who"])}
    told = (
        f"Hazard ratio of progression or death against {names.base} in the same patients (90 % interval), and the probability of "
        "being "
        "the best of all treatments there, the reference among them. Blue: better than the reference."
    )
    return figures.heat(ratios, best, who, names.tried, "Treatments by population", told)


def _forest(options: pd.DataFrame, ratios: pd.DataFrame, shown: dict[tuple[str, str], str], names: Names) -> Panel:
    of = lambda name: options[options["endpoint"] == name]
    columns = [Column("hazard ratio of<br>progression or death", ratios, 1.0, 1.0)] if len(ratios) else []
    columns += [
        Column("response (%)", of("orr"), 100.0),
        Column("median PFS<br>(months)", of("median_pfs_months")),
        Column("grade 3 or 4<br>event (%)", of("severe"), 100.0, shown_as="point"),
        Column("pS6 in tumour<br>(% of baseline)", of("ps6_tumour_d28"), 100.0),
    ]
    told = (
        "Line: median over the worlds; bars hold 50, 80 and 90 of 100 worlds. Adverse events do not differ between worlds: point "
        "and "
        "95 % limits of the simulation."
    )
    if len(ratios):
        told = f"Hazard ratios are against {names.base} in the same population. {told}"
    return figures.forest("option_forest", "What is true of each option", columns, shown, told)


def _gains(saved: Saved, compared: pd.DataFrame, names: Names) -> Section:
    titles = {
        "treatment": f"Treatments against {names.base}, in the same patients",
        "population": f"Populations against {names.who[names.reference[0]]}, on the same treatment",
        "reference": f"Against {names.who[names.reference[0]]} on {names.base}",
    }
    shown = []
    for kind, title in titles.items():
        rows = compared[compared["kind"] == kind]
        if kind == "population":  # what differs without the drug is prognosis; the CSV has it
            rows = rows[rows["what"].isin(names.tried)]
        if len(rows):
            shown.append(tables.gain_table(f"gain_{kind}", title, rows, names, kind))
    best = saved.table("best")
    shown += [tables.best_table(best, names)] if len(best) else []
    if "by_alteration" in saved.summary["tables"]:
        shown.append(tables.by_alteration(saved.table("by_alteration")))
    lead = (
        "Differences and ratios within each world (90 % interval), and the probability that an option is better than the reference."
    )
    return Section("gains", "What each option gains", lead, [], shown)


def _exposures(saved: Saved, names: Names) -> Section:
    match = saved.settings["match"]
    title = f"{ENDPOINT_NAMES[match]}, {ENDPOINTS[match].unit}"
    panel = figures.exposure(saved.table("exposure"), names.reference, names.who, names.what, title)
    lead = "Exposure in patients at full dose on day 15."
    shown = [tables.matched_table(saved.table("matched"), names)]
    return Section("exposure", "Which dose has the exposure of the reference", lead, [panel], shown)


def _trials(saved: Saved, names: Names) -> Section:
    plan, sized = saved.settings["sizes"], saved.table("sizes")
    panels = []
    for test, part in sized[sized["what"].isin(names.tried)].groupby("test", sort=False):
        worth = part[part["ceiling"] >= 1 - SURE]
        pairs = list(dict.fromkeys(zip(worth["who"], worth["what"], strict=True)))
        if not 0 < len(pairs) <= MOST_LINES:
            continue
        alone = len(names.tried) == 1 and len(names.who) > 1
        called = {pair: names.who[pair[0]] if alone else names.option(*pair) for pair in pairs}
        against = f"a response rate of {percent(plan['null_response'], 0)}" if test == "response" else names.base
        told = (
            f"Chance that the trial succeeds against {against}, over worlds and patients; bars: Monte Carlo error. As trials grow "
            "it "
            "tends to the share of worlds in which the option is truly better."
        )
        panels.append(figures.assurance(worth, called, plan["assurance"], f"Assurance: {TESTS[test]}", told))
    months = f"{plan['accrual_months']:g} months of accrual and {plan['follow_up_months']:g} of follow-up"
    shown = [tables.needed_table(saved.table("needed"), sized, plan["assurance"], names), tables.sizes_table(sized, names)]
    return Section("sizes", "How large a trial shows it", f"One-sided level {plan['alpha']:g}; {months}.", panels, shown)


# ---- what to keep in mind


def _cautions(saved: Saved) -> list[str]:
    fitted = saved.results["posterior"]
    told = [
        "The worlds differ in tumour types, drugs, partner drugs, alterations and lines of therapy, as far as "
        f"{fitted['numbers']} published numbers of {plural(fitted['trials'], 'trial')} leave them uncertain. They do NOT differ in "
        "kinetics, adverse events and what these do to the dose: such differences between options are the model's single best "
        "description, and are less certain than the error shown."
    ]
    if fitted["untold"]:
        names = join(_parameter(name) for name in fitted["untold"])
        told.append(
            f"No fitted trial tells of the effect of {names}: the worlds draw it from its prior about laboratory facts. What the "
            "answer owes to it is no clinical evidence."
        )
    if fitted["unknown_types"]:
        kinds = join(inside(saved.config["tumour"][name]["label"]) for name in fitted["unknown_types"])
        told.append(
            f"Nothing published tells of these tumour types: {kinds}. They are drawn from what tumour types are in general."
        )
    if saved.settings["sizes"] is not None:
        told.append(
            "Assurance is that of a trial run as simulated, in such patients, if the model is right but for what the worlds differ "
            "in; "
            "the column with misfit allows for how far the model missed the hazard ratios of published trials."
        )
    return told


def _parameter(name: str) -> str:
    start, _, rest = name.partition(" ")
    return words(rest) if start == "partner" else f"tumour exposure to {rest}" if start == "exposure" else start.replace("_", " ")


def _checks(saved: Saved) -> str:
    check = saved.results["solver_check"]
    every = f"all {plural(saved.results['n_patients'], 'virtual patient')} could be simulated under each treatment"
    return f"{every}; numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else every


def _methods(saved: Saved) -> list[str]:
    asked = saved.settings
    return [
        f"{asked['draws']} worlds are drawn from the posterior (trialsim calibrate), each with what a new study adds. In each, "
        f"{asked['patients_per_draw']} virtual patients of every population, others in each world, are treated in every way that "
        "is "
        "compared, with the same chances each time; patients whom several populations may ask in are the same persons.",
        "True values: Kaplan-Meier estimates, shares and medians over these patients; hazard ratios by Cox's model with Efron's "
        "ties. "
        f"Their error is the spread over {asked['resamples']} resamples in which a patient counts as often as a Poisson variable "
        "says, "
        "the same in all options. The values of the worlds are drawn towards their mean until their variance is what is left after "
        "that "
        "of the error (constrained empirical Bayes; Ghosh, J Am Stat Assoc 1992;87:533), so that intervals hold what worlds differ "
        "by "
        "and not how few patients were simulated.",
        "Probabilities are shares of worlds, means over 400 bootstrap samples of the worlds; ± is their Monte Carlo standard "
        "error.",
        "Assurance (O'Hagan et al., Pharm Stat 2005;4:187): power of the log-rank test by Schoenfeld's formula (Biometrika "
        "1981;68:316) at the world's hazard ratio and expected events, or of the exact binomial test at its response rate; mean "
        "over "
        "the worlds.",
    ]
