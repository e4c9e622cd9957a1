"""Numbers and names in words. Every text that comes from a file passes through here before it reaches a figure."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

import numpy as np

ENDPOINT_NAMES: dict[str, str] = {
    "orr": "Objective response rate",
    "dcr": "Disease control rate",
    "clinical_benefit_rate": "Clinical benefit rate",
    "median_pfs_months": "Median progression-free survival",
    "pfs_6_months": "Progression-free at 6 months",
    "median_pfs_turnbull_months": "Median progression-free survival, progression between scans",
    "median_pfs_weibull_months": "Median progression-free survival, progression between scans, smooth",
    "progression_delay_weeks": "Mean time from progression to the scan that shows it",
    "median_os_months": "Median overall survival",
    "os_12_months": "Alive at 12 months",
    "median_time_on_treatment_months": "Median time on treatment",
    "median_relative_dose_intensity": "Median relative dose intensity",
    "dlt_rate": "Dose-limiting toxicity",
    "pfs_hr": "Hazard ratio of progression or death",
    "os_hr": "Hazard ratio of death",
    "ps6_tumour_d28": "pS6 in the tumour, day 28",
    "pakt_tumour_d28": "pAKT in the tumour, day 28",
    "ps6_pbmc_d28": "pS6 in blood cells, day 28",
    "mtd": "Maximum tolerated dose",
    "response": "Objective response",
    "disease_control": "Disease control",
    "clinical_benefit": "Clinical benefit",
    "stable_disease": "Stable disease",
    "responders": "Responders",
    "cmin_ng_ml": "Trough concentration (Cmin)",
    "cmax_ng_ml": "Peak concentration (Cmax)",
    "auc24_ng_h_ml": "Exposure over 24 h (AUC)",
}
ABBREVIATIONS: dict[str, str] = {
    "orr": "ORR",
    "dcr": "DCR",
    "pfs": "PFS",
    "os": "OS",
    "dlt": "DLT",
    "dlts": "DLTs",
    "mtd": "MTD",
    "alt": "ALT",
    "pk": "PK",
    "sd": "SD",
    "pr": "PR",
    "cr": "CR",
    "pd": "PD",
    "sld": "SLD",
    "auc24": "AUC",
    "cyp3a4": "CYP3A4",
    "ecog": "ECOG",
    "recist": "RECIST",
    "ps6": "pS6",
    "p4ebp1": "p4E-BP1",
    "pakt": "pAKT",
    "perk": "pERK",
    "pbmc": "PBMC",
    "bsa": "BSA",
    "rhat": "R-hat",
    "ess": "ESS",
    "loo": "LOO",
    "id": "ID",
    "cv": "CV",
    "lvef": "LVEF",
    "mk2206": "MK-2206",
    "mtor": "mTOR",
    "mcmc": "MCMC",
    "nsclc": "NSCLC",
    "hcc": "HCC",
    "rcc": "RCC",
    "hr": "HR",
    "kras": "KRAS",
}
GENES = {
    "pik3ca": "PIK3CA mutation",
    "pten_mutation": "PTEN mutation",
    "pten_loss": "PTEN protein loss",
    "akt1": "AKT1 mutation",
    "tsc": "TSC1 or TSC2 inactivation",
    "kras": "KRAS mutation",
    "mtor": "MTOR mutation",
}
MISSING = "–"
NBSP = "\u00a0"  # keeps a number and its unit on one line


def texts(value: object) -> list[str]:
    """Sentences from a file; none where it holds no list."""
    return [str(text) for text in value] if isinstance(value, list) else []


def is_number(value: object) -> TypeGuard[float]:
    """True for a finite number, also a numpy scalar; a bool is none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    return bool(np.isfinite(value))


def plot_text(value: object) -> str:
    """Text safe inside plotly, which reads a little HTML in its labels: ``<script>`` must show as text."""
    return html.escape(str(value), quote=False)


def plot_lines(value: object, width: int = 22) -> str:
    """The same for a long label: broken into lines, the breaks set after escaping so that text brings no markup."""
    lines = textwrap.wrap(str(value), width, break_long_words=True) or [""]
    return "<br>".join(plot_text(line) for line in lines)


def words(key: str) -> str:
    """``progression_free`` -> ``progression free``, with the field's abbreviations as the field writes them."""
    return " ".join(ABBREVIATIONS.get(part.lower(), part) for part in str(key).split("_") if part)


def label(key: str) -> str:
    """A machine name as a heading: known endpoints by their full name, others capitalised."""
    if key in ENDPOINT_NAMES:
        return ENDPOINT_NAMES[key]
    for prefix, name in (("dlt_rate_", "DLT rate at"), ("dlt_count_", "DLTs at"), ("n_dlt_", "DLTs at")):
        if key.startswith(prefix):
            return f"{name} {dose_text(key.removeprefix(prefix))}"
    if key.startswith("grade_3_4_"):
        return f"{label(key.removeprefix('grade_3_4_'))}, grade 3 or 4"
    if key.startswith("mtd_"):
        return f"Maximum tolerated dose ({unit_text(key.removeprefix('mtd_'))})"
    text = words(key)
    return text[:1].upper() + text[1:]


