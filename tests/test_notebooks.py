"""The notebooks of experiments/: clean, and true to the package; run in few patients among the slow tests."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NOTEBOOKS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "experiments" / "notebooks").glob("*.ipynb"))}


def cells(name: str, kind: str = "code") -> list[str]:
    content = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def run(name: str, codes: list[str]) -> dict[str, Any]:
    """The names that the cells leave behind. They run in this process, as a kernel for each would compile everything again."""
    names: dict[str, Any] = {}
    for number, code in enumerate(codes):
        exec(compile(code, f"{name}, code cell {number}", "exec"), names)
    return names


def test_there_is_one_for_each_reader():
    assert set(NOTEBOOKS) == {"oncologist", "pharmacometrician", "statistician"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_clean_explained_and_names_what_exists(name, monkeypatch):
    monkeypatch.setenv("TRIALSIM_QUICK", "1")
    content = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))
    assert (content["nbformat"], content["cells"][0]["cell_type"]) == (4, "markdown")
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    for before, cell in zip(content["cells"], content["cells"][1:], strict=False):
        assert cell["cell_type"] == "markdown" or (cell["outputs"] == [] and cell["execution_count"] is None)
        assert "markdown" in (before["cell_type"], cell["cell_type"]) or len(cell["source"]) < 12, "a cell without words"
    assert all(len(line) <= 140 for code in cells(name) for line in code.splitlines())
    names = run(name, cells(name)[:2])  # imports and settings: every key is composed and checked
    assert names["config"].cohort.size == names.get("size", names["settings"])["cohort.size"]
    for code in cells(name):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = names.get(node.value.id)
                if isinstance(module, type(importlib)):
                    assert hasattr(module, node.attr), f"{node.value.id}.{node.attr}"


@pytest.mark.slow
def test_the_notebooks_run_in_few_patients_and_tell_the_truth(monkeypatch):
    monkeypatch.setenv("TRIALSIM_QUICK", "1")
    found = {name: run(name, cells(name)) for name in NOTEBOOKS}

    one = found["oncologist"]
    patients, endpoints = one["patients"], one["endpoints"]
    assert len(patients) == 120 and endpoints.loc["dcr", "estimate"] == pytest.approx(patients["disease_control"].mean())
    bars = sum(len(trace.y) for trace in one["waterfall"].data)
    assert bars == patients["best_sld_change_percent"].notna().sum()
    assert one["best"].sum() == 120 and one["ends"].sum() == pytest.approx(1.0) and one["severe"].between(0.0, 1.0).all()
    low, high = one["medians"].loc["cmin_ng_ml", "5 mg"], one["medians"].loc["cmin_ng_ml", "10 mg"]
    assert 0.4 < low / high < 0.6 and one["medians"].loc["ps6_tumour_d28", "5 mg"] > one["medians"].loc["ps6_tumour_d28", "10 mg"]

    two = found["pharmacometrician"]
    assert 0.9 < two["exponent"].mean() < 1.0 and 0.2 < two["geometric_cv"] < 0.8
    assert two["correlation"]["ps6_tumour"] < 0.0
    assert len(two["pfs"]) == 120 and sum(half.n for half in two["by_half"].values()) == len(two["joined"])
    assert two["published"]["ratio"].between(0.3, 3.0).all() and len(two["published"])

    three = found["statistician"]
    assert (three["against_exact"]["z"].abs() < 4.0).all()  # false alarms: 1 in 1000 at 19 degrees of freedom
    assert len(three["correct"]) and (three["correct"]["low"] < three["correct"]["estimate"]).all()
    tree = three["fits"].published
    median = tree.posterior["cohort_probability"].median(("chain", "draw"))
    assert np.allclose(three["quantiles"].loc["published", 0.5], median, atol=1e-6)
    assert three["check"]["inside"].mean() > 0.7 and (three["summary"]["r_hat"].astype(float) < 1.2).all()
