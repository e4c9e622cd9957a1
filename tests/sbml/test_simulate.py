"""Models of others: exact answers where there are some, a sentence where a file is rubbish."""

import numpy as np
import pytest
from toy_models import BLOCKED, D_PER_H, ENDLESS, PARAMETER, SPECIES, sbml

from trialsim.sbml import document, read_document, read_experiment
from trialsim.sbml.experiment import experiment
from trialsim.sbml.simulate import simulate
from trialsim.schema import ConfigError

pytest.importorskip("roadrunner")  # no wheel for Linux on ARM

HOURS = np.array([0.5, 2.0, 6.0])
ASKED = {"title": "toy", "source": "closed form", "minute": 1 / 60, "hours": HOURS.tolist(), "readouts": {"S6K": "X"}}
BLOCK = {"constants": ["k"], "inhibition": [0.75]}


def written(folder, text):
    path = folder / "model.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def folds(folder, text, **asked):
    course = simulate(read_document(written(folder, text)), experiment(ASKED | asked))
    return course.levels[1:, 1:] / course.levels[:1, 1:]


def exact(left):
    return left + (1.0 - left) * np.exp(-D_PER_H * HOURS)


@pytest.mark.parametrize("readout", ["X", "(twice + 2 * X) / 4 + X - 1e3 * X * 1e-3"])
def test_block_gives_the_exact_folds(tmp_path, readout):
    found = folds(tmp_path, BLOCKED, block=BLOCK, readouts={"S6K": readout}, before_hours=3.0)
    np.testing.assert_allclose(found[0, :, 0], exact(0.25), rtol=1e-6)


def test_unit_of_time(tmp_path):
    fast = BLOCKED.replace('id="k" value="1"', 'id="k" value="60"').replace('id="d" value="0.5"', 'id="d" value="30"')
    np.testing.assert_allclose(folds(tmp_path, fast, block=BLOCK, minute=1 / 3600)[0, :, 0], exact(0.25), rtol=1e-6)


@pytest.mark.parametrize("model", [PARAMETER, SPECIES])
def test_drug_of_several_values_gives_the_exact_folds(tmp_path, model):
    drug = {"name": "D", "values": [1.0, 3.0], "concentration_nM": [1.0, 3.0]}
    found = folds(tmp_path, model, rapamycin=drug)
    for arm, dose in enumerate(drug["values"]):
        np.testing.assert_allclose(found[arm, :, 0], exact(1.0 / (1.0 + dose)), rtol=1e-6)


def test_drug_that_is_not_held_is_lost_and_an_amount_is_read_as_one(tmp_path):
    drug = {"name": "D", "values": [3.0], "concentration_nM": [3.0], "held": False}
    asked = experiment(ASKED | {"rapamycin": drug, "readouts": {"S6K": "Y + D * cell"}})
    course = simulate(read_document(written(tmp_path, SPECIES)), asked)
    np.testing.assert_allclose(course.levels[1, 1:, 0], 4.0 * 3.0, rtol=1e-6)  # what is lost becomes Y, in a volume of 4


# ---- what is refused

BOMB = b'<?xml version="1.0"?><!DOCTYPE sbml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sbml>&b;</sbml>'
OTHERS = sbml("").replace('<model id="toy"', '<listOfExternalModelDefinitions><externalModelDefinition source="file:///etc/passwd"/>'
                          '</listOfExternalModelDefinitions><model id="toy"')  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not well-formed XML"),
        (b"\x00\xff rubbish", "not well-formed XML"),
        (BLOCKED[:-20], "not well-formed XML"),
        (b'<?xml version="1.0" encoding="TTF-8"?><sbml/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><sbml/>', "multi-byte encodings"),
        (BOMB, "DOCTYPE"),
        (b"<a>" * 500 + b"</a>" * 500, "nested"),
        (b"<cellml/>", "root element is cellml"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"/>', "no model"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"><model id="m"/></sbml>', "no species"),
        (OTHERS, "in another file"),
    ],
)
def test_rubbish_is_refused_before_it_is_run(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        read_document(written(tmp_path, text))


def test_a_file_that_is_too_large_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "LARGEST", 100)
    for path, said in ((written(tmp_path, BLOCKED), "at most 100"), (tmp_path / "none.xml", "no such file")):
        with pytest.raises(ConfigError, match=said):
            read_document(path)


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        (BLOCKED, {"readouts": {"S6K": "XX"}}, "readouts.S6K = 'XX'.*did you mean 'X'"),
        (BLOCKED, {"block": {"constants": ["twice"], "inhibition": [0.5]}}, "block.constants = 'twice'.*no rule"),
        (BLOCKED, {"inputs": {"nobody": 1.0}}, "inputs = 'nobody'"),
        (BLOCKED, {"readouts": {"S6K": "X / (X - X)"}}, "stays finite"),
        (BLOCKED.replace("<ci>k</ci>", "<ci>nowhere</ci>"), {}, "libroadrunner runs"),
        (ENDLESS, {}, "not done after 2 s"),
    ],
)
def test_a_model_that_cannot_be_run_as_asked_says_why(tmp_path, text, asked, said):
    with pytest.raises(ConfigError, match=said):
        simulate(read_document(written(tmp_path, text)), experiment(ASKED | {"block": BLOCK} | asked), time_limit_s=2.0)


@pytest.mark.parametrize(
    ("worker", "said"),
    [("print('{\"missing\": true}')", r"pip install \"trialsim\[sbml\]"), ("import os; os.abort()", "the simulator stopped")],
)
def test_a_simulator_that_is_not_there_or_crashes(tmp_path, monkeypatch, worker, said):
    (tmp_path / "worker.py").write_text(worker)
    monkeypatch.setattr("trialsim.sbml.simulate.WORKER", tmp_path / "worker.py")
    with pytest.raises(ConfigError, match=said):
        folds(tmp_path, BLOCKED, block=BLOCK)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"readouts": {"S6K": "__import__('os').system('x')"}}, "names of the model, numbers"),
        ({"readouts": {"S6K": "X ** 9 ** 9"}}, "names of the model, numbers"),
        ({"readouts": {"S6K": "-" * 2000 + "X"}}, "names of the model, numbers"),
        ({"readouts": {"pS6K": "X"}}, "did you mean 'S6K'"),
        ({"readouts": {"S6K": "3"}}, "at least one name"),
        ({"block": None}, "either `block` or `rapamycin`"),
        ({"block": {"constants": ["k"], "inhibition": [95]}}, "block.inhibition"),
        ({"hours": [6, 2]}, "hours that ascend"),
        ({"hourz": [1]}, "did you mean 'hours'"),
        ({"rapamycin": {"name": "D", "values": [1, 2], "concentration_nM": [1]}, "block": None}, "2 numbers"),
    ],
)
def test_a_faulty_experiment_says_what_is_allowed(tmp_path, changes, said):
    with pytest.raises(ConfigError, match=said):
        asked = experiment(ASKED | {"block": BLOCK} | changes)
        simulate(read_document(written(tmp_path, BLOCKED)), asked)


@pytest.mark.parametrize("text", ["a: &x [1]\nb: *x", "a: [", "[1, 2]", "!!python/object/apply:os.system ['x']", "\x00", "1: 2"])
def test_a_faulty_yaml_is_refused(tmp_path, text):
    path = tmp_path / "experiment.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="experiment.yaml|EXPERIMENT"):
        read_experiment(path)
