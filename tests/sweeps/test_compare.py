"""`trialsim compare` and the report that a sweep leaves: what is on it, and what it refuses."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
import stand_in

import trialsim
from trialsim import cli
from trialsim.report.sweep import write_sweep
from trialsim.sweeps.runs import read_sweep

WORDS = ("cohort.size=60", "regimen.dose=5,10", "seed=1,2", "hydra.sweep.dir=x")


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """Four runs, of which one fails."""
    place = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        study = stand_in.module()
        patch.setitem(sys.modules, "trialsim.study", study)
        patch.setattr(trialsim, "study", study, raising=False)
        patch.chdir(place)
        before = stand_in.patients

        def patients(config):
            if (config.regimen.dose, config.seed) == (10, 2):
                raise RuntimeError("<script>alert(1)</script> burns")
            return before(config)

        patch.setattr(stand_in, "patients", patients)
        patch.setattr(sys, "argv", ["trialsim", "-m", *WORDS])
        assert cli.main() == 1
    return place / "x"


@pytest.fixture
def compare(swept, monkeypatch):
    monkeypatch.chdir(swept.parent)

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["trialsim", "compare", *words])
        return cli.main()

    return run


def test_a_sweep_leaves_a_report_that_names_every_run(swept: Path) -> None:
    page = (swept / "report.html").read_text()
    assert "RuntimeError: &lt;script&gt;alert(1)&lt;/script&gt; burns" in page and "<script>alert" not in page
    assert "src=" not in page.split("<main>")[1].split("</main>")[0] and len(page) < 5e6
    table = pd.read_csv(swept / "tables" / "runs.csv")
    assert table["state"].tolist() == ["complete"] * 3 + ["failed"]
    for row in table[:3].itertuples():
        summary = json.loads((swept / str(row.run) / "summary.json").read_text())
        assert row.orr == summary["endpoints"]["orr"]["estimate"] and row.orr_high == summary["endpoints"]["orr"]["high"]
    assert {file.stem for file in (swept / "figures").iterdir()} >= {"parallel", "differences", "curve_orr"}


def test_the_seeds_of_a_setting_are_held_against_another_setting_together(swept: Path) -> None:
    table = pd.read_csv(swept / "tables" / "differences.csv").set_index("result")
    assert set(table["run"]) == {2} and set(table["reference"]) == {"0, 1"}  # the other run of dose 10 failed
    patients = {run: pd.read_parquet(swept / run / "patients.parquet") for run in ("0", "1", "2")}
    low_dose = pd.concat([patients["0"], patients["1"]])
    found = table.loc["orr"]
    assert found["paired"] and found["n"] == len(low_dose)
    assert found["difference"] == pytest.approx(patients["2"]["responder"].mean() - low_dose["responder"].mean())
    page = (swept / "report.html").read_text()
    assert "less runs 0, 1 (regimen.dose 5 mg)" in page and "regimen.dose 10 mg" in page


def test_the_numbers_of_the_runs_lead_to_their_reports(swept: Path) -> None:
    page = (swept / "report.html").read_text()
    assert 'href="0/report.html"' not in page  # the stand-in writes none
    (swept / "0" / "report.html").write_text("its own")
    write_sweep(read_sweep(swept), swept)
    page = (swept / "report.html").read_text()
    assert '<a href="0/report.html">0</a>' in page and 'href="1/report.html"' not in page
    (swept / "0" / "report.html").unlink()


def test_a_run_whose_checks_failed_is_told_with_its_cause(swept: Path, tmp_path: Path) -> None:
    file = swept / "1" / "summary.json"
    before = file.read_text()
    facts = json.loads(before)
    facts["diagnostics"] = {"ok": False, "messages": ["R-hat of 1.2", "another", "a third"]}
    try:
        file.write_text(json.dumps(facts))
        runs = read_sweep(swept)
        assert [run.fault for run in runs.complete] == ["", "R-hat of 1.2 (and 2 more in its report)", ""]
        assert "Checks failed in run 1 (regimen.dose 5 mg, seed 2): R-hat of 1.2" in write_sweep(runs, tmp_path).read_text()
    finally:
        file.write_text(before)


def test_another_reference_and_another_folder(compare, swept: Path, capsys) -> None:
    before = (swept / "report.html").read_bytes()
    assert compare("x", "--reference", "2", "--out", "else") == 0
    assert "Run 3 (regimen.dose=10, seed=2): failed" in capsys.readouterr().out
    assert set(pd.read_csv("else/tables/differences.csv")["reference"]) == {2}
    assert (swept / "report.html").read_bytes() == before


def test_runs_from_anywhere_are_told_apart_by_their_settings(compare) -> None:
    assert compare("x/0", "x/2", "--out", "pair") == 0
    assert pd.read_csv("pair/tables/runs.csv")["regimen.dose"].tolist() == [5, 10]
    assert "seed" not in pd.read_csv("pair/tables/runs.csv")


BAD = [
    (["nowhere"], "sweep = 'nowhere'"),
    (["x/0"], "the folder of a sweep, with sweep.json"),
    (["x/0", "x/0", "--out", "y"], "at least two folders"),
    (["x/0", "x/1"], "--out"),
    (["x/0", "x/3", "--out", "y"], "the folder of a finished run"),
    (["x", "--reference", "3"], "a complete run: 0, 1, 2"),
    (["x", "--out", "x/0"], "a folder without a run"),
]


@pytest.mark.parametrize(("words", "expected"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_what_cannot_be_compared_is_told(words, expected, compare, capsys) -> None:
    before = set(os.listdir())
    assert compare(*words) == 2
    assert expected in capsys.readouterr().err
    assert set(os.listdir()) == before
