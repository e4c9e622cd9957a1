"""Event tables: out of a run and back to the same doses; what is wrong in one is told by column and line."""

import numpy as np
import pandas as pd
import pytest
from made_trial import COUNT, FAILED

from trialsim import ConfigError, covariates_of, doses_of, event_table, export, read_events
from trialsim.cohort.covariates_file import read_covariates

GOOD = """ID,TIME,AMT,DV,EVID,MDV,CMT,ADDL,II,WT
1,0,10,.,1,1,1,6,24,70
1,168,0,8.5,0,0,2,0,0,70
1,168,5,.,1,1,1,0,0,71
2,0,10,.,1,1,1,1,12,.
2,30,.,3,0,0,2,.,.,
"""


def read(tmp_path, text, name="events.csv"):
    (tmp_path / name).write_text(text)
    return read_events(tmp_path / name)


@pytest.mark.parametrize("every_dose", [False, True])
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_doses_come_back_to_the_hour(run, tmp_path, every_dose, format):
    folder = export(run.path, "nonmem", format, tmp_path / "out", every_dose=every_dose)
    events = read_events(folder / f"events.{format}")
    ids = np.delete(np.arange(COUNT), FAILED)
    expected = np.zeros((COUNT, 24 * 730))
    for row in run.doses.itertuples():
        expected[row.patient_id, (row.start_day * 24 + row.interval_h * np.arange(row.n_doses)).astype(int)] += row.dose_mg
    assert (events.covariates.index - 1).isin(ids).all()
    back = doses_of(events, interval=1.0, intervals=24 * 730)
    assert np.array_equal(back.doses, expected[events.covariates.index.astype(int) - 1]) and back.interval == 1.0
    daily = doses_of(events)
    assert daily.doses.sum() == pytest.approx(back.doses.sum()) and daily.interval == 24.0
    seen = run.pharmacodynamics[~run.pharmacodynamics["patient_id"].isin(FAILED)]
    assert np.allclose(events.observations["DV"], seen["cmin_ng_ml"], rtol=1e-8)
    assert np.array_equal(events.observations["TIME"], 24.0 * (seen["day"] + 1)) and events.varying == ()


def test_the_file_is_one_that_nm_tran_reads(run, tmp_path):
    lines = (export(run.path, "nonmem", out=tmp_path / "out") / "events.csv").read_text().splitlines()
    header, *records = [line.split(",") for line in lines]
    assert header[:9] == ["ID", "TIME", "AMT", "DV", "EVID", "MDV", "CMT", "ADDL", "II"] and lines.count(lines[0]) == 1
    assert all(len(record) == len(header) for record in records) and len(header) <= 50  # NONMEM 7: at most 50 data items
    assert all(cell == "." or np.isfinite(float(cell)) for record in records for cell in record)
    table = pd.DataFrame(records, columns=header)
    assert (table["DV"] == ".").equals(table["EVID"] == "1") and max(map(len, lines)) <= 300
    numbers = table[["ID", "TIME", "EVID"]].astype(float)
    assert numbers.equals(numbers.sort_values(["ID", "TIME", "EVID"], kind="stable"))  # the trough before the dose of the same hour


def test_only_the_drug_that_was_asked_for(own_run):
    doses = pd.read_parquet(own_run / "doses.parquet")
    other = doses.head(3).assign(drug="alpelisib", dose_mg=300.0)
    pd.concat([doses, other]).sort_values("patient_id", kind="stable").to_parquet(own_run / "doses.parquet")
    assert event_table(own_run)["AMT"].max() == 10
    with pytest.raises(ConfigError, match="drug = 'alpelisib'.*one of everolimus"):
        event_table(own_run, drug="alpelisib")


def test_a_run_without_doses_has_no_event_table(own_run):
    (own_run / "doses.parquet").unlink()
    with pytest.raises(ConfigError, match="keeps its doses"):
        event_table(own_run)


def test_by_hand(tmp_path):
    events = read(tmp_path, GOOD)
    assert events.doses[["ID", "TIME", "AMT"]].values.tolist() == [
        *[[1, 24 * day, 10] for day in range(7)], [1, 168, 5], [2, 0, 10], [2, 12, 10],
    ]  # fmt: skip
    assert events.observations.values.tolist() == [[1, 168, 8.5, 2], [2, 30, 3, 2]]
    assert events.covariates["WT"].tolist()[0] == 70 and np.isnan(events.covariates["WT"].iloc[1]) and events.varying == ("WT",)
    assert doses_of(events, interval=12.0).doses.shape == (2, 15)
    with pytest.raises(ConfigError, match="column TIME, ID 2: dose at 12 h.*multiples of interval"):
        doses_of(events)
    with pytest.raises(ConfigError, match="intervals = 3.*at least 15"):
        doses_of(events, 12.0, 3)


def test_without_evid_an_amount_makes_a_dose_and_doses_of_one_hour_add_up(tmp_path):
    events = read(tmp_path, "time,id,amt,dv\n0,4,10,.\n0,4,5,.\n24,4,.,2\n48,4,.,.\n")
    assert doses_of(events).doses.tolist() == [[15.0]] and events.observations["DV"].tolist() == [2.0]


