"""A study that takes no time, in place of the real one: a patient has the same chances at all doses.

In a process of its own it is put in place by ``environment``, and reads from there how long a run takes and which seeds fail.
"""

from __future__ import annotations

import os
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trialsim.artefacts import RunFolder
from trialsim.schema.study import StudyConfig

ROOT = Path(__file__).parents[2]
CUSTOMISE = """import importlib.abc, importlib.util, signal, sys
# a shell that starts the tests in the background has them ignore Ctrl-C, and their children with them
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "trialsim.study":
            return importlib.util.spec_from_file_location(name, {file!r})
sys.meta_path.insert(0, Finder())
"""


def run(config: StudyConfig, run_dir: Path, keep: dict[str, str] | None = None) -> dict[str, Any]:
    with RunFolder(run_dir, config) as folder:
        if folder.finished:
            return folder.read_json("summary.json")
        stage = folder.stage("simulate")
        if not stage.complete:
            with stage:
                time.sleep(float(os.environ.get("STAND_IN_SECONDS", 0)))
                if str(config.seed) in os.environ.get("STAND_IN_FAILS", "").split(","):
                    raise RuntimeError("the machine is on fire")
                folder.write_table("patients", patients(config))
        summary = summarise(config, folder.read_table("patients"))
        folder.write_json("summary.json", summary)
        folder.finish()
    return summary


def patients(config: StudyConfig) -> pd.DataFrame:
    """Response more likely, progression later with the dose; the chances of a patient are those of the seed."""
    size, dose = config.cohort.size, float(config.regimen.dose or 0)
    luck = np.random.default_rng(config.seed).random((3, size))
    responder = luck[0] < 0.1 + 0.02 * dose
    pfs = -np.log(luck[1]) * (60 + 10 * dose)
    scan = pfs // 56.0 * 56.0  # the last before progression
    return pd.DataFrame({
        "patient_id": np.arange(size), "age_y": 40.0 + 30.0 * luck[0], "integration_ok": True, "responder": responder,
        "clinical_benefit": responder, "disease_control": luck[0] < 0.5 + 0.02 * dose,
        "pfs_days": np.minimum(pfs, 365.0), "pfs_event": pfs < 365.0,
        "progression_after_days": np.minimum(scan, 364.0), "progression_by_days": np.where(pfs < 365.0, scan + 56.0, np.inf),
        "os_days": 365.0, "os_event": False, "days_on_treatment": np.minimum(pfs, 365.0), "off_treatment_reason": "progression",
        "relative_dose_intensity": 1.0, "dose_level": dose, "dlt_evaluable": True, "dlt": luck[2] < 0.02 * dose,
    })  # fmt: skip


def summarise(config: StudyConfig, table: pd.DataFrame) -> dict[str, Any]:
    from trialsim import summary

    found = {"study": config.study.name, "title": config.title, "seed": config.seed, "kind": config.analysis.kind}
    found |= {"n_patients": len(table), "n_failed": 0, "diagnostics": {"ok": True, "messages": []}}
    if config.analysis.kind == "trial":
        return found | {"endpoints": summary.endpoints(table, config.regimen.unit)}
    return found | {"results": {"ed50_ps6_tumour": {"estimate": 3.0, "low": 2.0, "high": 4.5, "n": 10, "unit": "mg"}}, "tables": []}


def module() -> types.ModuleType:
    made = types.ModuleType("trialsim.study")
    made.run = run  # type: ignore[attr-defined]
    return made


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """Environment of a process in which the study is this one; ``seconds`` a run takes, ``fails`` seeds."""
    (folder / "sitecustomize.py").write_text(CUSTOMISE.format(file=str(Path(__file__))))
    path = os.pathsep.join([str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path} | {f"STAND_IN_{name.upper()}": str(value) for name, value in settings.items()}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "trialsim", *words]
