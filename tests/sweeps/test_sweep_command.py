"""`trialsim -m`: what a sweep records, how it is resumed, and that one failing job hides no other."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stand_in

import trialsim
from trialsim import cli
from trialsim.artefacts.claim import lock
from trialsim.sweeps import record

SMALL = ("cohort.size=40",)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep, seed=1,2, that is finished; to be copied."""
    place = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        assert prepared(patch, place)("seed=1,2", "hydra.sweep.dir=x") == 0
    return place / "x"


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    return prepared(monkeypatch, tmp_path)


def prepared(patch: pytest.MonkeyPatch, place: Path) -> Callable[..., int]:
    """Runs ``trialsim -m`` in a folder, with the stand-in study."""
    study = stand_in.module()
    patch.setitem(sys.modules, "trialsim.study", study)
    patch.setattr(trialsim, "study", study, raising=False)
    patch.chdir(place)

    def run(*words: str) -> int:
        patch.setattr(sys, "argv", ["trialsim", "-m", *SMALL, *words])
        return cli.main()

    return run


def told(folder: str | Path = "x") -> list[tuple[str, str]]:
    return [(job["state"], job["cause"]) for job in json.loads((Path(folder) / "sweep.json").read_text())["jobs"]]


def results(folder: Path) -> dict[str, bytes]:
    """Content of every result of a sweep; posteriors, which hold the time of their writing, are no part of it."""
    kinds = ("*/*.parquet", "*/summary.json", "*/tables/*.csv", "*/figures/*.json")
    files = sorted(file for kind in kinds for file in folder.glob(kind) if file.name != "provenance.csv")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


# ---- what is recorded


def test_the_sweep_says_what_it_is_before_its_first_job(sweep, monkeypatch) -> None:
    seen = []
    before = stand_in.patients
    monkeypatch.setattr(stand_in, "patients", lambda config: (seen.append(told()), before(config))[1])
    assert sweep("regimen.dose=5,20", "seed=1,2", "hydra.sweep.dir=x") == 0
    assert [state for state, _ in seen[0]] == ["not started"] * 4
    found = json.loads(Path("x/sweep.json").read_text())
    assert found["swept"] == ["regimen.dose", "seed"]
    assert [job["values"] for job in found["jobs"]] == [{"regimen.dose": d, "seed": s} for d in (5, 20) for s in (1, 2)]
    assert found["jobs"][1]["overrides"] == ["cohort.size=40", "regimen.dose=5", "seed=2"]
    for job in found["jobs"]:
        status = json.loads((Path("x") / job["folder"] / "status.json").read_text())
        assert (job["state"], job["config_sha256"]) == ("complete", status["config_sha256"])


def test_all_runs_of_a_sweep_are_in_one_folder_whose_name_holds_the_time(sweep) -> None:
    assert sweep("experiment=everolimus_adult,sirolimus_adult") == 0
    (folder,) = Path("outputs/everolimus_adult").iterdir()
    assert [state for state, _ in told(folder)] == ["complete"] * 2
    assert {file.name for file in folder.iterdir() if file.is_dir()} >= {"0", "1"}


# ---- failures


def test_failed_jobs_are_listed_and_run_again(sweep, monkeypatch, capsys) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "1,3")
    assert sweep("seed=1,2,3", "hydra.sweep.dir=x") == 1
    text = capsys.readouterr().err
    last = text[text.rindex("trialsim: job 0") :].splitlines()
    assert last[:2] == [f"trialsim: job {n} (seed={n + 1}) failed: RuntimeError: the machine is on fire" for n in (0, 2)]
    assert "hydra.sweep.dir=" in last[2] and "resume=true" in last[2]
    assert [state for state, _ in told()] == ["failed", "complete", "failed"]
    before = {file: file.stat().st_mtime_ns for file in Path("x").glob("1/*")}
    monkeypatch.delenv("STAND_IN_FAILS")
    assert sweep("seed=1,2,3", "hydra.sweep.dir=x", "resume=true") == 0
    assert told() == [("complete", "")] * 3
    assert before == {file: file.stat().st_mtime_ns for file in Path("x").glob("1/*")}
    assert not Path("x/failures").exists()


