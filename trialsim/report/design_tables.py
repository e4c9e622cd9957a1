"""Tables of the comparison of designs: raw numbers for the CSV files, the same numbers as text for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trialsim.bank.population import NEGATIVE
from trialsim.report.design_words import (
    BENEFIT,
    DOSE,
    LOG_HR,
    MEASURES,
    POINTS,
    RATE_BIAS,
    RATES,
    SHARE,
    Scale,
    heading,
    limits,
    plus_minus,
    value,
    written,
)
from trialsim.report.figures.designs import treated_by_group
from trialsim.report.table import Table
from trialsim.report.wording import MISSING, fixed, is_number, number, percent

TITLES = {DOSE: "Designs for finding the dose", BENEFIT: "Designs for finding whether and in whom it works"}
SHORT = {NEGATIVE: "not positive"}
NOTES = {
    DOSE: "Means over trials ± Monte Carlo standard error. Near target, best level, overdose: the dose chosen. DLT rate error: "
    "observed less true rate at that dose; coverage: trials whose exact 95 % interval holds the true rate. Above limit: patients "
    "treated at an overdose. Trials without a decision count as wrong.",
    BENEFIT: "Means over trials ± Monte Carlo standard error. Declared: some group is found to benefit (power); if no effect: the "
    "same where the drug does nothing (type I error). Net benefit: patients in 100. Right advice: future patients who are given "
    "or spared the drug as their group's true gain asks. Error: estimate less truth; coverage: trials whose 95 % interval holds "
    "the truth.",
}


def characteristics(question: str, table: pd.DataFrame, names: Mapping[str, str], kinds: Mapping[str, str]) -> Table:
    """Operating characteristics of the designs of one question.

    Args:
        table: rows of the question, indexed by design and measure. kinds: of the designs.
    """
    measures = {name: what for name, what in MEASURES[question].items() if name in table.index.get_level_values("measure")}
    rates = {design: kinds[design] in RATES for design in names}
    mixed = len(set(rates.values())) > 1  # estimates of two sorts: each with its unit
    scale_of = lambda scale, design: RATE_BIAS if scale is LOG_HR and rates[design] else scale
    rows = []
    for design, text in names.items():
        cells = []
        for measure, (_, wanted) in measures.items():
            scale = scale_of(wanted, design)
            cell = plus_minus(value(table, design, measure), value(table, design, measure, "error"), scale)
            cells.append(f"{cell} {scale.unit}" if mixed and wanted is LOG_HR and cell != MISSING else cell)
        rows.append([heading(text), *cells])
    units = ["" if mixed and scale is LOG_HR else scale_of(scale, next(iter(names))).unit for _, scale in measures.values()]
    titles = [f"{title}, {unit}" if unit else title for (title, _), unit in zip(measures.values(), units, strict=True)]
    shown = pd.DataFrame(rows, columns=["Design", *titles])
    return Table(f"{question}_characteristics", TITLES[question], table.reset_index(), shown, NOTES[question])


def differences(question: str, table: pd.DataFrame, names: Mapping[str, str], found: Mapping[str, Any] | None) -> Table:
    """Each design less the one that decides best.

    Args:
        table: differences of the question. found: ``recommended_<question>`` of the results.
    """
    key, title = f"{question}_differences", "Differences to the best design"
    if table.empty:
        return Table(key, title, table, pd.DataFrame())
    by = table.set_index(["design", "measure"])
    chances = (found or {}).get("probabilities") or {}
    measures = {name: what for name, what in MEASURES[question].items() if name in set(table["measure"])}
    rows = []
    for design in names:
        if design not in set(table["design"]):
            continue
        cells = [heading(names[design]), fixed(chances[design]) if is_number(chances.get(design)) else MISSING]
        for measure, (_, scale) in measures.items():
            scale = _difference(scale)
            at, low, high = (value(by, design, measure, column) for column in ("estimate", "low", "high"))
            cells.append(f"{written(at, scale, unit=False)} ({limits(low, high, scale)})" if is_number(at) else MISSING)
        rows.append(cells)
    titles = [f"{title}, points" if scale is SHARE else title for title, scale in measures.values()]
    reference = names[table["reference"].iloc[0]]
    note = (
        f"Each design less {reference}, trial by trial on the same patients, with 95 % Monte Carlo intervals. Best: probability of "
        "being the best over resamples of the batches."
    )
    return Table(key, title, table, pd.DataFrame(rows, columns=["Design", "Best", *titles]), note, folded=True)


def _difference(scale: Scale) -> Scale:
    return POINTS if scale is SHARE else scale._replace(signed=True)


def groups(
    table: pd.DataFrame, trials: pd.DataFrame, names: Mapping[str, str], types: Mapping[str, str], worthwhile: float
) -> Table:
    """Every group's true gain and how often each design would treat it, the largest gain first."""
    treated = treated_by_group(trials, table, names)
    raw = table.assign(**{f"treated_{name}": p for name, p in treated.items()})
    order = raw.sort_values("gain", ascending=False, kind="stable")
    rows = []
    for _, row in order.iterrows():
        rows.append(
            [
                types[row["tumour_type"]], SHORT.get(row["marker"], row["marker"]), percent(row["share"]),
                number(int(row["n"])), percent(row["drug"]), percent(row["control"]), written(row["gain"], POINTS, unit=False),
                *(percent(row[f"treated_{name}"], 0) for name in treated),
            ]
        )  # fmt: skip
    columns = ["Tumour type", "Marker", "Share", "n", "With drug", "Without", "Gain, points"]
    shown = pd.DataFrame(rows, columns=[*columns, *(heading(names[name]) for name in treated)])
    few = int((table["gain"] > worthwhile).sum())
    note = (
        f"{few} of {len(table)} groups gain more than {100 * worthwhile:g} points. Not positive: negative or unknown. Under each "
        "design: trials after which the group would be treated."
    )
    return Table("benefit_groups", "Every group: its true gain, and how often it would be treated", raw, shown, note, folded=True)


def assurance(found: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """Probability of success at the present constants and averaged over their uncertainty."""
    rows, raw = [], []
    for name, row in found.items():
        at = {key: row.get(key) if is_number(row.get(key)) else float("nan") for key in ("estimate", "low", "high", "point")}
        average = written(at["estimate"], SHARE)
        if is_number(at["low"]):
            average += f" ({limits(at['low'], at['high'], SHARE)})"
        change = written(at["estimate"] - at["point"], POINTS, unit=False)
        rows.append([heading(names[name]), written(at["point"], SHARE), average, change, number(row.get("n"))])
        raw.append({"design": name, **{key: row.get(key) for key in ("point", "estimate", "low", "high", "n")}})
    columns = ["Design", "At the present constants", "Averaged (95 % interval)", "Change, points", "Sets of constants"]
    return Table("assurance", "Probability of success", pd.DataFrame(raw), pd.DataFrame(rows, columns=columns))
