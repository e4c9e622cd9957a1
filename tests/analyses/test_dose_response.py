"""Dose-response: closed forms of what is computed, and the whole run from settings to page."""

import json

import numpy as np
import pandas as pd
import pytest
from settings_of import settings_of

import trialsim.analyses.dose_response as module
from trialsim import compose, load_run, run
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

DOSES = [1.0, 2.0, 4.0, 8.0]
TINY = {"cohort.size": 6, "compute.solver_check_patients": 0, "compute.progress": "off", "analysis.doses": DOSES}
ED50 = np.array([0.5, 1.5, 2.0, 3.0, 6.0, 50.0])  # mg; pS6 of each synthetic patient is 1 / (1 + dose / ED50)
TITLE = "<script>alert(1)</script> & dose"


def patients_at(dose, ids=range(6)):
    """Synthetic patients with known dose-response curves: columns as the simulation gives them."""
    ids = np.array(ids)
    fold = 1.0 / (1.0 + dose / ED50[ids])
    columns = dict.fromkeys(module.KEPT, 0.0) | {"patient_id": ids, "dose_level": dose, "tumour_type": "colorectal"}
    columns |= {"auc24_ng_h_ml": 40.0 * dose**0.9 * (1 + ids), "cmin_ng_ml": dose * (1.0 + ids), "cmax_ng_ml": 9.0 * dose}
    columns |= {f"{name}_d28": fold for name in module.MARKERS}
    columns |= {"dlt": ids < np.log2(dose), "dlt_evaluable": ids != 5, "responder": False, "disease_control": ids < 3}
    columns |= {"best_response": np.where(ids < 3, "SD", "NE"), "integration_ok": True}
    return pd.DataFrame(columns)


@pytest.fixture
def every():
    return pd.concat([patients_at(dose) for dose in DOSES], ignore_index=True)


# ---- analytic


def test_first_crossing_is_linear_and_tells_where_a_curve_begins_and_ends():
    x = np.array([0.0, 1.0, 2.0])
    assert module.first_crossing(x, np.array([1.0, 0.6, 0.2]), 0.5) == pytest.approx(1.25)
    assert module.first_crossing(x, np.array([0.5, 0.4, 0.3]), 0.5) == -np.inf
    assert module.first_crossing(x, np.array([0.9, 0.8, 0.7]), 0.5) == np.inf
    assert module.first_crossing(x, np.array([1.0, 0.0, 1.0]), 0.5) == pytest.approx(0.5)  # the first of two


def test_potency_is_each_patients_own_and_censored_at_the_doses_tried(every):
    found = module.potency(every, "ps6_tumour", 0.5)
    assert found["n"] == 6 and found["share_reached"] == pytest.approx(5 / 6)
    assert found["low_90"] == -np.inf and found["high_90"] == np.inf  # ED50 of 0.5 and of 50 mg
    # 50 % of the sorted 0.5, 1.5, 2, 3, 6, 50; exact at a dose tried, elsewhere off by the interpolation
    assert found["median"] == pytest.approx(2.0, rel=1e-12)
    assert found["high_50"] == pytest.approx(6.0, rel=0.03)
    assert module.potency(every, "ps6_tumour", 0.99)["share_reached"] == 0.0


def test_the_exponent_of_a_power_law_is_found_exactly(every):
    found = module.proportionality(every)
    assert found["n"] == 6 and found["estimate"] == pytest.approx(0.9)
    assert found["low"] == pytest.approx(0.9) and found["high"] == pytest.approx(0.9)


def test_who_is_not_measured_at_every_dose_has_no_curve(every):
    every.loc[(every["patient_id"] == 2) & (every["dose_level"] == 4.0), ["auc24_ng_h_ml", "ps6_tumour_d28"]] = np.nan
    assert module.proportionality(every)["n"] == module.potency(every, "ps6_tumour", 0.5)["n"] == 5
    exposure = module.by_dose(every, ("auc24_ng_h_ml",)).set_index("dose")["n"]
    assert exposure.to_dict() == {1.0: 6, 2.0: 6, 4.0: 5, 8.0: 6}


def test_outcomes_count_the_patients_who_can_be_judged(every):
    found = module.outcomes(every).set_index(["measure", "dose"])
    assert found.loc[("dlt", 8.0), ["n", "estimate"]].tolist() == [5, 3 / 5]
    assert found.loc[("disease_control", 8.0), ["n", "estimate"]].tolist() == [6, 3 / 6]
    assert (found["low"] <= found["estimate"]).all() and (found["estimate"] <= found["high"]).all()
    nobody_scanned = every.assign(best_response="NE")
    assert set(module.outcomes(nobody_scanned)["measure"]) == {"dlt"}


# ---- settings


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"analysis.doses": [5, 1]}, "analysis.doses", "strictly increasing"),
        ({"analysis.doses": [5]}, "analysis.doses", "at least 2"),
        ({"analysis.doses": [5, -1]}, "analysis.doses.1", "greater than 0"),
        ({"analysis.doses": [5, 500]}, "analysis.doses", "at most 250 mg"),
        ({"analysis.days": 7}, "analysis.days", "at least 28"),
        ({"analysis.days": 90, "regimen.max_treatment_days": 60}, "analysis.days", "regimen.max_treatment_days, 60"),
        ({"analysis.inhibition": 1.0}, "analysis.inhibition", "less than 1"),
        ({"+analysis.dose": 5}, "analysis.dose", "did you mean 'doses'?; keys here: kind, doses, days, inhibition"),
        ({"analysis.kind": "dose_respons"}, "analysis.kind", "'dose_response'"),
        ({"~analysis.kind": None}, "analysis.kind", "required"),
        ({"analysis": None}, "analysis", "dose_response"),
        ({"compute.parts": 2}, "compute.parts", "only a trial is shared"),
    ],
)
def test_faults_name_key_and_what_is_allowed(changes, key, allowed):
    overrides = [name if name[0] == "~" else f"{name}={'null' if value is None else value}" for name, value in changes.items()]
    with pytest.raises(ConfigError) as caught:
        settings_of("dose_response", overrides)
    assert any(fault.key == key and allowed in fault.allowed for fault in flatten(caught.value)), str(caught.value)