@pytest.mark.slow
def test_a_job_whose_folder_cannot_be_written_fails_alone(sweep, monkeypatch, capsys) -> None:
    def spoil(config):
        if config.seed == 1:  # after the check, the folder of the second becomes unusable
            Path("x/1/run.log").mkdir()
        return before(config)

    before = stand_in.patients
    monkeypatch.setattr(stand_in, "patients", spoil)
    assert sweep("seed=1,2,3", "hydra.sweep.dir=x") == 1
    assert [state for state, _ in told()] == ["complete", "failed", "complete"]
    assert "job 1 (seed=2) failed" in capsys.readouterr().err


@pytest.mark.slow
def test_a_covariates_file_that_changes_after_the_check_fails_its_job_alone(sweep, monkeypatch) -> None:
    text = "age_y,sex,weight_kg,height_cm,tumour_type\n" + "60,F,70,165,colorectal\n" * 40
    for name in ("a", "b"):
        Path(f"{name}.csv").write_text(text)

    def spoil(config):
        if config.cohort.covariates_file.endswith("a.csv"):
            Path("b.csv").unlink()
        return before(config)

    before = stand_in.patients
    monkeypatch.setattr(stand_in, "patients", spoil)
    assert sweep("cohort.covariates_file=a.csv,b.csv", "hydra.sweep.dir=x") == 1
    assert [state for state, _ in told()] == ["complete", "failed"]
    assert "b.csv" in told()[1][1]


# ---- whose folder it is


def test_a_sweep_of_other_jobs_is_refused_and_said(sweep, finished, capsys) -> None:
    shutil.copytree(finished, "x")
    before = results(Path("x"))
    for words, expected in (
        (("seed=1,3",), "job 1 has seed=2, now asked: seed=3"),
        (("seed=1,2,3",), "job 2 (cohort.size=40 seed=3) is not in it"),
        (("seed=1",), "job 1 (cohort.size=40 seed=2) is not asked for now"),
        (("seed=1,2", "regimen.dose=5"), "job 0 has no override of its own, now asked: regimen.dose=5"),
    ):
        assert sweep(*words, "hydra.sweep.dir=x", "resume=true") == 2
        assert expected in capsys.readouterr().err
    assert sweep("seed=1,2", "hydra.sweep.dir=x") == 2
    assert "2 of 2 runs complete; resume=true goes on with it" in capsys.readouterr().err
    assert before == results(Path("x"))


def test_a_sweep_and_a_run_do_not_share_a_folder(sweep, finished, monkeypatch, capsys) -> None:
    shutil.copytree(finished, "x")
    monkeypatch.setattr(sys, "argv", ["trialsim", "hydra.run.dir=x"])
    assert cli.main() == 2
    monkeypatch.setattr(sys, "argv", ["trialsim", "hydra.run.dir=y"])
    assert cli.main() == 0
    assert sweep("seed=1,2", "hydra.sweep.dir=y") == 2
    assert "this one holds a single run" in capsys.readouterr().err


def test_a_second_sweep_in_the_same_folder_at_the_same_time_is_refused(sweep, capsys) -> None:
    Path("x").mkdir()
    handle = lock(Path("x"))
    try:
        assert sweep("seed=1,2", "hydra.sweep.dir=x", "resume=true") == 2
        assert "no other sweep is in progress" in capsys.readouterr().err
        assert list(Path("x").iterdir()) == []
    finally:
        os.close(handle)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"jobs": [{}]}', '{"jobs": 3, "swept": [], "version": "", "started": ""}'])
def test_a_record_that_is_none_is_told(content: str, sweep, capsys) -> None:
    Path("x").mkdir()
    Path("x/sweep.json").write_text(content)
    assert sweep("seed=1,2", "hydra.sweep.dir=x", "resume=true") == 2
    assert "the record of a sweep; this file is none" in capsys.readouterr().err


def test_a_record_cannot_lead_out_of_its_folder(sweep, finished, capsys) -> None:
    shutil.copytree(finished, "x")
    file = Path("x/sweep.json")
    file.write_text(file.read_text().replace('"folder": "1"', '"folder": "../elsewhere"'))
    assert sweep("seed=1,2", "hydra.sweep.dir=x", "resume=true") == 2
    assert "jobs within the folder of the sweep" in capsys.readouterr().err


# ---- interrupted, as processes


def start(place: Path, *words: str, **settings: object) -> subprocess.Popen[str]:
    environment = stand_in.environment(place, **settings)
    command = stand_in.command("-m", *SMALL, *words)
    return subprocess.Popen(command, cwd=place, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)  # fmt: skip


