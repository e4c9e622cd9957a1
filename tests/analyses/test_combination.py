"""Combination: settings, and the whole run from settings to page on patients and cells of known effects."""

import json

import numpy as np
import pandas as pd
import pytest
from settings_of import settings_of

from trialsim import compose, load_run, run
from trialsim.analyses import combination
from trialsim.combinations.surfaces import SingleAgent, bliss, effect_of
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

TITLE = "<script>alert(1)</script> & partners"
SMALL = {
    "cohort.size": 60, "analysis.genotype_patients": 40, "analysis.bootstrap": 100, "compute.progress": "off",
    "compute.solver_check_patients": 0, "study.title": TITLE,
}  # fmt: skip
FIGURES = {
    "dish_surfaces", "isobologram", "dish_scores", "cohort_surfaces", "cohort_pfs", "cohort_response", "dish_and_cohort",
    "schedules", "schedule_courses", "partners_tumour", "partners_pfs", "partner_ranks", "partner_price", "partners_added",
}  # fmt: skip
GAIN = {"trametinib": 0.3, "alpelisib": 0.2}  # share of growth that a partner takes away; the others 0.05


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"analysis.pair": "alpelisip"}, "analysis.pair", "did you mean 'alpelisib'"),
        ({"analysis.pair": "exemestane"}, "analysis.pair", "acts on cells"),
        ({"partner": "[bevacizumab]", "analysis.pair": "bevacizumab"}, "analysis.pair", "acts on cells"),
        ({"partner": "[trametinib]"}, "analysis.pair", "trametinib"),
        ({"analysis.in_vitro.rapalog_nM": "[1,10,5,20]"}, "analysis.in_vitro.rapalog_nM", "strictly increasing"),
        ({"analysis.in_vitro.replicates": 1}, "analysis.in_vitro.replicates", "2 or more"),
        ({"analysis.partner_factors": "[1,0.5]"}, "analysis.partner_factors", "strictly increasing"),
        ({"analysis.reference": "concurent"}, "analysis.reference", "did you mean 'concurrent'"),
        ({"analysis.schedules.concurrent.rapalog": None, "analysis.schedules.concurrent.partner": None},
         "analysis.schedules.concurrent", "at least one"),
        ({"+analysis.schedules.concurrent.partner.stop_day": 0}, "analysis.schedules.concurrent.partner.stop_day", "1"),
        ({"analysis.schedules.rapalog_weekly.rapalog.dose_factor": 20, "regimen.dose": 20},
         "analysis.schedules.rapalog_weekly.rapalog.dose_factor", "at most 250"),
        ({"+analysis.schedules.concurrent.partner.days_off": 3}, "analysis.schedules.concurrent.partner.days_on", "days_off"),
        ({"analysis.genotypes": "[kras,kras]"}, "analysis.genotypes", "each class once"),
        ({"analysis.genotype_patients": 500}, "analysis.genotype_patients", "at most cohort.size"),
        ({"analysis.week": 52, "design.max_follow_up_months": 12, "regimen.max_treatment_days": 365},
         "analysis.week", "at most 44"),
    ],
)  # fmt: skip
def test_faults_name_key_and_what_is_allowed(changes, key, allowed):
    overrides = [f"{name}={'null' if value is None else value}" for name, value in changes.items()]
    with pytest.raises(ConfigError) as caught:
        settings_of("combination", overrides)
    assert any(fault.key == key and allowed in fault.allowed for fault in flatten(caught.value)), str(caught.value)


# ---- the whole run, cells and patients replaced by such of known effects


def cells(config, settings, partner, name, line):
    """Stands for ``dish.measure``: two drugs that act independently, measured without error but for a touch in each replicate."""
    a, b = (grid.ravel() for grid in np.meshgrid([0.0, *settings.rapalog_nM], [0.0, *settings.partner_nM], indexing="ij"))
    given = (a > 0) | (b > 0)
    effect = bliss(effect_of(a, SingleAgent(0.5, 1.0, 1.0)), effect_of(b, SingleAgent(0.8, 300.0, 1.0)))[given]
    tables = []
    for replicate in range(settings.replicates + 1):
        seen = effect + (0.01 * np.random.default_rng(replicate).normal(size=len(effect)) if replicate else 0.0)
        where = {"line": name, "replicate": replicate, "rapalog_nM": a[given], "partner_nM": b[given]}
        tables.append(pd.DataFrame(where | {"viability": seen, "growth": -np.log1p(-seen)}))
    return pd.concat(tables, ignore_index=True)


