"""The command that is recorded is the one that was typed."""

import sys

import pytest

from trialsim import provenance

TYPED = ["predict", "trial=my trial.yaml", "seed=2"]
HYDRA = ["analysis=predict", "seed=2"]


@pytest.mark.parametrize(("started", "program"), [
    (["/usr/bin/python3", "/venv/bin/trialsim"], "/venv/bin/trialsim"),
    (["python", "-X", "dev", "-m", "trialsim"], "/code/trialsim/__main__.py"),
    (["python", "/code/trialsim/__main__.py"], "/code/trialsim/__main__.py"),
])  # fmt: skip
def test_a_command_is_recorded_as_it_was_typed(started, program, monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", [*started, *TYPED])
    monkeypatch.setattr(sys, "argv", [program, *HYDRA])
    assert provenance.collect()["command"] == "trialsim predict 'trial=my trial.yaml' seed=2"


@pytest.mark.parametrize(("started", "program", "told"), [
    (["python", "-m", "a.worker", "--pipe", "12"], "/venv/bin/trialsim", "trialsim analysis=predict seed=2"),
    (["python", "mine.py", "trialsim"], "mine.py", "mine.py analysis=predict seed=2"),
])  # fmt: skip
def test_what_another_program_started_is_recorded_as_it_is_seen(started, program, told, monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", started)
    monkeypatch.setattr(sys, "argv", [program, *HYDRA])
    assert provenance.collect()["command"] == told
