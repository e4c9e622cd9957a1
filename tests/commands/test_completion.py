"""Completion at the Tab key: what may stand at the end of a line, and that the shells put it there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trialsim.commands import COMMANDS
from trialsim.commands.completion import SCRIPTS, candidates

ROOT = Path(__file__).parents[2]
DRIVE = {
    "bash": 'COMP_LINE="$LINE"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($COMP_LINE); _trialsim; printf "%s\\n" "${COMPREPLY[@]}"',
    "fish": 'complete -C "$LINE"',
}


@pytest.mark.parametrize(("line", "expected"), [
    ("trialsim doc", ["doctor"]),
    ("trialsim regimen.do", ["regimen.dose="]),
    ("trialsim run -m seed=1 experiment=everolimus_", ["experiment=everolimus_adult", "experiment=everolimus_paediatric"]),
    ("trialsim doctor --", ["--folder", "--help", "--no-run"]),
    ("trialsim report ", []),
    ("trialsim predict trial=rec", ["trial=record1", "trial=record2", "trial=record3"]),
    ("trialsim no_such.thing=", []),
])  # fmt: skip
def test_words_that_may_stand_there(line: str, expected: list[str]) -> None:
    assert candidates(line) == expected


def test_all_commands_are_offered_and_settings_beside_them() -> None:
    found = candidates("trialsim ")
    assert {"run", "experiment=", "seed=", *COMMANDS} <= set(found)


@pytest.mark.parametrize("shell", ["bash", pytest.param("fish", marks=pytest.mark.slow)])
def test_the_shell_completes(shell: str, tmp_path: Path) -> None:
    """For zsh, whose completion runs only at a terminal, tried by hand."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    (tmp_path / "trialsim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trialsim "$@"\n')
    (tmp_path / "trialsim").chmod(0o755)
    (tmp_path / "own").write_text(SCRIPTS[shell])
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def completed(line: str) -> list[str]:
        command = [shell, "-c", f"source {tmp_path}/own; {DRIVE[shell]}"]
        done = subprocess.run(command, cwd=tmp_path, env=environment | {"LINE": line}, capture_output=True, text=True, timeout=60)
        return [word.split("\t")[0] for word in done.stdout.split()]

    assert completed("trialsim compl") == ["completion"]
    ends = [word.rpartition("=")[2] for word in completed("trialsim experiment=everolimus_p")]
    assert ends == ["everolimus_paediatric"]
    completed(f"trialsim evidence --where=$(touch {tmp_path}/x)")
    assert not (tmp_path / "x").exists()
