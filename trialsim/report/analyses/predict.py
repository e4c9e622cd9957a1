"""The page of a prediction: what a trial of this size would publish."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.bank.studies import BOTH, GRADE, LANDMARKS
from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures.predicted import curves_panel, intervals_panel
from trialsim.report.page import Card, Section
from trialsim.report.summary_text import days_of, inside_sentence, prescription
from trialsim.report.table import Table
from trialsim.report.wording import (
    GENES,
    MISSING,
    amount,
    benefit_words,
    dose,
    interval,
    is_number,
    join,
    kind_of,
    label,
    number,
    percent,
    plural,
)
from trialsim.schema.design.treatments import CONTROL, DRUG

EFFICACY = ("orr", "dcr", "clinical_benefit_rate", "median_pfs_months", "pfs_6_months", "median_os_months", "os_12_months",
            "pfs_hr", "os_hr")  # fmt: skip
MAIN = ("orr", "median_pfs_months", "pfs_hr", "median_os_months")
NAMED = 3  # tumour types in a sentence
# what the prediction has settings of its own for, in `analysis`
UNUSED = ("cohort.size", "design.kind", "design.replicate_size", "design.accrual_months", "design.cutoff_months")
SETTINGS = ("drug", "partner", "regimen", "modification", "design", "endpoint", "network", "mechanism", "compute")


def page(saved: Saved) -> Page:
    table, curves, names = saved.table("predicted"), saved.table("curves"), _names(saved)
    efficacy = table[table["endpoint"].isin(EFFICACY)]
    severe = table[table["endpoint"].str.startswith(GRADE) | (table["endpoint"] == "dlt_rate")]
    chapters = [
        Section(
            "endpoints",
            "What the trial would publish",
            "Each bar is the spread over trials of this size in worlds that differ in what is uncertain.",
            [intervals_panel("predicted_endpoints", "Endpoints", efficacy, names)],
            [_shown("endpoints", "Endpoints", efficacy, names, f"Clinical benefit: {benefit_words(saved.config['endpoint'])}. ")],
        ),
        Section(
            "curves",
            "Time to progression and death",
            "Kaplan-Meier curves as such a trial would print them.",
            [curves_panel(curves, name, title, names, LANDMARKS[name])
             for name, title in (("pfs", "Progression-free survival"), ("os", "Overall survival"))],
            [],
        ),
        Section(
            "harm",
            "Harm and exposure",
            "Shares of patients with an adverse event of grade 3 or 4, and how much of the dose they took.",
            [intervals_panel("predicted_harm", "Adverse events of grade 3 and 4", severe, names)],
            [_shown("harm", "Harm, dose and target", table[~table["endpoint"].isin(EFFICACY)], names, "", folded=True)],
        ),
    ]  # fmt: skip
    return Page(
        summary=[_what(saved, names), *_found(saved, table, names)],
        cards=_cards(table),
        chapters=chapters,
        methods=_methods(saved),
        settings=("cohort", *(f"tumour.{kind}" for kind, share in saved.config["cohort"]["mix"].items() if share), *SETTINGS),
        unused=UNUSED,
        cautions=_cautions(saved, table),
        checks=_checks(saved),
    )


def _names(saved: Saved) -> dict[str, str]:
    """Arms in the words of the page."""
    partners = list(saved.config["partner"])
    drug = join([saved.config["drug"]["name"], *partners])
    found = {DRUG: drug}
    if saved.settings["control"] != "none":
        found[CONTROL] = join(["placebo", *partners])
    return found


# ---- words


def _what(saved: Saved, names: dict[str, str]) -> str:
    asked, regimen = saved.settings, saved.config["regimen"]
    drug = f"{saved.config['drug']['name']} {dose(regimen['dose'], regimen['unit'])} {days_of(regimen)}"
    partners = [f"{name} {prescription(partner)}" for name, partner in saved.config["partner"].items()]
    sizes = f"{plural(asked['patients'], 'patient')} with {_tumours(saved)} on {join([drug, *partners])}"
    if CONTROL in names:
        sizes += f" and {asked['patients_control']:,} on {names[CONTROL]}"
    chosen = [f"{'with' if altered else 'without'} {GENES[gene]}" for gene, altered in asked["selection"].items()]
    select = f", all {join(chosen)}" if chosen else ""
    return (
        f"A trial of {sizes}{select}, with {asked['accrual_months']:g} months of accrual and {asked['follow_up_months']:g} of "
        f"follow-up, was run {asked['draws'] * asked['studies_per_draw']:,} times in a computer simulation, in {asked['draws']} "
        f"worlds that differ in what is uncertain about tumours and drugs. {_pretreated(saved)}"
    )


def _pretreated(saved: Saved) -> str:
    later = sum(saved.config["cohort"]["clinical"]["line"][2:])  # shares of line 1, 2, 3, ...
    return f"Of the patients {percent(later, 0)} have had two or more lines of treatment before."


def _tumours(saved: Saved) -> str:
    """``colorectal adenocarcinoma (60 %) or melanoma (40 %)``; of many types the most frequent."""
    mix = {kind: share for kind, share in saved.config["cohort"]["mix"].items() if share}
    label_of = {kind: inside_sentence(str(saved.config["tumour"][kind]["label"])) for kind in mix}
    if len(mix) == 1:
        return next(iter(label_of.values()))
    top = sorted(mix, key=lambda kind: -mix[kind])
    named = [f"{label_of[kind]} ({percent(mix[kind], 0)})" for kind in top[:NAMED]]
    return join(named, "or") if len(mix) <= NAMED else f"tumours of {len(mix)} types, most often {join(named)},"


def _found(saved: Saved, table: pd.DataFrame, names: dict[str, str]) -> list[str]:
    drug = table[table["arm"] == DRUG].set_index("endpoint")
    told = [
        f"{_text(drug.loc['orr'], 'median')} of patients would respond (90 % interval {_limits(drug.loc['orr'])}), and "
        f"{_text(drug.loc['dcr'], 'median')} would have at least stable disease.",
        f"Median progression-free survival would be {_text(drug.loc['median_pfs_months'], 'median')} "
        f"(90 % interval {_limits(drug.loc['median_pfs_months'])}).",
    ]
    both = table[table["arm"] == BOTH].set_index("endpoint")
    if "pfs_hr" in both.index and is_number(both.loc["pfs_hr", "median"]):
        row = both.loc["pfs_hr"]
        told.append(
            f"Against {names[CONTROL]} the hazard ratio of progression or death would be {number(row['median'])} "
            f"(90 % interval {_limits(row)})."
        )
    found, known = [" ".join(told)], table[table["inside_90"].notna()]
    if len(known):
        inside = int(known["inside_90"].astype(bool).sum())
        missed = [f"{label(row.endpoint).lower()}{f', {names[row.arm]}' if row.arm in names else ''}"
                  for row in known[~known["inside_90"].astype(bool)].itertuples()]  # fmt: skip
        lie = f"{plural(len(known), 'published value')} lie inside the 90 % interval."
        if saved.results.get("published_differs"):
            found.append(f"Beside it stands a trial that differs from this one (Keep in mind): {inside} of its {lie}")
        else:
            told = f"The trial has been run: {inside} of its {lie}"
            if saved.results["posterior"]["fitted_to_this"]:
                told += " The model was fitted to it among others, so this is no test."
            found.append(f"{told} The model MISSES: {'; '.join(missed)}." if missed else told)
    return found


def _text(row: Any, column: str) -> str:
    return amount(row[column], kind_of(row.name, row["unit"]), "not reached" if np.isposinf(row[column]) else MISSING)


def _limits(row: Any, level: int = 90) -> str:
    return _between(row[f"low_{level}"], row[f"high_{level}"], kind_of(row.name, row["unit"]))


def _between(low: float, high: float, kind: str) -> str:
    """An interval of a median may lie beyond what anybody is followed for."""
    return "not reached" if np.isposinf(low) else interval(low, high, kind)


def _cards(table: pd.DataFrame) -> list[Card]:
    found = table[table["arm"] != CONTROL].drop_duplicates("endpoint").set_index("endpoint")
    return [Card(label(name), _text(found.loc[name], "median"), f"90 % interval {_limits(found.loc[name])}")
            for name in MAIN if name in found.index and not np.isnan(found.loc[name, "median"])]  # fmt: skip


def _shown(key: str, title: str, table: pd.DataFrame, names: dict[str, str], note: str, folded: bool = False) -> Table:
    rows = []
    for row in table.to_dict("records"):
        kind = kind_of(row["endpoint"], row["unit"])
        middle = amount(row["median"], kind, "not reached" if np.isposinf(row["median"]) else MISSING)
        limits = [_between(row[f"low_{level}"], row[f"high_{level}"], kind) for level in (50, 80, 90)]
        known = amount(row["published"], kind)
        if is_number(row["published_low"]):
            known += f" ({interval(row['published_low'], row['published_high'], kind)})"
        rows.append([label(row["endpoint"]), names.get(row["arm"], row["arm"]), middle, *limits, known])
    columns = ["Endpoint", "Arm", "Median", "50 % interval", "80 % interval", "90 % interval", "Published (95 % CI)"]
    shown = pd.DataFrame(rows, columns=columns)
    if table["published"].notna().any():
        note += "Published: with the definition and source of each value in the CSV."
    else:
        shown = shown.drop(columns=columns[-1])
    return Table(key, title, table, shown if len(names) > 1 else shown.drop(columns="Arm"), note, folded)


def _cautions(saved: Saved, table: pd.DataFrame) -> list[str]:
    fitted = saved.results["posterior"]
    told = [
        f"The model was fitted to {fitted['numbers']} published numbers of {plural(fitted['trials'], 'trial')} at once. The "
        "intervals hold what these leave uncertain of tumour types, drugs and partner drugs, what one trial differs from another "
        "by, and the chance of who comes into this one. Adverse events, dose intensity and biomarkers were not fitted to them: "
        "their intervals hold chance only."
    ]
    if fitted.get("judged"):
        held = fitted["judged"]
        told.append(
            f"When each published study was left out and predicted from the others, {percent(held['inside_90'], 0)} of {held['n']} "
            "published rates, medians and hazard ratios lay inside such a 90 % interval (trialsim calibrate --judge)."
        )
    if fitted["unknown_types"]:
        kinds = join(name.replace("_", " ") for name in fitted["unknown_types"])
        told.append(
            f"Nothing published tells of these tumour types: {kinds}. Their growth, dependence on mTORC1 and deaths are drawn from "
            "what tumour types are in general, so the intervals are wide."
        )
    unsure = table[table["reached"] < 0.9]
    if len(unsure):
        arm = lambda row: f", {row.arm}" if row.arm == CONTROL else ""
        many = join(f"{label(row.endpoint).lower()}{arm(row)} ({percent(row.reached, 0)})" for row in unsure.itertuples())
        told.append(f"Not every trial of this size has an estimate; these shares do: {many}.")
    if fitted["fitted_to_this"]:
        told.append("The model was fitted to this very trial among others: that prediction and publication agree is no test of it.")
    return told


def _checks(saved: Saved) -> str:
    check = saved.results["solver_check"]
    every = f"all {plural(saved.results['n_patients'], 'virtual patient')} could be simulated"
    every += " (this says that the computation is sound, not that the model is right)"
    return f"{every}; numerical error {check['error']:.1g}, {check['accuracy']:g} allowed" if check else every


def _methods(saved: Saved) -> list[str]:
    asked = saved.settings
    return [
        f"The parameters of tumour types, drugs, partner drugs and lines of therapy are drawn {asked['draws']} times from the "
        "posterior (trialsim calibrate), and what a new study adds from the spread between studies. In each world the same "
        "protocol is simulated in "
        f"{asked['patients_per_draw']} virtual patients an arm, others in each world, and {asked['studies_per_draw']} trials of "
        "the size asked for are drawn from them with replacement, each with its own days of arrival, uniform over the accrual.",
        "A trial sees a patient until the data cut-off, and no longer than the follow-up that was simulated "
        f"({saved.config['design']['max_follow_up_months']:g} months). Medians and landmarks are Kaplan-Meier estimates, hazard "
        "ratios those of Cox's model with Efron's ties. Responses count if first seen before the cut-off; disease control and "
        "adverse events count over all of the simulated follow-up, those of a control patient until progression if the drug may "
        "follow.",
        f"Clinical benefit is {benefit_words(saved.config['endpoint'])}. "
        "Limits are quantiles over all trials; a median that a trial does not reach counts as later than any other. A published "
        "value counts as inside if it could be so by the rounding it was printed with (0.1 months, 1 %, 0.01).",
    ]
