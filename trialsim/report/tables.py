"""Tables of the report: raw numbers for the CSV files, the same numbers as text for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from trialsim.report.figures.comparison import comparison_table
from trialsim.report.figures.escalation import dlt_table
from trialsim.report.figures.exposure import exposure_table
from trialsim.report.figures.patient import patient_table
from trialsim.report.figures.pharmacodynamics import summary_table
from trialsim.report.figures.recovery import quantity_name, recovery_table
from trialsim.report.figures.response import followed
from trialsim.report.figures.safety import modification_table, toxicity_table
from trialsim.report.figures.tumour_types import forest_table
from trialsim.report.posterior import Posterior, convergence_table
from trialsim.report.reader import Run
from trialsim.report.summary_text import prescription
from trialsim.report.table import Table
from trialsim.report.wording import (
    GENES,
    MISSING,
    amount,
    dose,
    interval,
    is_number,
    join,
    kind_of,
    label,
    number,
    percent,
    share,
    words,
)


def endpoints(run: Run) -> Table:
    """The simulated study's endpoints, from summary.json."""
    columns = ["endpoint", "estimate", "low", "high", "n", "unit", "method"]
    found = {name: value for name, value in run.section("endpoints").items() if isinstance(value, dict)}
    raw = pd.DataFrame(
        [{"endpoint": name, **{key: value.get(key) for key in columns[1:]}} for name, value in found.items()],
        columns=columns,
    )
    rows = []
    for name, value in found.items():
        kind = kind_of(name, value.get("unit"))
        rows.append(
            [
                label(name),
                amount(value.get("estimate"), kind, "not reached" if kind == "months" else MISSING),
                interval(value.get("low"), value.get("high"), kind),
                number(value.get("n")),
                value.get("method") or "",
            ]
        )
    shown = pd.DataFrame(rows, columns=["Endpoint", "Simulated", "95 % interval", "Patients", "Method"])
    return Table("endpoints", "Endpoints of the simulated study", raw, shown)


def patients_drawn(run: Run) -> Table:
    """The patients of the spider and swimmer plots, which a pointer would show one by one."""
    shown = patient_table(run, followed(run))
    raw = shown.rename(columns=lambda name: name.lower().replace(" ", "_"))
    note = "Those of the spider and swimmer plots; patients.parquet holds all, in its own units."
    return Table("patients_drawn", "The patients drawn one by one", raw, shown, note, folded=True)


def comparison(run: Run) -> Table:
    """Published against predicted."""
    raw = comparison_table(run)
    rows = []
    for row in raw.to_dict("records"):
        kind = kind_of(row["endpoint"])
        inside = row["inside_90"]
        rows.append(
            [
                label(row["endpoint"]),
                _with_interval(row["published"], row["published_low"], row["published_high"], kind),
                _with_interval(row["predicted"], row["low_90"], row["high_90"], kind),
                "not judged" if inside is None else "inside" if inside else "outside",
                words_or_missing(row["published_definition"]),
                words_or_missing(row["source"]),
            ]
        )
    columns = [
        "Endpoint",
        "Published (95 % CI)",
        "Predicted (90 % interval)",
        "Published value is",
        "Definition",
        "Source",
    ]
    missing = run.summary.get("not_published") or []
    note = f"Not published, so not compared: {', '.join(label(name) for name in missing)}." if missing else ""
    return Table("comparison", "Simulated against published, in numbers", raw, pd.DataFrame(rows, columns=columns), note)


