"""A prediction from settings to page, and what its parts compute."""

import html
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import trialsim.analyses.predict as module
from trialsim import beforehand, compose, compose_trial, load_run, run, write_report
from trialsim.bank.studies import BOTH
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

TINY = {
    "compute.progress": "off", "compute.solver_check_patients": 0, "design.max_follow_up_months": 4,
    "regimen.max_treatment_days": 100, "analysis.draws": 2, "analysis.patients_per_draw": 20, "analysis.studies_per_draw": 10,
    "analysis.patients": 30, "analysis.control": "placebo", "analysis.patients_control": 15, "analysis.crossover": True,
    "analysis.accrual_months": 2, "analysis.follow_up_months": 2, "study.published": "RADIANT3/everolimus",
    "analysis.published_control": "RADIANT3/placebo",
}  # fmt: skip
TITLE = "<script>alert(1)</script> & trial"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    run(compose("predict", TINY | {"study.title": TITLE}), folder, {"trial.yaml": "title: mine\n"})
    return load_run(folder)


def test_every_endpoint_has_rising_limits_and_what_was_published(saved):
    table = pd.read_parquet(saved.path / "predicted.parquet").set_index(["arm", "endpoint"])
    known = table.dropna(subset=["median"])
    order = known[["low_90", "low_80", "low_50", "median", "high_50", "high_80", "high_90"]].to_numpy()
    assert (order[:, :-1] <= order[:, 1:]).all()
    assert {"orr", "median_pfs_months", "dlt_rate", "grade_3_4_stomatitis"} <= set(table.loc["drug"].index)
    assert table.loc[("drug", "median_pfs_months"), "published"] == 11.0  # Yao, N Engl J Med 2011;364:514-23
    assert table.loc[("control", "median_pfs_months"), "published"] == 4.6
    assert table.loc[(BOTH, "pfs_hr"), "published"] == 0.35
    studies = pd.read_parquet(saved.path / "studies.parquet")
    assert studies.groupby(["arm", "endpoint"]).size().eq(20).all()


def test_the_summary_and_the_page_tell_it(saved):
    found = json.loads((saved.path / "summary.json").read_text())["results"]
    assert found["orr"]["n"] == 30 and found["control_orr"]["n"] == 15 and found["pfs_hr"]["n"] == 45
    assert found["n_patients"] == 2 * 2 * 20 and found["orr"]["low_90"] == found["orr"]["low"]
    page = (saved.path / "report.html").read_text()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "What the trial would publish" in page


def test_the_report_has_its_own_time_and_the_folder_the_file_of_the_trial(saved):
    facts = json.loads((saved.path / "provenance.json").read_text())
    assert facts["started"] < facts["written"] and facts["seconds"]["analyse"] > 0
    shown = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", (saved.path / "report.html").read_text())
    assert facts["started"] in shown and any(facts["started"] < time <= facts["written"] for time in shown)
    assert (saved.path / "trial.yaml").read_text() == "title: mine\n"


def test_cautions_stand_in_the_summary_and_on_the_page(saved):
    (told,) = json.loads((saved.path / "summary.json").read_text())["cautions"][:1]
    assert "the tumour type, pancreatic NET" in told
    page = html.unescape((saved.path / "report.html").read_text())
    assert "the tumour type, pancreatic NET" in page


def test_a_trial_that_differs_is_not_told_as_this_one(saved):
    """Nor is a value of it that lies outside a miss of the model; a file of the very trial is."""
    page = (saved.path / "report.html").read_text()
    assert saved.summary["results"]["published_differs"] is True
    assert "Beside it stands a trial that differs from this one" in page and "The trial has been run" not in page
    assert beforehand.differences(compose_trial("radiant3")) == []


def test_the_page_of_a_run_from_before_errors_of_limits_were_estimated_does_without(saved, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(saved.path, folder)
    table, summary = pd.read_parquet(folder / "predicted.parquet"), json.loads((folder / "summary.json").read_text())
    table.drop(columns=["error_low_90", "error_high_90"]).to_parquet(folder / "predicted.parquet")
    del summary["results"]["apart"]
    (folder / "summary.json").write_text(json.dumps(summary))
    page = write_report(folder).read_text()
    assert "What the trial would publish" in page and "No fitted trial had" not in page


def test_quantiles_count_what_is_not_reached_as_late_and_leave_out_what_is_not_known():
    found = module._quantiles(np.array([1.0, 2.0, 3.0, np.inf, np.inf, np.nan]))
    assert (found["median"], found["high_50"], found["low_90"]) == (3.0, np.inf, 1.0)
    assert np.isnan(module._quantiles(np.array([np.nan]))["median"])


@pytest.mark.parametrize(("value", "unit", "inside"), [(1.86, "months", True), (1.84, "months", False), (5.04, "months", True)])
def test_a_published_value_is_judged_by_its_rounding(value, unit, inside):
    assert module._inside(value, {"low_90": 1.906, "high_90": 5.0}, unit, 24.0) is inside


def test_a_published_median_later_than_anybody_is_followed_lies_inside_an_interval_that_goes_on():
    assert module._inside(26.6, {"low_90": 5.0, "high_90": np.inf}, "months", 24.0)
    assert not module._inside(26.6, {"low_90": 5.0, "high_90": 19.4}, "months", 24.0)


def test_success_counts_trials_without_an_estimate_as_none():
    values = {"pfs_hr": [0.5, 0.9, 1.2, np.nan], "pfs_z": [-3.0, -0.4, 0.8, np.nan]}
    every = pd.concat([pd.DataFrame({"endpoint": name, "value": found, "draw": [0, 0, 1, 1]}) for name, found in values.items()])
    (row,) = module._success(every).to_dict("records")
    errors = {"error_below_1": 0.5 / np.sqrt(2), "error_significant": 0.25 / np.sqrt(2)}  # worlds: 1 and 0, 0.5 and 0
    assert row == {"endpoint": "pfs", "below_1": 0.5, "significant": 0.25} | errors


def test_the_error_of_a_limit_is_that_of_so_many_worlds():
    """Worlds in each of which all trials find the same, exponential: of the median of such limits over 40 sets of 50 worlds, the
    standard deviation between the sets (30 %: three standard errors and the bootstrap's own)."""
    rng = np.random.default_rng(3)
    worlds = rng.exponential(size=(40, 50))
    error = [module._errors(np.repeat(own, 100), np.repeat(np.arange(50), 100), rng)["error_high_90"] for own in worlds]
    limits = [module._quantiles(np.repeat(own, 100))["high_90"] for own in worlds]
    assert np.mean(error) == pytest.approx(np.std(limits), rel=0.3)
    assert np.isnan(module._errors(np.array([1.0, np.inf]), np.array([0, 1]), rng)["error_high_90"])
    assert np.isnan(module._errors(np.array([np.nan]), np.array([0]), rng)["error_low_90"])


BAD = [
    ({"analysis.control": "none"}, "analysis.patients_control"),
    ({"analysis.control": "none", "analysis.patients_control": 0}, "analysis.crossover"),
    ({"analysis.reader": "central"}, "analysis.reader"),
    ({"cohort.covariates_file": "patients.csv"}, "cohort.covariates_file"),
]


@pytest.mark.parametrize(("changed", "key"), BAD, ids=[key for _, key in BAD])
def test_what_does_not_fit_is_told(changed, key):
    with pytest.raises(ConfigError) as error:
        compose("predict", TINY | changed)
    assert key in [fault.key for fault in flatten(error.value)]
