"""Published facts of the laboratory, looked for in an experiment."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, get_args

import numpy as np
import pandas as pd

from trialsim.assays.metrics import mean_interval
from trialsim.evidence.laboratory import LaboratoryFact, load_laboratory
from trialsim.schema.analysis.assay import VEHICLE, AssaySettings, Band, Curve, Expectation, Place, Stain
from trialsim.schema.base import ConfigError
from trialsim.schema.faults import near


def sought_facts(settings: AssaySettings, lines: Container[str]) -> tuple[list[LaboratoryFact], dict[str, str]]:
    """The published facts that this experiment can show, and why it cannot show the others that were asked for.

    Raises:
        ConfigError: an unknown fact; told before any cell is grown.
    """
    known, shown, not_shown = {fact.fact_id: fact for fact in load_laboratory()}, [], {}
    for name, sought in settings.expected.items():
        if name not in known:
            raise ConfigError(f"analysis.expected.{name}", name, f"a fact_id of the laboratory facts{near(name, known)}")
        why = settings.unmeasured(sought, lines)
        if why:
            not_shown[name] = why
        else:
            shown.append(known[name])
    return shown, not_shown


def measured(
    fact: LaboratoryFact, sought: Expectation, tables: Mapping[str, pd.DataFrame], settings: AssaySettings
) -> dict[str, Any]:
    """What this experiment found of a published fact: estimate with 95 % interval (low_95, high_95) and n, beside its band."""
    found = [_values(sought, place, tables, settings) for place in (sought.at, sought.over) if place is not None]
    values = found[0] if sought.over is None else found[0] / found[1]
    if sought.measure in get_args(Curve):
        estimate, low, high = values if sought.over is None else (values[0], np.nan, np.nan)
    elif sought.measure == "net_growth":  # can be negative
        estimate, low, high = mean_interval(values)
    else:
        estimate, low, high = np.exp(mean_interval(np.log(values)))
    return {
        "fact_id": fact.fact_id, "claim": fact.claim, "measure": sought.measure, "hours": sought.hours, **_named(sought.at, ""),
        **_named(sought.over, "over_"), "estimate": estimate, "low_95": low, "high_95": high, "n": settings.replicates,
        "inside": bool(fact.holds(estimate)), "low": fact.low, "high": fact.high, "quantity": fact.quantity,
        "published": fact.published, "source": fact.source, "seen": fact.seen,
    }  # fmt: skip


def _named(place: Place | None, prefix: str) -> dict[str, Any]:
    return {f"{prefix}{name}": place and getattr(place, name) for name in Place.model_fields}


def _values(sought: Expectation, place: Place, tables: Mapping[str, pd.DataFrame], settings: AssaySettings) -> np.ndarray:
    """The replicates at a place; of a curve its estimate and limits."""

    def at(table: pd.DataFrame) -> pd.DataFrame:
        dose = 0.0 if place.dose_nM is None else place.dose_nM
        here = (table["line"] == place.line) & (table["treatment"] == place.treatment) & (table["dose_nM"] == dose)
        return table[here]

    measure = sought.measure
    if measure in get_args(Curve):
        fits = tables["fits"]
        row = fits[(fits["line"] == place.line) & (fits["treatment"] == place.treatment)].iloc[0]
        name = measure if measure in ("Emax", "GRmax") else f"{measure}_nM"
        return row[[name, f"{name}_low", f"{name}_high"]].to_numpy(float)
    if measure in get_args(Band):
        blot = at(tables["blots"])
        hours = settings.blot.shown_h if sought.hours is None else sought.hours
        shown = blot[(blot["band"] == measure) & (blot["hours"] == hours)]
        return shown.sort_values("replicate")["basal" if place.treatment == VEHICLE else "fold"].to_numpy()
    if measure in get_args(Stain):
        stained = at(tables["stains"])
        return stained[stained["stain"] == measure].sort_values("replicate")["fold"].to_numpy()
    wells = at(tables["wells"])
    value = wells["viability"] if measure == "viability" else np.log2(1.0 + wells["GR"])
    return value.groupby(wells["replicate"]).mean().to_numpy()
