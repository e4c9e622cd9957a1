"""The published arms that a prediction leans on: those that share a tumour type or a partner drug with the study."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pandas as pd

from trialsim.evidence.likeness import GENES, MIXED, RAPALOGS, Asked, drugs_in
from trialsim.evidence.load import load_biomarkers, load_efficacy
from trialsim.evidence.tumour_types import project_name

PART = re.compile(r"part of the arm (\w+)")  # in the notes of an arm
ALSO = {"PIK3CA": ("PIK3CA", "PI3K pathway")}  # how findings name a gene, beside its own name
TOLD = ("orr_percent", "dcr_percent", "median_pfs_months", "pfs_hr", "trust", "source_url")


def related(asked: Asked, studies: Collection[str]) -> pd.DataFrame:
    """Arms of these studies that share a tumour type or a partner drug with a study, the most alike first.

    Args:
        asked: the study. studies: trial_id of those that count.

    Returns:
        study, arm, shares (what, in words), drug, partners, tumour_type, line, n, and `TOLD`.
    """
    table = load_efficacy()
    rows = []
    for row in table[table["trial_id"].isin(studies)].itertuples():
        kind = project_name(row.tumour_type, row.biomarker_selection)
        given = drugs_in(row.drug) + drugs_in(row.partner_drugs)
        shares = ["tumour type"] if _is_of(kind, row.age_group, asked) else []
        shares += [name for name in asked.partners if _is_among(name, row)]
        if shares and asked.drug in given:
            shares.append(asked.drug)
        if not shares:
            continue
        found = {"study": row.trial_id, "arm": row.arm_id, "shares": ", ".join(shares), "drug": row.drug}
        found |= {"partners": row.partner_drugs, "tumour_type": row.tumour_type, "line": row.line, "n": row.n_enrolled}
        rows.append((-len(shares), found | {name: getattr(row, name) for name in TOLD}))
    columns = ["study", "arm", "shares", "drug", "partners", "tumour_type", "line", "n", *TOLD]
    return pd.DataFrame([found for _, found in sorted(rows, key=lambda row: row[0])], columns=columns)


def beside_a_rapalog(partner: str, studies: Collection[str]) -> list[str]:
    """What was published of this drug beside a rapalog by studies other than these, an arm each, in words: response and what is
    noted of toxicity."""
    table = load_efficacy()
    told = []
    for row in table[table["drug"].isin(RAPALOGS) & ~table["trial_id"].isin(studies)].itertuples():
        if not _is_among(partner, row) or pd.isna(row.orr_percent):
            continue
        n = row.n_enrolled if pd.isna(row.n_evaluable_response) else row.n_evaluable_response
        inside = PART.search(row.notes)
        of = f" of {n}" + (f", who are part of {row.trial_id}/{inside[1]}" if inside else "")
        harm = f"; {row.dlt_or_grade34_notes}" if row.dlt_or_grade34_notes else ""
        given = f"{row.drug.capitalize()} with {partner} in {row.tumour_type}"
        told.append(f"{given}: response {row.orr_percent:g} %{of}{harm} ({row.trial_id}).")
    return told


def by_alteration(drug: str, genes: Collection[str]) -> pd.DataFrame:
    """What was published of patients with and without alterations who were given a rapalog.

    Args:
        genes: columns of the cohort.

    Returns:
        marker, status, study, drug, n, finding, notes, source_url; missing: not published.
    """
    table = load_biomarkers().drop(columns="marker")
    once = table["statistic"].where(table["statistic"] != "", table["status"])  # one finding may have a row for each measure
    table = table.assign(once=once).drop_duplicates(["trial_id", "gene_or_marker", "once"], keep="last")
    asked = {word for gene in genes for word in ALSO.get(GENES[gene], (GENES[gene],))}
    names = [any(word in row.gene_or_marker for word in asked) and drug in row.drug for row in table.itertuples()]
    columns = {"gene_or_marker": "marker", "trial_id": "study"}
    found = table[names].rename(columns=columns)
    patients = found["n_patients"].fillna(found["n_total"]).astype(float)
    found = found.assign(n=patients, finding=[_finding(row) for row in found.itertuples()])
    return found[["marker", "status", "study", "drug", "n", "finding", "notes", "source_url"]].reset_index(drop=True)


def _finding(row: Any) -> str:
    """Counts, and what was published in words."""
    of = f" of {row.n_patients}" if pd.notna(row.n_patients) else ""
    counts = [f"{count}{of} {what}" for count, what in
              ((row.n_response, "responded"), (row.n_benefit, row.benefit_definition)) if pd.notna(count)]  # fmt: skip
    return "; ".join([*counts, *filter(None, [row.statistic])])


def _is_of(kind: str, age_group: str, asked: Asked) -> bool:
    """Whether an arm in this tumour type has patients like the study's; of solid tumours of any kind, at these ages."""
    mixed = kind == MIXED and len(asked.tumour_types) > 1 and age_group in (asked.age_group, "mixed")
    return kind in asked.tumour_types or mixed


def _is_among(partner: str, row: Any) -> bool:
    """Whether a partner drug is one of those of an arm, however it is spelt: mk2206 is MK-2206."""
    bare = lambda text: re.sub("[^a-z0-9]", "", text.lower())
    return any(bare(partner) in bare(text) for text in (row.drug, row.partner_drugs))


def apart(asked: Asked, studies: Collection[str]) -> list[str]:
    """What no single arm of these studies had together, in words; a prediction of it puts together what several tell apart."""
    table = load_efficacy()
    table = table[table["trial_id"].isin(studies)]
    like = [_is_of(project_name(row.tumour_type, row.biomarker_selection), row.age_group, asked) for row in table.itertuples()]
    every = table[like]
    table = every[every["age_group"] == asked.age_group]
    of_adults = " of adults" if len(table) < len(every) else ""
    where = "in these tumours" + (" of children" if asked.age_group == "paediatric" else of_adults)
    arms = [row for row in table.itertuples() if asked.drug in drugs_in(row.drug) + drugs_in(row.partner_drugs)]
    found = [] if arms else [f"{asked.drug} {where}"]
    found += [f"{asked.drug} with {name} {where}" for name in asked.partners
              if arms and not any(_is_among(name, row) for row in arms)]  # fmt: skip
    words = dict.fromkeys(GENES[gene] for gene in asked.selection)
    return found + [f"patients chosen by {word} {where}" for word in words
                    if not table["biomarker_selection"].str.contains(word).any()]  # fmt: skip
