"""Tables of options side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.options.truths import COMPARED, ENDPOINTS, GRADE, HAZARD_RATIO
from trialsim.report.option_words import TESTS, Names, chance, change, dose_found, points
from trialsim.report.table import Table
from trialsim.report.wording import MISSING, amount, interval, is_number, kind_of, label, number, percent, words

LONG = {"severe": "Any adverse event of grade 3 or 4", "stopped_for_toxicity": "Stopped for toxicity"}
SHOWN = {
    "orr": "ORR", "dcr": "DCR", "median_pfs_months": "Median PFS", "pfs_6_months": "PFS at 6 months", "severe": "Grade 3 or 4",
    "dlt_rate": "DLT", "median_relative_dose_intensity": "Dose intensity", "cmin_ng_ml": "Trough, ng/mL",
    "ps6_tumour_d28": "pS6 in tumour, of baseline",
}  # fmt: skip
GAINS = {
    "orr": "ORR",
    "pfs_6_months": "PFS at 6 months",
    "severe": "Grade 3 or 4",
    "dlt_rate": "DLT",
    "ps6_tumour_d28": "pS6, ratio",
}


def endpoint_name(endpoint: str) -> str:
    return LONG.get(endpoint, label(endpoint))


def value(row: Any, endpoint: str) -> str:
    """Median over worlds with 90 % interval, or with the simulation's error where nothing that was fitted moves it."""
    of = ENDPOINTS[endpoint]
    if not is_number(row["median"]):
        return "not reached" if np.isposinf(row["median"]) else MISSING
    kind = kind_of(endpoint, of.unit)
    shown = amount(row["median"], kind)
    if of.fitted:
        return f"{shown} ({interval(row['low_90'], row['high_90'], kind)})"
    return f"{shown} ± {100 * row['error']:.1f}" if kind == "proportion" else f"{shown} ± {number(row['error'], 1)}"


def options_table(options: pd.DataFrame, people: pd.DataFrame, names: Names) -> Table:
    share = people.set_index("who")["prevalence"]
    rows = []
    for (who, what), part in options.groupby(["who", "what"], sort=False):
        found = part.set_index("endpoint")
        rows.append([names.who[who], names.what[what], percent(share[who]), *(value(found.loc[name], name) for name in SHOWN)])
    note = (
        "Median over worlds (90 % interval). Toxicity, dose intensity and concentrations: value ± Monte Carlo error, as worlds do "
        "not "
        "differ in them. Qualify: share of the screened."
    )
    shown = pd.DataFrame(rows, columns=["Population", "Treatment", "Qualify", *SHOWN.values()])
    return Table("options", "Options", options, without_empty(shown), note)


def without_empty(shown: pd.DataFrame) -> pd.DataFrame:
    """Without columns that hold nothing."""
    return shown.loc[:, [column for column in shown if not (shown[column] == MISSING).all()]]


def every_level(options: pd.DataFrame, names: Names) -> Table:
    rows = []
    for row in options[options["endpoint"].isin(ENDPOINTS)].to_dict("records"):
        kind = kind_of(row["endpoint"], row["unit"])
        limits = [interval(row[f"low_{level}"], row[f"high_{level}"], kind) for level in (50, 80, 90)]
        middle = amount(row["median"], kind, "not reached" if np.isposinf(row["median"]) else MISSING)
        rows.append(
            [names.option(row["who"], row["what"]), endpoint_name(row["endpoint"]), middle, *limits, number(row["error"], 1)]
        )
    columns = ["Option", "Endpoint", "Median", "50 % interval", "80 % interval", "90 % interval", "Monte Carlo error"]
    note = "Intervals of the true value over the worlds; error: of the median, in the unit of the CSV."
    return Table("option_intervals", "Intervals", options, pd.DataFrame(rows, columns=columns), note, folded=True)


def events_table(options: pd.DataFrame, names: Names) -> Table:
    found = options[options["endpoint"].str.startswith(GRADE)]
    pairs = list(dict.fromkeys(zip(found["who"], found["what"], strict=True)))
    wide = found.pivot(index=["who", "what"], columns="endpoint", values="median").loc[pairs]
    wide = wide[sorted(wide, key=lambda name: -wide[name].max())]
    rows = [[names.option(*pair), *map(percent, values)] for pair, values in zip(pairs, wide.to_numpy(float), strict=True)]
    shown = pd.DataFrame(rows, columns=["Option", *(words(name.removeprefix(GRADE)) for name in wide)])
    note = "Share of patients, over all worlds, during the follow-up."
    return Table("option_events", "Adverse events of grade 3 and 4", found, shown, note, folded=True)


