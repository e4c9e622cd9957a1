"""Words for the comparison of designs: what designs and measures are called, and which design is recommended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.report.wording import MISSING, NBSP, fixed, interval, is_number, join, percent, plural, words

DOSE, BENEFIT = "dose_finding", "benefit"
KINDS = {
    "three_plus_three": ("3+3", "Storer, Biometrics 1989;45:925-37"),
    "rolling_six": ("rolling six", "Skolnik et al., J Clin Oncol 2008;26:190-5"),
    "crm": ("CRM", "O'Quigley et al., Biometrics 1990;46:33-48"),
    "tite_crm": ("TITE-CRM", "Cheung & Chappell, Biometrics 2000;56:1177-82"),
    "boin": ("BOIN", "Liu & Yuan, J R Stat Soc C 2015;64:507-23"),
    "tite_boin": ("TITE-BOIN", "Yuan et al., Clin Cancer Res 2018;24:4921-30"),
    "single_arm": ("single arm", ""),
    "single_stage": ("single-stage", "A'Hern, Stat Med 2001;20:859-66"),
    "optimal": ("Simon optimal", "Simon, Control Clin Trials 1989;10:1-10"),
    "minimax": ("Simon minimax", "Simon, Control Clin Trials 1989;10:1-10"),
    "admissible": ("admissible two-stage", "Jung et al., Stat Med 2004;23:561-9"),
    "two_stage": ("two-stage", ""),
    "predictive_probability": ("predictive probability", "Lee & Liu, Clin Trials 2008;5:93-106"),
    "adaptive_randomisation": ("adaptive randomisation", "Thall & Wathen, Eur J Cancer 2007;43:859-66"),
    "arm_dropping": ("arm dropping", "Spiegelhalter et al., Control Clin Trials 1986;7:8-17"),
    "select_the_winner": ("select the winner", "Stallard & Todd, Stat Med 2003;22:689-703"),
    "basket_independent": ("independent baskets", ""),
    "basket_pooled": ("pooled baskets", ""),
    "basket_berry": ("hierarchical baskets", "Berry et al., Clin Trials 2013;10:720-34"),
    "basket_exnex": ("EXNEX baskets", "Neuenschwander et al., Pharm Stat 2016;15:123-34"),
    "historical_control": ("historical controls", "Schmidli et al., Biometrics 2014;70:1023-32"),
    "randomised": ("randomised, one look", "Schoenfeld, Biometrics 1983;39:499-503"),
    "group_sequential": ("group-sequential", "Jennison & Turnbull, Group Sequential Methods, 2000"),
    "all_comers": ("all comers", "Schoenfeld, Biometrics 1983;39:499-503"),
    "enriched": ("enriched", "Schoenfeld, Biometrics 1983;39:499-503, in marker-positive patients"),
    "marker_stratified": ("marker-stratified", "Freidlin et al., Clin Trials 2014;11:19-27"),
    "adaptive_enrichment": ("adaptive enrichment", "Jenkins et al., Pharm Stat 2011;10:347-56"),
}  # fmt: skip
# kinds that estimate a rate or a difference of rates; the others estimate a log hazard ratio, or nothing
RATES = {"single_stage", "two_stage", "predictive_probability", "historical_control"}
SURE = 0.95  # probability of being the best from which a recommendation is called clear


class Scale(NamedTuple):
    """How a measure is written: times ``factor``, with so many decimals, its unit behind it."""

    factor: float
    decimals: int
    unit: str = ""
    signed: bool = False


SHARE, POINTS = Scale(100, 1, "%"), Scale(100, 1, "points", True)
COUNT, WHOLE, MONTHS, NET = Scale(1, 1), Scale(1, 0), Scale(1, 1), Scale(1, 2, "", True)
LOG_HR, RATE_BIAS = Scale(1, 3, "log HR", True), Scale(100, 1, "points", True)
MEASURES: dict[str, dict[str, tuple[str, Scale]]] = {
    DOSE: {
        "near": ("Near target", SHARE),
        "correct": ("Best level", SHARE),
        "overdose": ("Overdose", SHARE),
        "dlt_rate_error": ("DLT rate error", POINTS),
        "dlt_rate_covered": ("Coverage", SHARE),
        "above": ("Above limit", COUNT),
        "dlts": ("DLTs", COUNT),
        "enrolled": ("Patients", COUNT),
        "months": ("Months", MONTHS),
    },
    BENEFIT: {
        "declared": ("Declared", SHARE),
        "declared_without_effect": ("If no effect", SHARE),
        "net_benefit": ("Net benefit", NET),
        "right": ("Right advice", SHARE),
        "error": ("Error", LOG_HR),
        "covered": ("Coverage", SHARE),
        "enrolled": ("Patients", WHOLE),
        "screened": ("Screened", WHOLE),
        "months": ("Months", MONTHS),
    },
}
DECIDES = {
    "near": "chooses a dose near the target in {} of trials",
    "correct": "chooses the best level in {} of trials",
    "net_benefit": "has a net benefit of {} patients in 100",
}
MORE = {"near": "more than", "correct": "more than", "net_benefit": "above"}


def designs_of(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of the designs compared, by name."""
    return dict(config.get("designs") or {config["design"]["kind"]: config["design"]})


