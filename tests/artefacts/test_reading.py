"""What a run left behind, spoilt: every fault is told with the file's name, and nothing that is not whole is taken for whole."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from trialsim import ConfigError, compose, load_run
from trialsim.artefacts import RunFolder, is_finished
from trialsim.artefacts.csv_text import csv_text
from trialsim.artefacts.netcdf import check_netcdf
from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.artefacts.status import read_status, within


@pytest.fixture(scope="module")
def config():
    return compose(overrides={"cohort.size": 20, "resume": True})


@pytest.fixture
def finished(tmp_path, config):
    with RunFolder(tmp_path / "run", config) as folder:
        with folder.stage("analyse"):
            folder.write_json("summary.json", {"kind": "trial"})
            folder.write_table("patients", pd.DataFrame({"patient_id": [0]}))
        folder.finish()
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a JSON file"), ("{", "a JSON file"), ('{"a": NaN}', "NaN is no number"), ("[1]", "a mapping"),
        ('{"a": ' + "[" * 100_000, "a JSON file"), ('{"a": ' + "[" * 60 + "]" * 60 + "}", "within one another"),
        ('{"a": "\\ud800"}', "text in UTF-8"), ('{"a": 1e999}', "a finite number"),
    ],
)  # fmt: skip
def test_json(tmp_path, text, said):
    file = tmp_path / "summary.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_json(file)
    assert caught.value.key.startswith("summary.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "a YAML file"), ("- 1", "a mapping"), ("a: &x [1]\nb: *x", "without aliases"),
        ("a: !!python/object:os.system {}", "line 1: !!python/object:os.system.*plain values only"),
        ("b: 1\na: !mine x", "line 2: !mine.*plain values only"),
        ("a: !!binary aGk=", "a number, text"), ("a: 2020-01-01", "a number, text"), ("a: !!set {b}", "a number, text"),
        ("a: " + "[" * 5000, "nesting depth"), ("a: " + "[" * 100, "within one another"),
        ("a: .nan", "finite"), ("a: 99999999999999999999", "64 bits"),
    ],
)  # fmt: skip
def test_yaml(tmp_path, text, said):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_yaml(tmp_path / "config.yaml")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_regular_file_is_not_opened(make, tmp_path):
    make(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match="a regular file, no folder, pipe or device"):
        read_yaml(tmp_path / "config.yaml")


def test_bytes_that_are_no_text_and_a_file_that_is_too_large(tmp_path):
    (tmp_path / "config.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="a text in UTF-8"):
        read_yaml(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_bytes(b"#" * (2**22 + 1))
    with pytest.raises(ConfigError, match="at most 4,194,304 bytes"):
        read_yaml(tmp_path / "config.yaml")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..\\x", "", "a\0b"])
def test_names_that_lead_out_of_the_folder(name, tmp_path):
    with pytest.raises(ValueError, match="within the folder"):
        within(name)
    stages = [{"name": "simulate", "files": {name: "0"}, "seconds": 1.0}]
    (tmp_path / "status.json").write_text(json.dumps({"stages": stages}))
    with pytest.raises(ConfigError, match="within the folder"):
        read_status(tmp_path)


@pytest.mark.parametrize(
    "status",
    [{"complete": "yes"}, {"complete": True}, {"complete": True, "state": "running"}, {"stages": {}}, {"stages": [{"name": 1}]},
     {"blocks": []}, {"blocks": {"a": {"b": 1}}}, {"config_sha256": None}],
)  # fmt: skip
def test_status_of_another_form(status, tmp_path):
    (tmp_path / "status.json").write_text(json.dumps(status))
    with pytest.raises(ConfigError, match="as a run writes it"):
        read_status(tmp_path)


def test_a_finished_run_is_whole(finished, config):
    assert is_finished(finished, config)
    assert load_run(finished).summary == {"kind": "trial"}


def test_a_run_that_lost_a_file_is_not_finished(finished, config):
    (finished / "patients.parquet").unlink()
    assert not is_finished(finished, config)
    with pytest.raises(ConfigError, match="missing: patients.parquet"):
        load_run(finished)


def test_a_run_whose_results_were_changed_is_not_finished(finished, config):
    (finished / "summary.json").write_text('{"kind": "trial", "orr": 1}')
    assert not is_finished(finished, config)
    with pytest.raises(ConfigError, match="was changed since"):
        load_run(finished)


def test_links_out_of_a_run_are_not_followed(tmp_path, config):
    (tmp_path / "run").mkdir()
    (tmp_path / "victim").write_text("before")
    (tmp_path / "run" / "run.log").symlink_to(tmp_path / "victim")
    with pytest.raises(ConfigError, match="not a link"), RunFolder(tmp_path / "run", config):
        pass
    assert (tmp_path / "victim").read_text() == "before"


def test_cells_that_a_spreadsheet_would_run():
    table = pd.DataFrame({"a": ["=1+1", "+x", "-y", "@z", "\tq", "-3.5", "plain", None], "b": np.arange(8) - 4.0, "=c": ["é"] * 8})
    rows = [line.split(",") for line in csv_text(table).splitlines()]
    assert rows[0] == ["a", "b", "'=c"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+x", "'-y", "'@z", "'\tq", "-3.5", "plain", ""]
    assert [float(row[1]) for row in rows[1:]] == [-4, -3, -2, -1, 0, 1, 2, 3]
    twice = csv_text(pd.DataFrame([["=1", "=2"]], columns=["x", "x"]))
    assert twice.splitlines() == ["x,x", "'=1,'=2"]


def test_a_posterior_that_reads_other_files(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret12")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = [1.0]
    layouts = {
        "external link": lambda file: file.__setitem__("x", h5py.ExternalLink(str(tmp_path / "other.h5"), "x")),
        "soft link": lambda file: file.__setitem__("x", h5py.SoftLink("/y")),
        "external data": lambda file: file.create_dataset("x", (8,), "i1", external=[(str(tmp_path / "secret"), 0, 8)]),
        "too large": lambda file: file.create_dataset("x", (2**40,), "f8", chunks=(1024,)),
    }
    for name, make in layouts.items():
        with h5py.File(tmp_path / "posterior.nc", "w") as file:
            make(file)
        with pytest.raises(ConfigError, match=r"posterior\.nc"):
            check_netcdf(tmp_path / "posterior.nc")
            pytest.fail(name)
    (tmp_path / "posterior.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 50)
    with pytest.raises(ConfigError, match="that can be read"):
        check_netcdf(tmp_path / "posterior.nc")


@pytest.mark.parametrize("name", ["x" * 3000, "a\0b"])
def test_paths_that_no_file_can_have(name, config):
    from trialsim import merge, write_report

    for read in (load_run, write_report, lambda path: is_finished(Path(path), config), lambda path: merge([path], "out"),
                 read_patients):  # fmt: skip
        with pytest.raises(ConfigError, match="a path that can be used"):
            read(name)


def read_patients(path):
    from trialsim.cohort.covariates_file import read_covariates

    read_covariates(path, ("colorectal",), 1, np.arange(1))


def test_a_link_to_itself(finished, config):
    (finished / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match="not a link"):
        load_run(finished)
