"""Tables against the courses they come from."""

import numpy as np
import pytest

from trialsim.conduct.tables import make_tables
from trialsim.endpoints import recist
from trialsim.endpoints.recist import RESPONSE_NAMES


def test_response_on_the_spot_equals_response_in_retrospect(study):
    """The kernel judged each scan as it came; the host re-judges the whole history in float64."""
    _, course, schedule, tables = study
    visits = tables.visits[tables.visits["response"] != ""]
    baseline = course.before.sum_mm[:, 1]
    disagreements = 0
    for patient, history in visits.groupby("patient_id"):
        again, nadir = recist.assess_history(
            baseline[[patient]],
            history["sld_mm"].to_numpy()[None],
            history["new_lesion"].to_numpy()[None],
            history["nontarget_progression"].to_numpy()[None],
            nontarget_residual=True,
        )
        disagreements += np.sum(RESPONSE_NAMES[again[0]] != history["response"].to_numpy())
        assert np.allclose(nadir[0], history["sld_nadir_mm"], equal_nan=True)
    assert disagreements == 0 and len(visits) > 100


def test_one_row_a_patient_and_no_patient_lost(study):
    cohort, _, _, tables = study
    assert tables.patients["patient_id"].tolist() == cohort["patient_id"].tolist()
    assert (
        not tables.patients.drop(columns=[c for c in tables.patients if c.endswith("_mm") or c.endswith("_d28")])
        .isna()
        .all(axis=1)
        .any()
    )


def test_nothing_is_seen_after_the_cut_off(config, study):
    """The same courses, analysed 100 days in: no later day in any table, fewer events, patients censored."""
    cohort, course, schedule, full = study
    early = make_tables(config, course, schedule, cohort, np.full(len(cohort), 100.0))
    assert early.visits["day"].max() <= 100 and early.pharmacodynamics["day"].max() < 100
    assert early.adverse_events["start_day"].max() < 100
    p = early.patients
    assert p["pfs_days"].max() <= 100 and p["os_days"].max() <= 100
    assert p["pfs_event"].sum() < full.patients["pfs_event"].sum()
    assert (p["off_treatment_reason"] == "ongoing").sum() > (full.patients["off_treatment_reason"] == "ongoing").sum()


def test_overall_survival_is_the_day_of_death(study):
    _, course, _, tables = study
    dead = ~course.days.alive
    p = tables.patients
    for i in np.flatnonzero(p["os_event"]):
        assert dead[i].argmax() == p["os_days"][i]


def test_pfs_event_is_progression_or_death(study):
    p, visits = study[3].patients, study[3].visits
    for row in p.itertuples():
        seen = visits[(visits["patient_id"] == row.patient_id) & (visits["response"] == "PD")]
        if row.pfs_event:
            assert (len(seen) and seen["day"].iloc[0] == row.pfs_days) or (row.os_event and row.os_days == row.pfs_days)
        else:
            assert seen.empty


def test_off_treatment_reasons_fit_their_days(study):
    p = study[3].patients
    progressed = p[p["off_treatment_reason"] == "progression"]
    assert (progressed["days_on_treatment"] == progressed["pfs_days"]).all()
    ongoing = p[p["off_treatment_reason"] == "ongoing"]
    assert (ongoing["days_on_treatment"] == ongoing["follow_up_days"]).all()
    dead = p[p["off_treatment_reason"] == "death"]
    assert len(dead) and (dead["os_event"]).all()


def test_relative_dose_intensity_by_hand(study):
    _, course, _, tables = study
    for i in range(10):
        n = int(tables.patients["days_on_treatment"][i])
        expected = course.days.dose_mg[i, :n].sum() / course.days.planned_mg[i, :n].sum()
        assert tables.patients["relative_dose_intensity"][i] == pytest.approx(expected, rel=1e-5)


def test_pathway_read_outs_start_at_one_and_move_as_expected(study):
    pd_table = study[3].pharmacodynamics
    week4 = pd_table[(pd_table["day"] == 27) & pd_table["on_treatment"]]
    assert week4["ps6_tumour"].median() < 0.5 and week4["ps6_pbmc"].median() < 0.3
    assert 0.75 < week4["p4ebp1_tumour"].median() < 1.0  # partial
    assert week4["perk_tumour"].median() > 1.0 and week4["autophagy_tumour"].median() > 1.0


def test_adverse_events_match_the_daily_grades(config, study):
    _, course, _, tables = study
    terms = list(config.drug.toxicity.terms)
    for row in tables.adverse_events.head(200).itertuples():
        grades = course.days.grades[row.patient_id, :, terms.index(row.term)]
        assert grades[row.start_day] > 0 and (row.start_day == 0 or grades[row.start_day - 1] == 0)
        end = int(row.end_day) if np.isfinite(row.end_day) else row.start_day + 1
        assert grades[row.start_day : end].max() == row.grade