def kind_of(design: Mapping[str, Any]) -> str:
    """Which entry of `KINDS` a design is."""
    kind = str(design["kind"])
    if design.get("time_to_event"):
        return f"tite_{kind}"
    if kind == "two_stage" and not design.get("given"):
        return str(design.get("criterion") or kind)
    if kind == "basket":
        return f"basket_{design['model']['kind']}"
    if kind == "adaptive_randomisation" and design.get("drop", "none") != "none" and design.get("power") == 0:
        return "arm_dropping"
    return "group_sequential" if kind == "randomised" and len(design.get("look_fractions") or ()) > 1 else kind


def labels(designs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Every design in words; those of one kind with their names."""
    told = {name: _label(design) for name, design in designs.items()}
    often = Counter(told.values())
    return {name: f"{text} ({words(name)})" if often[text] > 1 else text for name, text in told.items()}


def _label(design: Mapping[str, Any]) -> str:
    kind = kind_of(design)
    text = KINDS[kind][0] if kind in KINDS else words(kind)
    return f"{text}, marker-positive" if design.get("eligible") == "marker_positive" else text


def sources(designs: Mapping[str, Mapping[str, Any]]) -> str:
    """``3+3 (Storer, ...), CRM (O'Quigley ...)``: where the designs are described."""
    kinds = dict.fromkeys(kind_of(design) for design in designs.values())
    return ", ".join(f"{KINDS[kind][0]} ({KINDS[kind][1]})" for kind in kinds if KINDS.get(kind, ("", ""))[1])


def heading(text: str) -> str:
    """With a capital, as at the start of a row."""
    return text[:1].upper() + text[1:]


# ---- numbers


def value(table: pd.DataFrame, design: str, measure: str, column: str = "estimate") -> float:
    """One number of a design; NaN where there is none.

    Args:
        table: rows of one question, indexed by design and measure.
    """
    return float(table[column].get((design, measure), np.nan))


def written(number: float, scale: Scale, unit: bool = True) -> str:
    """``62.1 %``, ``+1.32``."""
    if not is_number(number):
        return MISSING
    text = fixed(scale.factor * number + 0.0, scale.decimals)
    text = text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")
    text = f"+{text}" if scale.signed and text.strip("0.") and text[0] != "−" else text
    return f"{text}{NBSP}{scale.unit}" if unit and scale.unit else text


def plus_minus(number: float, error: float, scale: Scale) -> str:
    """``62.1 ± 1.3``: a mean and its Monte Carlo standard error, without the unit."""
    text = written(number, scale, unit=False)
    if not is_number(number) or not is_number(error):
        return text
    shown = fixed(scale.factor * error, scale.decimals)
    if error > 0 and not shown.strip("0."):
        shown = f"<{10.0**-scale.decimals:.{scale.decimals}f}"
    return f"{text}{NBSP}±{NBSP}{shown}"


def limits(low: float, high: float, scale: Scale) -> str:
    """``4.5 to 9.1``."""
    return f"{written(low, scale, unit=False)} to {written(high, scale, unit=False)}"


def threshold(gain: float) -> str:
    """A gain in probability in points: 0.1 -> ``10 points``."""
    return f"{100 * gain:.3g}{NBSP}points"


# ---- recommendation


def recommended(
    found: Mapping[str, Any] | None,
    table: pd.DataFrame,
    differences: pd.DataFrame,
    names: Mapping[str, str],
    false: Mapping[str, float],
) -> str:
    """How good the recommended design is, how sure that is, and what it costs.

    Args:
        found: ``recommended_<question>`` of the results. table: characteristics of the question, indexed by design and measure.
        differences: of the question. names: labels of the designs. false: ``too_often_false`` of the results.
    """
    unfit = [f"{names[name]} ({percent(error, 0)})" for name, error in false.items() if name in names]
    unfit_told = f"Not considered, as they find a benefit too often where there is none: {join(unfit)}." if unfit else ""
    names = {name: label for name, label in names.items() if name not in false}
    if not names:
        return f"None. {unfit_told}"
    if not found or not is_number(found["estimate"]):
        return " ".join(("No design came to a decision, so none is recommended.", unfit_told)).strip()
    first, measure = found["design"], found["measure"]
    if useless(found):
        best = written(found["estimate"], NET)
        told = "None: treating nobody is better than following any of them. "
        told += f"The best, {names[first]}, has a net benefit of {best} patients in 100."
        return " ".join((told, unfit_told)).strip()
    scale = NET._replace(signed=False) if measure == "net_benefit" else SHARE
    told = DECIDES[measure].format(written(found["estimate"], scale))
    text = f"{names[first]}. It {told}"
    if is_number(found["low"]):
        text += f" (95 % Monte Carlo interval {_between(found['low'], found['high'], scale)})"
    told_all = text + _lead(found, table, differences, names, scale), _cost(first, table, names), unfit_told
    return " ".join(part for part in told_all if part)


def useless(found: Mapping[str, Any]) -> bool:
    """Whether even the best design does more harm than good."""
    return found["measure"] == "net_benefit" and found["estimate"] <= 0


def _between(low: float, high: float, scale: Scale) -> str:
    return interval(low, high, "proportion") if scale is SHARE else limits(low, high, scale)


def _lead(found: Mapping[str, Any], table: pd.DataFrame, differences: pd.DataFrame, names: Mapping[str, str], scale: Scale) -> str:
    """By how much it leads, and with which probability it is the best."""
    first, measure = found["design"], found["measure"]
    others = {name: value(table, name, measure) for name in names if name != first}
    others = {name: at for name, at in others.items() if is_number(at)}
    if not others:
        return "."
    following = max(others, key=lambda name: others[name])
    row = differences[
        (differences["design"] == following) & (differences["reference"] == first) & (differences["measure"] == measure)
    ]
    text = ""
    if len(row):
        ahead, low, high = (-float(row[name].iloc[0]) for name in ("estimate", "high", "low"))
        points = POINTS._replace(signed=False) if scale is SHARE else scale
        text = f", {written(ahead, points)} {MORE[measure]} {names[following]}, the next best"
        text += f" (paired difference; {limits(low, high, points)})" if is_number(low) else ""
    probability = found.get("probability")
    if not is_number(probability):
        return f"{text}."
    text += f". Over resamples of the batches it is the best of {plural(len(others) + 1, 'design')} with probability "
    text += f"{fixed(probability)}" if probability < 0.995 else "1.00"
    return text + ("." if probability >= SURE else f": these replicates do not tell it from {names[following]}.")


def _cost(first: str, table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Patients and months, and which design takes the fewest."""
    patients, months, screened = (value(table, first, name) for name in ("enrolled", "months", "screened"))
    count = COUNT if np.isnan(screened) else WHOLE
    text = f"A trial takes {written(patients, count)} patients"
    text += f" (of {written(screened, count)} screened)" if is_number(screened) and screened > patients else ""
    text += f" and {written(months, MONTHS)} months" if is_number(months) else ""
    told = []
    for measure, what, scale in (("enrolled", "patients", count), ("months", "months", MONTHS)):
        at = {name: number for name in names if is_number(number := value(table, name, measure))}
        least = min(at, key=lambda name: at[name]) if at else first
        if least != first:
            told.append(f"fewest {what}: {names[least]}, {written(at[least], scale)}")
    return f"{text}. {heading('; '.join(told))}." if told else f"{text}."