def benefit_words(endpoint: Mapping[str, Any]) -> str:
    """What the study calls clinical benefit: of the section ``endpoint`` of its settings, empty if it does not say."""
    rule = endpoint.get("clinical_benefit")
    if not isinstance(rule, Mapping):
        return ""
    if rule.get("kind") == "ttp_ratio" and is_number(rule.get("threshold")):
        return f"time to progression before treatment over that on it below {rule['threshold']:g}"
    return f"disease control for {rule['weeks']:g} weeks" if is_number(rule.get("weeks")) else ""


def dose(level: object, unit: str) -> str:
    """6.5 and ``mg/m2`` -> ``6.5 mg/m²``: a dose keeps its own digits."""
    return dose_text(f"{float(level):g} {unit}") if is_number(level) else MISSING


def dose_text(level: str) -> str:
    """``5mg/m2`` -> ``5 mg/m²``."""
    text = str(level).replace("_", " ")
    for start, character in enumerate(text):
        if character.isalpha() and start > 0 and text[start - 1].isdigit():
            text = text[:start] + " " + text[start:]
            break
    return unit_text(text).replace(" ", NBSP)


def unit_text(unit: object) -> str:
    """Units as they are printed."""
    return str(unit or "").replace("m2", "m²").replace("_", " ")


def number(value: object, digits: int = 3) -> str:
    """A number with so many significant digits, thousands separated; MISSING if there is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not is_number(value):
        return MISSING
    value = float(value)
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4 or magnitude > 14:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def percent(fraction: object, digits: int | None = None) -> str:
    """0.0169 -> ``1.7 %``."""
    if not is_number(fraction):
        return MISSING
    value = 100.0 * float(fraction)
    if digits is None:
        digits = 0 if value == 0 or abs(value) >= 99.95 else 1
    return f"{value:.{digits}f}{NBSP}%"


def kind_of(name: str, unit: str | None = None) -> str:
    """What sort of number an endpoint is: proportion, percent, months, weeks, days, dose, count, ratio or
    other."""
    unit = (unit or "").lower()
    if unit in {"%", "percent"}:
        return "percent"
    if unit.split(" ")[0] in {"fraction", "proportion", "probability", "rate"}:
        return "proportion"
    if unit == "ratio":
        return unit
    if unit in {"months", "month", "weeks", "days", "day", "count", "patients"}:
        return {"month": "months", "day": "days", "patients": "count"}.get(unit, unit)
    if (
        name in {"responders", "stable_disease", "partial_response", "complete_response"}
        or "count" in name
        or name.startswith("n_")
    ):
        return "count"
    if name == "mtd" or name.startswith("mtd_"):
        return "dose"
    if name in {"orr", "dcr", "clinical_benefit", "median_relative_dose_intensity"} or "rate" in name.split("_"):
        return "proportion"
    if name.startswith(("pfs_", "os_")) and name.endswith("_months"):
        return "proportion"
    return "months" if name.endswith("_months") else "days" if name.endswith("_days") else "other"


def amount(value: object, kind: str, empty: str = MISSING) -> str:
    """One number in its own unit, e.g. ``36.0 %`` or ``3.9 months``."""
    if not is_number(value):
        return empty
    if kind == "proportion":
        return percent(value)
    if kind == "percent":
        return f"{float(value):.1f}{NBSP}%"
    if kind == "dose":
        return f"{float(value):g}"
    if kind == "ratio":
        return fixed(value)
    if kind in {"months", "weeks", "days"}:
        return f"{float(value):.1f}{NBSP}{kind}"
    return number(value)


def interval(low: object, high: object, kind: str) -> str:
    """``28.9 to 50.2 %``; an end that was not reached is said so."""
    if not is_number(low) and not is_number(high):
        return MISSING
    if kind == "proportion":
        low, high, kind = _scaled(low), _scaled(high), "percent"
    left, right = amount(low, kind, "not reached"), amount(high, kind, "not reached")
    if is_number(low) and is_number(high) and NBSP in right:
        left = left.split(NBSP)[0]  # the unit once, at the end
    return f"{left} to {right}"


def _scaled(fraction: object) -> object:
    return 100.0 * float(fraction) if is_number(fraction) else fraction


def spread(middle: object, low: object, high: object, digits: int = 3) -> str:
    """``8.50 (4.05 to 18.2)``: a number and the range around it."""
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def fixed(value: object, decimals: int = 2) -> str:
    """A ratio, an AUC: always so many decimals."""
    return f"{float(value):,.{decimals}f}" if is_number(value) else MISSING


def fixed_spread(middle: object, low: object, high: object, decimals: int = 2) -> str:
    """``0.58 (0.50 to 0.61)``; MISSING if there is no number."""
    if not is_number(middle):
        return MISSING
    return f"{fixed(middle, decimals)} ({fixed(low, decimals)} to {fixed(high, decimals)})"


def join(items: Iterable[str], last: str = "and") -> str:
    """``a, b and c``."""
    listed = list(items)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} {last} {listed[-1]}" if listed else ""


def lie(count: int) -> str:
    """The verb after a count: 1 lies, 2 lie."""
    return "lies" if count == 1 else "lie"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 patient``, ``1,003 patients``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(count: int, total: int) -> str:
    """``21 of 59 (35.6 %)``."""
    return f"{count:,} of {total:,} ({percent(count / total)})" if total else "0 of 0"
