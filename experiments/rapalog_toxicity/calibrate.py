"""Adverse events of the rapalogs at their usual regimens, simulated against the shares that they were calibrated to.

Run from the repository root: python experiments/rapalog_toxicity/calibrate.py [patients a drug]
Writes result.csv beside itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from trialsim import compose, simulate

HERE = Path(__file__).parent


def shares(drug: str, patients: int) -> pd.DataFrame:
    """Share of patients by term, of other patients (seed 2) than the search had: columns simulated_any, simulated_3_4."""
    settings = {"seed": 2, "cohort.size": patients, "compute.solver_check_patients": 0, "compute.progress": "off"}
    study = simulate(compose(f"{drug}_adult", settings))
    worst = study.adverse_events.groupby(["term", "patient_id"])["grade"].max()
    by_term = worst.groupby("term")
    return pd.DataFrame(
        {"simulated_any": by_term.size() / patients, "simulated_3_4": by_term.apply(lambda grade: (grade >= 3).sum()) / patients}
    )


def main(patients: int = 10000) -> pd.DataFrame:
    targets = pd.read_csv(HERE / "targets.csv")
    found = pd.concat({drug: shares(drug, patients) for drug in targets["drug"].unique()}, names=["drug", "term"])
    return targets.merge(found.round(3), how="left", on=["drug", "term"]).fillna({"simulated_any": 0.0, "simulated_3_4": 0.0})


if __name__ == "__main__":
    result = main(int(sys.argv[1]) if len(sys.argv) > 1 else 10000)
    result.to_csv(HERE / "result.csv", index=False)
    print(result.drop(columns="source").to_string(index=False))
    off = [(result[a] - result[b]).abs().max() for a, b in (("simulated_any", "any_grade"), ("simulated_3_4", "grade_3_4"))]
    print(f"largest difference: any grade {off[0]:.3f}, grade 3-4 {off[1]:.3f}")