def baseline(run: Run) -> Table:
    """Baseline characteristics, as the first table of a trial report."""
    patients, rows = run.patients, []

    def spread(column: str, name: str, scale: float = 1.0) -> None:
        values = patients.get(column, pd.Series(dtype=float)).dropna().astype(float) * scale
        if len(values):
            low, high = values.min(), values.max()
            rows.append(
                [
                    name,
                    "median (range)",
                    float(values.median()),
                    float(low),
                    float(high),
                    f"{number(float(values.median()))} ({number(float(low))} to {number(float(high))})",
                ]
            )

    def count(name: str, detail: str, mask: pd.Series) -> None:
        rows.append([name, detail, int(mask.sum()), np.nan, np.nan, share(int(mask.sum()), len(patients))])

    def counts(column: str, name: str, translate: Callable[[Any], str] = lambda value: words(str(value)), most: int = 30) -> None:
        for value, _ in patients.get(column, pd.Series(dtype=object)).value_counts().head(most).items():
            count(name, translate(value), patients[column] == value)

    spread("age_y", "Age (years)")
    counts("sex", "Sex", lambda value: {"F": "female", "M": "male"}.get(str(value), str(value)))
    spread("weight_kg", "Weight (kg)")
    spread("bsa_m2", "Body surface area (m²)")
    spread("haematocrit", "Haematocrit (%)", 100.0)
    counts("ecog", "ECOG performance status", lambda value: number(value))
    spread("line", "Line of therapy")
    counts("hepatic_function", "Hepatic function")
    counts("cyp3a4_comedication", "CYP3A4 co-medication")
    counts("tumour_type", "Tumour type")
    for gene in ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor"):
        if gene in patients:
            count("Altered in the tumour", GENES[gene], run.flag(gene))
    spread("sld_baseline_mm", "Sum of target diameters (mm)")
    spread("n_target_lesions", "Target lesions")
    raw = pd.DataFrame(rows, columns=["characteristic", "detail", "value", "minimum", "maximum", "text"])
    shown = raw[["characteristic", "detail", "text"]].set_axis(["Characteristic", "", f"All patients (n = {run.count:,})"], axis=1)
    shown.iloc[:, 0] = shown.iloc[:, 0].where(shown.iloc[:, 0] != shown.iloc[:, 0].shift(), "")
    return Table("baseline", "Who the virtual patients are", raw.drop(columns="text"), shown, folded=True)


def toxicity(run: Run) -> Table:
    """Worst grade by term."""
    raw = toxicity_table(run)
    rows = [
        [
            label(row["term"]),
            *(_part(row[key], run.count) for key in ("any_grade", "grade_1", "grade_2", "grade_3", "grade_4", "grade_3_4")),
        ]
        for row in raw.to_dict("records")
    ]
    columns = ["Adverse event", "Any grade", "Grade 1", "Grade 2", "Grade 3", "Grade 4", "Grade 3 or 4"]
    return Table(
        "toxicity",
        "Adverse events in numbers",
        raw,
        pd.DataFrame(rows, columns=columns),
        "Patients (%), each at the worst grade.",
    )


def modifications(run: Run) -> Table:
    """Holds, reductions, stops, dose intensity by dose level."""
    raw = modification_table(run)
    rows = [
        [
            _dose(run, row["dose_level"]),
            number(row["n"]),
            _part(row["any_hold"], row["n"]),
            _part(row["any_reduction"], row["n"]),
            _part(row["stopped_for_toxicity"], row["n"]),
            percent(row["median_relative_dose_intensity"], 0),
        ]
        for row in raw.to_dict("records")
    ]
    columns = [
        "Assigned dose",
        "Patients",
        "Any hold",
        "Any reduction",
        "Stopped for toxicity",
        "Median relative dose intensity",
    ]
    return Table("dose_modifications", "Dose changes in numbers", raw, pd.DataFrame(rows, columns=columns), folded=True)


def partners(run: Run) -> Table:
    """Partner drugs: prescription, node, dose intensity, trough."""
    raw, rows = [], []
    for name, partner in run.part("partner").items():
        column = lambda kind, name=name: run.patients.get(f"{kind}_{name}", pd.Series(dtype=float))
        intensity, trough = column("relative_dose_intensity").median(), column("cmin_ng_ml").median()
        nodes = join(words(node) for node in partner.get("inhibits") or {})
        raw.append([name, nodes, prescription(partner), intensity, trough])
        rows.append([label(name), nodes, prescription(partner), percent(intensity, 0), number(trough)])
    columns = ["name", "nodes", "prescription", "median_relative_dose_intensity", "median_cmin_ng_ml_day_28"]
    shown = ["Partner drug", "Acts on", "Given", "Median relative dose intensity", "Median trough in plasma, day 28 (ng/mL)"]
    note = "Study drugs are held together and reduced together, each by its own dose fractions."
    return Table(
        "partners", "Partner drugs", pd.DataFrame(raw, columns=columns), pd.DataFrame(rows, columns=shown), note
    )


def dlts(run: Run) -> Table:
    """DLTs by dose level."""
    raw = dlt_table(run)
    rows = [
        [
            _dose(run, row["dose_level"]),
            number(row["n_treated"]),
            number(row["n_evaluable"]),
            number(row["n_dlt"]),
            percent(row["rate"]),
            interval(row["low"], row["high"], "proportion"),
        ]
        for row in raw.to_dict("records")
    ]
    columns = ["Dose level", "Treated", "Evaluable for DLT", "With DLT", "Rate", "95 % interval"]
    return Table("dose_limiting_toxicity", "Dose-limiting toxicity in numbers", raw, pd.DataFrame(rows, columns=columns))


