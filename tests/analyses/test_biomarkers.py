"""Biomarkers: settings, and the whole run from settings to page on twins of known effects; once with the simulation itself."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from settings_of import settings_of

sys.path.insert(0, str(Path(__file__).parents[1] / "biomarkers"))
from synthetic import twins_of

from trialsim import compose, load_run, run
from trialsim.biomarkers import twins
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

TITLE = "<script>alert(1)</script> & markers"
SMALL = {
    "cohort.size": 320, "compute.block": 200, "compute.progress": "off", "compute.solver_check_patients": 0,
    "analysis.resamples": 50, "analysis.folds": 2, "analysis.trial_size": 250,
}  # fmt: skip
TRUTH = dict(log_hr=np.log(0.8), interaction=np.log(0.4), prognostic=np.log(0.9), share=0.4)
FIGURES = {
    "arms", "gain", "auc_forest", "roc_progression_free", "roc_benefit", "calibration", "sets_forest", "predictive_prognostic",
    "hazard_forest", "trade_off", "cost_forest",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"cohort.size": 20}, "cohort.size", "at least 50"),
        ({"analysis.horizon_weeks": 24}, "analysis.horizon_weeks", "off a planned scan"),
        ({"analysis.horizon_weeks": 6}, "analysis.horizon_weeks", "later than the first scan"),
        ({"design.max_follow_up_months": 5, "regimen.max_treatment_days": 100}, "analysis.horizon_weeks", "less than design"),
        ({"analysis.thresholds": [1.0]}, "analysis.thresholds.0", "less than 1"),
        ({"analysis.power": 0.3}, "analysis.power", "greater than 0.5"),
        ({"analysis.assays.pten.sensitivity": 1.2}, "analysis.assays.pten.sensitivity", "at most 1"),
        ({"+analysis.assays.pten.specifity": 0.9}, "analysis.assays.pten.specifity", "did you mean 'specificity'"),
        ({"~analysis.assays.ngs.sources": None}, "analysis.assays.ngs.sources", "required"),
    ],
)
def test_faults_name_key_and_what_is_allowed(changes, key, allowed):
    overrides = [name if name[0] == "~" else f"{name}={value}" for name, value in changes.items()]
    with pytest.raises(ConfigError) as caught:
        settings_of("biomarkers", overrides)
    assert any(fault.key == key and allowed in fault.allowed for fault in flatten(caught.value)), str(caught.value)


def test_an_escalation_has_no_single_dose_to_compare():
    with pytest.raises(ConfigError, match="design.kind.*single_arm"):
        compose("biomarkers", ["design=three_plus_three", "regimen.dose=5"])


# ---- the whole run, the simulation replaced by twins of known effects


class Simulated:
    """Stands for ``twins.simulate_arm``: keeps what was asked for, in order; may be interrupted at one of them."""

    def __init__(self, failed=(), **truth):
        self.done, self.interrupt, self.failed, self.truth = [], None, failed, truth

    def __call__(self, config, block, arm, biopsy_week):
        self.done.append(f"{arm}_{block.start}")
        if self.done[-1] == self.interrupt:
            raise KeyboardInterrupt
        every = twins_of(config.cohort.size, 3, **self.truth)
        own = {f"{name}_{arm}": name for name in twins.OUTCOMES}
        other = [name for name in every if name.endswith(("_treated", "_control")) and name not in own]
        kept = every.rename(columns=own).drop(columns=other).iloc[block.start : block.stop]
        return {"patients": kept.assign(integration_ok=~kept["patient_id"].isin(self.failed))}


@pytest.fixture(scope="module")
def config():
    return compose("biomarkers", SMALL | {"study.title": TITLE})


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """An uninterrupted run: its folder and its summary."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twins, "simulate_arm", Simulated(**TRUTH))
        return folder, run(config, folder)


