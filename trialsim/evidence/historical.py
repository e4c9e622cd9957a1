"""Counts of published single-agent arms that a new trial may borrow from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from trialsim.evidence.monotherapy import drugs_given_alone, monotherapy_counts
from trialsim.schema import ConfigError


def historical_counts(
    drug: str,
    tumour_types: Sequence[str] = (),
    age_group: Literal["adult", "paediatric", "any"] = "any",
    endpoint: Literal["response", "disease_control"] = "response",
) -> pd.DataFrame:
    """Arms given ``drug`` alone whose counts were seen.

    Args:
        tumour_types: project names; empty: all. endpoint: objective response, or disease control as the study defines it.

    Returns:
        Columns trial_id, arm, tumour_type, age_group, events (patients with the outcome), n (patients), source.

    Raises:
        ConfigError: no such drug, or no arm left.
    """
    if drug not in drugs_given_alone():
        raise ConfigError("design.history.drug", drug, f"a drug with single-agent arms: {', '.join(drugs_given_alone())}")
    arms = monotherapy_counts(drug)
    if tumour_types:
        known = sorted(set(arms["tumour_type"]))
        for name in tumour_types:
            if name not in known:
                raise ConfigError("design.history.tumour_types", name, f"with counts of {drug}: {', '.join(known)}")
        arms = arms[arms["tumour_type"].isin(list(tumour_types))]
    if age_group != "any":
        arms = arms[arms["age_group"] == age_group]
    arms = arms.rename(columns={"responders" if endpoint == "response" else "disease_control": "events"})
    arms = arms[arms["events"].notna()]
    if arms.empty:
        raise ConfigError("design.history", drug, "a selection of arms of which at least one has counts")
    return arms[["trial_id", "arm", "tumour_type", "age_group", "events", "n", "source"]].reset_index(drop=True)
