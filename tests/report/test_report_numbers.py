"""Numbers in the report are the numbers of the artefacts."""

import json

import arviz_stats
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

import trialsim
from trialsim.endpoints.survival import kaplan_meier
from trialsim.report.assumptions import assumptions, by_section
from trialsim.report.figures.at_risk import Arm, frame
from trialsim.report.figures.pharmacodynamics import bands
from trialsim.report.posterior import convergence_table, rank_histogram, read_posterior
from trialsim.report.sampling import even_ranks, stratified
from trialsim.report.wording import dose, interval, kind_of, label, number, percent, plot_lines


def table(folder, name):
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_endpoints_and_comparison_are_those_of_the_summary(adult_run):
    for name, key in (("endpoints", "endpoints"), ("comparison", "comparison")):
        found, expected = table(adult_run, name).set_index("endpoint"), summary(adult_run)[key]
        assert list(found.index) == list(expected)
        for endpoint, values in expected.items():
            for column in set(values) & {"estimate", "low", "high", "published", "predicted", "low_90", "high_90"}:
                if values[column] is None:
                    assert np.isnan(found.loc[endpoint, column])
                else:
                    assert found.loc[endpoint, column] == pytest.approx(values[column], rel=1e-12)


def test_toxicity_counts_patients_once_at_their_worst_grade(adult_run):
    events = pd.read_parquet(adult_run / "adverse_events.parquet")
    found = table(adult_run, "toxicity").set_index("term")
    for term, part in events.groupby("term"):
        worst = part.groupby("patient_id")["grade"].max()
        assert found.loc[term, "any_grade"] == len(worst)
        assert found.loc[term, "grade_3_4"] == (worst >= 3).sum()
        assert [found.loc[term, f"grade_{grade}"] for grade in (1, 2, 3, 4)] == [
            (worst == g).sum() for g in (1, 2, 3, 4)
        ]


def test_dlt_table(paediatric_run):
    patients = pd.read_parquet(paediatric_run / "patients.parquet")
    found = table(paediatric_run, "dose_limiting_toxicity").set_index("dose_level")
    for level, part in patients.groupby("dose_level"):
        judged = part[part["dlt_evaluable"]]
        assert found.loc[level, "n_evaluable"] == len(judged)
        assert found.loc[level, "n_dlt"] == judged["dlt"].sum()
        assert found.loc[level, "rate"] == pytest.approx(
            summary(paediatric_run)["endpoints"][f"dlt_rate_{level:g}mg/m2"]["estimate"]
        )


def test_exposure_quantiles(paediatric_run):
    patients = pd.read_parquet(paediatric_run / "patients.parquet")
    found = table(paediatric_run, "exposure").set_index(["measure", "dose_level"])
    part = patients[patients["dose_level"] == 5.0]["cmin_ng_ml"]
    assert found.loc[("cmin_ng_ml", 5.0), "median"] == pytest.approx(part.median())
    assert found.loc[("cmin_ng_ml", 5.0), "high_90"] == pytest.approx(part.quantile(0.95))


def test_forest_is_the_posterior(adult_run):
    draws = xr.open_datatree(adult_run / "posterior.nc", engine="h5netcdf")["posterior"]["probability"]
    found = table(adult_run, "tumour_types")
    row = found[(found["fit"] == "simulated") & (found["endpoint"] == "orr") & (found["tumour_type"] == "colorectal")]
    values = draws.sel(endpoint="orr", tumour_type="colorectal").values
    assert row["median"].item() == pytest.approx(np.median(values))
    assert row["high_95"].item() == pytest.approx(np.quantile(values, 0.975))


def test_convergence_agrees_with_arviz(adult_run):
    fit = read_posterior(adult_run / "posterior.nc")
    found = convergence_table(fit).set_index("parameter")
    reference = arviz_stats.summary(fit.tree, var_names=["mu", "tau"], kind="diagnostics", round_to="none")
    tail = arviz_stats.ess(fit.tree, var_names=["mu", "tau"], method="tail", prob=(0.05, 0.95))
    tails = {f"{key}[{e}]": float(tail[key].sel(endpoint=e)) for key in ("mu", "tau") for e in tail["endpoint"].values}
    for name, row in reference.iterrows():
        assert found.loc[name, "rhat"] == pytest.approx(row[[c for c in row.index if "hat" in c][0]], rel=1e-9)
        assert found.loc[name, "ess_bulk"] == pytest.approx(row["ess_bulk"], rel=1e-9)
        assert found.loc[name, "ess_tail"] == pytest.approx(tails[name], rel=1e-9)
    assert not any("probability" in name for name in found.index)


