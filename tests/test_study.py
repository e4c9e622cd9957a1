"""The main job, small: one adult and one paediatric study from settings to artefacts."""

import json

import numpy as np
import pandas as pd
import pytest

from trialsim import adam, compose, event_table, load_run
from trialsim.endpoints import survival
from trialsim.exchange.metadata import datasets
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import steps_for
from trialsim.schema import ConfigError
from trialsim.study import fit_published, run, simulate
from trialsim.units import DAYS_PER_MONTH

FAST = {
    "inference.warmup": 300,
    "inference.samples": 300,
    "compute.solver_check_patients": 2,
}
ADULT = FAST | {"cohort.size": 118}
CHILDREN = FAST | {"cohort.size": 104}


@pytest.fixture(scope="session")
def adult_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "adult"
    run(compose(overrides=ADULT), folder)
    return folder


@pytest.fixture(scope="session")
def adult(adult_dir):
    return load_run(adult_dir)


@pytest.fixture(scope="session")
def children(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "children"
    run(compose("everolimus_paediatric", CHILDREN), folder)
    return load_run(folder)


def check_schema(summary):
    """summary.json as the README documents it."""
    assert set(summary) >= {"study", "seed", "n_patients", "diagnostics", "endpoints", "comparison", "recovery", "not_published"}
    assert set(summary["diagnostics"]) >= {"ok", "max_rhat", "min_ess", "divergences", "messages", "fits", "solver_check"}
    for name, entry in summary["endpoints"].items():
        assert set(entry) >= {"estimate", "low", "high", "n", "unit", "method"}, name
        if None not in (entry["estimate"], entry["low"], entry["high"]):
            assert entry["low"] - 1e-9 <= entry["estimate"] <= entry["high"] + 1e-9, name
    for name, entry in summary["comparison"].items():
        keys = {"published", "published_low", "published_high", "predicted", "low_90", "high_90", "inside_90", "source"}
        assert set(entry) >= keys and entry["source"], name
        assert entry["inside_90"] == (entry["low_90"] <= entry["published"] <= entry["high_90"]), name


def test_adult_summary(adult):
    check_schema(adult.summary)
    assert adult.summary["n_patients"] == 118 and adult.summary["published_trial"] == "CPCT03"
    assert {"orr", "dcr", "clinical_benefit_rate"} <= set(adult.summary["comparison"])
    assert "median_pfs_months" in adult.summary["not_published"]
    assert adult.summary["comparison"]["dcr"]["published"] == pytest.approx(36 / 59)


def test_paediatric_summary(children):
    check_schema(children.summary)
    levels = ("2.1", "3", "5", "6.5")
    assert {f"dlt_count_{level}mg/m2" for level in levels} <= set(children.summary["comparison"])
    assert {f"dlt_rate_{level}mg/m2" for level in levels[:2]} <= set(children.summary["endpoints"])
    mtd = children.summary["mtd"]
    assert sum(mtd["counts"].values()) + mtd["none"] + mtd["undecided"] == 104 // 26


def test_children_are_treated_at_the_levels_in_order(children):
    p = children.patients
    assert set(p["dose_level"]) <= {2.1, 3.0, 5.0, 6.5} and p["age_y"].max() < 22
    assert np.allclose(p["start_dose_mg"], p["dose_level"] * p["bsa_m2"])
    for _, study in p.groupby("replicate"):
        assert study.sort_values("patient_id")["dose_level"].iloc[0] == 2.1


def test_dlt_of_the_escalation_is_the_dlt_of_the_trial(children):
    """The short runs that steer the escalation and the long run of the same patient agree: 3+3 rules hold on the final table."""
    for _, study in children.patients.groupby("replicate"):
        top = study["dose_level"].max()
        for level in (x for x in (2.1, 3.0, 5.0) if x < top):
            judged = study[(study["dose_level"] == level) & study["dlt_evaluable"]]
            first = judged.sort_values("patient_id").head(6)
            assert len(first) >= 3 and first["dlt"].sum() <= 1


def test_artefacts_are_complete(adult_dir):
    for name in (
        "config.yaml",
        "provenance.json",
        "posterior.nc",
        "posterior_published.nc",
        "summary.json",
        "report.html",
        "status.json",
    ):
        assert (adult_dir / name).stat().st_size > 0, name
    assert json.loads((adult_dir / "status.json").read_text())["complete"] is True
    html = (adult_dir / "report.html").read_text()
    assert "Disease control" in html and len(html) > 1e6


def test_endpoints_are_those_of_the_table(adult):
    p, e = adult.patients, adult.summary["endpoints"]
    assert e["dcr"]["estimate"] == pytest.approx(p["disease_control"].mean())
    assert e["orr"]["n"] == len(p)
    assert e["median_relative_dose_intensity"]["estimate"] == pytest.approx(p["relative_dose_intensity"].median())


@pytest.mark.parametrize("name", ["adult", "children"])
def test_the_data_sets_of_a_run_say_what_its_summary_says(name, request):
    saved = request.getfixturevalue(name)
    told, data = saved.summary["endpoints"], {name: adam(saved, name) for name in datasets()}
    assert set(data) == {"ADSL", "ADRS", "ADTR", "ADTTE", "ADAE", "ADPC", "ADPP", "ADEX"}
    assert len(data["ADSL"]) == len(saved.patients)
    responses, times = data["ADRS"].groupby("PARAMCD"), data["ADTTE"].groupby("PARAMCD")
    for code, endpoint in (("RSP", "orr"), ("DCR", "dcr"), ("CB", "clinical_benefit_rate")):
        assert (responses.get_group(code)["AVALC"] == "Y").mean() == pytest.approx(told[endpoint]["estimate"]), code
    if "CBOR" in responses.groups:
        assert responses.get_group("CBOR")["AVALC"].isin(["CR", "PR"]).mean() == pytest.approx(told["orr"]["estimate"])
    for code, endpoint in (("PFS", "pfs"), ("OS", "os"), ("TTD", "time_on_treatment")):
        t = times.get_group(code)
        median = survival.median(t["AVAL"].to_numpy(), t["CNSR"].to_numpy() == 0).estimate / DAYS_PER_MONTH
        assert median == pytest.approx(told[f"median_{endpoint}_months"]["estimate"] or np.nan, nan_ok=True), code
    progressed = times.get_group("PFS").query("EVNTDESC == 'DISEASE PROGRESSION'")
    assert len(progressed) > 10 and (progressed["AVALLOW"] < progressed["AVALHIGH"]).all()
    assert (progressed["AVAL"] == progressed["AVALHIGH"]).all(), "progression is dated at the scan that shows it"
    worst = data["ADAE"].query("AOCPIFL == 'Y'").groupby("AETERM")["AETOXGRN"].value_counts()
    for term, entry in saved.summary["toxicity"].items():
        for grade, count in entry["by_grade"].items():
            assert worst.get((term.replace("_", " ").capitalize(), int(grade)), 0) == count, (term, grade)
    given, events = data["ADEX"]["NDOSE"], event_table(saved).query("EVID == 1")
    assert given.sum() == (events["ADDL"] + 1).sum() <= saved.patients["days_on_treatment"].sum()


def test_a_finished_run_is_never_overwritten(adult_dir):
    before = (adult_dir / "summary.json").read_bytes()
    with pytest.raises(ConfigError, match="hydra.run.dir"):
        run(compose(overrides=ADULT), adult_dir)
    assert (adult_dir / "summary.json").read_bytes() == before


def test_an_unknown_published_study_is_told_before_anything_runs(tmp_path):
    config = compose(overrides=ADULT)
    config = config.model_copy(update={"study": config.study.model_copy(update={"published": "NOSUCH"})})
    with pytest.raises(ConfigError, match="study.published"):
        run(config, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_interrupted_run_resumes_with_the_same_result(adult, tmp_path, monkeypatch):
    """Killed after the simulation: the second run keeps the tables and comes to the same summary."""
    import trialsim.study as module

    config = compose(overrides=ADULT, resume=True)
    monkeypatch.setattr(module, "fit", lambda study: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "r")
    monkeypatch.undo()
    monkeypatch.setattr(module, "save_blocks", lambda config, folder: pytest.fail("simulated again"))
    summary = run(config, tmp_path / "r")
    assert summary["endpoints"] == adult.summary["endpoints"]
    assert summary["comparison"] == adult.summary["comparison"]


def test_same_seed_same_patients_other_size(adult):
    few = simulate(compose(overrides=ADULT | {"cohort.size": 59, "compute.solver_check_patients": 0}))
    pd.testing.assert_frame_equal(few.patients, adult.patients.head(59), check_exact=True)


def test_a_failed_patient_is_reported_not_dropped(adult):
    """One patient's integration is made to fail: still in the table, out of the fits, named in the diagnostics."""
    import trialsim.study as module

    config = compose(overrides=ADULT)
    study = module.Study(
        config,
        adult.patients.assign(integration_ok=np.arange(118) != 5),
        adult.visits,
        adult.pharmacodynamics,
        adult.adverse_events,
        adult.doses,
        118,
        None,
        adult.summary["diagnostics"]["solver_check"],
    )
    fits = module.fit(study)
    summary = module.summarise(study, fits)
    assert summary["n_failed"] == 1 and summary["n_patients"] == 118
    assert not summary["diagnostics"]["ok"] and "1 patients could not be integrated" in summary["diagnostics"]["messages"][0]
    assert summary["endpoints"]["orr"]["n"] == 117


def test_a_drug_that_was_not_published_alone_has_no_fit_to_published_counts() -> None:
    assert fit_published(compose("sirolimus_adult")) is None


@pytest.mark.slow
def test_patients_of_one_tumour_type_are_computed_as_exactly_as_asked() -> None:
    """Hepatocellular carcinoma alone, with its high concentrations, takes more steps than the mixed population that steps were
    calibrated in: 3.6e-3 with those."""
    one = {f"cohort.mix.{name}": float(name == "hcc") for name in compose().cohort.mix}
    study = simulate(compose(overrides=one | {"cohort.size": 200, "compute.accuracy": 1e-3}))
    assert study.solver_check["ok"] and study.solver_check["accuracy"] == 1e-3
    assert study.solver_check["steps"] > steps_for(1e-3, kinetics_of(study.config.drug))
