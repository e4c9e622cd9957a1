"""A real sweep of twelve runs: killed half-way and resumed, and with one run made to fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import xarray as xr
from stand_in import ROOT, command
from test_sweep_command import complete, results, until

from trialsim.commands.doctor import SMALL

pytestmark = pytest.mark.slow

TWELVE = (*SMALL, "regimen.dose=5,10,20", "seed=1,2,3,4")


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command("-m", *TWELVE, *words), cwd=place, env=environment, text=True, start_new_session=True)


def finish(place: Path, *words: str) -> int:
    with start(place, *words) as process:
        return process.wait(timeout=3600)


def simulated(folder: Path) -> bool:
    """Whether a run is past its first stage, so that it has something to resume."""
    status = folder / "status.json"
    return status.exists() and bool(json.loads(status.read_text())["stages"])


def same_posterior(one: Path, other: Path) -> None:
    first, second = (xr.open_datatree(file, engine="h5netcdf") for file in (one, other))
    assert first.groups == second.groups
    for group in first.groups:
        xr.testing.assert_equal(first[group].to_dataset(), second[group].to_dataset())


def test_killed_half_way_it_ends_bit_identical_and_one_failure_hides_nothing(tmp_path: Path) -> None:
    assert finish(tmp_path, "hydra.sweep.dir=whole") == 0
    with start(tmp_path, "hydra.sweep.dir=broken") as process:
        until(lambda: complete(tmp_path / "broken") >= 6 and simulated(tmp_path / "broken" / "6"), 3600)
        os.killpg(process.pid, signal.SIGKILL)
    assert complete(tmp_path / "broken") < 12
    assert finish(tmp_path, "hydra.sweep.dir=broken", "resume=true") == 0
    whole = results(tmp_path / "whole")
    assert len(whole) > 12 * 5
    assert results(tmp_path / "broken") == whole
    for file in (tmp_path / "whole").glob("*/posterior*.nc"):
        same_posterior(file, tmp_path / "broken" / file.parent.name / file.name)

    with start(tmp_path, "hydra.sweep.dir=spoilt") as process:
        until(lambda: (tmp_path / "spoilt" / "sweep.json").exists(), 600)
        (tmp_path / "spoilt" / "7" / "run.log").mkdir(parents=True)  # job 7 cannot write its log
        assert process.wait(timeout=3600) == 1
    jobs = json.loads((tmp_path / "spoilt" / "sweep.json").read_text())["jobs"]
    assert [job["number"] for job in jobs if job["state"] != "complete"] == [7]
    assert jobs[7]["state"] == "failed" and "run.log" in jobs[7]["cause"]
    spoilt = results(tmp_path / "spoilt")
    assert spoilt == {name: content for name, content in whole.items() if not name.startswith("7/")}