def test_a_run_finds_the_marker_and_leaves_tables_figures_and_a_page(whole):
    folder, summary = whole
    saved = load_run(folder)
    assert saved.summary == summary and summary["kind"] == "biomarkers" and summary["diagnostics"]["ok"]
    true = saved.table("effects").set_index(["basis", "marker"]).loc[("twins", "pik3ca")]
    assert true["interaction"] == pytest.approx(0.4, rel=0.25) and true["interaction_high"] < 0.8
    auc = saved.table("auc")
    assert auc[auc["outcome"] == "benefit"].set_index("marker")["auc"].idxmax() == "pik3ca"
    advice = summary["results"]["recommendation_assay"]
    assert advice["enrich"] and advice["rule"] == "pik3ca"
    assert summary["results"]["best_auc_baseline_benefit"]["estimate"] > 0.6
    assert len(saved.table("patients")) == 320 and summary["results"]["n_trial"] == 250
    assert not (folder / "blocks").exists()
    assert {path.stem for path in (folder / "figures").glob("*.json")} == FIGURES
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f'data-figure="{key}"' in page for key in FIGURES)
    assert "alert(1)</script>" not in page and "&lt;script&gt;alert(1)" in page
    for chapter in ("summary", "benefit", "markers", "together", "effects", "enrichment", "published", "methods", "assumptions"):
        assert f'<section id="{chapter}">' in page
    assert "Mod Pathol 2016" in page  # sources of the assays
    assert "Recommendation: enrol patients with" in page and "immortal-time bias" in page


def test_an_interrupted_run_goes_on_at_the_arm_that_was_not_done(whole, config, tmp_path, monkeypatch):
    simulated = Simulated(**TRUTH)
    monkeypatch.setattr(twins, "simulate_arm", simulated)
    simulated.interrupt = "treated_200"
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path)
    assert list(json.loads((tmp_path / "status.json").read_text())["blocks"]) == ["treated_0", "control_0"]
    simulated.interrupt = None
    simulated.done.clear()
    summary = run(config.model_copy(update={"resume": True}), tmp_path)
    assert simulated.done == ["treated_200", "control_200"]
    assert summary == whole[1]
    for name in summary["tables"]:
        assert (tmp_path / f"{name}.parquet").read_bytes() == (whole[0] / f"{name}.parquet").read_bytes()


def test_a_drug_without_effect_and_a_failed_patient_are_told_as_such(config, tmp_path, monkeypatch):
    monkeypatch.setattr(twins, "simulate_arm", Simulated(failed=[4], share=0.4))
    summary = run(config, tmp_path)
    assert "1 patients could not be integrated" in summary["diagnostics"]["messages"][0]
    assert summary["results"]["n_patients"] == 319
    assert summary["results"]["share_benefiting"]["estimate"] == 0.0
    assert not summary["results"]["recommendation"]["enrich"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "do not enrich" in page and "No marker is predictive" in page and "Checks FAILED" in page


@pytest.mark.slow
def test_the_simulation_itself(tmp_path):
    """Laws that hold whatever the network's constants: alterations raise the levels that they act on, the drug lowers pS6,
    and a twin without it does not fare better on the whole."""
    config = compose("biomarkers", SMALL | {"cohort.size": 600, "analysis.resamples": 100})
    summary = run(config, tmp_path)
    table = load_run(tmp_path).table("patients")
    assert len(table) == 600
    levels = lambda gene, name: table.groupby(f"covariate_{gene}")[name].median()
    for gene in ("pten_loss", "pik3ca"):
        assert levels(gene, "pakt_tumour_basal")[True] > levels(gene, "pakt_tumour_basal")[False]
    assert (table["ps6_tumour_basal"] > 0).all() and 0.5 < table["ps6_tumour_basal"].median() < 2
    assert table["ps6_tumour_fold"].median() < 0.7 and (table["true_ps6_drop"].dropna() > -0.05).all()
    assert table["pfs_gain_days"].mean() > 0 and table["benefit"].mean() > 0.02
    assert summary["results"]["best_auc_early_progression_free"]["estimate"] > 0.55
    # the twins share all that is not the drug's doing
    assert (table["pfs_days_treated"] == table["pfs_days_control"]).mean() > 0.2
