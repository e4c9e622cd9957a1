"""Published whole-blood exposure at steady state, to set beside the simulated one. Not fitted."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.evidence.load import load_exposure


def published_exposure(drug: str, unit: str, schedule: str) -> dict[str, list[dict[str, Any]]]:
    """What was published for a drug in a dose unit and schedule.

    Returns:
        measure -> list of published, published_low, published_high (None if not given), dose_level, source.
    """
    table = load_exposure()
    chosen = table[(table["drug"] == drug) & (table["unit"] == unit) & (table["schedule"] == schedule)]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in chosen.to_dict("records"):
        numbers = {key: None if pd.isna(row[key]) else float(row[key]) for key in ("published", "published_low", "published_high")}
        source = f"{row['citation']} ({row['statistic']}); {row['source_url']}"
        found.setdefault(row["measure"], []).append(numbers | {"dose_level": row["dose_level"], "source": source})
    return found