def finish(place: Path, *words: str, **settings: object) -> tuple[int, str]:
    with start(place, *words, **settings) as process:
        _, text = process.communicate(timeout=300)
    return process.returncode, text


def until(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def complete(folder: Path) -> int:
    return sum(json.loads(file.read_text()).get("complete", False) for file in folder.glob("*/status.json"))


def launchers() -> list[Any]:
    """Jobs and launcher: Hydra's own, and joblib where the extra `parallel` is installed."""
    there = importlib.util.find_spec("hydra_plugins") and importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher")
    words = ("seed=1,2,3,4", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    return [pytest.param(("seed=1,2",), id="basic"), *([pytest.param(words, id="joblib", marks=pytest.mark.slow)] if there else [])]


@pytest.mark.slow
@pytest.mark.parametrize("words", launchers())
def test_a_killed_sweep_resumes_to_the_same_results(words: tuple[str, ...], tmp_path: Path) -> None:
    assert finish(tmp_path, *words, "hydra.sweep.dir=whole")[0] == 0
    with start(tmp_path, *words, "hydra.sweep.dir=broken", seconds=0.5) as process:
        until(lambda: complete(tmp_path / "broken") >= 1)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    look = lambda: [job.state for job in record.read(tmp_path / "broken").jobs]
    until(lambda: "running" not in look(), 60)  # a worker of joblib takes a moment to see that its master is gone
    states = look()
    assert "complete" in states and set(states) <= {"complete", "interrupted", "not started"} and len(set(states)) > 1
    assert finish(tmp_path, *words, "hydra.sweep.dir=broken", "resume=true")[0] == 0
    assert results(tmp_path / "broken") == results(tmp_path / "whole")
    assert len(results(tmp_path / "whole")) == 2 * len(states)


@pytest.mark.parametrize("words", launchers())
def test_an_interrupt_ends_with_130_and_the_command_that_goes_on(words: tuple[str, ...], tmp_path: Path) -> None:
    with start(tmp_path, *words, "hydra.sweep.dir=x", seconds=1) as process:
        until(lambda: complete(tmp_path / "x") >= 1)
        os.killpg(process.pid, signal.SIGINT)
        _, text = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert f"trialsim: to go on: trialsim -m cohort.size=40 {words[0]}" in text and "resume=true" in text
    states = [state for state, _ in told(tmp_path / "x")]
    assert "complete" in states and set(states) <= {"complete", "interrupted", "not started"} and states[-1] != "complete"


@pytest.mark.slow
@pytest.mark.parametrize("words", launchers())
def test_with_every_launcher_the_others_complete(words: tuple[str, ...], tmp_path: Path) -> None:
    code, text = finish(tmp_path, *words, "hydra.sweep.dir=x", fails="2")
    assert code == 1
    assert "job 1 (seed=2) failed: RuntimeError: the machine is on fire" in text and "Traceback" not in text
    states = [state for state, _ in told(tmp_path / "x")]
    assert states == ["complete", "failed", *["complete"] * (len(states) - 2)]


@pytest.mark.slow
def test_of_two_sweeps_started_together_in_one_folder_one_is_refused(tmp_path: Path) -> None:
    words = ("seed=1,2,3", "hydra.sweep.dir=x", "resume=true")
    with start(tmp_path, *words, seconds=2) as first, start(tmp_path, *words, seconds=2) as second:
        texts = [process.communicate(timeout=120)[1] for process in (first, second)]
    codes = [first.returncode, second.returncode]
    assert sorted(codes) == [0, 2]
    assert "in progress" in texts[codes.index(2)]
    assert [state for state, _ in told(tmp_path / "x")] == ["complete"] * 3


def test_the_time_of_a_run_leaves_out_those_that_compiled() -> None:
    """The first ends at 20 s, then one every 5 s, or two at a time; of too few runs, all that is known."""
    assert record._seconds_a_run(0.0, [20.0, 25.0]) == 12.5
    assert record._seconds_a_run(0.0, [20.0, 25.0, 30.0, 35.0]) == 5.0
    assert record._seconds_a_run(0.0, [20.0, 20.0, 25.0, 25.0]) == 2.5
    assert record._seconds_a_run(0.0, [20.0] * 4) == 5.0
