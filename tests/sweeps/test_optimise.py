"""`trialsim optimise`: finds a known optimum under a condition, goes on where it stopped, tells a slip before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stand_in

import trialsim
from trialsim import cli
from trialsim.sweeps.search import Range, Rule, read_rule, read_words

optuna = pytest.importorskip("optuna")
GOAL = ("maximise", "orr", "regimen.dose=2.5:20", "cohort.size=200", "--subject-to", "dlt_rate<=0.2")


@pytest.fixture
def optimise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    study = stand_in.module()
    monkeypatch.setitem(sys.modules, "trialsim.study", study)
    monkeypatch.setattr(trialsim, "study", study, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["trialsim", "optimise", *words])
        return cli.main()

    return run


def trials(folder: str) -> pd.DataFrame:
    return pd.read_csv(Path(folder) / "tables" / "trials.csv", dtype={"cause": str})


def test_it_finds_the_highest_dose_that_the_condition_allows(optimise, capsys) -> None:
    """Response and DLTs of the stand-in both rise with the dose, so that the best dose is the last with 40 DLTs in 200 patients."""
    assert optimise(*GOAL, "--trials", "18", "--out", "s") == 0
    table = trials("s")
    response, toxicity, _ = np.random.default_rng(1).random((3, 200))[[0, 2, 1]]
    highest = np.sort(toxicity)[40] / 0.02  # at this dose the 41st patient has a DLT
    best = table[table["state"] == "conditions met"].sort_values("value").iloc[-1]
    assert best["regimen.dose"] <= highest < 20
    assert np.mean(response < 0.1 + 0.02 * (highest - 1)) <= best["value"] <= np.mean(response < 0.1 + 0.02 * highest)
    forbidden = table[table["state"] == "a condition not met"]
    assert len(forbidden) and (forbidden["regimen.dose"] > highest).all()
    assert "Best: regimen.dose=" in capsys.readouterr().out


def test_interrupted_it_ends_like_an_unbroken_search(optimise, monkeypatch) -> None:
    words = ("minimise", "dlt_rate", "regimen.dose=5:20:log", "regimen.schedule=daily,weekly", "cohort.size=30", "--trials", "10")
    assert optimise(*words, "--out", "whole") == 0
    before, count = stand_in.patients, []

    def interrupted(config):
        count.append(config)
        if len(count) == 5:
            raise KeyboardInterrupt
        return before(config)

    monkeypatch.setattr(stand_in, "patients", interrupted)
    assert optimise(*words, "--out", "broken") == 130
    assert optimise(*words, "--out", "broken") == 0
    pd.testing.assert_frame_equal(trials("broken"), trials("whole"))
    assert len(trials("whole")) == 10
    assert optimise(*words[:-1], "11", "--out", "broken") == 0  # more trials
    assert len(trials("broken")) == 11


def test_failed_trials_are_listed_and_the_search_goes_on(optimise, monkeypatch, capsys) -> None:
    before = stand_in.patients

    def spoil(config):
        if config.regimen.schedule == "weekly":
            raise RuntimeError("no")
        return before(config)

    monkeypatch.setattr(stand_in, "patients", spoil)
    words = ("maximise", "orr", "regimen.schedule=daily,weekly", "regimen.dose=5:20", "cohort.size=20")
    assert optimise(*words, "--trials", "8", "--out", "s") == 0
    table = trials("s")
    failed = table[table["value"].isna()]
    assert 0 < len(failed) < 8 and (failed["regimen.schedule"] == "weekly").all() and (failed["cause"] == "RuntimeError: no").all()
    assert "failed: RuntimeError: no" in capsys.readouterr().out


def test_the_folder_of_another_search_is_refused(optimise, capsys) -> None:
    assert optimise("maximise", "orr", "regimen.dose=5:20", "cohort.size=20", "--trials", "2", "--out", "s") == 0
    assert optimise("maximise", "dcr", "regimen.dose=5:20", "cohort.size=20", "--trials", "2", "--out", "s") == 2
    assert "this one holds a search with goal" in capsys.readouterr().err


BAD = [
    (["maximise", "orr", "regimen.doze=1:2"], "regimen.doze"),
    (["maximise", "orr", "regimen.dose=-5:2"], "at least 0"),
    (["maximise", "orr", "regimen.dose=20:5"], "LOW below HIGH"),
    (["maximise", "orr", "regimen.dose=0:5:log"], "positive limits"),
    (["maximise", "orr", "cohort.size=10.5:20:int"], "whole limits"),
    (["maximise", "orr", "regimen.schedule=daily,hourly"], "hourly"),
    (["maximise", "orr", "regimen.dose=5"], "at least one range"),
    (["maximise", "orr", "regimen.dose=5:10", "regimen.dose=7"], "given once"),
    (["maximise", "ror", "regimen.dose=5:10"], "did you mean 'orr'"),
    (["maximise", "orr", "regimen.dose=5:10", "--subject-to", "dlt=0.3"], "RESULT<=NUMBER"),
    (["maximise", "orr", "regimen.dose=5:10", "--subject-to", "dlt_rates<=0.3"], "did you mean 'dlt_rate'"),
    (["maximise", "orr", "regimen.dose=5:10", "--trials", "0"], "at least 1"),
    (["highest", "orr", "regimen.dose=5:10"], "invalid choice"),
]


@pytest.mark.parametrize(("words", "expected"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_a_slip_is_told_before_anything_runs(words, expected, optimise, capsys, tmp_path) -> None:
    assert optimise(*words, "--out", "s") == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_words() -> None:
    space, fixed = read_words(["a.b=1:2.5", "c=1:100:int:log", "d=[1,2],[3]", "e=x,y", "f=[1,2]", "g='p,q'"])
    assert space == (
        Range("a.b", 1, 2.5), Range("c", 1, 100, True, True), Range("d", choices=("[1,2]", "[3]")), Range("e", choices=("x", "y")),
    )  # fmt: skip
    assert fixed == ("f=[1,2]", "g='p,q'")
    assert read_rule("dlt_rate.high <= 0.4") == Rule("dlt_rate", "high", "<=", 0.4)
    assert read_rule("median_pfs_months>=3") == Rule("median_pfs_months", "estimate", ">=", 3.0)


def test_results_of_a_trial_are_those_that_may_be_named(optimise) -> None:
    from trialsim import summary
    from trialsim.sweeps.runs import TRIAL_RESULTS, results_of

    config = trialsim.compose(overrides=["cohort.size=20"])
    found = results_of({"kind": "trial", "endpoints": summary.endpoints(stand_in.patients(config), config)})
    assert set(found) == set(TRIAL_RESULTS)
