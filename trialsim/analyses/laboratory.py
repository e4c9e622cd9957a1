"""The mechanism beside the published laboratory facts, one parameter set for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialsim import console
from trialsim.analyses.findings import Findings
from trialsim.analyses.steps import Steps
from trialsim.endpoints import proportions
from trialsim.evidence.laboratory import LaboratoryFact, load_laboratory
from trialsim.laboratory import IN_DISHES, IN_PATIENTS, MISSES, Bench, Clinic
from trialsim.schema.analysis.laboratory import LaboratorySettings

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

COLUMNS = ("fact_id", "topic", "claim", "system", "treatment", "quantity", "published", "source", "seen", "low", "high", "basis")


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    facts: one row a fact: `COLUMNS` of evidence/data/laboratory.csv, model (its value), holds, and why (for a fact that does not
    hold). topics: topic, facts, held.
    """
    settings = config.analysis
    assert isinstance(settings, LaboratorySettings)
    bench, clinic = Bench(config, settings.dish_drug), Clinic(config)
    with console.step("growing cells", config.compute.progress):
        bench.prepare(IN_DISHES.values())
    asked: dict[str, Callable[[], Mapping[str, pd.DataFrame]]] = {}
    every = load_laboratory()
    for topic in dict.fromkeys(fact.topic for fact in every):
        asked[f"topic_{topic.replace(' ', '_')}"] = partial(_measured, [f for f in every if f.topic == topic], bench, clinic)
    found = steps.each("asking the laboratory", asked)
    facts = pd.concat([tables["facts"] for tables in found.values()], ignore_index=True)
    topics = facts.groupby("topic", sort=False)["holds"].agg(facts="size", held="sum").reset_index()
    two_sided = facts[facts["low"].notna() & facts["high"].notna()]
    results: dict[str, Any] = {
        "facts_held": _share(facts["holds"], "share of all facts within the band stated beforehand; exact 95 % interval"),
        "two_sided_held": _share(two_sided["holds"], "share of the facts with a band on both sides; exact 95 % interval"),
        "not_measured": sorted({fact.fact_id for fact in every} - set(facts["fact_id"])),
    }
    unexplained = facts.loc[~facts["holds"] & (facts["why"] == ""), "fact_id"].tolist()
    faults = (f"no explanation for {', '.join(unexplained)}",) if unexplained else ()
    return Findings({"facts": facts, "topics": topics}, results, faults)


def _share(holds: pd.Series, method: str) -> dict[str, Any]:
    found = proportions.share(holds.to_numpy(bool))
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "n": found.n, "unit": "proportion", "method": method}


def _measured(facts: list[LaboratoryFact], bench: Bench, clinic: Clinic) -> dict[str, pd.DataFrame]:
    rows = []
    for fact in facts:
        if fact.fact_id in IN_DISHES:
            value = float(IN_DISHES[fact.fact_id](bench))
        elif fact.fact_id in IN_PATIENTS:
            value = float(IN_PATIENTS[fact.fact_id](clinic))
        else:
            continue
        holds = fact.holds(value)
        why = "" if holds else MISSES.get(fact.fact_id, "")
        rows.append({name: getattr(fact, name) for name in COLUMNS} | {"model": value, "holds": holds, "why": why})
    return {"facts": pd.DataFrame(rows, columns=[*COLUMNS, "model", "holds", "why"]).astype({"low": float, "high": float})}
