"""What a trial in marker-positive patients only would take, against one in all comers, with both arms of every patient known.

A marker makes a trial smaller in two ways: because the drug does more in the patients kept (predictive enrichment) or because they
have events sooner (prognostic enrichment; FDA, Enrichment Strategies for Clinical Trials, guidance 2019). It costs the patients
screened in vain and the benefit of those left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.biomarkers import twins
from trialsim.biomarkers.effects import drug_effect
from trialsim.biomarkers.markers import BASELINE, Marker, positive
from trialsim.designs.biomarker import size as design
from trialsim.endpoints import proportions, survival
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.analysis.biomarkers import BiomarkerSettings

ALL = "all_comers"
FEWEST = 20  # patients a rule must keep: assumed


class Rule(NamedTuple):
    """Whom to enrol.

    Attributes:
        name, label: unique name, and in words. marker: its marker, None: all comers. kept: share kept where it is a level.
    """

    name: str
    label: str
    marker: Marker | None = None
    kept: float = 1.0


def rules(thresholds: tuple[float, ...]) -> list[Rule]:
    """All comers, every flag, every level at every threshold."""
    found = [Rule(ALL, "All comers")]
    for marker in BASELINE:
        if marker.kind == "flag":
            found.append(Rule(marker.name, marker.label, marker))
        else:
            found += [
                Rule(f"{marker.name}_top{100 * kept:g}", f"{marker.label}, upper {100 * kept:g} %", marker, kept)
                for kept in thresholds
            ]
    return found


def enrichment(
    pairs: pd.DataFrame, markers: pd.DataFrame, weight: np.ndarray, stratum: np.ndarray | None, settings: BiomarkerSettings
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """One row a rule that keeps at least `FEWEST` patients and can be judged.

    Args:
        pairs: as from `twins.pair`. markers: as measured, rows of ``pairs``. weight: from `effects.resamples`.

    Returns:
        Table: rule, label, marker, kept, n_kept, eligible (share of those screened who are randomised), screen_failure,
        assay_failure, prevalence (of those measured), hr, event_share, events, randomised, screened, cost, cost_ratio (to all
        comers), each with ``_low``, ``_high``: 95 % over resamples; cheaper (share of resamples in which it costs less than all
        comers), best (in which it costs least); orr, median_pfs_treated, median_pfs_control (months), progression_free_treated,
        progression_free_control (at the horizon), each with limits; benefit_missed: share of the patients with a true benefit who
        would not be enrolled. And the cost by rule, (resamples,).
    """
    benefits = twins.benefit(pairs, settings.benefit_days) == 1.0
    rows, costs = [], {}
    for rule in rules(settings.thresholds):
        judged = _sizes(rule, pairs, markers, weight, stratum, settings)
        if judged is None:
            continue
        kept, sizes = judged
        costs[rule.name] = sizes["cost"]
        row: dict[str, Any] = {
            "rule": rule.name,
            "label": rule.label,
            "marker": rule.marker.name if rule.marker else "",
            "kept": rule.kept,
        }
        for name, value in sizes.items():
            row |= _limits(name, value)
        rows.append(
            row
            | _seen(pairs[kept], settings.horizon_days)
            | {"n_kept": int(kept.sum()), "benefit_missed": _share(benefits & ~kept, benefits)}
        )
    if not rows:
        return pd.DataFrame(), {}
    table, cost = pd.DataFrame(rows), np.array([costs[row["rule"]] for row in rows])
    reference = cost[0]
    with np.errstate(invalid="ignore"):
        ratios = [_limits("cost_ratio", one / reference) for one in cost]
    resampled = cost[:, 1:]
    least = np.where(np.isfinite(resampled).any(axis=0), resampled.argmin(axis=0), -1)
    table = table.join(pd.DataFrame(ratios))
    table["cheaper"] = (resampled < resampled[0]).mean(axis=1)
    table["best"] = [(least == i).mean() for i in range(len(table))]
    return table, costs


def _sizes(
    rule: Rule,
    pairs: pd.DataFrame,
    markers: pd.DataFrame,
    weight: np.ndarray,
    stratum: np.ndarray | None,
    settings: BiomarkerSettings,
) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
    """Whom the rule keeps (bool), and what the trial takes in every resample."""
    if rule.marker is None:
        measured = kept = np.ones(len(pairs), bool)
    else:
        told = positive(markers[rule.marker.name], rule.marker, rule.kept)
        measured, kept = np.isfinite(told), told == 1.0
        if kept.all() or kept.sum() < FEWEST:
            return None
    log_hr = drug_effect(pairs, kept, weight, stratum)
    if np.isnan(log_hr[0]):
        return None
    happened = sum(pairs.loc[kept, f"pfs_event_{arm}"].to_numpy(float) for arm in twins.ARMS) / 2.0
    count = lambda rows: weight[:, rows].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        event_share = weight[:, kept] @ happened / count(kept)
        eligible = count(kept) / weight.sum(axis=1)
    found = design.size(log_hr, event_share, eligible, settings.alpha, settings.power)
    screens = settings.screening_cost if rule.marker and rule.marker.assay else 0.0  # what is in the notes costs nothing to look up
    return kept, {
        "hr": np.exp(log_hr),
        "prevalence": eligible * weight.sum(axis=1) / np.maximum(count(measured), 1),
        "assay_failure": 1.0 - count(measured) / weight.sum(axis=1),
        "eligible": eligible,
        "screen_failure": 1.0 - eligible,
        "event_share": event_share,
        "events": found.events,
        "randomised": found.randomised,
        "screened": found.screened,
        "cost": found.randomised + (screens * found.screened if screens else 0.0),
    }


def _limits(name: str, value: np.ndarray) -> dict[str, float]:
    """The estimate, and 95 % of the resamples; a value that is infinite in some is taken as it is."""
    drawn = value[1:][~np.isnan(value[1:])]
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf") if len(drawn) else (np.nan, np.nan)
    return {name: float(value[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _seen(kept: pd.DataFrame, horizon: float) -> dict[str, float]:
    """Response, median PFS (months) and freedom from progression on day ``horizon`` among those kept, 95 % intervals."""
    orr = proportions.share(kept["responder_treated"].to_numpy(bool))
    found = {"orr": float(orr.estimate), "orr_low": float(orr.low), "orr_high": float(orr.high)}
    for arm in twins.ARMS:
        curve = survival.kaplan_meier(kept[f"pfs_days_{arm}"].to_numpy(float), kept[f"pfs_event_{arm}"].to_numpy(bool))
        told = {
            "median_pfs": (survival.quantile(curve), DAYS_PER_MONTH),
            "progression_free": (survival.survival_at(curve, horizon), 1.0),
        }
        for name, (value, per) in told.items():
            limits = zip(("", "_low", "_high"), (value.estimate, value.low, value.high), strict=True)
            found |= {f"{name}_{arm}{end}": float(limit) / per for end, limit in limits}
    return found


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else np.nan


def recommend(table: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """The rule to follow: the cheapest, if the resamples agree that it costs less than all comers.

    Returns:
        rule, label: of the cheapest rule, or of all comers; enrich: whether to; candidate: the cheapest rule; cheaper, best,
        cost_ratio (``_low``, ``_high``): of the candidate.
    """
    if table.empty:
        return {"rule": None, "label": None, "enrich": False, "candidate": None}
    # where no trial is possible in all comers every cost is infinite there; the first of equals is all comers
    cheapest = table.loc[table["cost"].idxmin()] if np.isfinite(table["cost"]).any() else table.iloc[0]
    enrich = bool(cheapest["rule"] != ALL and cheapest["cheaper"] >= confidence)
    chosen = cheapest if enrich else table.iloc[0]
    told = {name: float(cheapest[name]) for name in ("cheaper", "best", "cost_ratio", "cost_ratio_low", "cost_ratio_high")}
    return {"rule": chosen["rule"], "label": chosen["label"], "enrich": enrich, "candidate": cheapest["rule"]} | told
