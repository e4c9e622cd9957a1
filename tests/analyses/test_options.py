"""Options side by side, on patients whose courses are known, from settings to page."""

import copy
import json
from functools import cache, reduce

import numpy as np
import pandas as pd
import pytest

import trialsim.analyses.options as module
from trialsim import analyse, compose, load_run, run
from trialsim.cohort import sample_cohort
from trialsim.options.truths import HAZARD_RATIO
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten
from trialsim.schema.study import validate
from trialsim.streams import uniforms

TINY = {"draws": 10, "patients_per_draw": 50, "resamples": 20}
WHO = {"all": {"label": "all <b>comers</b>"}, "pik3ca": {"label": "PIK3CA mutant", "selection": {"pik3ca": True}}}
WHAT = {
    "none": {"label": "no drug", "rapalog": False},
    "drug": {"label": "the drug"},
    "same": {"label": "the same under another name"},
    "half": {"label": "half the dose", "dose": 5.0},
}


def made_up(config, ids, arm, crossover):
    """Patients whose hazard is halved by the drug, and halved again with a PIK3CA mutation; a tenth of the patients is failed."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, ids)
    u = uniforms(config.seed, "made up", ids, 4)
    dose = 0.0 if arm == "control" else config.regimen.dose
    hazard = np.where(cohort["pik3ca"], 0.5, 1.0) ** (dose > 0) * (0.5 if dose else 1.0) / 90.0
    days, responder = -np.log(u[:, 0]) / hazard, u[:, 1] < 0.02 * dose
    fixed = dict(disease_control=True, dlt_evaluable=True, off_treatment_reason="progression", relative_dose_intensity=0.9)
    levels = {"cmin_ng_ml": dose, "auc24_ng_h_ml": 30 * dose * np.exp(u[:, 3]), "ps6_tumour_d28": 1 / (1 + dose)}
    levels |= {"pakt_tumour_d28": 1.0, "ps6_pbmc_d28": 1.0}
    own = {"grade_3_4_nausea": u[:, 3] < 0.5} if dose == 5.0 else {}  # an event that other options do not have
    return pd.DataFrame({
        "patient_id": ids, "pfs_days": np.minimum(days, 500.0), "pfs_event": days < 500.0, "responder": responder,
        "dlt": u[:, 2] < 0.02 * dose, "grade_3_4_rash": u[:, 2] < 0.03 * dose, "integration_ok": True, **fixed, **levels, **own,
    })  # fmt: skip


@cache
def composed(experiment):
    overrides = {"compute.progress": "off", "compute.solver_check_patients": 0}
    return compose(experiment, overrides).model_dump(mode="json")


def changed(experiment, changes):
    """The study with other settings by their dotted keys; what stood there before is replaced."""
    data = copy.deepcopy(composed(experiment))
    for key, value in changes.items():
        *path, last = key.split(".")
        reduce(lambda section, name: section[name], path, data)[last] = value
    return validate(data)


def settings(who=WHO, what=WHAT, **more):
    values = TINY | {"who": who, "what": what} | more
    return changed("question_biomarker", {f"analysis.{key}": value for key, value in values.items()})


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.studies, "treated", made_up)
        yield patch


@pytest.fixture(scope="module")
def found(patched):
    return analyse(settings())


def pick(table, **keys):
    return table[np.logical_and.reduce([table[key] == value for key, value in keys.items()])]


def test_true_values_are_those_that_were_made_up(found):
    ratio = pick(found.tables["compared"], kind="treatment", endpoint=HAZARD_RATIO).set_index(["who", "what"])["median"]
    share = found.tables["people"].set_index("who")["prevalence"]
    assert ratio["pik3ca", "drug"] == pytest.approx(0.25, rel=0.15)
    assert 0.25 < ratio["all", "drug"] < 0.55 and 0.1 < share["pik3ca"] < 0.17 and share["all"] == 1.0
    orr = pick(found.tables["options"], endpoint="orr").set_index(["who", "what"])["median"]
    assert orr["all", "none"] == 0.0 and orr["all", "drug"] == pytest.approx(0.2, abs=0.06)
    nausea = pick(found.tables["compared"], kind="treatment", endpoint="grade_3_4_nausea", who="all")
    assert list(nausea["what"]) == ["half"] and nausea["median"].item() == pytest.approx(0.5, abs=0.1)
    interaction = pick(found.tables["compared"], kind="population", endpoint=HAZARD_RATIO, what="drug")
    assert interaction["median"].item() == pytest.approx(ratio["pik3ca", "drug"] / ratio["all", "drug"], rel=0.1)


def test_the_same_treatment_under_two_names_is_equal_and_shares_being_the_best(found):
    value = found.tables["worlds"].drop(columns="against_what")
    one, other = (pick(value, what=name).drop(columns="what").reset_index(drop=True) for name in ("drug", "same"))
    pd.testing.assert_frame_equal(one, other)
    best = pick(found.tables["best"], kind="treatment", who="all", endpoint=HAZARD_RATIO).set_index("what")["probability"]
    assert best["drug"] == best["same"] == best["half"] == pytest.approx(1 / 3) and best["none"] == 0.0


def test_an_option_that_is_the_reference_has_a_ratio_of_exactly_one_and_is_never_better(patched):
    what = {"none": WHAT["none"], "again": WHAT["none"]}
    compared = pick(analyse(settings(what=what)).tables["compared"], kind="treatment", endpoint=HAZARD_RATIO)
    assert (compared[["median", "low_90", "high_90"]] == 1.0).all(axis=None) and (compared["better"] == 0.0).all()


def test_the_order_of_the_options_changes_nothing(found, patched):
    turned = lambda mapping: dict(reversed(list(mapping.items())))
    again = analyse(settings(who=turned(WHO), what=turned(WHAT)))
    assert set(again.tables) == set(found.tables)
    for name, table in found.tables.items():
        keys = [key for key in ("world", "kind", "who", "what", "test", "patients", "endpoint") if key in table]
        of = lambda frame, keys=keys: frame.sort_values(keys).reset_index(drop=True)
        pd.testing.assert_frame_equal(of(again.tables[name]), of(table))


def test_assurance_rises_to_the_share_of_worlds_with_a_benefit(found):
    sizes = pick(found.tables["sizes"], test="log_rank", who="all", what="drug")
    assert sizes["assurance"].is_monotonic_increasing and sizes["assurance"].iloc[-1] == pytest.approx(
        sizes["ceiling"].iloc[0], abs=0.01
    )
    assert (sizes["screened"] == sizes["total"]).all() and (sizes["total"] == 2 * sizes["patients"]).all()
    response = pick(found.tables["needed"], test="response").set_index(["who", "what"])
    assert np.isnan(response.loc[("all", "none"), "patients"]) and response.loc[("all", "drug"), "patients"] <= 60
    assert response.loc[("pik3ca", "drug"), "screened"] > 5 * response.loc[("pik3ca", "drug"), "total"]


def test_patients_that_fail_under_one_treatment_are_left_out_of_all_and_told(patched):
    def failing(config, ids, arm, crossover):
        return made_up(config, ids, arm, crossover).assign(integration_ok=(arm == "control") | (ids % 10 != 3))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.studies, "treated", failing)
        found = analyse(settings())
    people = found.tables["people"].set_index("who")
    assert people.loc["all", "failed"] == 10 * 5 and people.loc["all", "patients"] == 10 * 50
    assert "could not be integrated" in found.faults[0]


def test_the_dose_with_the_exposure_of_the_reference_lies_between_those_given(patched):
    what = {name: {"label": name, "dose": dose} for name, dose in (("none", 6.0), ("low", 4.0), ("high", 9.0))}
    who = {"all": WHO["all"], "old": {"label": "old", "ages_y": [18, 80]}}
    found = analyse(settings(who=who, what=what, match="auc24_ng_h_ml"))
    matched = found.tables["matched"]
    assert set(matched["endpoint"]) == {"auc24_ng_h_ml", "ps6_tumour_d28"} and (matched["who"] == "old").all()
    assert matched["median"].to_numpy() == pytest.approx(6.0, rel=0.1) and (matched["inside"] == 1.0).all()
    assert set(found.tables["exposure"]["what"]) == {"none", "low", "high"}


def test_the_page_answers_with_its_uncertainty_and_shows_text_as_text(patched, tmp_path):
    run(settings(), tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "all &lt;b&gt;comers" in page and "all <b>comers" not in page
    assert "Which biomarker to enrich on" in page and "evidence does NOT tell" in page
    results = json.loads((tmp_path / "run" / "summary.json").read_text())["results"]
    assert results["pfs_hr_all_drug"]["low"] <= results["pfs_hr_all_drug"]["estimate"] <= results["pfs_hr_all_drug"]["high"]
    assert results["posterior"]["untold"] == [] and load_run(tmp_path / "run").path == tmp_path / "run"


BAD = [
    ("question_biomarker", {"analysis.reference.what": "nothing"}, "analysis.reference.what"),
    ("question_biomarker", {"analysis.reference.who": "nobody"}, "analysis.reference.who"),
    ("question_biomarker", {"analysis.sizes.patients": [40, 20]}, "analysis.sizes.patients"),
    ("question_biomarker", {"analysis.what.drug": {"label": "x", "dose": 300.0}}, "analysis.what.drug.dose"),
    ("question_biomarker", {"analysis.what.drug": {"label": "x", "who": ["none"]}}, "analysis.what.drug.who"),
    (
        "question_biomarker",
        {"analysis.what.none": {"label": "x", "rapalog": False, "schedule": "weekly"}},
        "analysis.what.none.dose",
    ),
    ("question_biomarker", {"analysis.what.none": {"label": "x", "unit": "mg/m2"}}, "analysis.what.none.dose"),
    ("question_biomarker", {"analysis.who.all": {"label": "x", "mix": {"colorectal": 0.5}}}, "analysis.who.all.mix"),
    ("question_biomarker", {"analysis.who.all": {"label": "x", "mix": {"no_such": 1.0}}}, "analysis.who.all.mix"),
    ("question_biomarker", {"analysis.who.all": {"label": "x", "ages_y": [5, 10]}}, "analysis.who.all.ages_y"),
    ("question_partner", {"analysis.what.alone": {"label": "x", "partners": ["nothing"]}}, "analysis.what.alone.partners"),
    ("question_children", {"analysis.what.d5": {"label": "x", "dose": 5.0, "unit": "mg"}}, "analysis.what.d5.unit"),
    ("question_biomarker", {"cohort.covariates_file": "patients.csv"}, "cohort.covariates_file"),
]


@pytest.mark.parametrize(("experiment", "changes", "key"), BAD, ids=[f"{key}-{i}" for i, (*_, key) in enumerate(BAD)])
def test_what_does_not_fit_is_told(experiment, changes, key):
    with pytest.raises(ConfigError) as error:
        changed(experiment, changes)
    assert key in [fault.key for fault in flatten(error.value)]


@pytest.mark.slow
def test_on_real_patients_more_drug_inhibits_more():
    short = {"design.max_follow_up_months": 4, "regimen.max_treatment_days": 100, "compute.progress": "off"}
    found = analyse(compose("question_schedule", short | {"analysis.draws": 10, "analysis.patients_per_draw": 40}))
    ps6 = pick(found.tables["options"], endpoint="ps6_tumour_d28").set_index("what")["median"]
    assert not found.faults and ps6["daily_10"] < ps6["daily_5"] and ps6["weekly_70"] < ps6["weekly_20"]
