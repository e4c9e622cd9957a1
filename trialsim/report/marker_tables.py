"""Tables of the biomarker analysis: raw numbers for the CSV files, the same numbers as text for the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.report.table import Table
from trialsim.report.wording import MISSING, fixed, fixed_spread, interval, is_number, number, percent, share

OUTCOMES = {
    "progression_free": "Free of progression", "benefit": "True benefit", "clinical_benefit": "Clinical benefit", 
    "response": "Response",
}  # fmt: skip
MEASURES = {
    "orr": "Response rate", "dcr": "Disease control rate", "dcr_ratio": "Disease control, with over without",
    "median_pfs_months": "Median PFS, months", "median_pfs_months_without": "Median PFS without the marker, months",
    "pfs_hr": "PFS hazard ratio, with against without", "os_hr": "OS hazard ratio, with against without",
    "drug_hr": "PFS hazard ratio of the drug", "drug_hr_without": "PFS hazard ratio of the drug without the marker",
}  # fmt: skip


def auc_table(auc: pd.DataFrame) -> Table:
    rows = []
    for (_, name, when, day), group in auc.groupby(["marker", "label", "when", "landmark_day"], sort=False):
        found = group.set_index("outcome")
        cells = [_cell(found.loc[key], "auc", "low", "high") for key in OUTCOMES]
        rows.append([name, "before" if when == "baseline" else f"day {day}", number(found["n"].iloc[0]), *cells])
    shown = pd.DataFrame(rows, columns=["Marker", "Known", "Patients", *OUTCOMES.values()])
    note = "AUC with 95 % interval. Patients: at risk and measured. Missing: fewer than 10 with the outcome, or without."
    return Table("auc", "AUC of each marker for each outcome", auc, shown, note, folded=True)


def _cell(row: pd.Series, middle: str, low: str, high: str) -> str:
    return fixed_spread(row[middle], row[low], row[high])


def models_table(models: pd.DataFrame) -> Table:
    rows = [
        [
            row["label"], number(row["landmark_day"]), number(row["n"]), _cell(row, "auc", "low", "high"),
            _cell(row, "auc_benefit", "auc_benefit_low", "auc_benefit_high"), _cell(row, "slope", "slope_low", "slope_high"),
            _cell(row, "intercept", "intercept_low", "intercept_high"), number(row["brier"]), percent(row["brier_scaled"]),
        ] for _, row in models.iterrows()
    ]  # fmt: skip
    columns = [
        "Markers",
        "Landmark, day",
        "Patients",
        "AUC, free of progression",
        "AUC, true benefit",
        "Slope",
        "Intercept",
        "Brier",
        "Scaled Brier",
    ]
    return Table(
        "models", "Markers together, cross-validated", models, pd.DataFrame(rows, columns=columns), "95 % intervals in brackets."
    )


def effects_table(effects: pd.DataFrame) -> Table:
    rows = []
    for _, row in effects.iterrows():
        ratios = [
            _cell(row, name, f"{name}_low", f"{name}_high") for name in ("hr_positive", "hr_negative", "interaction", "prognostic")
        ]
        basis = "true" if row["basis"] == "twins" else "one trial"
        p = f"{p_value(row['p'])} ({p_value(row['p_holm'])})" if is_number(row["p"]) else MISSING
        rows.append(
            [row["label"], basis, share(int(row["n_positive"]), int(row["n"])), *ratios, p, number(row["interaction_events"])]
        )
    columns = [
        "Marker",
        "Basis",
        "With it",
        "HR with it",
        "HR without",
        "Ratio",
        "Prognostic HR",
        "P (Holm)",
        "Events to show the ratio",
    ]
    note = (
        "HR: drug against control. Prognostic: with the marker against without, control arm. 95 % intervals. Power: of a trial of "
        "this size to show the ratio. Missing: too few events."
    )
    return Table("effects", "The drug's effect by marker", effects, pd.DataFrame(rows, columns=columns), note, folded=True)


def p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else number(value, 2)


def plans_table(plans: pd.DataFrame) -> Table:
    """All comers, every flag, and of each level its cheapest rule."""
    cheapest = plans.sort_values("cost", kind="stable").drop_duplicates("marker").index
    rows = [
        [
            row["label"], percent(row["prevalence"], 0), percent(row["screen_failure"], 0), percent(row["orr"]),
            f"{percent(row['progression_free_treated'])} v {percent(row['progression_free_control'])}",
            f"{fixed(row['median_pfs_treated'])} v {fixed(row['median_pfs_control'])}", _cell(row, "hr", "hr_low", "hr_high"),
            _whole(row, "randomised"), _count(row["screened"]), percent(row["benefit_missed"], 0),
        ] for _, row in plans[plans.index.isin(cheapest)].iterrows()
    ]  # fmt: skip
    columns = [
        "Who is enrolled", "Positive", "Screen failures", "ORR", "Free of progression", "Median PFS, months", "HR",
        "Randomised", "Screened", "Benefit missed",
    ]  # fmt: skip
    note = (
        "Drug v control; free of progression at the horizon. Positive: of those measured. Screen failures: negative, or the "
        "assay failed. Benefit missed: patients with a true benefit who would not be enrolled. Of a level the cheapest rule."
    )
    return Table("enrichment_short", "Enrichment at a glance", plans, pd.DataFrame(rows, columns=columns), note)


def _rate(row: pd.Series, name: str) -> str:
    return (
        f"{percent(row[name])} ({interval(row[f'{name}_low'], row[f'{name}_high'], 'proportion')})"
        if is_number(row[name])
        else MISSING
    )


def every_rule_table(plans: pd.DataFrame) -> Table:
    rows = [
        [
            row["label"], _rate(row, "orr"), *(_rate(row, f"progression_free_{arm}") for arm in ("treated", "control")),
            _whole(row, "events"), _whole(row, "randomised"), _whole(row, "screened"),
            _cell(row, "cost_ratio", "cost_ratio_low", "cost_ratio_high"), percent(row["cheaper"], 0), percent(row["best"], 0),
        ] for _, row in plans.iterrows()
    ]  # fmt: skip
    columns = [
        "Who is enrolled", "ORR", "Free of progression, drug", "Free of progression, control", "Events", "Randomised", "Screened",
        "Cost over all comers", "Cheaper than all comers", "Cheapest",
    ]  # fmt: skip
    note = "95 % intervals, exact for ORR, log-log for freedom from progression, else over resampled patients; shares of resamples."
    return Table("enrichment", "Every rule, with intervals", plans, pd.DataFrame(rows, columns=columns), note, folded=True)


def _count(value: float) -> str:
    return "∞" if np.isposinf(value) else number(value)


def _whole(row: pd.Series, name: str) -> str:
    told = [_count(row[end]) for end in (name, f"{name}_low", f"{name}_high")]
    return f"{told[0]} ({told[1]} to {told[2]})"


def published_table(table: pd.DataFrame) -> Table:
    rows = []
    for _, row in table.iterrows():
        rate = row["measure"] in ("orr", "dcr")
        shown = percent if rate else (lambda value: number(value, 3))
        rows.append(
            [
                row["trial_id"], row["finding"], row["setting"], MEASURES[row["measure"]], _claim(row, shown),
                shown(row["simulated"]),
                f"{shown(row['low_90'])} to {shown(row['high_90'])}" if is_number(row["low_90"]) else MISSING,
                row["verdict"], row["source"],
            ]
        )  # fmt: skip
    columns = ["Study", "Marker", "Setting", "Measure", "Published", "Simulated", "Virtual studies, 90 %", "Published is", "Source"]
    judged = table[table["verdict"].isin(["inside", "outside"])]
    inside = share(int((judged["verdict"] == "inside").sum()), len(judged))
    return Table(
        "published", "Published and simulated", table, pd.DataFrame(rows, columns=columns), f"Inside: {inside} of those judged."
    )


def _claim(row: pd.Series, shown: Any) -> str:
    if not is_number(row["published"]):
        low, high = row["published_low"], row["published_high"]
        return f"above {shown(low)}" if is_number(low) else f"below {shown(high)}"
    limits = f" ({shown(row['published_low'])} to {shown(row['published_high'])})" if is_number(row["published_low"]) else ""
    return shown(row["published"]) + limits
