"""A published model beside our network: by the command, from files to the page."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import trialsim
from trialsim.commands import start
from trialsim.sbml import expression, network, read_document, read_experiment
from trialsim.sbml.compare import _folds
from trialsim.sbml.experiment import experiment
from trialsim.sbml.simulate import Course, simulate

PUBLISHED = Path(__file__).parents[2] / "experiments" / "published_models"
MODEL, ASKED = PUBLISHED / "sonntag2012.xml", PUBLISHED / "sonntag2012.yaml"
ON_FILE = Path(__file__).parents[1] / "data" / "published_models" / "mtorc1_block.csv"
NEEDS = pytest.mark.skipif(not importlib.util.find_spec("roadrunner"), reason="no wheel for Linux on ARM")


@pytest.fixture(scope="module")
def config():
    return trialsim.compose("laboratory")


@pytest.fixture(scope="module")
def asked():
    return read_experiment(ASKED)


@NEEDS
def test_the_model_that_is_shipped_has_the_folds_of_the_authors_own_file(asked):
    """`ON_FILE` was measured from BIOMD0000000580. AMPK is induced when mTORC1 is blocked: the paper's finding."""
    with_ampk = asked.model_copy(update={"readouts": {**asked.readouts, "ULK": "AMPK_pT172"}})
    course = simulate(read_document(MODEL), with_ampk)
    table = pd.read_csv(ON_FILE)
    table = table[table.citation == "Sonntag 2012"]
    for r, readout in enumerate(with_ampk.readouts):
        for arm, inhibition in enumerate(asked.doses, start=1):
            rows = table[(table.signal == readout.replace("ULK", "AMPK")) & np.isclose(table.residue, 1.0 - inhibition)]
            np.testing.assert_allclose(course.levels[arm, 1:, r] / course.levels[0, 1:, r], rows["fold"], rtol=1e-3)
            np.testing.assert_allclose(course.levels[0, 1:, r] / course.levels[0, 0, r], rows["control"], rtol=1e-3)
    assert (course.levels[1:, 1:, -1] > course.levels[0, 1:, -1]).all()


@NEEDS
def test_the_command_writes_folds_and_page_and_nothing_twice(tmp_path, capsys):
    words = [str(MODEL), str(ASKED), "--out", str(tmp_path)]
    assert start("signalling", words) == 0
    told = capsys.readouterr().out
    folds = pd.read_csv(tmp_path / "tables" / "folds.csv")
    usable = folds[folds["usable"]]
    assert len(folds) == 24 and (folds["usable"] == folds["drift"].between(0.5, 2.0)).all()
    assert folds.loc[~folds["usable"], "agree"].isna().all()
    same = usable["agree"].astype(bool)
    assert (same == (usable["model_way"] == usable["trialsim_way"])).all() and f"agree in {same.sum()} of {len(usable)}" in told
    late = folds[folds["hours"] == 2.0]
    assert (late.loc[late["readout"] == "S6K", "trialsim_way"] == "falls").all()
    assert (late.loc[late["readout"] == "S473", "trialsim_way"] == "rises").all()
    assert folds["readout"].tolist() == [name for name in ("S6K", "S473", "T308") for _ in range(8)]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"Directions agree in {same.sum()} of {len(usable)} comparisons" in page and "PMID 22452783" in page
    assert 'src="http' not in page and "network.signalling" in page
    before = (tmp_path / "report.html").stat().st_mtime_ns
    assert start("signalling", words) == 2
    assert "without report.html" in capsys.readouterr().err and (tmp_path / "report.html").stat().st_mtime_ns == before


def test_the_command_lists_names_and_refuses_rubbish_in_one_line(tmp_path, capsys):
    assert start("signalling", [str(MODEL)]) == 0
    assert "S6K_pT389" in capsys.readouterr().out
    (tmp_path / "rubbish.xml").write_text("<sbml")
    assert start("signalling", [str(tmp_path / "rubbish.xml"), str(ASKED)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "not well-formed" in told


def test_block_and_rapamycin_of_our_network(config, asked):
    """The block is that of experiments/published_models; rapamycin takes S6K and leaves 4E-BP1 (Choo 2008), more with dose."""
    readouts = {name: "x" for name in ("S6K", "BP", "S473")}
    block = asked.model_copy(update={"readouts": readouts})
    drug = {"name": "D", "values": (1.0, 20.0), "concentration_nM": (1.0, 20.0)}
    rapamycin = type(asked)(**{**block.model_dump(), "block": None, "rapamycin": drug})
    blocked, drugged = (network.folds(config, e, config.analysis.dish_drug) for e in (block, rapamycin))
    known = pd.read_csv(PUBLISHED / "comparison.csv").set_index(["signal", "residue", "hours"])["trialsim"]
    for r, signal in enumerate(readouts):
        expected = [[known[signal, residue, hours] for hours in (2, 6, 24)] for residue in (0.1, 0.05)]
        np.testing.assert_allclose(blocked[:, 1:, r], expected, rtol=0.02)
    assert (drugged[1, 1:, 0] < 0.1).all() and (drugged[1, 2:, 1] > 2 * blocked[1, 2:, 1]).all()
    assert (drugged[1, :, 0] < drugged[0, :, 0]).all()


def test_the_files_that_the_how_to_prints_are_experiments():
    page = Path(__file__).parents[2] / "docs" / "pages" / "howto" / "models.md"
    whole, drug = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    document = read_document(MODEL)
    for name, text in experiment(whole).readouts.items():
        document.check(expression.names(expression.parse(text, name)), name)
    assert experiment({**whole, "block": None, **drug}).doses == (1.0, 20.0)


@pytest.mark.slow
def test_half_the_step_moves_no_fold(config, asked):
    coarse, fine = (network.folds(config, asked, config.analysis.dish_drug, step) for step in (network.STEP_H, network.STEP_H / 2))
    np.testing.assert_allclose(coarse, fine, rtol=1e-3)


def test_ways_and_what_is_not_usable(asked):
    """Control constant, drifting three-fold, and vanishing; folds of 0.5, 1.04 and 1.5 of ours."""
    one = asked.model_copy(update={"readouts": {"S6K": "x", "BP": "x", "ERK": "x"}, "hours": (1.0,),
                                   "block": asked.block.model_copy(update={"inhibition": (0.9,)})})  # fmt: skip
    levels = np.array([[[1.0, 1.0, 1.0], [1.0, 3.0, 0.0]], [[1.0, 1.0, 1.0], [0.8, 3.0, 0.0]]])
    table = _folds(one, Course(levels, ""), np.array([[[0.5, 1.04, 1.5]]]))
    assert table["trialsim_way"].tolist() == ["falls", "stays", "rises"] and table["usable"].tolist() == [True, False, False]
    assert table["agree"].tolist()[0] is True and table["agree"].isna().tolist() == [False, True, True]