def patients(config, enrolled, arm, week):
    """Stands for ``arms.simulate_arm``: every drug takes away its share of growth, and time to progression follows."""
    ids = enrolled["patient_id"].to_numpy()
    growth = 0.2 + 0.01 * (ids % 17)
    share = 0.3 * (min(arm.rapalog.dose_factor, 1.0) if arm.rapalog else 0.0)
    share += sum(GAIN.get(name, 0.05) * min(given.dose_factor, 1.0) for name, given in arm.partners.items())
    left = growth * (1.0 - share)
    table = pd.DataFrame({"patient_id": ids, "log_volume": left, "pfs_days": np.minimum(30.0 / left, 500.0)})
    flags = {"responder": left < 0.12, "disease_control": left < 0.25, "dlt": ids % 9 == 0}
    flags |= {"severe": ids % 5 < 2 * len(arm.partners)}
    constant = {"pfs_event": True, "os_days": 500.0, "os_event": False, "dlt_evaluable": True, "integration_ok": True}
    table = table.assign(**flags, **constant, days_on_treatment=100.0, off_treatment_reason="progression")
    sizes = {f"week_{n}": np.exp(left * n / 24) for n in range(4, 78, 4)}
    intensity = {f"intensity_{name}": 0.9 for name in arm.partners}
    return {"patients": table.assign(best_sld_change_percent=50 * left, relative_dose_intensity=0.8, **intensity, **sizes)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("combination") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combination.dish, "measure", cells)
        patch.setattr(combination.arms, "simulate_arm", patients)
        run(compose("combination", SMALL), folder)
    return load_run(folder)


def test_independent_drugs_are_found_to_be_so(saved):
    results = saved.summary["results"]
    for line in ("mcf7", "t47d", "bt474"):
        found = results[f"excess_bliss_{line}"]
        assert abs(found["estimate"]) < 0.01 and results[f"excess_hsa_{line}"]["low"] > 0.02
    assert results["cohort_excess_bliss"]["estimate"] == pytest.approx(0.0, abs=1e-9)
    assert results["cohort_excess_hsa"]["estimate"] == pytest.approx(0.2, abs=1e-9)
    assert results["pfs_hazard_ratio_both_over_best_of_two"]["high"] < 1.0


def test_the_best_partner_is_the_one_that_takes_most_away(saved):
    best = saved.summary["results"]["best_partner"]
    assert len(best) == 7 and all(row["partner"] == "trametinib" and row["probability"] == 1.0 for row in best.values())
    ranks = saved.table("partners").query("measure == 'tumour' and genotype == 'kras'").set_index("partner")["rank"]
    assert ranks["trametinib"] == 1 and ranks["alpelisib"] == 2 and (ranks.drop(["trametinib", "alpelisib"]) == 3).all()
    table = saved.table("partners").query("measure == 'tumour'")
    assert np.allclose(table["added"], table["added"].iloc[0]) and (table["added_low"] > 0).all()  # the rapalog, beside whatever


def test_tables_hold_every_arm(saved):
    cohort, schedules = saved.table("cohort"), saved.table("schedules")
    assert len(cohort[["rapalog_factor", "partner_factor"]].drop_duplicates()) == 9
    assert schedules["schedule"].nunique() == 9
    assert schedules.query("schedule == 'concurrent' and measure == 'hazard_ratio'")["estimate"].item() == 1.0
    assert len(saved.table("partners")) == 7 * 7 * 2
    assert set(saved.table("pfs")["arm"]) == {"none", "rapalog", "partner", "both", "best_of_two"}


def test_the_page_has_its_figures_and_no_markup_of_the_user(saved):
    assert {path.stem for path in (saved.path / "figures").glob("*.json")} == FIGURES
    text = (saved.path / "report.html").read_text()
    assert "<script>alert(1)" not in text and "NaN points" not in text and "nan" not in json.dumps(saved.summary).lower()
