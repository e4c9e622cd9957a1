"""A synthetic finished trial (see tests/report) with doses, and with the summary that its tables have."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim import summary
from trialsim.conduct.dosing_records import Taken, doses_table

SPEC = importlib.util.spec_from_file_location("synthetic_run", Path(__file__).parents[1] / "report" / "synthetic_run.py")
synthetic = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(synthetic)

WHOLE_DAYS = {
    "patients": ("enrolment_day", "days_on_treatment", "pfs_days", "os_days"),
    "visits": ("day",),
    "pharmacodynamics": ("day",),
    "adverse_events": ("start_day", "end_day"),
}
COUNT = 150
FAILED = [7, 61]  # patients whose course could not be computed


def write_trial(folder):
    synthetic.write_run(folder, COUNT)
    rng = np.random.default_rng(5)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in WHOLE_DAYS}
    for name, columns in WHOLE_DAYS.items():
        tables[name] = tables[name].assign(**{column: np.floor(tables[name][column]) for column in columns})
    patients = tables["patients"]
    patients.loc[FAILED, "integration_ok"] = False
    progressed = patients["pfs_event"]  # between two scans eight weeks apart
    patients["progression_after_days"] = np.where(progressed, np.maximum(patients["pfs_days"] - 56, 0), patients["pfs_days"])
    patients["progression_by_days"] = np.where(progressed, patients["pfs_days"], np.inf)
    patients["response_day"] = np.where(patients["responder"], np.minimum(56, patients["pfs_days"]), np.inf)
    events = tables["adverse_events"]  # a second, milder episode of each patient's first term, and one that goes on
    again = events.drop_duplicates("patient_id").assign(grade=1, start_day=lambda e: e["end_day"] + 5, end_day=np.nan)
    tables["adverse_events"] = pd.concat([events, again]).sort_values("patient_id", kind="stable", ignore_index=True)
    mg = np.where(rng.random((COUNT, 730)) < 0.95, 10.0, 0.0)
    mg[::9, 40:47] = 0.0
    mg[::9, 47:] /= 2
    tables["doses"] = doses_table([Taken("everolimus", mg, 1)], patients["days_on_treatment"].to_numpy(), patients["patient_id"])
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    kept = patients[patients["integration_ok"]]
    of_kept = tables["adverse_events"][tables["adverse_events"]["patient_id"].isin(kept["patient_id"])]
    found = json.loads((folder / "summary.json").read_text()) | {
        "endpoints": summary.endpoints(kept, "mg"),
        "toxicity": summary.toxicity(len(kept), summary.count_worst([of_kept]), synthetic.TERMS),
    }
    (folder / "summary.json").write_text(json.dumps(found))
    (folder / "status.json").write_text(json.dumps({"complete": True, "state": "complete"}))
    return folder
