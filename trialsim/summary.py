"""The headline numbers of a simulated study: endpoints with intervals, exposure, pathway, toxicity, flow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from trialsim.endpoints import interval_censored, pharmacodynamics, proportions, survival
from trialsim.endpoints.estimate import Estimate
from trialsim.endpoints.toxicity import GRADES
from trialsim.evidence import published_exposure
from trialsim.schema.study import StudyConfig
from trialsim.units import DAYS_PER_MONTH

SCHEMA_VERSION = 1  # of summary.json
PAKT_RISE = 1.2  # fold above which pAKT counts as up (Tabernero 2008 reports 50 % of treated tumours up, threshold not given)


def _entry(found: Estimate, unit: str, scale: float = 1.0) -> dict[str, Any]:
    number = lambda value: None if value is None or not np.isfinite(value) else float(value) * scale
    return {
        "estimate": number(found.estimate), "low": number(found.low), "high": number(found.high), "n": int(found.n),
        "unit": unit, "method": found.method,
    }  # fmt: skip


def endpoints(patients: pd.DataFrame, unit: str) -> dict[str, dict[str, Any]]:
    """Every endpoint of the simulated cohort with its 95 % interval; null where not reached.

    Args:
        patients: table of those that were integrated. unit: of the dose.
    """
    share = lambda column: _entry(proportions.share(patients[column].to_numpy(bool)), "fraction")
    found = {"orr": share("responder"), "dcr": share("disease_control"), "clinical_benefit_rate": share("clinical_benefit")}
    per_month = 1.0 / DAYS_PER_MONTH
    for name, landmark in (("pfs", 6), ("os", 12)):
        time, event = patients[f"{name}_days"].to_numpy(float), patients[f"{name}_event"].to_numpy(bool)
        curve = survival.kaplan_meier(time, event)
        found[f"median_{name}_months"] = _entry(survival.quantile(curve), "months", per_month)
        found[f"{name}_{landmark}_months"] = _entry(survival.survival_at(curve, landmark * DAYS_PER_MONTH), "fraction")
    found |= _between_scans(patients)
    stopped = (patients["off_treatment_reason"] != "ongoing").to_numpy()
    found["median_time_on_treatment_months"] = _entry(
        survival.median(patients["days_on_treatment"].to_numpy(float), stopped), "months", per_month
    )
    found["median_relative_dose_intensity"] = _entry(_median(patients["relative_dose_intensity"]), "fraction")
    for level, group in patients.groupby("dose_level"):
        judged = group[group["dlt_evaluable"]]
        rate = proportions.share(judged["dlt"].to_numpy(bool))
        found[f"dlt_rate_{level:g}{unit}"] = _entry(rate, "fraction of evaluable")
    return found


def _between_scans(patients: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Median progression-free survival where progression lies between two scans, and how late a scan finds it."""
    low, high = patients["progression_after_days"].to_numpy(float), patients["progression_by_days"].to_numpy(float)
    curve = interval_censored.turnbull(low, high)
    smooth = interval_censored.weibull(low, high)
    return {
        "median_pfs_turnbull_months": _entry(interval_censored.median(curve), "months", 1.0 / DAYS_PER_MONTH),
        "median_pfs_weibull_months": _entry(smooth.median, "months", 1.0 / DAYS_PER_MONTH),
        "progression_delay_weeks": _entry(interval_censored.detection_delay(curve, low, high), "weeks", 1.0 / 7.0),
    }


def _median(values: pd.Series) -> Estimate:
    """Median with the distribution-free interval of order statistics."""
    x = np.sort(values.dropna().to_numpy(float))
    if len(x) == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, "order statistics")
    low, high = int(binom.ppf(0.025, len(x), 0.5)), int(binom.ppf(0.975, len(x), 0.5))
    return Estimate(float(np.median(x)), x[max(low - 1, 0)], x[min(high, len(x) - 1)], len(x), "order statistics")


def _quantiles(values: pd.Series) -> dict[str, float | None]:
    x = values.dropna().to_numpy(float)
    names = ("p05", "p25", "median", "p75", "p95")
    if len(x) == 0:
        return dict.fromkeys(names)
    return {name: float(q) for name, q in zip(names, np.quantile(x, (0.05, 0.25, 0.5, 0.75, 0.95)), strict=True)}