# ---- the whole run, the simulation replaced by patients of known curves


@pytest.fixture
def simulated(monkeypatch):
    """Doses that were simulated, in order; at one of them the process can be interrupted."""
    done = []

    def at_dose(config, cohort, dose, days):
        done.append(dose)
        if dose == at_dose.interrupt:
            raise KeyboardInterrupt
        return {"patients": patients_at(dose, cohort["patient_id"])}

    at_dose.interrupt = None
    monkeypatch.setattr(module, "_at_dose", at_dose)
    return done, at_dose


@pytest.fixture(scope="module")
def config():
    return compose("dose_response", TINY | {"study.title": TITLE})


def test_a_run_leaves_tables_figures_and_a_page(simulated, config, tmp_path):
    summary = run(config, tmp_path)
    saved = load_run(tmp_path)
    assert saved.summary == summary and summary["kind"] == "dose_response"
    assert summary["results"]["ed50_ps6_tumour"]["estimate"] == pytest.approx(2.0)
    assert len(saved.table("patients")) == 24 and saved.table("potency")["high_90"].max() == np.inf
    assert not (tmp_path / "blocks").exists()
    figures = {path.stem for path in (tmp_path / "figures").glob("*.json")}
    assert figures == {"dose_cmin_ng_ml", "dose_auc24_ng_h_ml", "dose_ps6", "dose_p4ebp1", "dose_pakt", "dose_outcomes"}
    assert {f"{name}.csv" for name in summary["tables"]} <= {path.name for path in (tmp_path / "tables").iterdir()}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f'data-figure="{key}"' in page and f'data-save="{key}"' in page for key in figures)
    assert "alert(1)</script>" not in page and "&lt;script&gt;alert(1)" in page
    for chapter in ("summary", "exposure", "target", "outcomes", "methods", "assumptions", "provenance"):
        assert f'<section id="{chapter}">' in page and f'href="#{chapter}"' in page
    assert "Checks passed: all 6 patients" in page and "tumour.colorectal" in page and "inference.samples" not in page


def test_an_interrupted_run_goes_on_at_the_dose_that_was_not_done(simulated, config, tmp_path):
    done, at_dose = simulated
    resuming = config.model_copy(update={"resume": True})
    at_dose.interrupt = 4.0
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "cut")
    status = json.loads((tmp_path / "cut" / "status.json").read_text())
    assert status["state"] == "interrupted" and list(status["blocks"]) == ["dose_1", "dose_2"]
    at_dose.interrupt = None
    done.clear()
    summary = run(resuming, tmp_path / "cut")
    assert done == [4.0, 8.0]
    assert summary == run(config, tmp_path / "whole")
    for name in summary["tables"]:
        assert (tmp_path / "cut" / f"{name}.parquet").read_bytes() == (tmp_path / "whole" / f"{name}.parquet").read_bytes()


def test_a_page_that_failed_is_written_without_simulating_again(simulated, config, tmp_path):
    from trialsim import study

    done, _ = simulated
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError):
        patch.setattr(study, "draw_report", lambda folder: (_ for _ in ()).throw(OSError("disk full")))
        run(config, tmp_path)
    assert done == DOSES
    done.clear()
    run(config.model_copy(update={"resume": True}), tmp_path)
    assert done == [] and (tmp_path / "report.html").is_file()


def test_a_failed_course_is_told_and_left_out(simulated, config, tmp_path, monkeypatch):
    whole = module._at_dose
    spoilt = lambda *a: {"patients": whole(*a)["patients"].assign(integration_ok=lambda table: table["patient_id"] != 4)}
    monkeypatch.setattr(module, "_at_dose", spoilt)
    summary = run(config, tmp_path)
    assert summary["diagnostics"] == {"ok": False, "messages": [summary["diagnostics"]["messages"][0]]}
    assert "4 courses could not be integrated" in summary["diagnostics"]["messages"][0]
    assert summary["results"]["auc_dose_exponent"]["n"] == 5
    assert "Checks FAILED" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_more_drug_is_more_exposure_and_less_ps6_in_every_patient(tmp_path):
    """The simulation itself: paired patients, linear or saturable kinetics, and a DLT rate that does not fall."""
    config = compose("dose_response", TINY | {"cohort.size": 24, "compute.solver_check_patients": 8})
    summary = run(config, tmp_path)
    assert summary["diagnostics"]["ok"]
    table = load_run(tmp_path).table("patients")
    for column, sign in (("cmin_ng_ml", 1), ("auc24_ng_h_ml", 1), ("ps6_tumour_d28", -1), ("ps6_pbmc_d28", -1)):
        curves = table.pivot(index="patient_id", columns="dose_level", values=column).dropna().to_numpy()
        assert len(curves) > 15 and (sign * np.diff(curves, axis=1) > 0).all(), column
    assert table.groupby("patient_id")["tumour_type"].nunique().max() == 1
    assert table.groupby("dose_level")["dlt"].sum().is_monotonic_increasing
    assert 0.9 < summary["results"]["auc_dose_exponent"]["estimate"] <= 1.0