def exposure(run: Run) -> Table:
    """Exposure quantiles."""
    raw = exposure_table(run)
    rows = [
        [
            label(row["measure"]),
            _dose(run, row["dose_level"]),
            number(row["n"]),
            number(row["median"]),
            f"{number(row['low_50'])} to {number(row['high_50'])}",
            f"{number(row['low_90'])} to {number(row['high_90'])}",
        ]
        for row in raw.to_dict("records")
    ]
    return Table(
        "exposure",
        "Exposure in numbers (whole blood, day 15; ng/mL, AUC ng·h/mL)",
        raw,
        pd.DataFrame(rows, columns=["Measure", "Assigned dose", "Patients", "Median", "Middle 50 %", "Middle 90 %"]),
        folded=True,
    )


def pharmacodynamics(run: Run) -> Table:
    """Day-28 target inhibition."""
    raw = summary_table(run)
    rows = [
        [
            row["marker"],
            row["tissue"],
            number(row["n"]),
            number(row["median"], 2),
            f"{number(row['low_50'], 2)} to {number(row['high_50'], 2)}",
            f"{number(row['low_90'], 2)} to {number(row['high_90'], 2)}",
        ]
        for row in raw.to_dict("records")
    ]
    return Table(
        "pharmacodynamics",
        "Day 28 in numbers (fold of own baseline)",
        raw,
        pd.DataFrame(rows, columns=["Marker", "Tissue", "Patients", "Median", "Middle 50 %", "Middle 90 %"]),
        folded=True,
    )


def tumour_types(run: Run) -> Table:
    """Posterior probabilities by tumour type."""
    raw = forest_table(run)
    rows = [
        [
            label(row["endpoint"]),
            run.tumour_name(row["tumour_type"]),
            row["fit"],
            percent(row["median"]),
            interval(row["low_95"], row["high_95"], "proportion"),
        ]
        for row in raw.to_dict("records")
    ]
    return Table(
        "tumour_types",
        "Probabilities by tumour type, in numbers",
        raw,
        pd.DataFrame(rows, columns=["Endpoint", "Tumour type", "Fitted to", "Median", "95 % interval"]),
        folded=True,
    )


def recovery(run: Run) -> Table:
    """Known truth and estimate."""
    raw = recovery_table(run)
    rows = [
        [
            quantity_name(row["quantity"]),
            number(row["truth"]),
            number(row["estimate"]),
            f"{number(row['low'])} to {number(row['high'])}",
            percent(row["level"], 0),
            "inside" if row["inside"] else "outside",
        ]
        for row in raw.to_dict("records")
    ]
    return Table(
        "recovery",
        "Recovery in numbers",
        raw,
        pd.DataFrame(rows, columns=["Quantity", "Truth", "Estimate", "Interval", "Level", "Truth is"]),
        folded=True,
    )


def convergence(fit: Posterior | None, name: str, title: str) -> Table:
    """R-hat and effective sample sizes of one fit."""
    raw = convergence_table(fit)
    rows = [
        [
            row["parameter"],
            number(row["mean"]),
            f"{number(row['low_95'])} to {number(row['high_95'])}",
            number(row["ess_bulk"], 4),
            number(row["ess_tail"], 4),
            f"{row['rhat']:.4f}" if is_number(row["rhat"]) else MISSING,
        ]
        for row in raw.to_dict("records")
    ]
    columns = ["Parameter", "Mean", "95 % interval", "ESS (bulk)", "ESS (tail)", "R-hat"]
    return Table(
        name,
        title,
        raw,
        pd.DataFrame(rows, columns=columns),
        "R-hat near 1 and a large effective sample size (ESS) mean that the chains agree.",
        folded=True,
    )


def words_or_missing(value: Any) -> str:
    return str(value) if isinstance(value, str) and value else MISSING


def _with_interval(value: Any, low: Any, high: Any, kind: str) -> str:
    text = amount(value, kind)
    return f"{text} ({interval(low, high, kind)})" if is_number(low) and is_number(high) else text


def _part(count: Any, total: Any) -> str:
    return f"{int(count):,} ({percent(count / total)})" if total else "0"


def _dose(run: Run, level: float) -> str:
    return dose(level, run.dose_unit)
