"""ADSL: one row a subject, and the variables that every other data set takes from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.artefacts.tables import ID
from trialsim.exchange.source import Source

CORE = ("replicate", "dose_level", "integration_ok")
COLUMNS = (
    "age_y", "sex", "weight_kg", "height_cm", "bsa_m2", "haematocrit", "hepatic_function", "cyp3a4_comedication", "abcb1_ttt",
    "line", "ecog", "tumour_type", "pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor", "n_target_lesions",
    "start_dose_mg", "enrolment_day", "follow_up_days", "days_on_treatment", "off_treatment_reason", "best_response", "os_days",
    "os_event", "dlt", "dlt_evaluable", "relative_dose_intensity", "n_holds", "n_reductions",
)  # fmt: skip
OPTIONAL = ("phase",)
FLAGS = {
    "DLTEVLFL": "dlt_evaluable", "DLTFL": "dlt", "ABCB1FL": "abcb1_ttt", "PIK3CAFL": "pik3ca", "PTENMFL": "pten_mutation",
    "PTENLFL": "pten_loss", "AKT1FL": "akt1", "TSCFL": "tsc", "KRASFL": "kras", "MTORFL": "mtor", "DTHFL": "os_event",
}  # fmt: skip
SAME = {
    "REPLIC": "replicate", "SEX": "sex", "DOSE01P": "dose_level", "DOSEMG": "start_dose_mg", "ENRLDAY": "enrolment_day",
    "TUMTYPE": "tumour_type", "LINE": "line", "ECOGBL": "ecog", "HEIGHTBL": "height_cm", "WEIGHTBL": "weight_kg", "BSABL": "bsa_m2",
    "HCTBL": "haematocrit", "NTLBL": "n_target_lesions", "TRTDURD": "days_on_treatment", "RDI": "relative_dose_intensity",
    "NHOLD": "n_holds", "NREDUC": "n_reductions",
}  # fmt: skip
# why treatment ended, in the terms of CDISC code list NCOMPLT
REASONS = {
    "ongoing": "", "completed": "", "progression": "PROGRESSIVE DISEASE", "toxicity": "ADVERSE EVENT", "death": "DEATH",
    "withdrawal": "WITHDRAWAL BY SUBJECT",
}  # fmt: skip
LIVER = {"normal": "NORMAL", "child_pugh_a": "CHILD-PUGH A", "child_pugh_b": "CHILD-PUGH B", "child_pugh_c": "CHILD-PUGH C"}


def flag(values: Any) -> np.ndarray:
    """Y or N."""
    return np.where(np.asarray(values, bool), "Y", "N").astype(object)


def named(values: Any, names: dict[str, str]) -> np.ndarray:
    """Each value by its name; a value without one stays, and is told when it is no controlled term."""
    return np.array([names.get(value, value) for value in values], dtype=object)


def core(source: Source, patients: pd.DataFrame) -> dict[str, np.ndarray]:
    """Identifiers, treatment and population flag of each patient."""
    ids = zip(patients["replicate"], patients[ID], strict=True)
    treatment = {level: source.treatment(level) for level in patients["dose_level"].unique()}
    return {
        "STUDYID": np.full(len(patients), source.study, dtype=object),
        "USUBJID": np.array([f"{source.study}-{replicate:04d}-{patient:07d}" for replicate, patient in ids], dtype=object),
        "TRTA": named(patients["dose_level"], treatment),
        "SAFFL": flag(patients["integration_ok"]),
    }


def adsl(source: Source, p: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """The subjects."""
    common = core(source, p)
    reason = p["off_treatment_reason"].to_numpy()
    last = p["os_days"].to_numpy(float) + 1
    dead = p["os_event"].to_numpy(bool)
    left = dead | (p["os_days"] < p["follow_up_days"]).to_numpy()
    age = p["age_y"].to_numpy(float)
    rank = 1 + np.searchsorted(source.levels, p["dose_level"])
    arms = dict.fromkeys(("ARM", "ACTARM", "TRT01P", "TRT01A"), common["TRTA"])
    columns = {name: p[column].to_numpy() for name, column in SAME.items()} | arms
    columns |= {name: flag(p[column]) for name, column in FLAGS.items()}
    columns |= {
        "SUBJID": np.array([f"{patient:07d}" for patient in p[ID]], dtype=object),
        "AGE": np.floor(age),
        "AGEU": np.full(len(p), "YEARS", dtype=object),
        "AGEGR1": np.select([age < 18, age < 65], ["<18", "18-64"], ">=65").astype(object),
        "TRT01PN": rank,
        "TRT01AN": rank,
        "DOSE01U": np.full(len(p), source.unit, dtype=object),
        "PHASE": p["phase"].to_numpy() if "phase" in p else np.full(len(p), "", dtype=object),
        "ITTFL": common["SAFFL"],
        "RSEVALFL": flag(p["best_response"] != "NE"),
        "TUMDESC": named(p["tumour_type"], source.tumour_labels),
        "HEPFUNC": named(p["hepatic_function"], LIVER),
        "CYP3ACM": p["cyp3a4_comedication"].str.upper().to_numpy(),
        "BMIBL": (p["weight_kg"] / (p["height_cm"] / 100) ** 2).to_numpy(),
        "TRTSDY": np.ones(len(p)),
        "TRTEDY": np.ceil(np.maximum(p["days_on_treatment"].to_numpy(float), 1)),
        "EOTSTT": np.select([reason == "ongoing", reason == "completed"], ["ONGOING", "COMPLETED"], "DISCONTINUED").astype(object),
        "DCTREAS": named(reason, REASONS),
        "EOSSTT": np.where(left, "DISCONTINUED", "ONGOING").astype(object),
        "DCSREAS": np.select([dead, left], ["DEATH", "WITHDRAWAL BY SUBJECT"], "").astype(object),
        "DTHDY": np.where(dead, last, np.nan),
        "LSTALVDY": last,
    }
    return columns, np.arange(len(p))
