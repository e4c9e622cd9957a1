"""A study saved block by block: the same bytes however it is cut, and after a death at any moment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from short_studies import ADULT, CHILDREN, TABLES, content

import trialsim.study as module
from trialsim import compose, simulation


@pytest.fixture(autouse=True)
def simulation_only(request, monkeypatch):
    """Runs end after the simulation, except in tests marked slow."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(module, "conclude", lambda config, folder: {})


def saved(study, folder, **changes):
    experiment, settings = study
    module.run(compose(experiment, settings | changes), folder)
    return content(folder)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """Content of each study simulated in one block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "conclude", lambda config, folder: {})
        return {
            name: saved(study, tmp_path_factory.mktemp("runs") / name, **{"compute.block": 4096})
            for name, study in (("adult", ADULT), ("children", CHILDREN))
        }


def test_blocks_cover_the_cohort_and_cut_no_escalation():
    for experiment, settings in (ADULT, CHILDREN):
        config = compose(experiment, settings)
        found = simulation.blocks(config)
        assert [block.start for block in found] == [0, *(block.stop for block in found[:-1])]
        assert found[-1].stop == config.cohort.size and len(found) > 2
    assert all(block.start % 26 == 0 for block in found)


def test_the_tables_do_not_depend_on_blocks(uncut, tmp_path):
    assert saved(ADULT, tmp_path / "run", **{"compute.block": 16}) == uncut["adult"]


def test_the_tables_are_those_of_the_study_in_memory(uncut, tmp_path):
    (tmp_path / "patients.parquet").write_bytes(uncut["children"]["patients.parquet"])
    study = module.simulate(compose(*CHILDREN))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "patients.parquet"), study.patients)
    facts = json.loads(uncut["children"]["simulation.json"])
    assert facts["screened"] == study.screened == 100 and facts["solver_check"] == study.solver_check
    assert np.array_equal(np.array(facts["mtd"], float), study.mtd, equal_nan=True) and len(study.mtd) == 4


def test_no_block_is_left_when_the_tables_are_whole(tmp_path):
    saved(ADULT, tmp_path / "run")
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert not (tmp_path / "run" / "blocks").exists() and status["blocks"] == {}
    assert set(status["stages"][0]["files"]) == {*(f"{name}.parquet" for name in TABLES), "simulation.json"}


class Dead(BaseException):
    """The process is no more."""


def test_death_at_any_moment_changes_nothing(uncut, tmp_path, monkeypatch):
    """The run dies before each of its file moves in turn, and from then on can write nothing; each time it is resumed."""
    replace, moves = os.replace, {"left": 0}

    def mortal(source, target):
        moves["left"] -= 1
        if moves["left"] < 0:
            raise Dead
        replace(source, target)

    monkeypatch.setattr(os, "replace", mortal)
    deaths = 0
    while True:
        # claiming the folder takes four moves and a block six: every life gets one block further, and dies at another place
        moves["left"] = 10 + deaths % 6
        try:
            found = saved(ADULT, tmp_path / "run", resume=True)
            break
        except Dead:
            deaths += 1
    assert found == uncut["adult"] and deaths > 2


def test_a_damaged_block_is_simulated_again(uncut, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "save_study", lambda *_: (_ for _ in ()).throw(Dead))
    with pytest.raises(Dead):
        saved(ADULT, tmp_path / "run", resume=True)
    monkeypatch.undo()
    monkeypatch.setattr(module, "conclude", lambda config, folder: {})
    blocks = sorted((tmp_path / "run" / "blocks").iterdir())
    (blocks[0] / "visits.parquet").write_bytes(b"rubbish")
    (blocks[1] / "block.json").unlink()
    file = tmp_path / "run" / "status.json"  # the third by a version that did not keep doses
    status = json.loads(file.read_text())
    del status["blocks"][blocks[2].name][f"blocks/{blocks[2].name}/doses.parquet"]
    file.write_text(json.dumps(status))
    enrol, again = simulation.enrol, []
    monkeypatch.setattr(simulation, "enrol", lambda config, block: again.append(block) or enrol(config, block))
    assert saved(ADULT, tmp_path / "run", resume=True) == uncut["adult"]
    assert again == simulation.blocks(compose(*ADULT))[:3]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")
def test_kill_9_at_several_moments_then_resume(tmp_path):
    """A process killed while it compiles, simulates, puts together, fits and writes; then the run is that of one life."""
    code = (
        "import sys, json; from trialsim import compose, run; e, o, d = json.loads(sys.argv[1]); run(compose(e, o, resume=True), d)"
    )
    root = Path(module.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}

    def start(folder):
        return subprocess.Popen([sys.executable, "-c", code, json.dumps([*ADULT, str(folder)])], env=environment)

    assert start(tmp_path / "whole").wait(timeout=300) == 0
    moments = ["config.yaml", "blocks/00000000-00000032/facts.json", "blocks/00000064-00000090/visits.parquet",
               "pharmacodynamics.parquet", "posterior.nc", "summary.json", "report.html"]  # fmt: skip
    killed = tmp_path / "killed"
    for file in moments:
        process = start(killed)
        while not (killed / file).exists() and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        assert not json.loads((killed / "status.json").read_text())["complete"] or file == "report.html"
    assert start(killed).wait(timeout=300) == 0
    assert content(killed) == content(tmp_path / "whole")
    assert json.loads((killed / "summary.json").read_text()) == json.loads((tmp_path / "whole" / "summary.json").read_text())