def test_rank_histogram_is_flat_for_identical_chains_and_not_for_shifted_ones():
    rng = np.random.default_rng(1)
    even = rng.normal(size=(4, 1000))
    assert rank_histogram(even).mean(axis=1) == pytest.approx(np.ones(4))
    assert rank_histogram(even).std() < 0.3  # Poisson: sqrt(1 / 50) = 0.14
    assert rank_histogram(even + np.array([0, 0, 0, 2.0])[:, None]).std() > 0.6


def test_pharmacodynamic_bands_leave_out_patients_off_treatment():
    rows = [(p, day, p, on) for p in range(10) for day, on in ((0.0, True), (7.0, p < 6))]
    table = pd.DataFrame(rows, columns=["patient_id", "day", "ps6_tumour", "on_treatment"])
    found = bands([table], "ps6_tumour")
    pd.testing.assert_frame_equal(found, bands([table[:8], table[8:]], "ps6_tumour"))
    assert found.loc[7.0, 0.5] == 2.5 and found.loc[7.0, "n"] == 6


def test_stratified_sample_is_proportional_complete_and_fixed():
    strata = pd.Series(["SD"] * 550 + ["PD"] * 400 + ["NE"] * 40 + ["PR"] * 9 + ["CR"])
    chosen = stratified(strata, 100)
    counts = strata[chosen].value_counts()
    assert len(chosen) == 100 and set(counts.index) == set(strata)
    assert abs(counts["SD"] - 55) <= 2 and abs(counts["PD"] - 40) <= 2
    assert chosen.equals(stratified(strata, 100))
    assert len(stratified(strata, 3)) == 3 and len(stratified(strata, 5000)) == len(strata)


def test_even_ranks_keep_both_ends():
    assert even_ranks(5, 10).tolist() == [0, 1, 2, 3, 4]
    ranks = even_ranks(1000, 7)
    assert len(ranks) == 7 and ranks[0] == 0 and ranks[-1] == 999


def test_every_setting_is_listed_with_its_source(adult_run):
    config = yaml.safe_load((adult_run / "config.yaml").read_text())
    rows = {row.key: row for group in by_section(config).values() for row in group}
    assert rows["drug.pk.CLint"].source == "ter Heine 2018 <i>n=126</i>" and rows["drug.pk.CLint"].value == "340"
    assert rows["drug.pk.fu"].source == "Kovarik 2001"
    assert rows["drug.binding.K_FKBP12"] == ("drug.binding.K_FKBP12", "0.2", "nM", "Banaszynski 2005")
    assert rows["tumour.colorectal.growth.rate_median_per_day"].source == "derived: growth"
    assert rows["seed"].value == "1" and rows["seed"].meaning == "seed of all random numbers"
    assert rows["regimen.dose"].meaning.startswith("dose of one administration, in regimen.unit")  # the setting's own description


def test_a_source_serves_everything_below_it_and_lists_are_flattened():
    section = {"source": "Smith 2001", "a": {"b": [1, 2]}, "list": [{"c": None, "source": "own"}]}
    rows = {row.key: row for row in assumptions(section, "x")}
    assert rows["x.a.b"][1:] == ("1, 2", "", "Smith 2001")
    assert rows["x.list[0].c"][1:] == ("not set", "", "own")


def test_wording():
    assert percent(1 / 59).replace("\u00a0", " ") == "1.7 %"
    assert interval(0.0004, 0.0909, "proportion").replace("\u00a0", " ") == "0.0 to 9.1 %"
    assert interval(9.1, None, "months").replace("\u00a0", " ") == "9.1 months to not reached"
    assert dose(6.5, "mg/m2").replace("\u00a0", " ") == "6.5 mg/m²"
    assert label("dlt_rate_5mg/m2").replace("\u00a0", " ") == "DLT rate at 5 mg/m²"
    assert [kind_of(name) for name in ("orr", "clinical_benefit_rate", "median_pfs_months", "pfs_6_months")] == [
        "proportion", "proportion", "months", "proportion",
    ]  # fmt: skip
    assert [kind_of(name) for name in ("dlt_count_5mg/m2", "dlt_rate_5mg/m2", "mtd")] == ["count", "proportion", "dose"]
    assert [number(value) for value in (0.000012345, 1234.5, 3.0, None, float("nan"))] == [
        "1.23e-05",
        "1,234",
        "3",
        "–",
        "–",
    ]
    assert plot_lines("<b>x</b> & y", 30) == "&lt;b&gt;x&lt;/b&gt; &amp; y"


