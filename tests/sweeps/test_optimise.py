"""`trialsim optimise`: finds a known optimum under a condition, goes on where it stopped, tells a slip before anything runs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stand_in

import trialsim
from trialsim import cli
from trialsim.artefacts import RunFolder
from trialsim.sweeps import record, search
from trialsim.sweeps.runs import results_of
from trialsim.sweeps.search import Range, Rule, read_rule, read_words

optuna = pytest.importorskip("optuna")


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


@pytest.fixture(scope="module")
def base():
    return trialsim.compose(overrides=["cohort.size=200"])


def searched(base, folder: Path, words: tuple[str, ...], trials: int, rules: tuple[str, ...] = (), run=stand_in.run):
    """The search itself, with settings made without Hydra, which takes a second a trial."""

    def compose(overrides):
        given = dict(word.split("=") for word in overrides)
        regimen = {"dose": float(given["regimen.dose"]), "schedule": given.get("regimen.schedule", "daily")}
        return base.model_copy(update={"regimen": base.regimen.model_copy(update=regimen), "resume": given["resume"] == "true"})

    question = search.Question(True, "orr", "estimate", read_words(words)[0], tuple(map(read_rule, rules)), (), 1)
    read = lambda path: results_of(json.loads((path / "summary.json").read_text()))
    return search.search(question, folder, trials, compose, run, read, lambda outcome, seconds: None)


def test_it_finds_the_highest_dose_that_the_condition_allows(base, tmp_path) -> None:
    """Response and DLTs of the stand-in both rise with the dose, so that the best dose is the last with 40 DLTs in 200 patients."""
    outcomes = searched(base, tmp_path, ("regimen.dose=2.5:20",), 20, ("dlt_rate<=0.2",))
    response, _, toxicity = np.random.default_rng(1).random((3, 200))
    highest = np.sort(toxicity)[40] / 0.02  # at this dose the 41st patient has a DLT
    found = search.best(outcomes, maximise=True)
    assert found.job.values["regimen.dose"] <= highest < 20
    assert np.mean(response < 0.1 + 0.02 * (highest - 1)) <= found.value <= np.mean(response < 0.1 + 0.02 * highest)
    forbidden = [one.job.values["regimen.dose"] for one in outcomes if one.feasible is False]
    assert forbidden and min(forbidden) > highest


@pytest.mark.slow
def test_interrupted_it_ends_like_an_unbroken_search(base, tmp_path) -> None:
    words, count = ("regimen.dose=5:20:log", "regimen.schedule=daily,weekly"), []

    def interrupted(config, folder):
        count.append(folder)
        with RunFolder(folder, config):
            if len(count) == 12:
                raise KeyboardInterrupt
        shutil.rmtree(folder)
        return stand_in.run(config, folder)

    whole = searched(base, tmp_path / "whole", words, 16)
    with pytest.raises(KeyboardInterrupt):
        searched(base, tmp_path / "broken", words, 16, run=interrupted)
    told = lambda outcomes: [(one.job.number, one.job.values, one.value, one.feasible) for one in outcomes]
    assert told(searched(base, tmp_path / "broken", words, 16)) == told(whole)
    assert len(searched(base, tmp_path / "broken", words, 18)) == 18  # more trials
    again = record.read(tmp_path / "broken")
    assert again is not None and {job.state for job in again.jobs} == {"complete"}


def test_failed_trials_are_listed_and_the_search_goes_on(optimise, monkeypatch, capsys) -> None:
    before = stand_in.patients

    def spoil(config):
        if config.regimen.schedule == "weekly":
            raise RuntimeError("no")
        return before(config)

    monkeypatch.setattr(stand_in, "patients", spoil)
    words = ("maximise", "orr", "regimen.schedule=daily,weekly", "regimen.dose=5:20", "cohort.size=20")
    assert optimise(*words, "--trials", "4", "--out", "s") == 0
    table = trials("s")
    failed = table[table["value"].isna()]
    assert 0 < len(failed) < 4 and (failed["regimen.schedule"] == "weekly").all() and (failed["cause"] == "RuntimeError: no").all()
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
    found = results_of({"kind": "trial", "endpoints": summary.endpoints(stand_in.patients(config), "mg")})
    assert set(found) == set(TRIAL_RESULTS)
