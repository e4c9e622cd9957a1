"""Analysis datasets say what the run's own summary says, in CDISC's terms, and come back from every format as they went."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml
from short_studies import ADULT

from trialsim import ConfigError, compose, export, load_run, run
from trialsim.commands import start
from trialsim.endpoints import survival
from trialsim.exchange import DATASETS, adam, dataset
from trialsim.exchange.metadata import dictionary, variables

CONF = Path(__file__).parents[2] / "conf"
MONTH = 30.4375


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trial of 90 patients followed for three months, one of them marked as not integrated."""
    folder = tmp_path_factory.mktemp("runs") / "trial"
    run(compose(*ADULT), folder)
    return load_run(folder)


@pytest.fixture(scope="module")
def made(saved):
    return {name: dataset(saved, name) for name in DATASETS}


def test_variables_are_those_declared_and_hold_only_controlled_terms(made):
    for name, table in made.items():
        declared = variables(name)
        assert list(table) == [variable.name for variable in declared]
        for variable in declared:
            values = table[variable.name]
            if variable.type == "num":
                assert pd.api.types.is_numeric_dtype(values), (name, variable.name)
            if variable.terms:
                found = {f"{v:g}" if isinstance(v, float | int | np.number) else str(v) for v in values.dropna().unique()} - {""}
                assert found <= set(variable.terms), (name, variable.name, found)


def test_names_and_labels_fit_a_transport_file():
    for name in DATASETS:
        for variable in variables(name):
            assert len(variable.name) <= 8 and len(variable.label) <= 40 and variable.origin, (name, variable.name)
            assert variable.type in ("num", "char")


def test_every_subject_is_once_in_adsl_and_known_elsewhere(saved, made):
    assert len(made["ADSL"]) == len(saved.patients) and made["ADSL"]["USUBJID"].is_unique
    for name, table in made.items():
        assert set(table["USUBJID"]) <= set(made["ADSL"]["USUBJID"]), name
    assert made["ADSL"]["USUBJID"].iloc[7] == f"EVEROLIMUS_ADULT-{saved.patients['replicate'].iloc[7]:04d}-00000007"


def test_response_rates_are_those_of_the_summary(saved, made):
    adrs, told = made["ADRS"], saved.summary["endpoints"]
    for code, endpoint in (("RSP", "orr"), ("DCR", "dcr"), ("CBEN", "clinical_benefit_rate")):
        rows = adrs[adrs["PARAMCD"] == code]
        assert len(rows) == told[endpoint]["n"]
        assert (rows["AVALC"] == "Y").mean() == pytest.approx(told[endpoint]["estimate"]), code
    confirmed = adrs.loc[adrs["PARAMCD"] == "CBOR", "AVALC"]
    assert confirmed.isin(["CR", "PR"]).mean() == pytest.approx(told["orr"]["estimate"])


def test_times_give_the_medians_of_the_summary(saved, made):
    told = saved.summary["endpoints"]
    for code, endpoint in (("PFS", "median_pfs_months"), ("OS", "median_os_months"), ("TTD", "median_time_on_treatment_months")):
        rows = made["ADTTE"][made["ADTTE"]["PARAMCD"] == code]
        found = survival.median(rows["AVAL"].to_numpy(), rows["CNSR"].to_numpy() == 0).estimate / MONTH
        if told[endpoint]["estimate"] is None:
            assert np.isnan(found), code
        else:
            assert found == pytest.approx(told[endpoint]["estimate"]), code
    pfs = made["ADTTE"][made["ADTTE"]["PARAMCD"] == "PFS"]
    progressed = pfs["EVNTDESC"] == "PROGRESSIVE DISEASE"
    assert progressed.sum() > 10 and (pfs["AVALLOW"] < pfs["AVALHIGH"])[progressed].all()
    assert (pfs["AVAL"] == pfs["AVALHIGH"])[progressed].all(), "progression is dated at the scan that shows it"


def test_adverse_events_by_worst_grade_are_those_of_the_summary(saved, made):
    worst = made["ADAE"].groupby(["AETERM", "USUBJID"])["ATOXGRN"].max()
    for term, told in saved.summary["toxicity"].items():
        name = term.replace("_", " ").upper()
        grades = worst[name] if name in worst.index.get_level_values(0) else pd.Series(dtype=int)
        for grade, share in told["by_grade"].items():
            share = share["estimate"] if isinstance(share, dict) else share
            count = (grades == int(grade)).sum()
            assert count in (share, round(share * len(saved.patients))), (term, grade)
    assert made["ADAE"].groupby("USUBJID")["AESEQ"].apply(lambda s: list(s) == list(range(1, len(s) + 1))).all()