def gain_table(key: str, title: str, rows: pd.DataFrame, names: Names, kind: str) -> Table:
    """Each option against its reference: change, and the probability that it is a change for the better."""
    ratio = "Ratio of hazard ratios" if kind == "population" else "Hazard ratio"
    heads = {HAZARD_RATIO: ratio} | GAINS
    shown = []
    for (who, what), part in rows.groupby(["who", "what"], sort=False):
        found, cells = part.set_index("endpoint"), []
        for name in heads:
            if name not in found.index:
                cells += [MISSING, MISSING]
            elif COMPARED[name].fitted:
                cells += [change(found.loc[name]), chance(*found.loc[name, ["better", "better_error"]])]
            else:  # worlds do not differ in it, so that a share of them says nothing
                cells += [_same_in_all_worlds(found.loc[name]), MISSING]
        shown.append([names.option(who, what), *cells])
    columns = ["Option", *(text for head in heads.values() for text in (head, f"better: {head}"))]
    note = (
        "Points: percentage points. Better: probability (± Monte Carlo error). Where worlds do not differ, in adverse events as a "
        "rule, ± is the Monte Carlo error of the value."
    )
    if kind == "population":
        note += " Ratio of hazard ratios: the effect against the reference treatment here over that in the reference population."
    return Table(key, title, rows, without_empty(pd.DataFrame(shown, columns=columns)), note)


def _same_in_all_worlds(row: Any) -> str:
    """A difference with the simulation's error; none where one side lacks the endpoint, as dose-limiting toxicity without drug."""
    return f"{points(row['median'], 1)} ± {100 * row['error']:.1f} points" if is_number(row["median"]) else MISSING


def best_table(best: pd.DataFrame, names: Names) -> Table:
    rows = []
    order = best.sort_values(["kind", "endpoint", "probability"], ascending=[False, True, False], kind="stable")
    for row in order.to_dict("records"):
        treatment = row["kind"] == "treatment"
        among = f"treatments, {names.who[row['who']]}" if treatment else f"populations, {names.what[row['what']]}"
        name = names.what[row["what"]] if treatment else names.who[row["who"]]
        rows.append([among, endpoint_name(row["endpoint"]), name, chance(row["probability"], row["error"])])
    columns = ["Among", "By", "Best", "Probability (± Monte Carlo error)"]
    note = "Populations by hazard ratio: by the ratio of hazard ratios. Ties are shared."
    return Table("best", "Which is the best", best, pd.DataFrame(rows, columns=columns), note, folded=True)


def by_alteration(published: pd.DataFrame) -> Table:
    """What was published of patients by the alterations that populations are chosen by."""
    rows = [
        [row.marker, row.status, row.study, row.drug.replace("+", " + "), amount(row.n, "count"), row.finding, row.notes or MISSING]
        for row in published.itertuples()
    ]
    columns = ["Marker", "Status", "Study", "Treatment", "n", "Finding", "Notes"]
    note = (
        "As published; sources in the CSV. Some studies were fitted, but what they found by alteration only where a trial's file "
        "selects for it or its tumour type always has it."
    )
    return Table("by_alteration", "Published by alteration", published, pd.DataFrame(rows, columns=columns), note)


def matched_table(matched: pd.DataFrame, names: Names) -> Table:
    rows = [
        [names.who[row["who"]], endpoint_name(row["endpoint"]), dose_found(row), percent(row["inside"], 0)]
        for row in matched.to_dict("records")
    ]
    columns = ["Population", "As in the reference", "Dose (90 % interval, or ± Monte Carlo error)", "Worlds within doses tried"]
    note = "By interpolation of logs over log dose. Worlds do not differ in kinetics."
    return Table("matched", "Dose with the same exposure or inhibition", matched, pd.DataFrame(rows, columns=columns), note)


def needed_table(needed: pd.DataFrame, sized: pd.DataFrame, asked: float, names: Names) -> Table:
    last = sized.sort_values("patients").groupby(["who", "what", "test"]).tail(1).set_index(["who", "what", "test"])
    size = lambda number_: f"{number_:,.0f}" if is_number(number_) else "none"
    rows = []
    for r in needed.itertuples():
        end = last.loc[(r.who, r.what, r.test)]
        misfit = size(r.patients_with_misfit) if r.test == "log_rank" else MISSING
        ceiling = chance(end["ceiling"], end["ceiling_error"])
        rows.append([names.option(r.who, r.what), TESTS[r.test], size(r.patients), size(r.total), size(r.screened), misfit,
                     percent(end["assurance"], 0), ceiling])  # fmt: skip
    columns = ["Option", "Trial", f"Patients an arm for {percent(asked, 0)}", "In all", "Screened", "An arm, with misfit",
               "Assurance of the largest", "Truly better"]  # fmt: skip
    note = (
        "None: no size of the grid has the assurance asked for. Truly better: share of worlds, the ceiling of any trial. With "
        "misfit: "
        "the trial's hazard ratio also differs from the model's as those of published trials did."
    )
    return Table("needed", "Smallest trials", needed, pd.DataFrame(rows, columns=columns), note)


def sizes_table(sized: pd.DataFrame, names: Names) -> Table:
    rows = [
        [names.option(r.who, r.what), TESTS[r.test], f"{r.patients:,}", f"{r.total:,}", f"{r.screened:,.0f}",
         chance(r.assurance, r.error), percent(r.with_misfit, 0)] for r in sized.itertuples()
    ]  # fmt: skip
    columns = ["Option", "Trial", "Patients an arm", "In all", "Screened", "Assurance (± error)", "With misfit"]
    return Table("sizes", "Assurance by size", sized, pd.DataFrame(rows, columns=columns), folded=True)
