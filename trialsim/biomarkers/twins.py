"""Every patient twice, on the drug and without it, with the same chances: the difference is the patient's own benefit, which no
trial can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim import simulation
from trialsim.conduct.basal import basal_levels
from trialsim.conduct.tables import Tables
from trialsim.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

COVARIATES = (
    "patient_id", "tumour_type", "line", "ecog", "pik3ca", "akt1", "mtor", "tsc", "kras", "pten_loss",
    "ps6_tumour_basal", "pakt_tumour_basal",
)  # fmt: skip
OUTCOMES = ("responder", "response_day", "disease_control", "clinical_benefit", "pfs_days", "pfs_event", "os_days", "os_event")
ON_TREATMENT = ("cmin_ng_ml", "ps6_tumour_fold", "pakt_tumour_fold", "ps6_pbmc_fold", "sld_change_first_scan")
ARMS = ("treated", "control")


def simulate_arm(config: StudyConfig, block: simulation.Block, arm: str, biopsy_week: int) -> dict[str, pd.DataFrame]:
    """One arm of a block of patients.

    Args:
        arm: ``treated``: the study's regimen; ``control``: the same without the rapalog, partner drugs and all else kept.

    Returns:
        Table ``patients``, one row a patient: `COVARIATES` (in the treated arm), baseline_sld_mm as read, `OUTCOMES`,
        `ON_TREATMENT`, integration_ok.
    """
    enrolled = simulation.enrol(config, block).patients
    if arm == "control":
        enrolled = enrolled.assign(dose_level=0.0, start_dose_mg=0.0)
    chunks = [_kept(tables, biopsy_week) for tables in simulation.simulate_patients(config, enrolled)]
    found = pd.concat(chunks, ignore_index=True)
    if arm == "treated":
        found = found.merge(basal_levels(config, enrolled), on="patient_id")
    first = [name for name in COVARIATES if name in found and (arm == "treated" or name == "patient_id")]
    return {"patients": found[[*first, "baseline_sld_mm", *OUTCOMES, *ON_TREATMENT, "integration_ok"]]}


def _kept(tables: Tables, biopsy_week: int) -> pd.DataFrame:
    patients = tables.patients.set_index("patient_id", drop=False)
    visits = tables.visits.set_index("patient_id")
    weekly = tables.pharmacodynamics[tables.pharmacodynamics["day"] == DAYS_PER_WEEK * biopsy_week - 1].set_index("patient_id")
    # a biopsy shows the drug's effect only in those who still take it
    weekly = weekly[weekly["on_treatment"]]
    responses = visits[visits["response"].isin(["CR", "PR"])]
    first_scan = visits[visits["visit"] == "scan_1"]
    return patients.assign(
        baseline_sld_mm=visits.loc[visits["visit"] == "baseline", "sld_mm"],
        response_day=responses["day"].groupby("patient_id").min().where(patients["responder"]),
        ps6_tumour_fold=weekly["ps6_tumour"],
        pakt_tumour_fold=weekly["pakt_tumour"],
        ps6_pbmc_fold=weekly["ps6_pbmc"],
        sld_change_first_scan=first_scan["sld_change_percent"],
    ).reset_index(drop=True)


def pair(treated: pd.DataFrame, control: pd.DataFrame) -> pd.DataFrame:
    """One row a patient: covariates, what was seen early on the drug, and each outcome twice, ``<outcome>_treated`` and
    ``<outcome>_control``. Patients with a failed integration in either arm are left out."""
    covariates = [name for name in (*COVARIATES, "baseline_sld_mm", *ON_TREATMENT) if name in treated]
    outcomes = [*OUTCOMES, "integration_ok"]
    left = treated[[*covariates, *outcomes]].rename(columns={name: f"{name}_treated" for name in outcomes})
    right = control[["patient_id", *outcomes]].rename(columns={name: f"{name}_control" for name in outcomes})
    both = left.merge(right, on="patient_id", validate="one_to_one")
    ok = both.pop("integration_ok_treated").to_numpy(bool) & both.pop("integration_ok_control").to_numpy(bool)
    return both[ok].reset_index(drop=True)


def gain(pairs: pd.DataFrame) -> np.ndarray:
    """PFS with the drug less PFS without it, days, both up to the day on which either twin was lost to view; (patients,).

    A patient leaves the study on the same day in both arms, unless death comes first, so that the window is the patient's own.
    """
    until = np.minimum(*(np.where(pairs[f"pfs_event_{arm}"], np.inf, pairs[f"pfs_days_{arm}"]) for arm in ARMS))
    seen = [np.minimum(pairs[f"pfs_days_{arm}"].to_numpy(float), until) for arm in ARMS]
    return seen[0] - seen[1]


def benefit(pairs: pd.DataFrame, days: float) -> np.ndarray:
    """1 if the drug delays progression or death by at least ``days``, 0 if not, NaN if a twin was lost to view before that could be
    told; (patients,)."""
    time, event = ({arm: pairs[f"pfs_{what}_{arm}"].to_numpy() for arm in ARMS} for what in ("days", "event"))
    latest = {arm: np.where(event[arm], time[arm], np.inf) for arm in ARMS}  # of the true time, where it was censored
    least, most = time["treated"] - latest["control"], latest["treated"] - time["control"]
    return np.where(least >= days, 1.0, np.where(most < days, 0.0, np.nan))
