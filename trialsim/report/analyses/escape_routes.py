"""The page of the attribution of non-response to escape routes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures import routes as figures
from trialsim.report.figures.routes import NAMES, OUTCOMES, ranked
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.wording import dose, interval, is_number, join, number, percent, plural, words

FEWEST = 10  # patients without the outcome from which a group is drawn
GENOTYPES = {
    "pi3k": "PIK3CA, AKT1 or PTEN altered",
    "tsc_or_mtor": "TSC1/2 or MTOR altered",
    "kras": "KRAS mutated",
    "kras_and_pathway": "KRAS and one of these",
    "wild_type": "No such alteration",
}
THIRDS = {"low": "Low dependence", "middle": "Middle dependence", "high": "High dependence"}
MEANING = {
    "feedback": "S6K and mTORC1 stop restraining IRS1 and GRB10, so PI3K, AKT and ERK rise",
    "mTORC2_sparing": "mTORC2 survives in most tumours and keeps phosphorylating AKT",
    "partial_4EBP1": "4E-BP1 is inhibited less than S6K and re-phosphorylated, so translation goes on",
    "autophagy": "flux rises and protects stressed cells, or kills them where it is excessive",
    "adaptation": "dependence on the pathway drifts away under treatment",
    "bypass": "growth that never needed mTORC1, in sensitive and resistant cells",
    "stroma": "drug is held back from the cells where the tumour type has such stroma",
}
SETTINGS = ("mechanism", "cohort", "tumour", "drug", "partner", "network", "regimen", "endpoint", "compute")


def page(saved: Saved) -> Page:
    routes = saved.results["routes"]
    attribution, sets, sizes = saved.table("attribution"), saved.table("sets"), saved.table("sizes")
    shown = lambda name: saved.table(name).assign(shown=lambda table: table["cut"].replace({"+".join(routes): "all"}))
    twins, course, pathway = shown("twins"), shown("course"), shown("pathway")
    order = list(ranked(attribution, "response").index[:-1])
    groups = attribution[(attribution["grouping"] != "all") & (attribution["n"] >= FEWEST)]
    types = groups[groups["grouping"] == "tumour_type"]
    labels = {name: saved.config["tumour"][name]["label"] for name in _by_share(types, order[0])}
    drawn = f"Groups of fewer than {FEWEST} such patients are in the table only."
    chapters = [
        Section(
            "shares",
            "What explains the lack of response",
            "Share of the patients without the outcome that each route explains; the shares and what is left add up to the whole.",
            [figures.waterfall(attribution, "response"), figures.waterfall(attribution, "disease_control")],
            [_shares(attribution, order), _shrinkage(saved.table("shrinkage"), order)],
        ),
        Section(
            "together",
            "Blocking one route, or several",
            "What a single cut achieves, and which cuts are needed at once.",
            [
                figures.alone_and_needed(attribution, "response"),
                figures.sizes(sizes),
                figures.upset(sets, routes, "response"),
                figures.upset(sets, routes, "disease_control"),
            ],
            [_sets(sets), _exceptions(saved.table("exceptions"))],
        ),
        Section(
            "who",
            "In whom",
            "The same attribution within tumour types, genotypes and thirds of pathway dependence.",
            [
                figures.stacked("escape_types", "By tumour type, response", types, labels, "response", drawn),
                figures.stacked("escape_types_control", "By tumour type, disease control", types, labels, "disease_control", drawn),
                figures.stacked(
                    "escape_biology", "By genotype and dependence, response", groups, GENOTYPES | THIRDS, "response", _thirds(saved)
                ),
            ],
            [_groups(saved, attribution)],
        ),
        Section(
            "tumours",
            "What a cut does to tumours",
            "The same patients with every route open, with each route cut alone, and with all cut.",
            [figures.distributions(twins, order), figures.course(course, order), figures.pathway(pathway, order)],
            [],
        ),
    ]
    return Page(
        summary=[_what(saved, routes), _gap(saved, pathway), _explained(saved, attribution), _several(sizes, attribution)],
        cards=_cards(saved, order),
        chapters=chapters,
        methods=_methods(saved, routes),
        settings=SETTINGS,
        cautions=_cautions(saved),
        checks=_checks(saved),
    )


# ---- words


def _what(saved: Saved, routes: list[str]) -> str:
    regimen = saved.config["regimen"]
    given = f"{saved.config['drug']['name']} {dose(regimen['dose'], regimen['unit'])} ({words(regimen['schedule'])})"
    given = join([given, *(words(name) for name in saved.config["partner"])])
    return (
        f"In a computer simulation, {plural(saved.results['n_patients'], 'virtual patient')} took {given} for "
        f"{saved.settings['weeks']} weeks: once with every escape route of their tumours open, and once with each of the "
        f"{2 ** len(routes) - 1} combinations of {len(routes)} routes cut. It is the same patients each time, with the same "
        "untreated tumour; what differs between two courses is the route."
    )


def _gap(saved: Saved, pathway: pd.DataFrame) -> str:
    found, ps6 = saved.results, pathway.query("shown == 'none' and measure == 'ps6'")["median"].iloc[0]
    return (
        f"The drug does what it should: pS6 falls to {percent(ps6, 0)} of its untreated level in the median tumour. Yet "
        f"{_share(found['response_all_open'])} of the patients respond (target lesions shrink by 30 % or more). With every route "
        f"cut, the same drug at the same dose brings a response to {_share(found['response_all_cut'])}. Between inhibition of the "
        "target and control of the tumour lie the escape routes."
    )


def _explained(saved: Saved, attribution: pd.DataFrame) -> str:
    table = ranked(attribution, "response")
    if not table["n"].iloc[0]:
        return "Every patient responds, so there is no lack of response to explain."
    told = join(f"{NAMES[route]} {percent(row['estimate'])} ({_limits(row)})" for route, row in table.iloc[:-1].iterrows())
    patients = saved.table("patients")
    missed = patients[patients["integration_ok"] & ~patients["response"]]
    left = missed["response_fewest"] < 0
    text = f"The lack of response divides so: {told}."
    if left.any() and not left.all():
        slow, others = (np.log(2.0) / missed["growth_rate_per_day"][which].median() for which in (left, ~left))
        text += (
            f" The other {percent(table['estimate'].iloc[-1])} do not respond whatever is cut. Untreated, the diameters of these "
            f"tumours double in {number(slow, 2)} days (median), those of the rest in {number(others, 2)}"
        )
        text += ": what hardly grows cannot shrink by 30 % in the time given." if slow > 2 * others else "."
    return text


def _several(sizes: pd.DataFrame, attribution: pd.DataFrame) -> str:
    fewest = sizes[sizes["outcome"] == "response"].set_index("size")["estimate"]
    if not is_number(fewest[1]):
        return ""
    whole = attribution.query("outcome == 'response' and grouping == 'all'").set_index(["measure", "route"])["estimate"]
    alone = whole["alone"].sort_values(ascending=False, kind="stable")
    first, second = alone.index[:2]
    others = 1.0 - whole[("shapley", "unexplained")] - whole[("needed", first)]
    text = (
        f"One route blocked: the best single cut, {NAMES[first]}, brings a response to {percent(alone[first])} of the patients "
        f"who have none, the next best, {NAMES[second]}, to {percent(alone[second])}. All the others blocked together, "
        f"{NAMES[first]} left open, bring it to {percent(others)}. For {percent(fewest[1])} some one cut is enough, if it is the "
        f"right one; {percent(fewest.drop([1, -1]).sum())} need two or more at once."
    )
    control = sizes.query("outcome == 'disease_control' and size == 1").iloc[0]
    if not control["n"]:
        return text
    held = f"one cut is enough for {percent(control['estimate'])} of those who progress"
    return f"{text} To hold the disease takes less than to shrink it: {held}."


def _share(found: dict) -> str:
    return f"{percent(found['estimate'])} ({_limits(found)})"


def _limits(found) -> str:
    return interval(found["low"], found["high"], "proportion")


def _cards(saved: Saved, order: list[str]) -> list[Card]:
    found = saved.results
    card = lambda title, entry: Card(title, percent(entry["estimate"]), f"95 % interval {_limits(entry)}")
    return [
        card("Response, every route open", found["response_all_open"]),
        card("Response, every route cut", found["response_all_cut"]),
        card(f"Non-response explained by {NAMES[order[0]]}", found[f"non_response_{order[0]}"]),
        card("Non-responders whom no single cut helps to respond", found["not_by_one_route"]),
    ]


def _thirds(saved: Saved) -> str:
    patients = saved.table("patients")
    median = patients.groupby("dependence_third")["dependence"].median()
    told = join(f"{THIRDS[third].split()[0].lower()} {percent(median[third], 0)}" for third in THIRDS if third in median)
    return f"Median share of growth that runs through mTORC1: {told}."


def _cautions(saved: Saved) -> list[str]:
    cut = [NAMES[name] for name, is_open in saved.config["mechanism"].items() if not is_open]
    told = [
        "Intervals are over patients: how much the shares would differ in another cohort of this size. They hold for this "
        "network and these tumours; how they move with an uncertain constant is seen by changing it.",
        "How large the bypass is follows from the dependence of each tumour type on the pathway, which is calibrated to published "
        "trials where there are any and assumed elsewhere, not measured (section tumour of the settings).",
        "A switch is cleaner than any drug: it stops a route wholly, in every cell, without toxicity. What it achieves "
        "is the most that a partner drug against that route could.",
        "Every dose is taken in full and sizes are true sizes, so response here is the tumour's, without toxicity, reading "
        "error, new lesions or death; a trial of the same patients reports less of it.",
    ]
    return [f"Cut in every course, and so no part of the attribution: {join(cut)}.", *told] if cut else told


def _checks(saved: Saved) -> str:
    check = saved.results["solver_check"]
    every = f"all {plural(saved.results['n_patients'], 'patient')} could be simulated with every combination"
    return f"{every}; numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else every


def _methods(saved: Saved, routes: list[str]) -> list[str]:
    weeks, scans = saved.settings["weeks"], saved.config["endpoint"]["scan_interval_weeks"]
    return [
        f"Routes: {'; '.join(f'{NAMES[route]}: {MEANING[route]}' for route in routes)}.",
        "A switch acts on the treated tumour alone. Feedback and autophagy cut: IRS1, GRB10 and autophagic flux keep their "
        "untreated values. mTORC2 sparing cut: mTORC2 is lost with the occupancy of mTOR, all of it at full occupancy. Partial "
        "4E-BP1 inhibition cut: 4E-BP1 has the dose-response of S6K and is not re-phosphorylated. Adaptation cut: dependence "
        "keeps its first value. Bypass cut: all growth, also that of resistant cells, runs through mTORC1. Stroma cut: "
        "penetration is 1. Growth is relative to the patient's own untreated growth in every case, so the untreated twins are "
        "one and the same.",
        f"Outcomes, by the true sum of target diameters at scans every {scans:g} weeks over {weeks} weeks: objective response, 30 "
        "% below baseline at a scan before any progression (RECIST 1.1: 20 % and 5 mm above nadir); disease control, no "
        "progression at any scan; growth arrest, a sum at the end no larger than at baseline.",
        f"Attribution: every patient is simulated with all {2 ** len(routes)} combinations, so the Shapley value of each route "
        "(Shapley 1953), its effect averaged over all orders in which the routes can be cut, is exact for that patient and sums "
        "to the difference between all cut and all open. Shares are means over the patients without the outcome, with percentile "
        f"bootstrap intervals over patients ({saved.settings['bootstrap']:,} resamples; Efron and Tibshirani 1993); a negative "
        "value means that cutting the route does harm. Counts (one cut is enough, no response without it, sizes of sets) have "
        "exact binomial intervals.",
        "Smallest sets: for each patient the combinations of fewest routes that bring the outcome; where several are equally "
        "small the patient counts in each with an equal part. Drawn as in an UpSet plot (Lex et al., IEEE Trans Vis Comput Graph "
        "2014;20:1983-92).",
    ]


# ---- tables


def _by_share(types: pd.DataFrame, route: str) -> list[str]:
    """Groups, those in which the route explains most of non-response first."""
    shares = types.query("outcome == 'response' and measure == 'shapley' and route == @route")
    return list(shares.sort_values("estimate", ascending=False, kind="stable")["group"])


def _shares(attribution: pd.DataFrame, order: list[str]) -> Table:
    table, rows = attribution.query("grouping == 'all'").set_index(["outcome", "measure", "route"]), []
    for outcome, name in OUTCOMES.items():
        for route in (*order, "unexplained"):
            cells = [_estimate(table.loc[key]) if (key := (outcome, m, route)) in table.index else "" for m in figures.MEASURES]
            rows.append([name, NAMES[route], *cells])
    shown = pd.DataFrame(rows, columns=["Without", "Route", "Cut alone, enough", "Share explained", "No outcome without the cut"])
    counts = join(
        f"{OUTCOMES[o]} {number(int(n))}" for o, n in attribution.query("grouping == 'all'").groupby("outcome")["n"].first().items()
    )
    return Table(
        "shares",
        "Routes and outcomes",
        attribution,
        shown,
        f"Patients without the outcome: {counts}. Brackets: 95 % interval.",
        True,
    )


def _estimate(row: pd.Series) -> str:
    return f"{percent(row['estimate'])} ({_limits(row)})" if is_number(row["estimate"]) else "–"


def _shrinkage(table: pd.DataFrame, order: list[str]) -> Table:
    found = table.set_index("step").loc[["none", *order, "all"]]
    names = {"none": "All routes open", "all": "All routes cut"}
    cell = lambda row: "{} ({} to {})".format(*(figures.signed(100 * row[name], 1) for name in ("estimate", "low", "high")))
    rows = [[names.get(step, f"No {NAMES.get(step, step)}"), cell(row)] for step, row in found.iterrows()]
    shown = pd.DataFrame(rows, columns=["Step", "Mean best change of SLD"])
    note = "All patients, per cent of baseline; each route by its Shapley value. Brackets: 95 % interval."
    return Table("shrinkage", "The same for tumour size itself", table, shown, note, True)


def _sets(table: pd.DataFrame) -> Table:
    rows = [
        [
            OUTCOMES[row.outcome],
            join(figures.names_of(row.cut)),
            row.size,
            f"{percent(row.estimate)} ({interval(row.low, row.high, 'proportion')})",
        ]
        for row in table[table["estimate"] >= 0.005][["outcome", "cut", "size", "estimate", "low", "high"]].itertuples(index=False)
    ]
    shown = pd.DataFrame(rows, columns=["Outcome", "Smallest set", "Routes", "Patients without it"])
    return Table(
        "sets", "Smallest sets of routes", table, shown, "Sets of at least 0.5 % of the patients; all are in the CSV file.", True
    )


def _exceptions(table: pd.DataFrame) -> Table:
    rows = [
        [NAMES[row.route], f"{row.worse} of {row.n} ({percent(row.worse / row.n)})", figures.signed(100 * row.largest, 1)]
        for row in table[table["worse"] > 0].itertuples()
    ]
    shown = pd.DataFrame(rows, columns=["Route cut alone", "Tumour larger at the end", "By at most"])
    note = "Larger by more than 1 % of its size than with every route open: what protects one tumour can restrain another."
    if not rows:
        note = "No single cut leaves any tumour larger than it is with every route open, by more than 1 % of its size."
    return Table("exceptions", "Where cutting a route does harm", table, shown, note)


def _groups(saved: Saved, attribution: pd.DataFrame) -> Table:
    table = attribution.query("grouping != 'all' and measure == 'shapley' and n > 0")
    names = {name: tumour["label"] for name, tumour in saved.config["tumour"].items()} | GENOTYPES | THIRDS
    rows = []
    for (outcome, _, group), found in table.groupby(["outcome", "grouping", "group"], sort=False):
        leading = found.sort_values("estimate", ascending=False).head(3)
        told = "; ".join(
            f"{NAMES[row.route]} {percent(row.estimate)} ({interval(row.low, row.high, 'proportion')})"
            for row in leading.itertuples()
        )
        rows.append([OUTCOMES[outcome], names[group], number(int(found["n"].iloc[0])), told])
    shown = pd.DataFrame(rows, columns=["Outcome", "Group", "Patients without it", "Explained most by"])
    return Table("groups", "Groups", table, shown, "The three largest shares with 95 % intervals; all are in the CSV file.", True)