def test_every_adverse_event_of_the_shipped_drugs_has_a_preferred_term():
    files = [*CONF.glob("drug/*.yaml"), *CONF.glob("partner/*.yaml")]
    assert len(files) > 15
    for file in files:
        terms = yaml.safe_load(file.read_text(encoding="utf-8"))["toxicity"]["terms"]
        assert set(terms) <= set(dictionary()), file.name


def test_study_days_have_no_zero():
    assert list(adam.study_day(pd.Series([-2, -1, 0, 1]))) == [-2, -1, 1, 2]


def test_tumour_size_changes_from_baseline(saved, made):
    size = made["ADTR"][made["ADTR"]["PARAMCD"] == "SUMDIAM"]
    assert (size.groupby("USUBJID")["ABLFL"].apply(lambda flag: (flag == "Y").sum()) == 1).all()
    assert size["PCHG"].to_numpy() == pytest.approx(saved.visits["sld_change_percent"].to_numpy(float), abs=1e-3, nan_ok=True)
    assert (size["ADY"][size["AVISITN"] <= 0] < 0).all() and (size["ADY"][size["AVISITN"] > 0] > 0).all()


def test_who_could_not_be_integrated_is_in_adsl_only(saved):
    lost = saved.patients.assign(integration_ok=saved.patients["patient_id"] != 3)
    copy = load_run(saved.path)
    copy.__dict__["patients"] = lost  # as if read from the file
    subject = adam.dataset(copy, "ADSL")
    who = subject.loc[subject["INTGFL"] == "N", "USUBJID"]
    assert len(who) == 1
    for name in DATASETS:
        assert name == "ADSL" or who.iloc[0] not in set(adam.dataset(copy, name)["USUBJID"]), name


def test_files_come_back_as_they_went(saved, made, tmp_path):
    for kind in ("csv", "parquet", "xpt"):
        files = export(saved, tmp_path / kind, kind)
        assert {file.name for file in files} == {*(f"{name.lower()}.{kind}" for name in DATASETS), "variables.csv"}
    for name, table in made.items():
        assert pd.read_parquet(tmp_path / "parquet" / f"{name.lower()}.parquet").equals(table)
        text = pd.read_csv(tmp_path / "csv" / f"{name.lower()}.csv", keep_default_na=False, na_values={})
        assert list(text) == list(table) and len(text) == len(table)
        back, meta = pyreadstat.read_xport(str(tmp_path / "xpt" / f"{name.lower()}.xpt"))
        assert meta.column_labels == [variable.label for variable in variables(name)] and meta.table_name == name
        for variable in variables(name):
            if variable.type == "num":
                assert np.allclose(back[variable.name], table[variable.name].astype(float), rtol=1e-14, equal_nan=True)
            else:
                assert list(back[variable.name]) == list(table[variable.name].fillna("")), (name, variable.name)


@pytest.mark.parametrize(("words", "allowed"), [
    (["--format", "xls"], "csv, parquet, xpt"),
    (["--datasets", "adxx"], "ADSL, ADRS"),
])  # fmt: skip
def test_the_command_says_what_is_allowed_and_writes_nothing(saved, tmp_path, capsys, words, allowed):
    assert start("export", [str(saved.path), "--out", str(tmp_path / "x"), *words]) == 2
    assert allowed in capsys.readouterr().err and not (tmp_path / "x").exists()


def test_nothing_is_overwritten(saved, tmp_path, capsys):
    words = [str(saved.path), "--out", str(tmp_path), "--datasets", "adsl"]
    assert start("export", words) == 0
    before = (tmp_path / "adsl.csv").read_bytes()
    assert start("export", words) == 2
    assert "a folder without adsl.csv" in capsys.readouterr().err and (tmp_path / "adsl.csv").read_bytes() == before


def test_without_its_library_the_transport_format_is_refused(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    with pytest.raises(ConfigError, match="pip install"):
        export(saved, tmp_path / "x", "xpt")
    assert not (tmp_path / "x").exists()
