"""The dosing records against what was taken day by day."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialsim import simulate_events
from trialsim.conduct.dosing_records import Taken, doses_table
from trialsim.exchange.events import EventTable


def by_hour(table, patients, days):
    """Every administration of a table, mg, (patients, hours)."""
    found = np.zeros((patients, days * 24))
    for row in table.itertuples():
        at = (row.start_day * 24 + row.interval_h * np.arange(row.n_doses)).astype(int)
        assert at[-1] // 24 == row.end_day
        found[row.patient_id, at] += row.dose_mg
    return found


def test_by_hand_a_miss_a_hold_and_a_reduction():
    mg = np.array([[10, 10, 0, 10, 10, 10, 0, 0, 5, 5, 5.0]])
    table = doses_table([Taken("everolimus", mg, 1)], np.array([10]), np.array([7]))
    assert list(table.columns) == ["patient_id", "drug", "dose_mg", "start_day", "end_day", "interval_h", "n_doses"]
    assert table.drop(columns="drug").values.tolist() == [[7, 10, 0, 1, 24, 2], [7, 10, 3, 5, 24, 3], [7, 5, 8, 9, 24, 2]]


@pytest.mark.parametrize(("interval", "a_day"), [(1, 1), (2, 1), (7, 1), (1, 2), (1, 3), (7, 2)])
def test_every_administration_is_in_the_table_once(interval, a_day):
    rng = np.random.default_rng(interval + a_day)
    due = np.arange(60) % interval == 0
    mg = np.where(due & (rng.random((20, 60)) < 0.9), rng.choice([5.0, 10.0], (20, 60), p=[0.1, 0.9]), 0.0)
    until = rng.integers(0, 61, 20)
    table = doses_table([Taken("x", mg, interval, a_day)], until, np.arange(20))
    expected = np.zeros((20, 60, 24))
    expected[:, :, :: 24 // a_day] = np.where(np.arange(60) < until[:, None], mg, 0)[..., None]
    assert np.array_equal(by_hour(table, 20, 60), expected.reshape(20, -1))


def test_nobody_treated_gives_no_rows():
    table = doses_table([Taken("x", np.zeros((3, 10)), 1)], np.full(3, 10), np.arange(3))
    assert table.empty and "interval_h" in table


def test_the_doses_of_a_simulated_study(study):
    _, course, _, tables = study
    doses, patients = tables.doses, tables.patients
    days = course.days.dose_mg.shape[1]
    seen = np.arange(days) < patients["days_on_treatment"].to_numpy()[:, None]
    daily = by_hour(doses, len(patients), days).reshape(len(patients), days, 24)
    assert np.allclose(daily[:, :, 0], np.where(seen, course.days.dose_mg, 0)) and not daily[:, :, 1:].any()
    # nothing was taken once treatment had ended
    assert np.allclose(daily.sum(axis=(1, 2)), np.where(np.arange(days) < 240, course.days.dose_mg, 0).sum(axis=1))
    assert len(doses) < 30 * len(patients)


def test_doses_as_taken_give_back_the_troughs_and_the_pathway_of_the_trial(config, study):
    """Records of four weeks with missed, held and reduced doses and two occasions in them, simulated from outside.

    Read daily, so that the engine's program is the one of `solver_check`, which other tests compile.
    """
    cohort, course, _, tables = study
    daily = course.days.dose_mg[:, :28]
    reduced = ((daily > 0) & (daily < 10)).any(axis=1) & (tables.patients["days_on_treatment"] >= 28)
    held = (daily == 0).sum(axis=1) > 4
    ids = np.union1d(np.arange(4), [*np.flatnonzero(reduced)[:4], *np.flatnonzero(held)[:4]])
    assert reduced[ids].sum() > 1 < held[ids].sum() and config.drug.pk.occasion_days == 14
    taken = by_hour(tables.doses, len(cohort), course.days.dose_mg.shape[1])[ids, : 24 * 28]
    subject, hour = np.nonzero(taken)
    doses = pd.DataFrame({"ID": ids[subject], "TIME": hour, "AMT": taken[subject, hour], "CMT": 1})
    events = EventTable(Path("records"), doses, pd.DataFrame(columns=["ID", "TIME", "DV", "CMT"]), pd.DataFrame(index=ids), ())
    found = simulate_events(events, config, 24.0 * np.arange(1, 29), patients=cohort.iloc[ids])
    seen = tables.pharmacodynamics.query("patient_id in @ids and day < 28")
    seen = seen.assign(ID=seen["patient_id"], TIME=24.0 * (seen["day"] + 1))
    both = seen.merge(found, on=["ID", "TIME"], suffixes=("", "_found"))
    assert len(both) == len(seen) > 20
    assert both["c_ng_ml"].to_numpy() == pytest.approx(both["cmin_ng_ml"].to_numpy(), rel=1e-5)
    for name in ("ps6_tumour", "p4ebp1_tumour", "pakt_tumour", "autophagy_tumour"):  # of pERK see `patient.steps_for`
        assert np.abs(both[f"{name}_found"] - both[name]).max() < 2 * config.compute.accuracy < 0.1 * both[name].std(), name