def exposure(patients: pd.DataFrame, config: StudyConfig) -> dict[str, Any]:
    """Whole-blood exposure on day 15 by dose level, with what was published for this drug, dose unit and schedule."""
    columns = ("cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml")
    return {
        "day": 15,
        "patients": "at full dose, none held or missed in the week before",
        "published": published_exposure(config.drug.name, config.regimen.unit, config.regimen.schedule),
        "by_dose_level": {
            f"{level:g}": {column: _quantiles(group[column]) for column in columns}
            for level, group in patients.groupby("dose_level")
        },
    }


def pathway(patients: pd.DataFrame) -> dict[str, Any]:
    """Pathway read-outs on day 28 as folds of baseline, and the share of tumours with pAKT up."""
    columns = [column for column in patients.columns if column.endswith("_d28")]
    up = pharmacodynamics.responder_share(patients["pakt_tumour_d28"].to_numpy(float), PAKT_RISE)
    return {
        "day": 28,
        "fold_of_baseline": {column.removesuffix("_d28"): _quantiles(patients[column]) for column in columns},
        "share_pakt_up": _entry(up, "fraction"),
        "pakt_up_above_fold": PAKT_RISE,
    }


def partners(patients: pd.DataFrame, config: StudyConfig) -> dict[str, Any]:
    """Each partner drug: how it was prescribed, how much of it was taken, and its trough in plasma on day 28."""
    keys = ("dose", "unit", "doses_a_day", "schedule", "start_day", "stop_day", "days_on", "days_off")
    return {
        name: {key: getattr(partner.regimen, key) for key in keys}
        | {
            "median_relative_dose_intensity": _entry(_median(patients[f"relative_dose_intensity_{name}"]), "fraction"),
            "cmin_ng_ml": _quantiles(patients[f"cmin_ng_ml_{name}"]),
        }
        for name, partner in config.partner.items()
    }


def count_worst(adverse_events: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Patients by worst grade of each adverse event.

    Args:
        adverse_events: the table in pieces, columns patient_id, term, grade; no patient in two pieces.

    Returns:
        Number of patients, one row a term that occurred (in alphabetical order), one column a grade of `GRADES`.
    """
    counts = pd.DataFrame(columns=list(GRADES), dtype=int)
    for piece in adverse_events:
        worst = piece.groupby(["term", "patient_id"])["grade"].max()
        found = worst.astype(int).groupby("term").value_counts().unstack(fill_value=0)
        counts = counts.add(found.reindex(columns=list(GRADES), fill_value=0), fill_value=0)
    return counts.astype(int)


def toxicity(n: int, worst: pd.DataFrame, terms: list[str]) -> dict[str, Any]:
    """Share of ``n`` patients by worst grade of each adverse event; ``worst`` is from `count_worst`."""
    worst = worst.reindex(terms, fill_value=0)
    found = {}
    for term, counts in worst.iterrows():
        found[term] = {
            "any_grade": _entry(proportions.clopper_pearson(int(counts.sum()), n), "fraction"),
            "grade_3_4": _entry(proportions.clopper_pearson(int(counts[3] + counts[4]), n), "fraction"),
            "by_grade": {str(grade): int(counts[grade]) for grade in GRADES},
        }
    return found


def flow(patients: pd.DataFrame, screened: int) -> dict[str, Any]:
    """Numbers of a CONSORT-like diagram."""
    return {
        "screened": int(screened),
        "enrolled": len(patients),
        "treated": len(patients),
        "evaluable_response": int((patients["best_response"] != "NE").sum()),
        "evaluable_dlt": int(patients["dlt_evaluable"].sum()),
        "off_treatment": {str(k): int(v) for k, v in patients["off_treatment_reason"].value_counts().items()},
        "failed_integration": int((~patients["integration_ok"]).sum()),
        "virtual_studies": int(patients["replicate"].nunique()),
    }


def maximum_tolerated_dose(mtd: np.ndarray | None, levels: tuple[float, ...]) -> dict[str, Any] | None:
    """How often each level was found to be the MTD over the virtual studies.

    Args:
        mtd: by study; 0: even the lowest level was too toxic, NaN: the patients ran out before a decision. levels: dose levels.
    """
    if mtd is None:
        return None
    counts = {f"{level:g}": int(np.sum(mtd == level)) for level in levels}
    return {"studies": len(mtd), "counts": counts, "none": int(np.sum(mtd == 0)), "undecided": int(np.sum(np.isnan(mtd)))}