BAD = [
    ("ID,TIME,DV\n1,0,1\n", "missing column AMT", "ID, TIME, AMT"),
    ("ID,TIMES,AMT\n1,0,1\n", "missing column TIME; did you mean 'TIMES'", "ID, TIME, AMT"),
    ("ID,TIME,AMT,amt\n1,0,1,1\n", "column AMT occurs 2 times", "once"),
    ("ID,TIME,AMT\n", "no records", "at least one"),
    ("", "cannot be read", "header"),
    (GOOD.replace("8.5", "BLQ"), "column DV, line 3: 'BLQ'", "a finite number"),
    (GOOD.replace("1,168,0", "1,8:30,0"), "column TIME, line 3: '8:30'", "hours from the first dose"),
    (GOOD.replace(",.\n2,30", ",inf\n2,30"), "column WT, line 5: 'inf'", "a finite number"),
    (GOOD.replace("1,0,10", "1,-24,10"), "column TIME, line 2: -24", "at least 0"),
    (GOOD.replace("1,168,5", "1,160,5"), "column TIME, line 4: 160", "order of time"),
    (GOOD.replace("10,.,1,1,1,6", "10,.,4,1,1,6"), "column EVID, line 2: 4", "0 (observation), 1 (dose)"),
    (GOOD + "1,300,0,2,0,0,2,0,0,70\n", "column ID, line 7: 1", "all records of a subject together"),
    (GOOD.replace("2,0,10", "2.5,0,10"), "column ID, line 5: 2.5", "whole number"),
    (GOOD.replace("1,168,5", "1,168,0"), "column AMT, line 4: 0", "a positive amount"),
    (GOOD.replace("1,168,0,8.5", "1,168,7,8.5"), "column AMT, line 3: 7", "no dose"),
    (GOOD.replace("8.5", "."), "column DV, line 3: nan", "MDV = 1"),
    (GOOD.replace("1,6,24", "1,6,."), "column II, line 2: 0", "positive number of hours"),
    (GOOD.replace("1,6,24", "1,6.5,24"), "column ADDL, line 2: 6.5", "whole number"),
    (GOOD.replace("1,6,24", "1,1e12,24"), "column ADDL, line 2: 1e+12", "administrations in all"),
    ("ID,TIME,AMT,SS,II\n1,0,10,1,24\n", "column SS, line 2: 1", "steady state"),
    ("ID,TIME,AMT,RATE\n1,0,10,-2\n", "column RATE, line 2: -2", "infusions"),
    ("ID,TIME,AMT\n1,0,10\n\n1,24,10\n", "column ID, line 3: empty", "in every record"),
    ("ID,TIME,AMT\n1,0,10,4\n", "cannot be read", "one header line"),
    ("ID,TIME,AMT\nID,TIME,AMT\n1,0,10\n", "column ID, line 2: 'ID'", "a finite number"),
]


@pytest.mark.parametrize(("text", "what", "allowed"), BAD, ids=[what for _, what, _ in BAD])
def test_what_is_wrong_is_told_by_column_and_line(tmp_path, text, what, allowed):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert what in str(caught.value.value) and allowed in caught.value.allowed and caught.value.key == "events"


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "b.csv").write_bytes(b"ID,TIME,AMT\n\xff\xfe\x00,1,2\n")
    for name in ("a.parquet", "b.csv", "none.csv", "a.xls"):
        with pytest.raises(ConfigError, match="events = "):
            read_events(tmp_path / name)


def test_covariates_of_a_table_are_a_covariates_file(run, tmp_path):
    folder = export(run.path, "nonmem", out=tmp_path / "out")
    types = dict(pd.read_csv(folder / "tumour_types.csv").itertuples(index=False))
    assert set(types.values()) == {"colorectal", "<script>alert(1)</script>"}
    text = "ID,TIME,AMT,AGE,SEX,WT,HT,TUM\n1,0,10,61.5,1,70,172,1\n2,0,10,44,0,81,180,2\n"
    events = read(tmp_path, text)
    covariates_of(events, types).to_csv(tmp_path / "covariates.csv", index=False)
    back = read_covariates(tmp_path / "covariates.csv", tuple(types.values()), 2, np.arange(2))
    assert back["sex"].tolist() == ["F", "M"] and back["weight_kg"].tolist() == [70, 81]
    assert back["tumour_type"].tolist() == [types[1], types[2]]
    assert covariates_of(events, "colorectal", {"M": 1, "F": 0})["sex"].tolist() == ["M", "F"]
    with pytest.raises(ConfigError, match=r"column TUM, ID 2: 2.*one of 1 \(colorectal\)"):
        covariates_of(events, {1: "colorectal"})
    with pytest.raises(ConfigError, match="missing column AGE, HT"):
        covariates_of(read(tmp_path, "ID,TIME,AMT,SEX,WT\n1,0,10,1,70\n"), "colorectal")


def test_doses_drive_a_model_of_ones_own(tmp_path):
    """The regimen that was read, in a one-compartment model, against the sum of exponentials."""
    from typing import NamedTuple

    import jax.numpy as jnp

    from trialsim.engine import Compartments, Model, Plan, simulate

    class State(NamedTuple):
        x: float

    class Seen(NamedTuple):
        C: float

    kinetics = Compartments(
        names=("blood",), dosed="blood", transfer=lambda p: {("blood", None): p.k}, concentration=lambda p: {"blood": 1.0}
    )
    model = Model(
        name="bolus", parameters={"k": "1/h"}, kinetics=kinetics, start=lambda p: State(jnp.zeros_like(p.k)),
        rates=lambda x, C, p: State(-x.x), observe=lambda x, C, p: Seen(C),
    )  # fmt: skip
    regimen = doses_of(read(tmp_path, GOOD), 12.0)
    found = np.asarray(simulate(model, {"k": [0.05, 0.1]}, regimen, [180.0], Plan(steps=4)).C)[:, 0]
    one = sum(10 * np.exp(-0.05 * (180 - 24 * day)) for day in range(7)) + 5 * np.exp(-0.05 * 12)
    assert found == pytest.approx([one, 10 * np.exp(-18.0) + 10 * np.exp(-16.8)], rel=1e-4)
