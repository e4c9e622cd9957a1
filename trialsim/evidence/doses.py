"""Whether a dose is above those that were ever studied, as far as the tables hold them."""

from __future__ import annotations

import pandas as pd

from trialsim.evidence.load import load_doses

PER_WEEK = {"weekly": 1.0, "alternate_day": 3.5, "five_days_a_week": 5.0, "daily": 7.0}  # administrations
ADULT_M2 = 1.8  # assumed: an adult of ordinary size, where doses by body surface were studied in children alone


def beyond_studied(drug: str, dose: float, unit: str, schedule: str, age_group: str) -> str | None:
    """What to tell of a dose higher than any that was given as often, or more often; None if there is nothing to tell.

    Args:
        drug, dose, unit, schedule: of one administration, as in ``regimen``. age_group: adult or paediatric.
    """
    table = load_doses()
    table = table[table["drug"] == drug]
    if table.empty or dose == 0:  # a drug of the user's own, or none
        return None
    asked = f"{dose:g} {unit} {_words(schedule)}"
    studied = table[(table["unit"] == unit) & (table["age_group"] == age_group)]
    if studied.empty and age_group == "adult" and unit == "mg/m2":
        studied, dose = table[(table["unit"] == "mg") & (table["age_group"] == "adult")], dose * ADULT_M2
        asked += f" (about {dose:g} mg in an adult of {ADULT_M2:g} m2)"
    elif studied.empty:
        studied = table[table["unit"] == unit]
    as_often = studied[studied["schedule"].map(PER_WEEK) >= PER_WEEK[schedule]]
    if as_often.empty:
        return f"{_head(drug, asked)} no study that gave it so often. {_listed(table if studied.empty else studied)} {EXTRAPOLATED}"
    highest = as_often.loc[as_often["dose"].idxmax()]
    if dose <= highest["dose"] * (1.0 + 1e-9):
        return None
    return f"{_head(drug, asked)} no dose so high. {_listed(as_often.loc[[highest.name]])} {EXTRAPOLATED}"


EXTRAPOLATED = "What is simulated there, harm above all, is extrapolated."


def _head(drug: str, asked: str) -> str:
    return f"{drug.capitalize()} {asked}: the evidence tables hold"


def _listed(rows: pd.DataFrame) -> str:
    each = [f"{row.dose:g} {row.unit} {_words(row.schedule)} ({row.citation}; {row.source_url})" for row in rows.itertuples()]
    return f"The highest studied: {', '.join(each)}."


def _words(schedule: str) -> str:
    return {"alternate_day": "every other day", "five_days_a_week": "five days a week"}.get(schedule, schedule)
