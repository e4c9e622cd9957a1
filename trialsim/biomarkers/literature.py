"""Published findings by marker, and what a virtual study of the published size and tumour types would find. Nothing is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.biomarkers.effects import drug_effect
from trialsim.biomarkers.markers import any_of
from trialsim.endpoints import survival
from trialsim.endpoints.hazards import log_hazard_ratio
from trialsim.evidence import load_biomarkers
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

DRAWS = 300  # virtual studies
FEWEST = 20  # simulated patients of the published tumour types, and 5 with the marker, below which nothing is told: assumed
WITHOUT = "_without"  # of a measure in the patients without the marker


def compare(config: StudyConfig, pairs: pd.DataFrame, read: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row a published finding whose marker is simulated.

    Args:
        pairs: as from `twins.pair`. read: genes, pten_loss and ps6_tumour_basal as measured, rows of ``pairs``.

    Returns:
        trial_id, finding, setting, measure, published, published_low, published_high (a bound alone: a one-sided claim), simulated,
        low_90, high_90 (virtual studies of the published size), n_simulated, verdict (inside | outside | other treatment |
        other tumours: a finding in mixed tumours, one type simulated | too few), source.
    """
    table = load_biomarkers()
    rows, rng = [], np.random.default_rng(seed)
    for row in table[table["measure"] != ""].to_dict("records"):
        here = np.ones(len(pairs), bool)
        if row["tumour_types"]:
            here = pairs["tumour_type"].isin(row["tumour_types"].split()).to_numpy()
        flag = _flag(read, row["marker"].split())
        found = _virtual(pairs, here, flag, row, rng)
        alone = "+" not in row["drug"] and row["drug"].split()[0] == config.drug.name and not config.partner
        mixed = row["tumour_types"] != "" or pairs["tumour_type"].nunique() > 1
        rows.append(
            {
                "trial_id": row["trial_id"], "finding": f"{row['gene_or_marker']}, {row['status']}",
                "setting": f"{row['drug']}; {row['tumour_types'].replace(' ', ', ') or 'any tumour type'}",
                "measure": row["measure"], "published": row["published"], "published_low": row["published_low"],
                "published_high": row["published_high"], **found,
                "n_simulated": int((here & np.isfinite(flag)).sum()), "verdict": _verdict(row, found, alone, mixed),
                "source": row["source_url"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _flag(read: pd.DataFrame, names: list[str]) -> np.ndarray:
    """1 in patients with any of the named alterations (``ps6_high``: above the median), NaN where not known."""
    ps6 = read["ps6_tumour_basal"]
    known = read.assign(ps6_high=np.where(ps6.isna(), np.nan, ps6 > ps6.median()))
    return any_of(known[names].astype(float))


def _virtual(
    pairs: pd.DataFrame, here: np.ndarray, flag: np.ndarray, row: dict[str, Any], rng: np.random.Generator
) -> dict[str, float]:
    """The measure in all patients of the setting, and 90 % of virtual studies."""
    nothing = dict.fromkeys(("simulated", "low_90", "high_90"), np.nan)
    measure, wanted = row["measure"], 0.0 if row["measure"].endswith(WITHOUT) else 1.0
    among = here & np.isfinite(flag)
    if among.sum() < FEWEST or (among & (flag == 1.0)).sum() < 5:
        return nothing
    compares = measure in ("pfs_hr", "os_hr", "dcr_ratio")
    rows = np.flatnonzero(among if compares else among & (flag == wanted))
    size = row["n_total"] if compares else row["n_patients"]
    if not len(rows) or pd.isna(size):
        return nothing
    drawn = rng.multinomial(int(size), np.full(len(rows), 1.0 / len(rows)), size=DRAWS)
    weight = np.concatenate([np.ones((1, len(rows)), int), drawn])
    value = _measured(measure.removesuffix(WITHOUT), pairs.iloc[rows], flag[rows] == 1.0, weight)
    told = value[1:][np.isfinite(value[1:])]
    limits = np.quantile(told, (0.05, 0.95)) if len(told) > DRAWS / 2 else (np.nan, np.nan)
    return {"simulated": float(value[0]), "low_90": float(limits[0]), "high_90": float(limits[1])}


def _measured(measure: str, some: pd.DataFrame, marked: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """One measure in each resample, (resamples,)."""
    of = lambda name: some[f"{name}_treated"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure in ("orr", "dcr"):
            return weight @ of("responder" if measure == "orr" else "disease_control") / weight.sum(axis=1)
        if measure == "dcr_ratio":
            share = lambda side: (weight[:, side] @ of("disease_control")[side]) / weight[:, side].sum(axis=1)
            return share(marked) / share(~marked)
    if measure == "median_pfs_months":
        time, event = of("pfs_days") / DAYS_PER_MONTH, of("pfs_event") > 0
        again = (np.repeat(np.arange(len(some)), times) for times in weight)
        return np.array([survival.median(time[i], event[i]).estimate for i in again])
    if measure == "drug_hr":
        return np.exp(drug_effect(some, np.ones(len(some), bool), weight, None))
    name = measure.removesuffix("_hr")  # pfs or os, with the marker against without, on the drug
    return np.exp(log_hazard_ratio(of(f"{name}_days"), of(f"{name}_event") > 0, marked, weight))


def _verdict(row: dict[str, Any], found: dict[str, float], alone: bool, mixed: bool) -> str:
    if np.isnan(found["low_90"]):
        return "too few"
    if not alone:
        return "other treatment"
    if not mixed:
        return "other tumours"
    low, high = (row["published"],) * 2
    if np.isnan(row["published"]):
        low, high = np.nan_to_num(row["published_low"], nan=-np.inf), np.nan_to_num(row["published_high"], nan=np.inf)
    return "inside" if low <= found["high_90"] and high >= found["low_90"] else "outside"
