"""What every kind of analysis has to bring, and what each gets: steps that are kept, a folder, a page."""

import importlib
import time
import typing
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pandas as pd
import pytest
import yaml

from trialsim import analyse, compose, load_run
from trialsim._paths import conf_dir
from trialsim.analyses import Findings, Steps
from trialsim.artefacts import RunFolder
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig

MEMBERS = typing.get_args(StudyConfig.model_fields["analysis"].annotation)
KINDS = [typing.get_args(model.model_fields["kind"].annotation)[0] for model in MEMBERS]


@pytest.fixture(scope="module")
def config():
    return compose("dose_response", {"compute.progress": "off"})


@pytest.fixture(scope="module")
def shipped():
    """The kinds of analysis that the experiments choose."""
    read = lambda path: yaml.safe_load(path.read_text(encoding="utf-8"))
    chosen = [entry for path in (conf_dir() / "experiment").glob("*.yaml") for entry in read(path)["defaults"]]
    named = {entry["override /analysis"] for entry in chosen if "override /analysis" in entry}
    return {read(conf_dir() / "analysis" / f"{name}.yaml")["kind"] for name in named}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "trial"])
def test_every_kind_has_a_module_a_page_settings_and_an_experiment(kind, shipped):
    assert callable(importlib.import_module(f"trialsim.analyses.{kind}").run)
    assert callable(importlib.import_module(f"trialsim.report.analyses.{kind}").page)
    chosen = [yaml.safe_load(path.read_text()).get("kind") for path in (conf_dir() / "analysis").glob("*.yaml")]
    assert kind in chosen
    assert kind in shipped


def test_a_trial_is_no_analysis():
    with pytest.raises(ConfigError, match="analysis.kind = 'trial'.*simulate"):
        analyse(compose())


# ---- steps


class Counted:
    """A step that counts its calls."""

    def __init__(self, **tables):
        self.calls, self.tables = 0, tables

    def __call__(self):
        self.calls += 1
        return self.tables


ROWS = pd.DataFrame({"x": [1.5, None], "name": ["a", "b"]})


def test_a_finished_step_is_read_back_with_its_tables_in_order(tmp_path, config):
    step, other = Counted(z=ROWS, a=ROWS.head(1)), Counted(t=ROWS)
    for resume in (False, True):
        with RunFolder(tmp_path, config.model_copy(update={"resume": resume})) as folder:
            steps = Steps(folder, "off")
            found = steps.each("testing", {"first": step, "second": other})
            assert list(found) == ["first", "second"] and list(found["first"]) == ["z", "a"]
            pd.testing.assert_frame_equal(found["first"]["z"], ROWS)
            assert len(steps.one("first", step)["a"]) == 1
    assert step.calls == other.calls == 1


def test_steps_done_several_at_a_time_are_kept_in_order_and_only_the_missing_ones_are_done(tmp_path, config):
    """Two threads; the first step is the slowest."""
    ahead = ThreadPoolExecutor(2)
    across = lambda jobs: (future.result() for future in [ahead.submit(job) for job in jobs])
    slow = lambda k: (time.sleep(0.1 * (k == 0)), done.append(k), {"t": ROWS.assign(k=k)})[-1]
    steps, done = {f"step_{k}": partial(slow, k) for k in range(4)}, []
    with RunFolder(tmp_path, config) as folder:
        Steps(folder, "off").one("step_2", steps["step_2"])
    with RunFolder(tmp_path, config.model_copy(update={"resume": True})) as folder:
        found = Steps(folder, "off").each("testing", steps, across)
    assert [int(found[name]["t"]["k"].iloc[0]) for name in steps] == [0, 1, 2, 3]
    assert sorted(done) == [0, 1, 2, 3] and done[0] == 2 and done[1] != 0


def test_a_damaged_step_is_done_again_alone(tmp_path, config):
    steps = {"first": Counted(t=ROWS), "second": Counted(t=ROWS)}
    with RunFolder(tmp_path, config) as folder:
        Steps(folder, "off").each("testing", steps)
    (tmp_path / "blocks" / "first" / "t.parquet").write_bytes(b"rubbish")
    with RunFolder(tmp_path, config.model_copy(update={"resume": True})) as folder:
        Steps(folder, "off").each("testing", steps)
    assert [step.calls for step in steps.values()] == [2, 1]


def test_a_step_that_fails_is_not_kept(tmp_path, config):
    def fail():
        raise RuntimeError("the machine is on fire")

    with RunFolder(tmp_path, config) as folder:
        with pytest.raises(RuntimeError):
            Steps(folder, "off").one("first", fail)
        assert not folder.block_complete("first")


def test_steps_without_a_folder_keep_nothing():
    step = Counted(t=ROWS)
    steps = Steps(mode="off")
    assert steps.one("first", step)["t"] is ROWS
    steps.one("first", step)
    assert step.calls == 2


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden"])
def test_a_step_cannot_leave_the_folder(tmp_path, config, name):
    with RunFolder(tmp_path, config) as folder, pytest.raises(ValueError, match="a step is called by"):
        Steps(folder, "off").one(name, Counted(t=ROWS))


# ---- what is saved


@pytest.fixture
def finish(tmp_path, config, monkeypatch):
    """A run whose analysis finds what the test says."""
    from trialsim import study

    def run(found):
        monkeypatch.setattr(study.analyses, "find", lambda config, steps: found)
        monkeypatch.setattr(study, "draw_report", lambda folder: None)
        study.run(config, tmp_path)
        return load_run(tmp_path)

    return run


def test_findings_read_back(finish):
    saved = finish(Findings({"rows": ROWS}, {"ed50": {"estimate": float("inf")}, "list": [1, 2]}))
    assert saved.summary["kind"] == "dose_response" and saved.summary["seed"] == 1 and saved.summary["tables"] == ["rows"]
    assert saved.summary["diagnostics"] == {"ok": True, "messages": []}
    assert saved.summary["results"] == {"ed50": {"estimate": None}, "list": [1, 2]}
    pd.testing.assert_frame_equal(saved.table("rows"), ROWS)
    with pytest.raises(ValueError, match="one of rows"):
        saved.table("row")


def test_faults_make_the_diagnostics_bad(finish):
    saved = finish(Findings({}, {}, ("it does not add up",)))
    assert saved.summary["diagnostics"] == {"ok": False, "messages": ["it does not add up"]}
