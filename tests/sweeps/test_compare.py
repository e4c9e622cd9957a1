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


def test_differences_are_paired_within_a_seed_and_not_between(swept: Path) -> None:
    table = pd.read_csv(swept / "tables" / "differences.csv").set_index(["run", "result"])
    same, other = table.loc[(2, "orr")], table.loc[(1, "orr")]  # run 2: dose 10, seed 1; run 1: dose 5, seed 2
    assert same["paired"] and not other["paired"]
    assert same["high"] - same["low"] < 0.6 * (other["high"] - other["low"])
    tables = [pd.read_parquet(swept / run / "patients.parquet") for run in ("0", "2")]
    assert same["difference"] == pytest.approx(tables[1]["responder"].mean() - tables[0]["responder"].mean())
    assert table.loc[(2, "median_pfs_months"), "low"] > 0  # every patient's progression is later with the higher dose


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
