"""The command line: what is run, and that bad input stops it at once with exit code 2 and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.errors import ConfigCompositionException

import trialsim
from trialsim import cli, console
from trialsim.artefacts import RunFolder
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig

TABLES = ("patients", "visits", "pharmacodynamics", "adverse_events", "doses")


class Runs(list[tuple[StudyConfig, Path]]):
    """The runs that the command line asked for; ``fail`` raises in those that it is true of."""

    def fail(self, config: StudyConfig) -> None:
        """Replaced by tests that need a run to fail."""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    """A stand-in for the study, so that the command line is tested alone."""
    found = Runs()

    def run(config: StudyConfig, run_dir: Path, keep: dict[str, str]) -> dict[str, Any]:
        with RunFolder(run_dir, config) as folder:
            found.append((config, folder.path))
            found.fail(config)
            for name in TABLES:
                folder.write_table(name, pd.DataFrame({"patient_id": range(config.cohort.size)}))
            summary = {"study": config.study.name, "title": config.study.title, "seed": config.seed, "kind": config.analysis.kind}
            summary |= {"results": {"ed50_ps6_tumour": {"estimate": 3.0}}, "diagnostics": {"ok": True, "messages": []}}
            folder.write_json("summary.json", summary)
            folder.finish()
        return summary

    study = types.ModuleType("trialsim.study")
    study.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trialsim.study", study)
    monkeypatch.setattr(trialsim, "study", study, raising=False)
    monkeypatch.chdir(tmp_path)
    return found


def trial(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["trialsim", *arguments])
    return cli.main()


def test_the_default_is_the_adult_study_in_a_folder_of_its_own(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trial(monkeypatch) == 0
    assert trial(monkeypatch) == 0
    (config, first), (_, second) = runs
    assert config.study.name == "everolimus_adult"
    assert first != second
    assert first.parent == Path.cwd() / "outputs" / "everolimus_adult"
    assert sorted(first.parent.iterdir()) == sorted([first, second])
    assert json.loads((first / "status.json").read_text())["complete"] is True
    assert not (first / ".hydra").exists()


def test_experiment_and_overrides_reach_the_study(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trial(monkeypatch, "experiment=everolimus_paediatric", "cohort.size=52", "regimen.dose=3", "seed=7") == 0
    config, path = runs[0]
    assert (config.study.published, config.cohort.size, config.regimen.dose, config.seed) == ("FOULADI07", 52, 3, 7)
    assert path.parent.name == "everolimus_paediatric"


def test_the_output_folder_can_be_chosen(runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert trial(monkeypatch, f"hydra.run.dir={tmp_path}/mine") == 0
    assert runs[0][1] == tmp_path / "mine"


def test_the_summary_is_printed(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch) == 0
    assert "report.html" in capsys.readouterr().out


def test_another_analysis_runs_like_a_trial(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch, "experiment=dose_response", "analysis.inhibition=0.9") == 0
    assert [config.analysis.inhibition for config, _ in runs] == [0.9]  # type: ignore[union-attr]
    assert runs[0][1].parent.name == "dose_response"
    assert "ed50 ps6 tumour" in capsys.readouterr().out


BAD = [
    (["regimen.dose=-5"], "regimen.dose", "-5", "at least 0"),
    (["+partner=[alpelisb]"], "partner", "alpelisb", "did you mean 'alpelisib'"),
    (["partner.alpelisib.regimen.dose=5"], "partner.alpelisib.regimen.dose", "5", "+partner=[alpelisib]"),
    (["+partner=[alpelisib]", "partner.alpelisib.regimen.dose=1e9"],
     "partner.alpelisib.regimen.dose", "1000000000", "at most 3000 mg"),
    (["+partner=[alpelisib]", "partner.alpelisib.regimen.dose_fractions=[0.5,1.0]"],
     "partner.alpelisib.regimen.dose_fractions", "0.5", "strictly smaller"),
    (["experiment=laboratory", "cell_line=[mcf7]"], "cell_line", "mcf7", "every line that a fact is of"),
    (["regimen.dose=ten"], "regimen.dose", "'ten'", "a number"),
    (["regimen.schedule=hourly"], "regimen.schedule", "'hourly'", "'daily'"),
    (["cohort.size=0"], "cohort.size", "0", "at least 1"),
    (["cohort.size=1.5"], "cohort.size", "1.5", "whole number"),
    (["cohort.sise=5"], "cohort.sise", "5", "did you mean 'size'?"),
    (["dose=5"], "dose", "5", "did you mean 'regimen.dose'?"),
    (["+regimen.colour=red"], "regimen.colour", "'red'", "no such key"),
    (["regimen.dose.mg=5"], "regimen.dose.mg", "5", "single value"),
    (["~regimen.dose"], "regimen.dose", "None", "required"),
    (["seed=-1"], "seed", "-1", "at least 0"),
    (["seed=true"], "seed", "True", "whole number"),
    (["seed=1,2"], "seed", "'1,2'", "trialsim -m"),
    (["resume=perhaps"], "resume", "'perhaps'", "true or false"),
    (["experiment=everolimus_adlt"], "experiment", "'everolimus_adlt'", "did you mean 'everolimus_adult'?"),
    (["regimen=everolimus_20mg"], "regimen", "'everolimus_20mg'", "everolimus_10mg_daily"),
    (["tumour=colorectal"], "tumour", "'colorectal'", "+tumour=colorectal"),
    (["cohort.covariates_file=nowhere.csv"], "cohort.covariates_file", "nowhere.csv", "exists"),
    (["regimen.dose"], "command line", "'regimen.dose'", "key=value"),
    (["regimen.dose={5"], "regimen.dose", "'{5'", "key=value"),
    (["modification.hold_at.stomatitis=9"], "modification.hold_at.stomatitis", "9", "at most 4"),
    (["analysis.doses=[1,2]"], "analysis.doses", "[1, 2]", "there is no such key"),
    (["-m", "experiment=everolimus_adult,dose_response", "compute.parts=2"], "compute.parts", "2", "only a trial"),
    (["-m", "seed=1,2", "regimen.dose=5,-5"], "regimen.dose", "-5", "at least 0"),
    (["-m", "experiment=everolimus_adult,nobody"], "experiment", "'nobody'", "one of"),
    (["-m", "seed=interval(1,5)"], "seed", "interval", "a list of values"),
    (["--config-dir", "nowhere"], "--config-dir", "'nowhere'", "a folder"),
    (["hydra.run.dir=/dev/null/x"], "hydra.run.dir", "/dev/null/x", "can be made"),
    (["analysis={kind: trial, kind: predict}"], "analysis", "{kind: trial, kind: predict}", "each key once"),
    (["study={title: mine, titel: yours}"], "study.titel", "yours", "did you mean 'title'?"),
    (["hydra.run.dri=x"], "command line", "hydra.run.dri", "Could not override"),
]  # fmt: skip


def test_a_key_may_stand_in_several_mappings_and_in_text() -> None:
    told = "+regimen.note={a: {dose: 1}, b: {dose: 2}, c: 'dose: 1, dose: 2', d: [dose:1, dose:2], e: [{dose: 1}, {dose: 2}]}"
    with pytest.raises(ConfigError) as caught:  # it is read, and no setting
        trialsim.compose(None, [told])
    assert "note" in caught.value.key and "once" not in caught.value.allowed


@pytest.mark.parametrize(("arguments", "key", "value", "allowed"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_bad_input_is_told_before_anything_runs(
    arguments: list[str], key: str, value: str, allowed: str,
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    assert trial(monkeypatch, *arguments) == 2
    text = capsys.readouterr().err
    assert f"trialsim: {key} = " in text
    assert value in text
    assert allowed in text
    assert "Traceback" not in text
    assert not runs
    assert list(tmp_path.iterdir()) == []


def test_all_faults_of_a_command_are_told_together(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch, "cohort.size=0", "seed=-1", "regimen.dose=-1") == 2
    text = capsys.readouterr().err
    assert all(f"trialsim: {key} = " in text for key in ("cohort.size", "seed", "regimen.dose"))


def test_a_faulty_covariates_file_is_told_before_anything_runs(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "patients.csv").write_text("age_y,sex\n50,F\n")
    assert trial(monkeypatch, "cohort.covariates_file=patients.csv", "cohort.size=1") == 2
    assert "missing column" in capsys.readouterr().err
    assert not runs


def test_a_result_is_never_overwritten(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch, "hydra.run.dir=mine") == 0
    before = {file: file.read_bytes() for file in Path("mine").rglob("*")}
    assert trial(monkeypatch, "hydra.run.dir=mine") == 2
    assert "hydra.run.dir" in capsys.readouterr().err
    assert trial(monkeypatch, "hydra.run.dir=mine", "seed=2") == 2
    assert len(runs) == 1
    assert before == {file: file.read_bytes() for file in Path("mine").rglob("*")}


def test_resuming_a_finished_run_says_so(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch, "hydra.run.dir=mine") == 0
    assert trial(monkeypatch, "hydra.run.dir=mine", "resume=true") == 0
    assert "already finished" in capsys.readouterr().out
    assert len(runs) == 1


def test_resume_with_another_configuration_is_refused(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial(monkeypatch, "hydra.run.dir=mine") == 0
    assert trial(monkeypatch, "hydra.run.dir=mine", "resume=true", "regimen.dose=5") == 2
    assert "regimen.dose" in capsys.readouterr().err


def test_bad_input_found_while_running_ends_with_code_2(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(config: StudyConfig) -> None:
        raise ConfigError("cohort.size", config.cohort.size, "fewer")

    runs.fail = fail  # type: ignore[method-assign]
    assert trial(monkeypatch) == 2
    assert capsys.readouterr().err.count("cohort.size = 1000 is not allowed: fewer") == 1
    assert trial(monkeypatch, "-m", "seed=1,2") == 1
    text = capsys.readouterr().err
    assert text.count("fewer") == 4 and "Traceback" not in text


def test_an_interrupt_ends_with_130(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(config: StudyConfig) -> None:
        raise KeyboardInterrupt

    runs.fail = interrupt  # type: ignore[method-assign]
    assert trial(monkeypatch, "hydra.run.dir=mine") == 130
    text = capsys.readouterr().err
    assert "interrupted" in text and "resume=true" in text and "Traceback" not in text
    assert json.loads(Path("mine/status.json").read_text())["state"] == "interrupted"


@pytest.mark.parametrize("words", [("hydra.run.dir=mine",), ("-m", "seed=1,2", "hydra.sweep.dir=mine")])
def test_an_interrupt_that_hydra_made_an_error_of_its_own_is_one(
    words: tuple[str, ...], runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lose(*_: object, **__: object) -> None:
        try:
            console.interrupted.set()
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ConfigCompositionException from error

    method = "load_sweep_config" if "-m" in words else "ensure_main_config_source_available"
    monkeypatch.setattr(ConfigLoaderImpl, method, lose)
    try:
        assert trial(monkeypatch, *words) == 130
    finally:
        console.interrupted.clear()
    text = capsys.readouterr().err
    assert "resume=true" in text and "ConfigComposition" not in text and "Traceback" not in text


def test_a_users_own_experiment(runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "myconf" / "experiment").mkdir(parents=True)
    (tmp_path / "myconf" / "experiment" / "mine.yaml").write_text(
        "# @package _global_\nstudy: {name: mine}\nseed: 42\n"
    )
    assert trial(monkeypatch, "--config-dir", "myconf", "experiment=mine") == 0
    assert (runs[0][0].study.name, runs[0][0].seed) == ("mine", 42)


@pytest.mark.parametrize("flag", ["--help", "--version", "--cfg=job"])
def test_telling_flags_run_nothing(
    flag: str, runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    try:
        assert trial(monkeypatch, flag) == 0
    except SystemExit as end:
        assert not end.code
    text = capsys.readouterr().out
    expected = {
        "--help": "escape_routes, everolimus_adult",
        "--version": trialsim.__version__,
        "--cfg=job": "dose: 10",
    }
    assert expected[flag] in text
    assert not runs
    assert list(tmp_path.iterdir()) == []


def run_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys\nfrom trialsim.cli import main\ncode = main()\nprint('jax' in sys.modules)\nsys.exit(code)"
    command = [sys.executable, "-c", code, *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(trialsim.__file__).parents[1])}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_as_a_process_bad_input_exits_with_2_before_jax_is_loaded(tmp_path: Path) -> None:
    answer = run_command("regimen.dose=-5", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stdout.strip() == "False"
    assert answer.stderr.startswith("trialsim: regimen.dose = -5 is not allowed: a number of at least 0 (dose")
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_process_ends_at_once_and_any_other_in_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the usual end the interpreter is taken down, under programs that may still run."""
    from trialsim import __main__ as process

    ended: list[int] = []
    monkeypatch.setattr(process.os, "_exit", ended.append)
    monkeypatch.setattr(process, "main", lambda: 130)
    with pytest.raises(SystemExit):  # only because the exit above does not end the test
        process.command()
    assert ended == [130]
    monkeypatch.setattr(process, "main", lambda: 2)
    with pytest.raises(SystemExit) as told:
        process.command()
    assert told.value.code == 2 and ended == [130]
