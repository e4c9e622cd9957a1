"""Published counts of single-agent arms by tumour type: what the hierarchical response model is fitted to."""

from __future__ import annotations

import pandas as pd

from trialsim.evidence import counts
from trialsim.evidence.load import load_efficacy
from trialsim.evidence.tumour_types import project_name
from trialsim.schema import ConfigError

COLUMNS = (
    "trial_id",
    "arm",
    "tumour_type",
    "age_group",
    "n",
    "responders",
    "disease_control",
    "denominator",
    "counts_from",
    "source",
)


def fitted_arms() -> pd.DataFrame:
    """Rows of the efficacy table that may inform a posterior; arms kept for validation are predicted only."""
    table = load_efficacy()
    return table[table["role"] == "fit"]


def drugs_given_alone() -> tuple[str, ...]:
    """Drugs with an arm of their own among those that may be fitted."""
    table = fitted_arms()
    return tuple(sorted(set(table.loc[table["partner_drugs"] == "", "drug"])))


def monotherapy_counts(drug: str = "everolimus", recovered: bool = False) -> pd.DataFrame:
    """Responders and disease control of every arm given ``drug`` alone, where counts or a rate with its denominator were seen.

    Arms kept for validation are left out, and so are arms judged by another yardstick than RECIST (tumour volume). Disease
    control is absent (NA) where the paper's counts do not give it for the same denominator.

    Args:
        drug: name as in the efficacy table.
        recovered: also take counts recovered from a rate and its exact interval (the denominator itself was not seen).

    Returns:
        Columns trial_id, arm, tumour_type (project name), age_group (adult | paediatric | mixed), n (patients, Int64),
        responders (Int64), disease_control (Int64 or NA), denominator (evaluable | assessable | enrolled | recovered),
        counts_from (counts | percent | interval), source (citation and address).
    """
    table = fitted_arms()
    arms = table[(table["drug"] == drug) & (table["partner_drugs"] == "")]
    if arms.empty:
        raise ConfigError("drug", drug, f"a drug with single-agent arms: {', '.join(drugs_given_alone())}")
    rows = []
    for _, row in arms.iterrows():
        criteria = row["response_criteria"].lower()
        if "volume" in criteria and "recist" not in criteria:
            continue
        response = counts.response(row)
        if response is None or (response.how == "interval" and not recovered):
            continue
        control = counts.disease_control(row)
        controlled = control.events if control is not None and control.n == response.n else pd.NA
        rows.append(
            {
                "trial_id": row["trial_id"], "arm": row["arm_id"],
                "tumour_type": project_name(row["tumour_type"], row["biomarker_selection"]), "age_group": row["age_group"],
                "n": response.n, "responders": response.events, "disease_control": controlled,
                "denominator": response.denominator, "counts_from": response.how,
                "source": f"{row['short_citation']}; {row['source_url']}",
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"n": "Int64", "responders": "Int64", "disease_control": "Int64"})
