"""Ways to give the same two drugs over time, in the same patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.combinations import ranking
from trialsim.combinations.cohort import hazard_ratio, restricted_means, times_of
from trialsim.endpoints import survival

QUANTILES = {"low_50": 0.25, "median": 0.5, "high_50": 0.75}


def compare(by_schedule: dict[str, pd.DataFrame], reference: str, partner: str, horizon: float, weight: np.ndarray) -> pd.DataFrame:
    """One row a schedule a measure: schedule, measure, n, estimate, low, high.

    Measures: responder, disease_control, severe (a grade 3 or 4 event), dlt, stopped (for toxicity): shares of patients;
    best_change (mean best change of the sum of diameters as read, percent); median_pfs and mean_pfs (restricted to the horizon),
    months; hazard_ratio of progression or death over the reference; intensity_rapalog, intensity_partner: mean relative dose
    intensity of who was to take the drug while on treatment. Intervals: bootstrap over patients; of the median Brookmeyer-Crowley.
    """
    against, rows = times_of(by_schedule[reference]), []
    for name, table in by_schedule.items():
        times = times_of(table)
        evaluable = table["dlt_evaluable"].to_numpy(bool)
        values = {measure: table[measure].to_numpy(float) for measure in ("responder", "disease_control", "severe")}
        values["dlt"] = np.where(evaluable, table["dlt"].to_numpy(float), np.nan)
        values["stopped"] = (table["off_treatment_reason"] == "toxicity").to_numpy(float)
        values["best_change"] = table["best_sld_change_percent"].to_numpy(float)
        values["intensity_rapalog"] = table["relative_dose_intensity"].to_numpy(float)
        values["intensity_partner"] = table.get(f"intensity_{partner}", pd.Series(np.nan, table.index)).to_numpy(float)
        of = {measure: ranking.mean_of(value, weight) for measure, value in values.items()}
        median = survival.median(*times)
        of["median_pfs"] = {"n": len(table), "estimate": median.estimate, "low": median.low, "high": median.high}
        low, high = ranking.interval(restricted_means(times, horizon, weight))
        everyone = np.ones((1, len(table)))
        mean = float(restricted_means(times, horizon, everyone)[0])
        of["mean_pfs"] = {"n": len(table), "estimate": mean, "low": float(low), "high": float(high)}
        one = {"n": len(table), "estimate": 1.0, "low": 1.0, "high": 1.0}
        of["hazard_ratio"] = one if name == reference else hazard_ratio(times, against, weight)
        rows += [{"schedule": name, "measure": measure} | row for measure, row in of.items()]
    return pd.DataFrame(rows)


def courses(by_schedule: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Change of the true sum of target diameters, as a share of baseline, over all patients, on treatment or not any more:
    schedule,
    week, n, `QUANTILES`."""
    rows = []
    for name, table in by_schedule.items():
        weeks = [column for column in table if column.startswith("week_")]
        rows.append({"schedule": name, "week": 0, "n": len(table)} | dict.fromkeys(QUANTILES, 0.0))
        for column in weeks:
            found = np.quantile(table[column].to_numpy(float) - 1.0, list(QUANTILES.values()))
            week = int(column.removeprefix("week_"))
            rows.append({"schedule": name, "week": week, "n": len(table), **dict(zip(QUANTILES, found, strict=True))})
    return pd.DataFrame(rows)
