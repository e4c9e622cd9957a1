"""Nulls in patients who were given none, one and both of two drugs."""

import numpy as np
import pandas as pd
import pytest

from trialsim.combinations import cohort, genotypes, ranking
from trialsim.combinations.cohort import Cell, Times
from trialsim.endpoints import survival

N = 150
RNG = np.random.default_rng(5)
WEIGHT = ranking.resampled(N, 300, seed=1)
NONE, ONE, OTHER, BOTH = Cell(0, 0), Cell(1, 0), Cell(0, 1), Cell(1, 1)
GROWTH, A, B = RNG.uniform(0.1, 0.6, N), RNG.uniform(0, 0.6, N), RNG.uniform(0, 0.6, N)


def arm(log_volume, responder=None):
    none = np.zeros(N, bool)
    return pd.DataFrame(
        {"patient_id": np.arange(N), "log_volume": log_volume, "responder": none if responder is None else responder}
    ).assign(disease_control=True, dlt=none, dlt_evaluable=np.arange(N) > 0, severe=none)


def arms(both):
    return {NONE: arm(GROWTH), ONE: arm(GROWTH * (1 - A), A > 0.5), OTHER: arm(GROWTH * (1 - B), B > 0.5), BOTH: both}


def measures(of):
    table = cohort.surface(cohort.effects(of), of, WEIGHT)
    return table.query("rapalog_factor == 1 and partner_factor == 1").set_index("measure")


def test_effects_that_add_up_have_no_excess_over_bliss_in_any_patient():
    found = cohort.effects(arms(arm(GROWTH * (1 - A - B))))
    np.testing.assert_allclose(found["excess_bliss"].dropna(), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.query("rapalog_factor == 1 and partner_factor == 0")["effect"], A)


def test_the_better_drug_of_each_patient_has_no_excess_over_hsa():
    found = measures(arms(arm(GROWTH * (1 - np.maximum(A, B)), (A > 0.5) | (B > 0.5))))
    assert found.loc["excess_hsa", "estimate"] == pytest.approx(0.0, abs=1e-12)
    assert found.loc["excess_hsa_responder", "estimate"] == 0.0
    assert found.loc["hsa_responder", "estimate"] == np.mean((A > 0.5) | (B > 0.5))
    assert found.loc["bliss_responder", "estimate"] == pytest.approx(1 - np.mean(A <= 0.5) * np.mean(B <= 0.5))
    assert found.loc["dlt", "n"] == N - 1


def test_the_better_of_two_times_is_known_where_both_are():
    time, event = cohort.best_of([5, 5, 9, 9], [1, 1, 0, 1], [7, 7, 4, 4], [1, 0, 1, 0])
    assert time.tolist() == [7, 7, 9, 9] and event.tolist() == [True, False, False, False]


def test_restricted_means_agree_with_the_kaplan_meier_curve():
    times = Times(np.round(RNG.exponential(6, N), 1), RNG.uniform(size=N) < 0.8)
    expected = survival.restricted_mean(survival.kaplan_meier(*times), 10.0).estimate
    assert cohort.restricted_means(times, 10.0, np.ones((1, N)))[0] == pytest.approx(expected)
    assert cohort.restricted_means(Times(np.full(3, 4.0), np.ones(3, bool)), 9.0, np.ones((1, 3)))[0] == pytest.approx(4.0)


def test_hazard_ratio_of_an_arm_with_itself_is_one_and_later_is_lower():
    times = Times(RNG.exponential(6, N), np.ones(N, bool))
    same = cohort.hazard_ratio(times, times, WEIGHT)
    assert same["estimate"] == pytest.approx(1.0) and same["low"] == pytest.approx(1.0)
    longer = cohort.hazard_ratio(Times(2 * times.time, times.event), times, WEIGHT)
    assert longer["high"] < 0.8


def test_patients_bear_one_genotype_at_a_time():
    patients = pd.DataFrame({"patient_id": [1, 2], "growth": [0.1, 0.2]} | dict.fromkeys(genotypes.ALTERATIONS, True))
    assert not genotypes.bearing(patients, "wild_type")[list(genotypes.ALTERATIONS)].any(axis=None)
    found = genotypes.bearing(patients, "tsc")
    assert found["tsc"].all() and found[list(genotypes.ALTERATIONS)].sum(axis=1).eq(1).all()
    assert found["growth"].tolist() == [0.1, 0.2]
