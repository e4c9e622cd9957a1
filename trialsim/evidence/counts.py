"""From a row of the efficacy table to counts: how many of how many responded, had disease control, had benefit."""

from __future__ import annotations

import re
from typing import NamedTuple

import pandas as pd

from trialsim.evidence.intervals import count_from_percent, counts_from_interval, split_interval


class Count(NamedTuple):
    """Events out of n patients.

    Attributes:
        events: patients with the event.
        n: denominator.
        denominator: "evaluable" (as published), "assessable" (a number in the abstract that may mean this), "enrolled" (the
            source names no smaller one), or "recovered" (from a rate and its exact interval).
        how: "counts", "percent" (a rate and a denominator that fit one count only) or "interval" (as "recovered").
        remark: what a reader should know, or "".
    """

    events: int
    n: int
    denominator: str
    how: str
    remark: str = ""


_ASSESSABLE = re.compile(r"(\d+) of (\d+) assessable([^;.]*)")
_RATE_IN_NOTES = r"{} (\d+(?:\.\d+)?)% \((\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\)"
_FRACTION = re.compile(r"(\d+)/(\d+)")
_LEADING_COUNT = re.compile(r"^(\d+)\s+(?:patients|progression-free|had)\b")
_CLINICAL_RATE = re.compile(r"(\d+(?:\.\d+)?)%")


def denominator(row: pd.Series) -> tuple[int, str, str] | None:
    """(patients, kind, remark) of the response rate: evaluable, else assessable as the notes say, else enrolled."""
    if pd.notna(row["n_evaluable_response"]):
        return int(row["n_evaluable_response"]), "evaluable", ""
    match = _ASSESSABLE.search(row["notes"])
    if match:
        return int(match[1]), "assessable", f"denominator ambiguous: {match[0].strip()}"
    if pd.notna(row["n_enrolled"]):
        return int(row["n_enrolled"]), "enrolled", "the source names no evaluable patients; denominator is all enrolled"
    return None


def response(row: pd.Series) -> Count | None:
    """Objective responses (CR + PR)."""
    size = denominator(row)
    if size and pd.notna(row["n_pr"]):
        n, kind, remark = size
        silent = "complete responses not mentioned, taken as none" if pd.isna(row["n_cr"]) else ""
        events = int(row["n_pr"]) + (0 if pd.isna(row["n_cr"]) else int(row["n_cr"]))
        return Count(events, n, kind, "counts", _join(remark, silent))
    return _from_rate(row["orr_percent"], row["orr_ci"], "ORR", size, row["notes"])


def disease_control(row: pd.Series) -> Count | None:
    """Disease control: CR + PR + SD, or the study's own definition where it gives a rate."""
    size = denominator(row)
    if size and pd.notna(row["n_pr"]) and pd.notna(row["n_sd"]):
        n, kind, remark = size
        events = int(row["n_pr"]) + int(row["n_sd"]) + (0 if pd.isna(row["n_cr"]) else int(row["n_cr"]))
        return Count(events, n, kind, "counts", remark)
    return _from_rate(row["dcr_percent"], "", "DCR", size, row["notes"])


def clinical_benefit(row: pd.Series) -> Count | None:
    """Clinical benefit in the study's own words; the first fraction of the text is the headline."""
    text, size = row["clinical_benefit"], denominator(row)
    fraction = _FRACTION.search(text)
    if fraction:
        return Count(int(fraction[1]), int(fraction[2]), "evaluable", "counts")
    leading = _LEADING_COUNT.match(text)
    if leading and size:
        return Count(int(leading[1]), size[0], size[1], "counts", size[2])
    return _from_rate(benefit_percent(row), "", "CBR", size, "")


def benefit_percent(row: pd.Series) -> float:
    """Rate of clinical benefit as printed, %; NaN where the text has none."""
    match = _CLINICAL_RATE.search(row["clinical_benefit"])
    return float(match[1]) if match else float("nan")


def _from_rate(percent: float, interval: str, label: str, size: tuple[int, str, str] | None, notes: str) -> Count | None:
    """Counts behind a printed rate: with its denominator, or with the exact interval printed beside it."""
    if pd.isna(percent):
        return None
    if size:
        n, kind, remark = size
        events = count_from_percent(percent, n, 0.05 if percent % 1 else 0.5)
        if events is not None:
            return Count(events, n, kind, "percent", _join(remark, f"count derived from {percent:g} % of {n}"))
    printed, limits = re.search(_RATE_IN_NOTES.format(label), notes), split_interval(interval)
    found = None
    if printed:
        found = counts_from_interval(printed[1], printed[2], printed[3])
    elif limits and not limits[2] and limits[1] != "NE":
        found = counts_from_interval(f"{percent:g}", limits[0], limits[1])
    if found is None:
        return None
    remark = f"counts recovered: {found[0]}/{found[1]} is the only pair whose exact interval rounds to the published one"
    return Count(*found, "recovered", "interval", remark)


def _join(*remarks: str) -> str:
    return "; ".join(remark for remark in remarks if remark)
