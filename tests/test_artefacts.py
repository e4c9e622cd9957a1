"""The run folder: whole files or none, nothing overwritten, resumed stage by stage."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import trialsim.artefacts.folder as folder_module
from trialsim.artefacts import RunFolder, config_sha256, load_run
from trialsim.artefacts.files import PARTIAL, atomic, plain
from trialsim.artefacts.status import read_status
from trialsim.cli import compose
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig

TABLE = pd.DataFrame({"patient_id": [0, 1], "sex": ["F", "M"], "pfs_days": [10.5, np.nan]})
TABLES = ("patients", "visits", "pharmacodynamics", "adverse_events", "doses")


@pytest.fixture(scope="module")
def config() -> StudyConfig:
    return compose(None, ["cohort.size=16"])


def resuming(config: StudyConfig) -> StudyConfig:
    return config.model_copy(update={"resume": True})


def finish_run(path: Path, config: StudyConfig) -> None:
    with RunFolder(path, config) as folder:
        with folder.stage("simulate"):
            for name in TABLES:
                folder.write_table(name, TABLE)
        with folder.stage("summary"):
            folder.write_json("summary.json", {"study": config.study.name, "endpoints": {}})
        folder.finish()


def status(path: Path) -> dict[str, Any]:
    return json.loads((path / "status.json").read_text())


# ---- files


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(RuntimeError), atomic(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with atomic(target) as partial:
        partial.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_rewrite_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"


def test_json_holds_numpy_and_turns_nan_into_null() -> None:
    value = {
        "a": np.float32(0.5),
        "b": np.array([1.0, np.nan]),
        "c": np.bool_(True),
        "d": np.int64(3),
        5: (float("inf"), None),
    }
    assert plain(value) == {"a": 0.5, "b": [1.0, None], "c": True, "d": 3, "5": [None, None]}


# ---- a run


def test_a_finished_run_reads_back(tmp_path: Path, config: StudyConfig) -> None:
    finish_run(tmp_path / "run", config)
    saved = load_run(tmp_path / "run")
    pd.testing.assert_frame_equal(saved.patients, TABLE)
    assert saved.summary["study"] == config.study.name
    assert saved.config == config.model_dump(mode="json")
    assert saved.provenance["seed"] == config.seed
    assert saved.provenance["config_sha256"] == config_sha256(config)
    assert {"numpy", "jax", "numpyro"} <= set(saved.provenance["packages"])
    assert status(tmp_path / "run")["complete"] is True
    assert not list((tmp_path / "run").rglob(f"{PARTIAL}*"))
    assert "pickle" not in {file.suffix for file in (tmp_path / "run").rglob("*")}


def test_the_saved_configuration_makes_the_same_run_again(tmp_path: Path, config: StudyConfig) -> None:
    from trialsim.schema.study import validate

    finish_run(tmp_path / "run", config)
    again = validate(yaml.safe_load((tmp_path / "run" / "config.yaml").read_text()))
    assert again == config
    assert config_sha256(again) == config_sha256(config)


def test_the_log_is_kept_with_the_run(tmp_path: Path, config: StudyConfig) -> None:
    before = list(logging.getLogger().handlers)
    with RunFolder(tmp_path / "run", config):
        logging.getLogger("trialsim.somewhere").info("a line of the run")
    logging.getLogger("trialsim.somewhere").info("a line after it")
    text = (tmp_path / "run" / "run.log").read_text()
    assert "a line of the run" in text
    assert "a line after it" not in text
    assert logging.getLogger().handlers == before


def test_a_finished_run_is_never_overwritten(tmp_path: Path, config: StudyConfig) -> None:
    finish_run(tmp_path / "run", config)
    before = {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()}
    with pytest.raises(ConfigError, match="finished run") as caught:
        RunFolder(tmp_path / "run", config)
    assert caught.value.key == "hydra.run.dir"
    assert before == {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()}


def test_an_unfinished_run_asks_for_resume(tmp_path: Path, config: StudyConfig) -> None:
    with RunFolder(tmp_path, config):
        pass
    with pytest.raises(ConfigError, match="resume=true"):
        RunFolder(tmp_path, config)


@pytest.mark.parametrize("name", ["report.html", "patients.parquet", "summary.json"])
def test_somebody_elses_file_is_not_overwritten(tmp_path: Path, config: StudyConfig, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=name):
        RunFolder(tmp_path, config)
    with pytest.raises(ConfigError, match=name):
        RunFolder(tmp_path, resuming(config))


def test_a_folder_with_other_files_is_fine(tmp_path: Path, config: StudyConfig) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    finish_run(tmp_path, config)
    assert (tmp_path / "notes.txt").read_text() == "mine"


# ---- resume


def test_resume_keeps_complete_stages_and_redoes_the_rest(tmp_path: Path, config: StudyConfig) -> None:
    with pytest.raises(RuntimeError), RunFolder(tmp_path, config) as folder:
        with folder.stage("simulate"):
            folder.write_table("patients", TABLE)
        with folder.stage("fit"):
            folder.write_text("fit.txt", "half a fit")
            raise RuntimeError("out of memory")
    assert status(tmp_path)["state"] == "failed"
    assert "out of memory" in status(tmp_path)["message"]
    assert "RuntimeError" in (tmp_path / "run.log").read_text()
    with RunFolder(tmp_path, resuming(config)) as folder:
        assert folder.stage("simulate").complete
        assert not folder.stage("fit").complete
        with folder.stage("fit"):
            folder.write_text("fit.txt", "a fit")
        folder.finish()
    assert status(tmp_path)["complete"] is True
    assert "message" not in status(tmp_path)


def test_resume_with_another_configuration_is_refused_and_says_what_differs(
    tmp_path: Path, config: StudyConfig
) -> None:
    with RunFolder(tmp_path, config):
        pass
    with pytest.raises(ConfigError, match="seed") as caught:
        RunFolder(tmp_path, resuming(config).model_copy(update={"seed": 99}))
    assert caught.value.key == "resume"


def test_resume_of_a_finished_run_has_nothing_to_do(tmp_path: Path, config: StudyConfig) -> None:
    finish_run(tmp_path, config)
    before = (tmp_path / "status.json").read_bytes()
    with RunFolder(tmp_path, resuming(config)) as folder:
        assert folder.finished
        assert folder.stage("simulate").complete
    assert (tmp_path / "status.json").read_bytes() == before


def test_resume_in_an_empty_folder_starts_from_the_beginning(tmp_path: Path, config: StudyConfig) -> None:
    with RunFolder(tmp_path / "new", resuming(config)) as folder:
        assert not folder.finished
        assert not folder.stage("simulate").complete


@pytest.mark.parametrize(("swept", "told"), [(False, "nothing to resume in"), (True, "this job of the sweep was not started")])
def test_what_was_never_started_is_told_apart(tmp_path: Path, config: StudyConfig, swept: bool, told: str) -> None:
    if swept:
        (tmp_path / "sweep.json").write_text("{}")
    with RunFolder(tmp_path / "3", resuming(config)):
        pass
    assert told in (tmp_path / "3" / "run.log").read_text()


@pytest.mark.parametrize("damage", ["delete", "change"])
def test_a_damaged_artefact_makes_its_stage_incomplete(tmp_path: Path, config: StudyConfig, damage: str) -> None:
    with RunFolder(tmp_path, config) as folder:
        with folder.stage("simulate"):
            folder.write_table("patients", TABLE)
    file = tmp_path / "patients.parquet"
    file.unlink() if damage == "delete" else file.write_bytes(b"rubbish")
    with RunFolder(tmp_path, resuming(config)) as folder:
        assert not folder.stage("simulate").complete


def test_files_of_other_code_count_when_adopted(tmp_path: Path, config: StudyConfig) -> None:
    with RunFolder(tmp_path, config) as folder, folder.stage("report"):
        (tmp_path / "report.html").write_text("<html>")
        folder.adopt("report.html")
    (tmp_path / "report.html").unlink()
    with RunFolder(tmp_path, resuming(config)) as folder:
        assert not folder.stage("report").complete


def test_redoing_a_stage_undoes_those_that_rest_on_it(tmp_path: Path, config: StudyConfig) -> None:
    with RunFolder(tmp_path, config) as folder:
        for name in ("simulate", "fit", "report"):
            with folder.stage(name):
                folder.write_text(f"{name}.txt", name)
        with folder.stage("fit"):
            folder.write_text("fit.txt", "again")
        assert folder.stage("simulate").complete
        assert folder.stage("fit").complete
        assert not folder.stage("report").complete


def test_the_hash_ignores_resume_and_nothing_else(config: StudyConfig) -> None:
    assert config_sha256(config) == config_sha256(resuming(config))
    assert config_sha256(config) != config_sha256(config.model_copy(update={"seed": 2}))


def test_a_changed_covariates_file_is_not_resumed(tmp_path: Path, config: StudyConfig) -> None:
    file = tmp_path / "covariates.csv"
    file.write_text("age_y\n50\n")
    cohort = config.cohort.model_copy(update={"covariates_file": str(file)})
    with_file = config.model_copy(update={"cohort": cohort})
    with RunFolder(tmp_path / "run", with_file):
        pass
    RunFolder(tmp_path / "run", resuming(with_file))
    file.write_text("age_y\n51\n")
    with pytest.raises(ConfigError, match="cohort.covariates_file"):
        RunFolder(tmp_path / "run", resuming(with_file))


@pytest.mark.parametrize(("late", "state"), [(False, "interrupted"), (True, "complete")])
def test_an_interrupt_while_a_run_is_marked_as_finished(
    late: bool, state: str, tmp_path: Path, config: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just before the mark reaches the disk, or just after: either way the folder is as a run leaves it."""
    write = folder_module.write_json

    def interrupted(path: Path, value: Any) -> None:
        last = path.name == "status.json" and value["complete"]
        if last and not late:
            raise KeyboardInterrupt
        write(path, value)
        if last:
            raise KeyboardInterrupt

    monkeypatch.setattr(folder_module, "write_json", interrupted)
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path / "run", config) as folder:
        folder.finish()
    found = read_status(tmp_path / "run")
    assert found is not None and (found["state"], found["complete"]) == (state, late)


