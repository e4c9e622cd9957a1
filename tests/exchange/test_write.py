"""Files: the same values in every format, whole or not at all, nothing overwritten; the command."""

import sys
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from trialsim import ConfigError, adam, export
from trialsim.commands import BAD_INPUT, start
from trialsim.exchange import formats
from trialsim.exchange.metadata import datasets

START = date(2030, 1, 1)


@pytest.fixture(scope="module")
def folders(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return {name: export(run.path, "adam", name, out / name, start_date=START) for name in ("csv", "parquet", "xpt")}


@pytest.mark.parametrize("name", list(datasets()))
def test_sas_transport_files_read_back_the_same(run, folders, name):
    expected, dataset = adam(run, name, START), datasets()[name]
    found, meta = pyreadstat.read_xport(folders["xpt"] / f"{name.lower()}.xpt")
    assert (meta.table_name, meta.file_label) == (name, dataset.label)
    assert list(found.columns) == list(expected.columns)
    for v in dataset.variables:
        assert meta.column_names_to_labels[v.name] == v.label
        if v.type == "text":
            assert found[v.name].tolist() == expected[v.name].tolist(), v.name
            assert meta.variable_storage_width[v.name] <= v.length
        elif v.type == "date":
            assert meta.original_variable_types[v.name] == "DATE9"
            assert pd.to_datetime(found[v.name]).astype("datetime64[s]").equals(expected[v.name]), v.name
        else:
            values = expected[v.name].to_numpy(float, na_value=np.nan)
            assert np.array_equal(found[v.name].to_numpy(float), values, equal_nan=True), v.name
    head = (folders["xpt"] / f"{name.lower()}.xpt").read_bytes()[:80]
    assert head.startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD")  # version 5; version 8 says LIBV8


@pytest.mark.parametrize("name", list(datasets()))
def test_csv_and_parquet_hold_the_same(run, folders, name):
    expected = adam(run, name, START)
    table = pq.read_table(folders["parquet"] / f"{name.lower()}.parquet")
    labels = {field.name: field.metadata[b"label"].decode() for field in table.schema}
    assert labels == {v.name: v.label for v in datasets()[name].variables if v.name in labels}
    csv = pd.read_csv(folders["csv"] / f"{name.lower()}.csv", keep_default_na=False, dtype=str)
    assert list(csv.columns) == list(expected.columns) == table.column_names
    for v in datasets()[name].variables:
        column = table[v.name].to_pandas()
        if v.type == "text":
            assert column.tolist() == csv[v.name].tolist() == expected[v.name].tolist()
        elif v.type == "date":
            for dates in (column, csv[v.name]):
                assert pd.to_datetime(dates).astype("datetime64[s]").equals(expected[v.name])
        else:
            values = expected[v.name].to_numpy(float, na_value=np.nan)
            assert np.array_equal(column.to_numpy(float, na_value=np.nan), values, equal_nan=True)
            assert np.array_equal(pd.to_numeric(csv[v.name]).to_numpy(float), values, equal_nan=True)


def test_the_listing_names_every_variable_that_was_written(folders):
    listing = pd.read_csv(folders["csv"] / "variables.csv", keep_default_na=False)
    for name in datasets():
        header = (folders["csv"] / f"{name.lower()}.csv").open().readline().strip().split(",")
        assert listing.loc[listing["dataset"] == name, "name"].tolist() == header
    assert "made up" in (folders["csv"] / "define.html").read_text()


def test_text_that_is_not_ascii_is_refused_by_sas_transport_files_only(own_run, tmp_path):
    p = pd.read_parquet(own_run / "patients.parquet")
    p.assign(tumour_type="Ästhesioneuroblastom").to_parquet(own_run / "patients.parquet")
    with pytest.raises(ConfigError, match="ADSL.TUMTYPE.*ASCII"):
        export(own_run, "adam", "xpt", tmp_path / "x")
    assert not (tmp_path / "x").exists() and not list(tmp_path.glob(".partial*"))
    assert "Ästhesio" in (export(own_run, "adam", "csv", tmp_path / "x") / "adsl.csv").read_text(encoding="utf-8")


def test_without_its_library_the_transport_format_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(ConfigError, match="format = 'xpt'.*pip install"):
        export(run, "adam", "xpt", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_export_that_fails_leaves_nothing(run, tmp_path, monkeypatch):
    def fail(path, pieces, *rest):
        path.write_text("half")
        if path.name.startswith("adrs"):
            raise KeyboardInterrupt
        return len(list(pieces))

    monkeypatch.setattr(formats, "write_csv", fail)
    with pytest.raises(KeyboardInterrupt):
        export(run.path, "adam", "csv", tmp_path / "a" / "b")
    assert list((tmp_path / "a").iterdir()) == []


def test_nothing_is_overwritten_and_nothing_else_is_written(own_run, tmp_path):
    before = {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()}
    folder = export(own_run, "nonmem")
    assert folder == own_run / "export" / "nonmem_csv"
    after = {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file() and folder not in path.parents}
    assert after == before
    with pytest.raises(ConfigError, match="out = .*nothing is overwritten"):
        export(own_run, "nonmem")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="out = "):
        export(own_run, "nonmem", out=tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("given", "key"),
    [({"to": "sdtm"}, "to"), ({"format": "sas"}, "format"), ({"to": "nonmem", "format": "xpt"}, "format"),
     ({"drug": "everolimus"}, "drug"), ({"to": "nonmem", "drug": "aspirin"}, "drug"),
     ({"to": "nonmem", "start_date": START}, "start_date"), ({"to": "nonmem", "names": ["ADSL"]}, "names")],
)  # fmt: skip
def test_choices_that_do_not_exist_are_told(run, tmp_path, given, key):
    with pytest.raises(ConfigError) as caught:
        export(run.path, **{"to": "adam", "out": tmp_path / "x"} | given)
    assert caught.value.key == key and not (tmp_path / "x").exists()


def command(*words):
    return start("export", [str(word) for word in words])


def test_the_command(run, tmp_path, capsys):
    assert command(run.path, "--out", tmp_path / "a", "--start-date", "2030-01-01") == 0
    assert (tmp_path / "a" / "adsl.csv").is_file() and "adtte.csv" in capsys.readouterr().out
    assert command(run.path, "--to", "nonmem", "--every-dose", "--out", tmp_path / "b") == 0
    assert command(run.path, "--to", "adam", "--out", tmp_path / "a") == BAD_INPUT
    assert command(run.path, "--to", "adam", "--out", tmp_path / "c", "--start-date", "31.1.2030") == BAD_INPUT
    assert command(tmp_path, "--to", "adam") == BAD_INPUT
    told = capsys.readouterr().err
    assert "nothing is overwritten" in told and "--start-date" in told and "finished run" in told and "Traceback" not in told
    assert command(run.path, "--datasets", "adxx", "--out", tmp_path / "c") == BAD_INPUT
    assert "one of ADSL, ADRS" in capsys.readouterr().err and not (tmp_path / "c").exists()
    assert command(run.path, "--format", "xpt", "--datasets", "adsl", "adtte", "--out", tmp_path / "c") == 0
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"adsl.xpt", "adtte.xpt", "variables.csv", "define.html"}
    assert command("--help") == 0
