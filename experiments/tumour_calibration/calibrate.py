"""Simulated against published phase II-III results of single tumour types, for the shipped parameters.

Run from the repository root: python experiments/tumour_calibration/calibrate.py [patients an arm]
Writes result.csv beside itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim import compose, simulate
from trialsim.summary import endpoints

HERE = Path(__file__).parent
NO_DRUG_MG = 1e-6
NAMES = {"median_pfs": "median_pfs_months", "median_os": "median_os_months", "dcr": "dcr"}


def arm(tumour_type: str, dose_mg: float, weeks: int, patients: int):
    """Simulated endpoints of one arm."""
    config = compose(overrides={"cohort.size": patients, "compute.solver_check_patients": 0, "endpoint.scan_interval_weeks": weeks})
    config = config.model_copy(
        update={
            "cohort": config.cohort.model_copy(update={"mix": {tumour_type: 1.0}}),
            "regimen": config.regimen.model_copy(update={"dose": dose_mg or NO_DRUG_MG}),
        }
    )
    study = simulate(config)
    return endpoints(study.patients, config)


def main(patients: int = 600) -> pd.DataFrame:
    targets = pd.read_csv(HERE / "targets.csv")
    rows = []
    for (kind, dose, weeks), group in targets.groupby(["tumour_type", "dose_mg", "scan_interval_weeks"], sort=False):
        found = arm(kind, dose, int(weeks), patients)
        for target in group.itertuples():
            e = found[NAMES[target.endpoint]]
            rows.append(target._asdict() | {"simulated": e["estimate"], "low": e["low"], "high": e["high"]})
    result = pd.DataFrame(rows).drop(columns="Index")
    result["ratio"] = (result["simulated"].astype(float) / result["published"]).round(2)
    result[["simulated", "low", "high"]] = result[["simulated", "low", "high"]].astype(float).round(3)
    return result


if __name__ == "__main__":
    result = main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
    result.to_csv(HERE / "result.csv", index=False)
    print(result.drop(columns="source").to_string(index=False))
    print(f"geometric mean error: x{np.exp(np.mean(np.abs(np.log(result['ratio'].replace(0, np.nan).dropna())))):.2f}")
