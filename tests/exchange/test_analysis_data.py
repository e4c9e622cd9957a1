"""The data sets give the run's own results back."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from made_trial import COUNT, FAILED

from trialsim import ConfigError, adam, load_run
from trialsim.endpoints import survival
from trialsim.exchange.metadata import datasets
from trialsim.units import DAYS_PER_MONTH

NAMES = list(datasets())


@pytest.fixture(scope="module")
def data(run):
    return {name: adam(run, name) for name in NAMES}


def kept(table):
    """Rows of a table of the run, without the patients that its results leave out."""
    return table[~table["patient_id"].isin(FAILED)]


def test_every_subject_of_the_run_once_and_the_same_in_all(run, data):
    adsl = data["ADSL"]
    assert len(adsl) == COUNT and adsl["USUBJID"].is_unique
    assert adsl["SUBJID"].astype(int).tolist() == run.patients["patient_id"].tolist()
    assert adsl["USUBJID"].iloc[130] == "synthetic-0002-0000130"
    assert adsl.index[adsl["SAFFL"] == "N"].tolist() == FAILED
    for name, table in data.items():
        assert name == "ADSL" or set(table["USUBJID"]) <= set(adsl.loc[adsl["SAFFL"] == "Y", "USUBJID"]), name
        merged = table.merge(adsl[["USUBJID", "SAFFL", "STUDYID"]], on="USUBJID", suffixes=("", "_adsl"))
        assert (merged["SAFFL"] == merged["SAFFL_adsl"]).all() and (merged["STUDYID"] == "synthetic").all()


@pytest.mark.parametrize("name", NAMES)
def test_variables_and_terms_are_those_of_the_metadata(data, name):
    table, dataset = data[name], datasets()[name]
    assert len(table) and list(table.columns) == [v.name for v in dataset.variables if v.type != "date"]
    for v in dataset.variables:
        if v.name in table and v.terms is not None:
            assert set(table[v.name].dropna().astype(str)) <= set(v.terms), v.name
        if v.name in table and v.type == "text":
            assert table[v.name].notna().all() and table[v.name].str.len().max() <= v.length, v.name


@pytest.mark.parametrize(("code", "name"), [("PFS", "pfs"), ("OS", "os"), ("TTD", "time_on_treatment")])
def test_times_to_event_give_the_medians_of_the_summary(run, data, code, name):
    t = data["ADTTE"].query("PARAMCD == @code")
    expected = run.summary["endpoints"][f"median_{name}_months"]
    found = survival.median(t["AVAL"].to_numpy(float), t["CNSR"].to_numpy(int) == 0)
    assert found.n == expected["n"] == COUNT - len(FAILED)
    for field in ("estimate", "low", "high"):
        assert getattr(found, field) / DAYS_PER_MONTH == pytest.approx(expected[field])


def test_events_and_censoring_are_described(data):
    t = data["ADTTE"]
    assert (t["CNSDTDSC"] == "").eq(t["CNSR"] == 0).all()
    pfs = t[t["PARAMCD"] == "PFS"]
    assert set(pfs.loc[pfs["CNSR"] == 0, "EVNTDESC"]) <= {"DEATH", "DISEASE PROGRESSION"}
    os = t[t["PARAMCD"] == "OS"].set_index("USUBJID")
    dead = data["ADSL"].set_index("USUBJID").query("DTHFL == 'Y' and SAFFL == 'Y'")
    assert os.index[os["CNSR"] == 0].tolist() == dead.index.tolist()
    assert (os.loc[dead.index, "ADY"] == dead["DTHDY"]).all()


def test_duration_of_response_runs_from_the_response_to_the_event_of_pfs(data):
    dor = data["ADTTE"].query("PARAMCD == 'DOR'").set_index("USUBJID")
    pfs = data["ADTTE"].query("PARAMCD == 'PFS'").set_index("USUBJID").loc[dor.index]
    responders = data["ADRS"].query("PARAMCD == 'BOR' and AVALC in ('CR', 'PR')")["USUBJID"]
    assert sorted(dor.index) == sorted(responders) and len(dor)
    assert (dor["ADY"] == pfs["ADY"]).all() and (dor["CNSR"] == pfs["CNSR"]).all()


def test_death_and_progression_are_told_apart_by_the_interval_of_the_event(own_run):
    p = pd.read_parquet(own_run / "patients.parquet")
    p["progression_after_days"] = np.where(p.index % 2, p["pfs_days"], 0.0)
    p["progression_by_days"] = np.where(p["pfs_event"], p["pfs_days"], np.inf)
    p["integration_ok"] = True
    p.to_parquet(own_run / "patients.parquet", index=False)
    pfs = adam(load_run(own_run), "ADTTE").query("PARAMCD == 'PFS'").reset_index(drop=True)
    event = pfs["CNSR"] == 0
    assert (pfs["EVNTDESC"] == "DEATH").tolist() == (event & (pfs.index % 2 == 1)).tolist()


def test_best_responses_give_the_response_rate(run, data):
    best = data["ADRS"].query("PARAMCD == 'BOR'")
    endpoints = run.summary["endpoints"]
    assert len(best) == endpoints["orr"]["n"]
    assert best["AVALC"].isin(["CR", "PR"]).mean() == pytest.approx(endpoints["orr"]["estimate"])
    assert best["AVALC"].isin(["CR", "PR", "SD"]).mean() == pytest.approx(endpoints["dcr"]["estimate"])
    assert best["AVAL"].map({1: "CR", 2: "PR", 3: "SD", 5: "PD", 6: "NE"}).tolist() == best["AVALC"].tolist()
    for code, name in (("RSP", "orr"), ("DCR", "dcr"), ("CB", "clinical_benefit_rate")):
        rows = data["ADRS"]
        yes = rows.loc[rows["PARAMCD"] == code, "AVALC"] == "Y"
        assert yes.mean() == pytest.approx(endpoints[name]["estimate"])


def test_confirmed_and_unconfirmed_responses_where_the_study_asks_for_confirmation(own_run):
    import yaml

    p = pd.read_parquet(own_run / "patients.parquet")
    p.loc[0, ["best_response", "best_response_unconfirmed"]] = ["SD", "PR"]
    p.to_parquet(own_run / "patients.parquet", index=False)
    config = yaml.safe_load((own_run / "config.yaml").read_text()) | {"endpoint": {"confirmation_days": 28}}
    (own_run / "config.yaml").write_text(yaml.safe_dump(config))
    first = adam(load_run(own_run), "ADRS").query("USUBJID == 'synthetic-0000-0000000'").set_index("PARAMCD")["AVALC"]
    assert (first["BOR"], first["CBOR"]) == ("PR", "SD")


def test_each_scan_has_its_response_and_sizes(run, data):
    visits = kept(run.visits)
    scans = visits[visits["response"] != ""]
    by_scan = data["ADRS"].query("PARAMCD == 'OVRLRESP'")
    assert by_scan["AVALC"].tolist() == scans["response"].tolist()
    assert (by_scan["ADY"].to_numpy() == scans["day"].to_numpy() + 1).all()
    sizes = data["ADTR"].query("PARAMCD == 'SDIAM'")
    assert np.allclose(sizes["AVAL"], visits["sld_mm"], rtol=1e-8)
    assert np.allclose(sizes["PCHG"], 100 * (sizes["AVAL"] / sizes["BASE"] - 1), atol=1e-6)
    baseline = sizes[sizes["ABLFL"] == "Y"]
    assert (baseline["CHG"] == 0).all() and (baseline["ADY"] < 0).all() and len(baseline) == COUNT - len(FAILED)


def test_adverse_events_give_the_toxicity_of_the_summary(run, data):
    from trialsim.exchange.events_data import preferred_terms

    worst = data["ADAE"].query("AOCPIFL == 'Y'")
    for term, expected in run.summary["toxicity"].items():
        grades = worst.loc[worst["AEDECOD"] == preferred_terms()[term][0], "AETOXGR"].value_counts()
        assert {grade: int(grades.get(grade, 0)) for grade in expected["by_grade"]} == expected["by_grade"], term
    first = data["ADAE"].query("AOCCPFL == 'Y'")
    assert not first.duplicated(["USUBJID", "AEDECOD"]).any()
    assert len(first) == len(data["ADAE"].drop_duplicates(["USUBJID", "AEDECOD"]))


def test_episodes_last_from_their_first_to_their_last_day(run, data):
    e, a = kept(run.adverse_events), data["ADAE"]
    going_on = a["AENDY"].isna()
    assert going_on.sum() == e["end_day"].isna().sum() > 0 and (a.loc[going_on, "AEOUT"] == "NOT RECOVERED/NOT RESOLVED").all()
    assert (a["ADURN"] == a["AENDY"] - a["ASTDY"] + 1)[~going_on].all()
    assert a["ADURN"].sum() == (e["end_day"] - e["start_day"]).sum()
    assert a.groupby("USUBJID")["ASTDY"].is_monotonic_increasing.all()
    assert (a["AESEQ"] == a.groupby("USUBJID").cumcount() + 1).all()


def test_concentrations_and_doses_are_those_that_were_saved(run, data):
    assert np.allclose(data["ADPC"]["AVAL"].to_numpy(float), kept(run.pharmacodynamics)["cmin_ng_ml"], rtol=1e-8)
    assert (data["ADPC"]["AFRLT"] == 24 * (data["ADPC"]["ADY"] - 1)).all()
    doses = kept(run.doses)
    assert data["ADEX"]["AVAL"].sum() == pytest.approx((doses["dose_mg"] * doses["n_doses"]).sum())
    assert (data["ADEX"]["NDOSE"] == data["ADEX"]["AENDY"] - data["ADEX"]["ASTDY"] + 1).all()  # daily
    values = data["ADPP"].pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    assert np.allclose(values["CMAX"].to_numpy(float), kept(run.patients)["cmax_ng_ml"], rtol=1e-8)


def test_dates_follow_from_the_made_up_start(run):
    adsl = adam(run, "ADSL", date(2030, 1, 1))
    assert (adsl["TRTSDT"] == pd.Timestamp(2030, 1, 1) + pd.to_timedelta(adsl["ENRLDAY"].astype(int), "D")).all()
    dead = adsl[adsl["DTHFL"] == "Y"]
    assert ((dead["DTHDT"] - dead["TRTSDT"]).dt.days + 1 == dead["DTHDY"]).all()
    assert adsl.loc[adsl["DTHFL"] == "N", "DTHDT"].isna().all()
    sizes = adam(run, "ADTR", date(2030, 1, 1)).merge(adsl[["USUBJID", "TRTSDT"]])
    days = (sizes["ADT"] - sizes["TRTSDT"]).dt.days
    assert (np.where(days < 0, days, days + 1) == sizes["ADY"]).all() and (sizes["ADY"] != 0).all()


def test_what_a_run_cannot_give_is_told(run, own_run):
    with pytest.raises(ConfigError, match="name = 'ADLB'.*one of ADSL, "):
        adam(run, "ADLB")
    (own_run / "doses.parquet").unlink()
    with pytest.raises(ConfigError, match="doses.parquet.*an older version.*run it again"):
        load_run(own_run).table("doses")
    with pytest.raises(ConfigError, match="name = 'ADEX'"):
        adam(load_run(own_run), "ADEX")
    p = pd.read_parquet(own_run / "patients.parquet")
    p.drop(columns="os_days").to_parquet(own_run / "patients.parquet")
    with pytest.raises(ConfigError, match="patients.parquet.*columns os_days"):
        adam(load_run(own_run), "ADTTE")
    p.assign(sex="<b>").to_parquet(own_run / "patients.parquet")
    with pytest.raises(ConfigError, match="ADSL.SEX"):
        adam(load_run(own_run), "ADSL")
    (own_run / "patients.parquet").write_bytes(b"PAR1 not a table")
    with pytest.raises(ConfigError, match="a table that can be read"):
        adam(load_run(own_run), "ADSL")
