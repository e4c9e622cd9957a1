"""The page of a prediction: what a trial of this size would publish."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.bank.studies import BOTH, GRADE
from trialsim.calibration.arms import CHILDREN_BELOW_Y
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
NOT_FITTED = (
    "Not fitted to published trials: the intervals hold chance only. Adverse events count over all of the simulated follow-up. "
)
MONTHS = "\u00a0months"  # stands beside the median, so that intervals stay in one line
MOST_ALIKE = 12  # published arms that are shown
SUCCESSES = {"pfs_success": "progression or death", "os_success": "death"}
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
            [_shown("endpoints", "The endpoints in numbers", efficacy, names, _defined(saved))],
        ),
        Section(
            "curves",
            "Time to progression and death",
            "Share of patients without progression, and alive, as such a trial would estimate it at each time.",
            [curves_panel(curves, name, title, names)
             for name, title in (("pfs", "Progression-free survival"), ("os", "Overall survival"))],
            [],
        ),
        Section(
            "harm",
            "Harm and exposure",
            "Shares of patients with an adverse event of grade 3 or 4, and how much of the dose they took.",
            [intervals_panel("predicted_harm", "Adverse events of grade 3 and 4", severe, names)],
            [_shown("harm", "Harm, dose and target", table[~table["endpoint"].isin(EFFICACY)], names, NOT_FITTED, folded=True)],
        ),
        Section(
            "behind",
            "What the prediction leans on",
            "Published arms that the model was fitted to and that share a tumour type or a partner drug with this trial, and the "
            "settings of tumours and drugs as all fitted trials together leave them.",
            [],
            [_related(saved.table("related")), _settings(saved.table("settings"))],
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


def _defined(saved: Saved) -> str:
    return (
        f"Clinical benefit: {benefit_words(saved.config['endpoint'])}. It and disease control are seen to the end of the simulated "
        "follow-up, all else to the data cut-off. "
    )


def _names(saved: Saved) -> dict[str, str]:
    """Arms in the words of the page."""
    partners = _partners(saved)
    found = {DRUG: join([saved.config["drug"]["name"], *partners[DRUG]])}
    if saved.settings["control"] == "placebo":
        found[CONTROL] = join(["placebo", *partners[CONTROL]])
    elif saved.settings["control"] == "active":
        found[CONTROL] = join(partners[CONTROL])
    return found


def _partners(saved: Saved) -> dict[str, dict[str, str]]:
    """Of each arm, what of each partner drug is given, in words."""
    settings, every = saved.settings, saved.config["partner"]
    beside = every if settings.get("drug_partners") is None else {name: every[name] for name in settings["drug_partners"]}
    found = {DRUG: {name: prescription(partner) for name, partner in beside.items()}}
    found[CONTROL] = dict(found[DRUG])
    if settings["control"] == "active":
        own = {name: {key: value for key, value in asked.items() if value is not None}
               for name, asked in settings["control_partners"].items()}  # fmt: skip
        found[CONTROL] = {name: prescription({"regimen": every[name]["regimen"] | changed}) for name, changed in own.items()}
    return found


# ---- words


def _what(saved: Saved, names: dict[str, str]) -> str:
    asked, regimen, partners = saved.settings, saved.config["regimen"], _partners(saved)
    levels = asked.get("dose_levels") or [regimen["dose"]]
    drug = f"{saved.config['drug']['name']} {join([dose(level, regimen['unit']) for level in levels], 'or')} {days_of(regimen)}"
    given = {arm: [f"{name} {how}" for name, how in drugs.items()] for arm, drugs in partners.items()}
    sizes = f"{_people(saved, asked['patients'])} with {_tumours(saved)} on {join([drug, *given[DRUG]])}"
    if CONTROL in names:
        other = join(["placebo", *given[CONTROL]] if asked["control"] == "placebo" else given[CONTROL])
        sizes += f" and {asked['patients_control']:,} on {other}"
    chosen = [f"{'with' if altered else 'without'} {GENES[gene]}" for gene, altered in asked["selection"].items()]
    select = f", all {join(chosen)}" if chosen else ""
    endpoint = saved.config["endpoint"]
    reader = "central review" if asked["reader"] == "central" else "the local radiologist"
    return (
        f"A trial of {sizes}{select}, with {asked['accrual_months']:g} months of accrual and {asked['follow_up_months']:g} of "
        f"follow-up{_at_most(saved)}, scanned every {endpoint['scan_interval_weeks']:g} weeks and read by {reader} "
        f"({endpoint['criteria']}{', responses confirmed' if endpoint['confirmation_weeks'] else ''}), was "
        f"run {asked['draws'] * asked['studies_per_draw']:,} times in a computer simulation, in {asked['draws']} "
        f"worlds that differ in what is uncertain about tumours and drugs. {_pretreated(saved)}"
    )


def _at_most(saved: Saved) -> str:
    """That the simulation follows nobody for so long as the first patients would be."""
    months = saved.config["design"]["max_follow_up_months"]
    longest = saved.settings["accrual_months"] + saved.settings["follow_up_months"]
    return f" (nobody is followed for more than {months:g})" if longest > months else ""


def _people(saved: Saved, count: int) -> str:
    age = saved.config["cohort"]["age"]
    if age["maximum_y"] < CHILDREN_BELOW_Y:
        return f"{plural(count, 'child', 'children')} and adolescents of {age['minimum_y']:g} to {age['maximum_y']:g} years"
    return plural(count, "patient")


def _pretreated(saved: Saved) -> str:
    """``All patients are treated in line 2``; ``30 % in line 1, ...``."""
    shares = {k: share for k, share in enumerate(saved.config["cohort"]["clinical"]["line"], start=1) if share}
    if len(shares) == 1:
        return f"All are treated in line {next(iter(shares))} of their metastatic disease."
    return f"Lines of therapy: {join(f'{percent(share, 0)} in line {k}' for k, share in shares.items())}."


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
        f"Median progression-free survival would {_be(drug.loc['median_pfs_months'])} "
        f"(90 % interval {_limits(drug.loc['median_pfs_months'])}).",
    ]
    both = table[table["arm"] == BOTH].set_index("endpoint")
    if "pfs_hr" in both.index and is_number(both.loc["pfs_hr", "median"]):
        row = both.loc["pfs_hr"]
        told.append(
            f"Against {names[CONTROL]} the hazard ratio of progression or death would be {_text(row, 'median')} "
            f"(90 % interval {_limits(row)})."
        )
        won = [_success(saved.results[key], name) for key, name in SUCCESSES.items() if key in saved.results]
        told += [f"{'; '.join(won)} (Cox's model, Wald test, one-sided 2.5 %; ± what other worlds would change)."] if won else []
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


def _success(found: dict[str, float], what: str) -> str:
    share = lambda name: f"{100 * found[name]:.0f} ± {100 * found[f'error_{name}']:.0f} %"
    return f"{share('below_1')} of such trials would find a hazard ratio of {what} below 1, {share('significant')} significantly so"


def _be(row: Any) -> str:
    return "not be reached" if np.isposinf(row["median"]) else f"be {_text(row, 'median')}"


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
        limits = [_between(row[f"low_{level}"], row[f"high_{level}"], kind).removesuffix(MONTHS) for level in (50, 80, 90)]
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


def _related(table: pd.DataFrame) -> Table:
    treatment = lambda row: join([row.drug, *filter(None, [row.partners])])
    first = table.head(MOST_ALIKE)
    shown = pd.DataFrame(
        [[f"{row.study}, {row.arm.replace('_', ' ')}", row.shares.replace("_", " "), treatment(row), row.tumour_type,
          row.line or MISSING, amount(row.n, "count"), _percent(row.orr_percent), amount(row.median_pfs_months, "months"),
          amount(row.pfs_hr, "ratio"), row.trust] for row in first.itertuples()],
        columns=["Study and arm", "Shares", "Treatment", "Tumour", "Line", "n", "ORR", "Median PFS or TTP", "PFS HR", "Trust"],
    )  # fmt: skip
    trust = " Low trust: some numbers are second hand or of a page that could not be read whole. –: not published, or not found."
    note = "Sources in the CSV; all of the evidence: trialsim evidence." + trust
    if table.empty:
        note = "None does: tumour type and partner drugs are guessed from what all others have in common."
    elif len(table) > len(first):
        note = f"The {len(first)} most alike of {len(table)}, which the CSV holds with their sources." + trust
    return Table("related", "Published arms", table, shown, note)


def _percent(value: float) -> str:
    return percent(value / 100, 0) if is_number(value) else MISSING


def _settings(table: pd.DataFrame) -> Table:
    shown = pd.DataFrame(
        [[row.setting, row.unit, number(row.file), number(row.median), interval(row.low_90, row.high_90, "other"),
          "yes" if row.told else "no, or hardly"] for row in table.itertuples()],
        columns=["Setting", "Unit", "In its file", "In the worlds", "90 % of worlds", "Fitted trials tell of it"],
    )  # fmt: skip
    note = "The assumptions below are the values of the files; what stands here replaces them in the worlds."
    return Table("settings", "Settings of tumours and drugs", table, shown, note, folded=len(shown) > 12)


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
    if saved.results.get("apart"):
        told.append(
            f"No fitted trial had {join(saved.results['apart'], 'or')}: the prediction puts together what trials tell of each by "
            "itself."
        )
    told += _of_worlds(saved, table)
    unsure = table[table["reached"] < 0.9]
    if len(unsure):
        arm = lambda row: f", {row.arm}" if row.arm == CONTROL else ""
        many = join(f"{label(row.endpoint).lower()}{arm(row)} ({percent(row.reached, 0)})" for row in unsure.itertuples())
        told.append(f"In some trials too few progress or die within the follow-up for an estimate; these shares have one: {many}.")
    if fitted["fitted_to_this"] and not saved.results.get("published_differs"):
        told.append("The model was fitted to this very trial among others: that prediction and publication agree is no test of it.")
    return told


def _of_worlds(saved: Saved, table: pd.DataFrame) -> list[str]:
    """By how much another set of worlds would move the limits."""
    if "error_low_90" not in table:
        return []
    rows = table[table["endpoint"].isin(MAIN) & (table["arm"] != CONTROL)].drop_duplicates("endpoint")
    rows = rows[rows["error_low_90"].notna() & rows["error_high_90"].notna()].set_index("endpoint", drop=False)
    if rows.empty:
        return []
    each = [f"{label(row.endpoint).lower() if row.endpoint != 'orr' else 'ORR'} by {_error(row, 'low')} and {_error(row, 'high')}"
            for row in rows.itertuples()]  # fmt: skip
    return [
        f"The limits hang on the {saved.settings['draws']} worlds that were drawn: as many others would move those of the 90 % "
        f"intervals of {join(each)} (standard errors). Four times as many worlds (analysis.draws) halve that."
    ]


def _error(row: Any, end: str) -> str:
    value, kind = getattr(row, f"error_{end}_90"), kind_of(row.endpoint, row.unit)
    return f"{number(100 * value, 2)} points" if kind == "proportion" else f"{number(value, 2)}{MONTHS if kind == 'months' else ''}"


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
