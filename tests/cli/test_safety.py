"""Settings from others: what they may not start, read or overwrite."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hydra._internal.utils import get_args_parser

from trialsim.cli.checks import check_all
from trialsim.cli.run import run
from trialsim.cli.safety import check_inside, check_references
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten


def faults(*words: str) -> dict[str, ConfigError]:
    """What is said of a command, by key."""
    with pytest.raises(ConfigError) as caught:
        check_all(get_args_parser().parse_args(list(words)))
    return {fault.key: fault for fault in flatten(caught.value)}


def folder_with(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine" / "experiment" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"# @package _global_\n{text}", encoding="utf-8")
    return str(tmp_path / "mine")


def test_a_file_of_settings_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = {"_target_": "os.system", "command": "touch broken_in"}
    launcher = {"_target_": "os.system", "within": dict(evil), "setup": ["touch broken_in"], "comment": "a\ntouch broken_in"}
    hydra = {
        "callbacks": {"mine": dict(evil)},
        "sweeper": {"params": {"seed": "1,2"}},
        "job_logging": {"formatters": {"mine": {"()": "os.system"}}},
        "job": {"env_set": {"PYTHONSTARTUP": "broken_in.py"}},
        "mode": "MULTIRUN",
        "output_subdir": "../../elsewhere",
    }
    mine = folder_with(tmp_path, yaml.safe_dump({"defaults": [{"override /hydra/launcher": "evil"}], "hydra": hydra}))
    place = tmp_path / "mine" / "hydra" / "launcher"
    place.mkdir(parents=True)
    (place / "evil.yaml").write_text(yaml.safe_dump(launcher))
    told = faults("--config-dir", mine, "experiment=mine")
    assert set(told) == {
        "hydra.callbacks.mine", "hydra.launcher._target_", "hydra.launcher.within._target_", "hydra.launcher.setup",
        "hydra.launcher.comment", "hydra.sweeper.params", "hydra.job_logging",
        "hydra.job.env_set", "hydra.mode", "hydra.output_subdir",
    }  # fmt: skip
    assert "BasicLauncher" in told["hydra.launcher._target_"].allowed
    assert not list(tmp_path.glob("**/broken_in"))


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["--experimental-rerun", "config.pickle"], "--experimental-rerun"),
        (["--config-path", "."], "--config-path"),
        (["--config-name", "mine"], "--config-name"),
        (["hydra.searchpath=['pkg://antigravity']"], "hydra.searchpath"),
        (["experiment=../regimen/everolimus_5mg_daily"], "experiment"),
    ],
)
def test_refused_before_anything_is_composed(words, key):
    assert key in faults(*words)


def test_a_pickle_is_not_loaded_when_only_settings_are_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["trialsim"])
    assert run(["--cfg", "job", "--experimental-rerun", "config.pickle"]) == 2
    assert "--experimental-rerun" in capsys.readouterr().err


def test_a_sweep_stays_in_its_folder(tmp_path):
    assert "hydra.sweep.subdir" in faults("-m", f"hydra.sweep.dir={tmp_path}/sweep", "hydra.sweep.subdir=../../x")
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError):
        check_inside(tmp_path / "sweep" / "link" / "job", tmp_path / "sweep")
    check_inside(tmp_path / "sweep" / "0", tmp_path / "sweep")


def test_aliases_that_stand_for_a_thousand_million_values_are_refused(tmp_path):
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
    )
    assert "mine.yaml" in faults("--config-dir", folder_with(tmp_path, bomb), "experiment=mine")


def test_settings_refer_to_settings_and_to_nothing_else():
    check_references({"a": 1, "b": "${a}", "c": {"d": "${..a}", "e": ["${.d}", "${c.d} mg", "${b}"]}})
    for value in ("${oc.env:HOME}", "${oc.decode:'${oc.env:HOME}'}", "${${a}}", "${now:%Y}", "\\${oc.env:HOME}"):
        with pytest.raises(ConfigError, match="reference to another setting"):
            check_references({"a": 1, "study": {"title": value}})


def test_references_that_stand_for_a_thousand_million_letters_are_refused():
    doubled = {"a0": "abcdefgh"} | {f"a{i}": f"${{a{i - 1}}}${{a{i - 1}}}" for i in range(1, 20)}
    with pytest.raises(ConfigError, match="at most 5,000,000 characters"):
        check_references(doubled | {"b": dict.fromkeys("cdefghijkl", "${a19}")})
    with pytest.raises(ConfigError, match="ends in a value"):
        check_references({"a": "${b}", "b": "${a}"})
    with pytest.raises(ConfigError, match="ends in a value"):
        check_references({"a": {"b": "${a}"}})
