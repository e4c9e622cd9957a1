"""The published tables as checked DataFrames. A file that breaks the schema is refused with table, row and column named."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TextIO

import pandas as pd

from trialsim.evidence import schema
from trialsim.evidence.intervals import half_unit, split_interval
from trialsim.schema import ConfigError

_REMEMBERED = re.compile(r"\s*\(memory:[^)]*\)|[;,.]?\s*memory:.*$", re.IGNORECASE | re.DOTALL)
_UNVERIFIED_DOSE = re.compile(r"dose(?: levels?)?\s+(?:is|are)\s+memory", re.IGNORECASE)


def load_efficacy() -> pd.DataFrame:
    """Response, survival and benefit; one row an arm. Columns: `schema.EFFICACY`."""
    return _load("efficacy").copy()


def load_phase1() -> pd.DataFrame:
    """Dose-limiting toxicities; one row a dose level. Columns: `schema.PHASE1`."""
    return _load("phase1").copy()


def load_biomarkers() -> pd.DataFrame:
    """Benefit by genotype or marker; one row a finding. Columns: `schema.BIOMARKERS`."""
    return _load("biomarkers").copy()


def load_survival_points() -> pd.DataFrame:
    """Landmark percentages free of progression; one row a landmark. Columns: `schema.SURVIVAL_POINTS`."""
    return _load("survival_points").copy()


def load_exposure() -> pd.DataFrame:
    """Whole-blood exposure at steady state; one row a finding. Columns: `schema.EXPOSURE`."""
    return _load("exposure").copy()


def load_interactions() -> pd.DataFrame:
    """Exposure with ketoconazole or rifampicin over that without; one row a finding. Columns: `schema.INTERACTIONS`."""
    return _load("interactions").copy()


def load_doses() -> pd.DataFrame:
    """Highest dose studied of each drug, unit, schedule and age group. Columns: `schema.DOSES`."""
    return _load("doses").copy()


@cache
def _load(table: str) -> pd.DataFrame:
    name, _ = schema.FILES[table]
    with (files("trialsim.evidence") / "data" / name).open(encoding="utf-8") as stream:
        return read(table, stream)


def read(table: str, stream: TextIO) -> pd.DataFrame:
    """A table from a CSV file.

    Raises:
        ConfigError: it is no CSV, or as `check`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with more cells than the header
            raw = pd.read_csv(stream, dtype=str, keep_default_na=False, index_col=False)
    except Exception as error:  # the parser raises half a dozen types
        raise ConfigError(f"evidence.{table}", " ".join(str(error).split()), "a CSV file in UTF-8 with a header line") from error
    return check(table, raw)


def check(table: str, raw: pd.DataFrame) -> pd.DataFrame:
    """A table as read (all text) to its typed form: counts Int64, percentages and numbers float64, texts stripped.

    Args:
        table: key of `schema.FILES`.
        raw: all columns text, empty = absent.

    Raises:
        ConfigError: names the table, the row, the column and what is allowed.
    """
    _, columns = schema.FILES[table]
    expected, given = [column.name for column in columns], list(raw.columns)
    if sorted(expected) != sorted(given):
        missing, unknown = sorted(set(expected) - set(given)), sorted(set(given) - set(expected))
        raise ConfigError(f"evidence.{table}", f"missing {missing}, unknown {unknown}", f"the columns {', '.join(expected)}")
    raw = raw.map(str.strip)
    typed = pd.DataFrame({column.name: _typed(table, column, raw[column.name]) for column in columns})
    if "how_seen" in typed:
        graded = typed["how_seen"].str.startswith(schema.GRADES_OF_SOURCE)
        _refuse(table, raw, ~graded, "how_seen", f"one that starts with {', '.join(schema.GRADES_OF_SOURCE)}; never memory")
    _refuse(table, raw, ~typed["source_url"].str.match(r"https?://\S+"), "source_url", "an address, http or https")
    if "notes" in typed:
        if table == "efficacy":  # a dose that the notes call a memory is not data
            typed.loc[typed["notes"].str.contains(_UNVERIFIED_DOSE), "dose"] = ""
        typed["notes"] = typed["notes"].str.replace(_REMEMBERED, "", regex=True).str.strip()
    _CONSISTENCY[table](table, raw, typed)
    return typed


def _typed(table: str, column: schema.Column, text: pd.Series) -> pd.Series:
    """One column in its own type, every cell in range."""
    frame, empty = text.to_frame(column.name), text == ""
    if column.required:
        _refuse(table, frame, empty, column.name, f"a value: {column.meaning}")
    if column.allowed:
        _refuse(table, frame, ~empty & ~text.isin(column.allowed), column.name, f"one of {', '.join(column.allowed)}, or empty")
    if column.kind in ("text", "label"):
        data_memory = text.str.contains("memory:", case=False) & (column.name != "notes")
        _refuse(table, frame, data_memory, column.name, "what a source says; unverified remarks belong in notes")
        return text
    if column.kind == "interval":
        _refuse(table, frame, ~empty & text.map(lambda cell: split_interval(cell) is None), column.name, "low-high, e.g. 3.4-28.2")
        parts = text[~empty].map(split_interval)
        upside_down = [index for index, (low, high, _) in parts.items() if high != "NE" and float(low) > float(high)]
        swapped = pd.Series(text.index.isin(upside_down), index=text.index)
        _refuse(table, frame, swapped, column.name, "a lower limit that is not above the upper one")
        return text
    values = pd.to_numeric(text.where(~empty), errors="coerce").astype("float64")
    _refuse(table, frame, ~empty & values.isna(), column.name, f"a number: {column.meaning}")
    _refuse(table, frame, values < 0, column.name, "a number that is not negative")
    if column.kind == "percent":
        _refuse(table, frame, values > 100, column.name, "a percentage, 0 to 100")
    if column.kind == "year":
        _refuse(table, frame, ~empty & ~values.between(1990, 2100), column.name, "a year from 1990 on")
    if column.kind in ("count", "year"):
        _refuse(table, frame, ~empty & (values % 1 != 0), column.name, "a whole number")
        return values.astype("Int64")
    return values