def test_an_interrupt_leaves_a_folder_to_resume(tmp_path: Path, config: StudyConfig) -> None:
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path, config) as folder, folder.stage("simulate"):
        raise KeyboardInterrupt
    assert status(tmp_path)["state"] == "interrupted"
    assert status(tmp_path)["complete"] is False


# ---- two processes


def in_another_process(body: str, path: Path) -> subprocess.Popen[str]:
    code = f"""
import sys, time
from pathlib import Path
from trialsim.artefacts import RunFolder
from trialsim.cli import compose
config = compose(None, ["cohort.size=16", "resume=true"])
with RunFolder(Path(sys.argv[1]), config) as folder:
{textwrap.indent(textwrap.dedent(body), "    ")}
"""
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)


def wait_for(line: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == line


@pytest.mark.skipif(os.name != "posix", reason="uses POSIX locks and signals")
def test_a_killed_run_leaves_whole_files_and_can_be_resumed(tmp_path: Path, config: StudyConfig) -> None:
    body = """
    with folder.stage("simulate"):
        folder.write_text("simulate.txt", "whole")
    with folder.stage("fit"):
        with folder.atomic("fit.txt") as partial:
            partial.write_text("half")
            print("writing", flush=True)
            time.sleep(60)
    """
    process = in_another_process(body, tmp_path)
    wait_for("writing", process)
    with pytest.raises(ConfigError, match="no other run"), RunFolder(tmp_path, resuming(config)):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert not (tmp_path / "fit.txt").exists()
    assert (tmp_path / "simulate.txt").read_text() == "whole"
    with pytest.raises(ConfigError, match="finished run"):
        load_run(tmp_path)
    with RunFolder(tmp_path, resuming(config)) as folder:
        assert folder.stage("simulate").complete
        assert not folder.stage("fit").complete
        assert not list(tmp_path.rglob(f"{PARTIAL}*"))


# ---- reading


def test_load_run_refuses_what_is_not_a_finished_run(tmp_path: Path, config: StudyConfig) -> None:
    with pytest.raises(ConfigError, match="there is none"):
        load_run(tmp_path / "nowhere")
    with RunFolder(tmp_path, config):
        pass
    with pytest.raises(ConfigError, match="running"):
        load_run(tmp_path)


def test_a_posterior_is_read_when_asked_for(tmp_path: Path, config: StudyConfig) -> None:
    import xarray

    finish_run(tmp_path, config)
    tree = xarray.DataTree.from_dict({"posterior": xarray.Dataset({"orr": (("chain", "draw"), np.ones((2, 3)))})})
    tree.to_netcdf(tmp_path / "posterior.nc", engine="h5netcdf")
    assert load_run(tmp_path).posterior()["posterior"]["orr"].shape == (2, 3)
    with pytest.raises(ValueError, match="of = .*one of simulated"):
        load_run(tmp_path).posterior("other")


def test_a_figure_reads_back_with_its_arrays(tmp_path: Path, config: StudyConfig) -> None:
    import plotly.graph_objects as go

    values = np.array([[1.5, np.nan], [2.0, -3.0]])
    finish_run(tmp_path / "a", config)
    file = tmp_path / "a" / "figures" / "map.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(go.Figure(go.Heatmap(z=values, x=np.arange(2, dtype="i2"))).to_json())
    run = load_run(tmp_path / "a")
    assert "map" in run.figures
    found = run.figure("map").data[0]
    np.testing.assert_array_equal(found.z, values)
    np.testing.assert_array_equal(found.x, [0, 1])
    with pytest.raises(ValueError, match="one of"):
        run.figure("../summary")


def test_stage_times_are_kept(tmp_path: Path, config: StudyConfig) -> None:
    with RunFolder(tmp_path, config) as folder:
        with folder.stage("simulate"):
            time.sleep(0.01)
        assert folder.seconds["simulate"] >= 0.01
