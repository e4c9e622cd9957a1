"""Text from others is shown as text: in the page, in Plotly's labels, in tables that a spreadsheet opens; and nothing is written
elsewhere."""

import hashlib
import json
import re

import pandas as pd
import pytest
import yaml

from trialsim.report import write_report
from trialsim.schema import ConfigError

MARKUP = "<img src=x onerror=alert(1)></script><script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"


def spoilt(data, text):
    """Every text of nested values is another, but for the few that say how to read the rest."""
    if isinstance(data, dict):
        return {key: item if key in ("kind", "unit", "schema_version") else spoilt(item, text) for key, item in data.items()}
    if isinstance(data, list):
        return [spoilt(item, text) for item in data]
    return f"{text} {data}" if isinstance(data, str) else data


def spoil(folder, text):
    for name in ("summary.json", "provenance.json"):
        (folder / name).write_text(json.dumps(spoilt(json.loads((folder / name).read_text()), text)))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(spoilt(config, text)))
    for file in folder.glob("*.parquet"):
        table = pd.read_parquet(file)
        for name in table.columns:
            if not pd.api.types.is_numeric_dtype(table[name]) and name not in ("best_response", "response", "sex"):
                table[name] = table[name].map(lambda cell: f"{text} {cell}" if isinstance(cell, str) else cell)
        table.to_parquet(file, index=False)


@pytest.mark.parametrize("paediatric", [False, True])
def test_markup_shows_as_text(make_run, paediatric):
    folder = make_run(count=40, paediatric=paediatric)
    spoil(folder, MARKUP)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert not re.search(r"<img src=x|<script>alert", page)
    figures = [file.read_text(encoding="utf-8") for file in (folder / "figures").glob("*.json")]
    assert any("alert(1)" in text for text in figures)
    for text in figures:
        for string in re.findall(r'"(?:[^"\\]|\\.)*"', text):
            assert "<img" not in json.loads(string), "markup in a label of a figure"


def test_a_spreadsheet_runs_no_cell(make_run):
    folder = make_run(count=40)
    spoil(folder, FORMULA)
    write_report(folder)
    cells = [cell for file in (folder / "tables").glob("*.csv") for row in pd.read_csv(file, dtype=str).values for cell in row]
    assert any(FORMULA in str(cell) for cell in cells)
    assert not [cell for cell in cells if str(cell).startswith(("=", "+", "@"))]


@pytest.mark.parametrize("named", ["../../outside", "/tmp/outside", "a/b", ""])
def test_tables_of_an_analysis_are_files_of_its_folder(make_run, named):
    folder = make_run(count=20)
    (folder / "summary.json").write_text(json.dumps({"kind": "dose_response", "tables": [named], "title": "t", "results": {}}))
    with pytest.raises(ConfigError, match=r"summary\.json\.tables"):
        write_report(folder)


@pytest.mark.parametrize("kind", ["page", "..html", "os", "", 3])
def test_a_kind_names_no_other_module(make_run, kind):
    folder = make_run(count=20)
    (folder / "summary.json").write_text(json.dumps({"kind": kind, "tables": []}))
    with pytest.raises(ConfigError, match=r"summary\.json\.kind"):
        write_report(folder)


def test_a_link_leads_no_report_out_of_its_folder(make_run, tmp_path):
    folder = make_run(count=20)
    (tmp_path / "outside").mkdir()
    (folder / "tables").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="not a link"):
        write_report(folder)
    assert not list((tmp_path / "outside").iterdir())


def test_a_report_that_cannot_be_made_leaves_the_old_one_whole(make_run):
    folder = make_run(count=20)
    write_report(folder)
    digest = lambda: {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.suffix != ".parquet"
                      and file.is_file()}  # fmt: skip
    before = digest()
    (folder / "visits.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(ConfigError, match="as they were written"):
        write_report(folder)
    assert digest() == before