def _efficacy_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    _refuse(table, raw, typed.duplicated(["trial_id", "arm_id"]), "arm_id", "an arm named once in its study")
    _refuse(
        table,
        raw,
        (typed["n_evaluable_response"] > typed["n_enrolled"]).fillna(False),
        "n_evaluable_response",
        "at most n_enrolled",
    )
    told = typed["how_seen"].str.contains("low trust") != (typed["trust"] == "low")
    _refuse(table, raw, told, "trust", "low where how_seen says low trust and why, and only there")
    best = typed[["n_cr", "n_pr", "n_sd", "n_pd"]].astype("float64").sum(axis=1)
    size = typed["n_evaluable_response"].fillna(typed["n_enrolled"]).astype("float64")
    _refuse(table, raw, best > size, "n_sd", "CR, PR, SD and PD that add up to at most the patients evaluated")
    responders = typed[["n_cr", "n_pr"]].astype("float64").sum(axis=1)
    percent = {"orr_percent": responders, "dcr_percent": responders + typed["n_sd"].astype("float64")}
    known = {"orr_percent": typed["n_pr"].notna(), "dcr_percent": typed["n_pr"].notna() & typed["n_sd"].notna()}
    for name, events in percent.items():
        slack = raw[name].map(half_unit) + 1e-9
        off = (100.0 * events / typed["n_evaluable_response"].astype("float64") - typed[name]).abs() > slack
        _refuse(table, raw, off & known[name], name, "the percentage that the counts give, rounded as written")


def _phase1_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    keys = ["trial_id", "dose_level", "unit", "schedule"]
    _refuse(table, raw, typed.duplicated(keys), "dose_level", "a dose level named once in its study and schedule")
    _refuse(table, raw, (typed["n_evaluable_dlt"] > typed["n_treated"]).fillna(False), "n_evaluable_dlt", "at most n_treated")
    size = typed["n_evaluable_dlt"].fillna(typed["n_treated"])
    _refuse(table, raw, (typed["n_dlt"] > size).fillna(False), "n_dlt", "at most the patients of the level")
    numeric = pd.to_numeric(typed["dose_level"], errors="coerce").notna()
    _refuse(table, raw, numeric & (typed["unit"] == ""), "unit", "mg or mg/m2, as the dose is a number")


def _biomarkers_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    for name in ("n_response", "n_benefit"):
        _refuse(table, raw, (typed[name] > typed["n_patients"]).fillna(False), name, "at most n_patients")
    unknown = typed["marker"].map(lambda names: not set(names.split()) <= set(schema.MARKER_NAMES))
    _refuse(table, raw, unknown, "marker", f"names among {', '.join(schema.MARKER_NAMES)}")
    _refuse(table, raw, (typed["measure"] != "") & (typed["marker"] == ""), "marker", "a name, as there is a measure")
    numbers = typed[["published", "published_low", "published_high"]].notna().any(axis=1)
    _refuse(table, raw, (typed["measure"] != "") != numbers, "measure", "a measure where there is a number, and only there")


def _survival_points_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    keys = ["trial_id", "arm_id"]
    _refuse(table, raw, typed.duplicated([*keys, "months"]), "months", "a landmark named once in its arm")
    ordered = typed.sort_values([*keys, "months"])
    rising = ordered.groupby(keys)["survival_percent"].diff() > 0
    _refuse(table, raw, rising.reindex(typed.index), "survival_percent", "a curve that does not rise with time")


def _exposure_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    below, above = typed["published_low"] > typed["published"], typed["published_high"] < typed["published"]
    _refuse(table, raw, below | above, "published", "a number between its limits")


def _interactions_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    keys = ["drug", "analyte", "dose_mg", "comedication", "measure"]
    _refuse(table, raw, typed.duplicated(keys), "measure", "a measure named once for its analyte and co-medication")
    outside = (typed["ratio_low"] > typed["ratio"]) | (typed["ratio_high"] < typed["ratio"])
    _refuse(table, raw, outside, "ratio", "a number between its limits")


def _doses_consistent(table: str, raw: pd.DataFrame, typed: pd.DataFrame) -> None:
    keys = ["drug", "unit", "schedule", "age_group"]
    _refuse(table, raw, typed.duplicated(keys), "dose", "one highest dose of its drug, unit, schedule and age group")


_CONSISTENCY: dict[str, Callable[[str, pd.DataFrame, pd.DataFrame], None]] = {
    "efficacy": _efficacy_consistent,
    "phase1": _phase1_consistent,
    "biomarkers": _biomarkers_consistent,
    "survival_points": _survival_points_consistent,
    "exposure": _exposure_consistent,
    "interactions": _interactions_consistent,
    "doses": _doses_consistent,
}


def _refuse(table: str, raw: pd.DataFrame, bad: pd.Series, column: str, allowed: str) -> None:
    """Raise for the first bad row; rows are counted as in the file, the header being line 1."""
    rows = bad[bad.fillna(False).astype(bool)].index
    if len(rows):
        raise ConfigError(f"evidence.{table}[line {rows[0] + 2}].{column}", raw.loc[rows[0], column], allowed)
