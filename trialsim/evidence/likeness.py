"""Whether a published arm is of the treatment and the patients that a study has, as far as the tables tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from trialsim.evidence.load import load_efficacy
from trialsim.evidence.published import named_arm
from trialsim.evidence.tumour_types import project_name
from trialsim.schema import ConfigError

RAPALOGS = ("everolimus", "ridaforolimus", "sirolimus", "temsirolimus")
MIXED = "mixed"  # `tumour_types` of arms that took solid tumours of any kind
UNSELECTED = "none by alterations"
SHOWN = 5  # arms told in an error

# As published -> regimen.schedule. What is not here has no schedule of ours and is not compared.
SCHEDULES = {
    "daily": "daily",
    "daily oral": "daily",
    "daily oral continuous": "daily",
    "weekly IV": "weekly",
    "weekly oral": "weekly",
    "daily x5 per week oral": "five_days_a_week",
    "oral 5 days/week": "five_days_a_week",
}
# alterations by the word that the papers use
GENES = {"pik3ca": "PIK3CA", "pten_mutation": "PTEN", "pten_loss": "PTEN", "akt1": "AKT1", "tsc": "TSC", "kras": "KRAS",
         "mtor": "MTOR"}  # fmt: skip
_DOSES = re.compile(r"(\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?)*) (mg(?:/m2)?)")  # one dose, or the levels of an escalation
_BETWEEN_DRUGS = re.compile(r"[;,+]|/(?=[a-z]{4})")
_NAME = re.compile(r"[A-Za-z][A-Za-z -]*?(?=\s+(?:\d|up to)|\s*$)")


class Asked(NamedTuple):
    """What a study gives and to whom, in the project's words."""

    drug: str
    dose: float
    unit: str
    schedule: str
    partners: tuple[str, ...]
    tumour_types: tuple[str, ...]
    selection: Mapping[str, bool]
    age_group: str


def refuse_another_drug(asked: Asked, name: str, key: str) -> None:
    """An arm that was given another rapalog is no comparison at all.

    Raises:
        ConfigError: on that key; also as `named_arm`.
    """
    arm = named_arm(name, key)
    if arm["drug"] != asked.drug:
        allowed = f"an arm that was given {asked.drug}, as the drug is {asked.drug}; {name} was given {arm['drug']}. Arms: "
        raise ConfigError(key, name, f"{allowed}{_arms_of(asked, name)}")


def refuse_the_drug_in_control(name: str, key: str) -> None:
    """An arm that was given a rapalog is no control.

    Raises:
        ConfigError: on that key; also as `named_arm`.
    """
    arm = named_arm(name, key)
    if arm["drug"] in RAPALOGS:
        allowed = f"an arm without a rapalog, as it stands beside the control; {name} was given {arm['drug']}"
        table = load_efficacy()
        others = _names(table[(table["trial_id"] == arm["trial_id"]) & ~table["drug"].isin(RAPALOGS)])
        raise ConfigError(key, name, f"{allowed}. {'Of that study: ' + ', '.join(others) if others else 'That study has none'}")


def drug_differences(asked: Asked, name: str) -> str | None:
    """What a reader must be told of the arm set beside the one given the drug; None where the tables tell no difference."""
    arm = named_arm(name)
    drug = [(f"the drug {arm['drug']}", asked.drug)] if arm["drug"] != asked.drug else []
    return _told(name, [*drug, *_dose(asked, arm), *_partners(asked, drugs_in(arm["partner_drugs"])), *_patients(asked, arm)])


def control_differences(asked: Asked, name: str) -> str | None:
    """The same of the arm set beside the control."""
    arm = named_arm(name)
    given = [drug for drug in drugs_in(arm["drug"]) + drugs_in(arm["partner_drugs"]) if drug != "placebo"]
    return _told(name, [*_partners(asked, given), *_patients(asked, arm)])


def drugs_in(text: str) -> list[str]:
    """Names of the drugs in a cell of the tables: ``"letrozole 2.5 mg daily; metformin 500 mg BID"``."""
    found = [_NAME.match(part.strip()) for part in _BETWEEN_DRUGS.split(text)]
    return [match[0].strip().lower() for match in found if match]


def _told(name: str, differences: Iterable[tuple[str, str]]) -> str | None:
    each = [f"{theirs} (here: {ours})" for theirs, ours in differences]
    if not each:
        return None
    return (
        f"{name}, whose published values stand beside these, differs from this study in {'; '.join(each)}. "
        "Agreement with it is no test of the model, nor is disagreement."
    )


def _dose(asked: Asked, arm: pd.Series) -> list[tuple[str, str]]:
    doses, schedule = _DOSES.fullmatch(arm["dose"]), SCHEDULES.get(arm["schedule"])
    levels = [float(level) for level in doses[1].split("/")] if doses else []
    other = doses is not None and (doses[2] != asked.unit or not min(levels) <= asked.dose <= max(levels))
    if not other and schedule in (None, asked.schedule):
        return []
    ours = f"{asked.dose:g} {asked.unit} {asked.schedule.replace('_', ' ')}"
    return [(f"the dose, {arm['dose']} {arm['schedule']}".rstrip(), ours)]


def _partners(asked: Asked, given: list[str]) -> list[tuple[str, str]]:
    same = len(given) == len(asked.partners) and all(any(name in drug for drug in given) for name in asked.partners)
    return [] if same else [(f"the drugs beside it, {', '.join(given) or 'none'}", ", ".join(asked.partners) or "none")]


def _patients(asked: Asked, arm: pd.Series) -> list[tuple[str, str]]:
    kind, types, found = project_name(arm["tumour_type"], arm["biomarker_selection"]), set(asked.tumour_types), []
    if types != {kind} and not (kind == MIXED and len(types) > 1):
        found.append((f"the tumour type, {arm['tumour_type']}", ", ".join(sorted(types)).replace("_", " ")))
    selected = {word for word in GENES.values() if word in arm["biomarker_selection"]}
    if selected != {GENES[gene] for gene in asked.selection}:
        ours = [f"{gene.replace('_', ' ')} {'altered' if yes else 'not altered'}" for gene, yes in asked.selection.items()]
        found.append((f"the selection, {arm['biomarker_selection'] or UNSELECTED}", ", ".join(ours) or UNSELECTED))
    if arm["age_group"] not in (asked.age_group, "mixed"):
        found.append((f"the age group, {arm['age_group']}", asked.age_group))
    return found


def _names(arms: pd.DataFrame) -> list[str]:
    return [f"{row.trial_id}/{row.arm_id}" for row in arms.itertuples()]


def _arms_of(asked: Asked, name: str) -> str:
    """Arms that were given the drug: those of the same tumour type, the same study first."""
    table = load_efficacy()
    rows = table[table["drug"] == asked.drug]
    kinds = [project_name(row.tumour_type, row.biomarker_selection) for row in rows.itertuples()]
    same = rows["trial_id"] == name.partition("/")[0]
    alike = [*_names(rows[same]), *_names(rows[~same & pd.Series(kinds, rows.index).isin(asked.tumour_types)])]
    shown = f"{', '.join(alike[:SHOWN])}; " if alike else ""
    return f"{shown}`trialsim evidence --where drug={asked.drug}` lists them all; null: none"
