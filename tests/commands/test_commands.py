"""Commands beside a run: they help, refuse what they do not know, and do what they say."""

import pandas as pd
import pytest

from trialsim import evidence
from trialsim.commands import COMMANDS, doctor, start
from trialsim.commands import evidence as listing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_and_refuses_what_it_does_not_know(name, capsys):
    assert start(name, ["--help"]) == 0
    told = capsys.readouterr()
    assert f"usage: trialsim {name}" in told.out and not told.err
    assert start(name, ["--no-such-thing"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("column", ["trial_id", "trial"])  # its name, and its head on the screen
def test_evidence_lists_rows_with_their_sources(column, capsys):
    assert start("evidence", ["efficacy", "--where", f"{column}=RECORD1"]) == 0
    told = capsys.readouterr().out
    assert "2 rows" in told and "RECORD1: https://" in told


@pytest.mark.parametrize("table", listing.SHOWN)
def test_evidence_writes_a_table_whole_and_never_over_another_file(table, tmp_path, capsys):
    file = tmp_path / "rows.csv"
    assert start("evidence", [table, "--out", str(file)]) == 0
    assert len(pd.read_csv(file)) == len(getattr(evidence, f"load_{table}")())
    before = file.read_bytes()
    assert start("evidence", [table, "--out", str(file)]) == 2
    assert file.read_bytes() == before and "does not exist yet" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "allowed"), [
    (["--where", "drg=everolimus"], "did you mean 'drug'"),
    (["--where", "drug"], "COLUMN=TEXT"),
    (["--out", "rows.xlsx"], ".csv or .parquet"),
    (["--plot", "rows.pdf"], ".html, .svg or .png"),
    (["doses", "--plot", "rows.html"], "of the tables efficacy"),
    (["--where", "trial=FOULADI", "--where", "trial=RECORD", "--plot", "rows.html"], "at least one holds a number"),
])  # fmt: skip
def test_evidence_says_what_is_allowed(words, allowed, capsys):
    assert start("evidence", words) == 2
    assert allowed in capsys.readouterr().err


def test_evidence_draws_the_rows_that_are_asked_for_and_never_over_another_file(tmp_path, capsys):
    file = tmp_path / "rcc.html"
    words = ["--where", "tumour type=RCC clear", "--plot", str(file)]
    assert start("evidence", words) == 0
    page = file.read_text(encoding="utf-8")
    assert "7 rows drawn" in capsys.readouterr().out and "METEOR" in page and "BOLERO2" not in page
    assert start("evidence", words) == 2
    assert file.read_text(encoding="utf-8") == page


def test_report_of_no_run_is_refused(tmp_path, capsys):
    assert start("report", [str(tmp_path)]) == 2
    assert "the folder of a finished run" in capsys.readouterr().err


def test_doctor_finds_this_machine_in_order(tmp_path, capsys):
    assert start("doctor", ["--no-run", "--folder", str(tmp_path / "new")]) == 0
    told = capsys.readouterr().out
    assert "All in order" in told and "float32" in told and not (tmp_path / "new").exists()


def test_doctor_tells_each_finding_before_it_looks_for_the_next(tmp_path, monkeypatch, capsys):
    seen = []

    def slow():
        seen.append(capsys.readouterr().out)
        yield doctor.Finding("late", "found")

    monkeypatch.setattr(doctor, "programs", slow)
    assert start("doctor", ["--no-run", "--folder", str(tmp_path)]) == 0
    assert "float64" in seen[0] and "late" in capsys.readouterr().out


def test_doctor_tells_what_is_wrong_and_still_looks_at_the_rest(tmp_path, monkeypatch, capsys):
    def broken():
        raise RuntimeError("no devices")
        yield

    monkeypatch.setattr(doctor, "devices", broken)
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: ["numpy<1", "no-such-package>=3", 'other; extra == "x"'])
    assert start("doctor", ["--no-run", "--folder", str(tmp_path)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "no devices" in told and "numpy" in told and "no-such-package is not installed" in told
    assert "0 of 2 as required" in told and "float64" in told and "Something is not in order" in told


@pytest.mark.parametrize(("words", "told"), [
    (["--patients", "1000"], "--patients = 1000 is not allowed: a power of two"), (["--draws", "0"], "--draws"),
    (["--draws", "5000"], "at most --chains times --samples = 4000"), (["--trial", "radiant4"], "--trial"),
    (["--trial", "nobody"], "of the trials that may be fitted: andre16_pik3ca"),
])  # fmt: skip
def test_calibrate_tells_what_it_is_not_given(words, told, tmp_path, capsys):
    assert start("calibrate", ["--out", str(tmp_path / "out"), *words]) == 2
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()