def test_comments_are_those_of_the_files_chosen_and_serve_unchanged_values_only():
    section = {"pk": {"CLint": 340.0, "Vc": 180.0, "hepatic_CLint": {"normal": 1.0}}}
    meanings = lambda choices: {row.key: row.meaning for row in by_section({"drug": section}, choices)["drug"]}
    found = meanings({"drug": "everolimus", "experiment": "everolimus_adult"})
    assert found["drug.pk.CLint"] == "L/h, unbound intrinsic clearance"
    assert found["drug.pk.Vc"] == ""  # shipped: 175
    assert not any(meanings({"drug": "sirolimus"}).values())  # the same value in another file says nothing of it
    assert not any(meanings(None).values()) and not any(meanings({"drug": "../drug/everolimus"}).values())


def test_a_value_set_for_the_run_does_not_claim_the_shipped_source():
    rows = lambda config: [row for rows in by_section(config.model_dump(mode="json"), config.choices).values() for row in rows]
    sources = lambda config: {row.key: row.source for row in rows(config)}
    told = lambda found: {key for key, source in found.items() if source.startswith("set for this run")}
    for experiment in (None, "everolimus_paediatric", "combination", "assay_genotypes"):
        assert told(sources(trialsim.compose(experiment))) == set()
    own = {"cohort.mix.hcc": 0.0, "cohort.mix.thyroid": 0.02, "drug.pk.CLint": 300.0, "cohort.size": 20}
    found = sources(trialsim.compose(overrides=own))
    assert told(found) == {"cohort.mix.hcc", "cohort.mix.thyroid", "drug.pk.CLint"}
    assert found["drug.pk.CLint"].startswith("set for this run; 340 is from: ")


def test_a_design_among_several_takes_the_comments_of_its_own_file():
    config = {"designs": {"a": {"replicate_size": 24, "target": 0.25}, "b": {"replicate_size": 24}}}
    design = trialsim.compose("compare_designs").designs["crm"].model_dump(mode="json")
    found = by_section({"designs": {"crm": design}}, {"design@designs.crm": "crm"})["designs"]
    assert any(row.meaning or row.source for row in found if row.key.startswith("designs.crm."))
    assert by_section(config)["designs"]


def test_sources_named_after_their_value():
    rows = {row.key: row for row in assumptions({"mix": {"a": 0.4, "b": 0.6}, "mix_source": "Smith 2001"}, "cohort")}
    assert list(rows) == ["cohort.mix.a", "cohort.mix.b"] and rows["cohort.mix.b"].source == "Smith 2001"


def test_every_arm_has_its_numbers_at_risk():
    rng = np.random.default_rng(4)
    time = rng.exponential(5.0, 200).round(1)
    curve = kaplan_meier(time, rng.random(200) < 0.7)
    arms = [Arm(name, name, curve.time, curve.survival, curve.at_risk, "simulated") for name in ("one", "two")]
    rows = [trace for trace in frame(arms, float(time.max()), 300).data if trace.mode == "text"]
    assert [row.legendgroup for row in rows] == ["one", "two"]  # what the legend and the buttons take away with the curve
    assert [int(text) for text in rows[0].text] == [int((time >= tick).sum()) for tick in rows[0].x]


def test_a_bar_of_the_waterfall_tells_its_patient(adult_run):
    patients = pd.read_parquet(adult_run / "patients.parquet")
    figure = json.loads((adult_run / "figures" / "waterfall.json").read_text())
    told = [hover for trace in figure["data"] for hover in trace["hovertext"]]
    assert len(told) == patients["best_sld_change_percent"].notna().sum()
    shown = table(adult_run, "patients_drawn").set_index("patient")
    for _, patient in patients.dropna(subset=["best_sld_change_percent"]).head(20).iterrows():
        mine = next(text for text in told if text.startswith(f"<b>Patient {patient['patient_id']}</b>"))
        assert f"{patient['best_sld_change_percent']:+.0f} %" in mine and f"{patient['pfs_days'] / 30.4375:.1f}" in mine
        assert ("KRAS mutation" in mine) == patient["kras"]
        if patient["patient_id"] in shown.index:
            assert shown.loc[patient["patient_id"], "best_response"] in mine
