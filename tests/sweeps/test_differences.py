"""Differences between runs: closed forms, an independent computation, and coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialsim.endpoints import survival
from trialsim.sweeps.differences import _paired, mover, paired_bootstrap, paired_share, weighted_kaplan_meier
from trialsim.sweeps.runs import Result, differing, results_of, same_patients


def test_paired_shares_by_hand() -> None:
    """12 pairs better, 4 worse, 84 alike: (12.5 - 4.5) / 102 +- 1.96 sqrt(17 - 64 / 102) / 102 (Agresti & Min 2005)."""
    run = np.repeat([True, False, True], [12, 4, 84])
    reference = np.repeat([False, True, True], [12, 4, 84])
    half = 1.959963984540054 * np.sqrt(17 - 64 / 102) / 102
    assert paired_share(run, reference) == pytest.approx((8 / 102 - half, 8 / 102 + half), rel=1e-12)


def test_paired_shares_of_equal_runs_are_not_certain() -> None:
    low, high = paired_share(np.ones(20, bool), np.ones(20, bool))
    assert low == -high and 0.05 < high < 0.15


def test_mover_by_hand() -> None:
    x, y = Result(0.5, 0.4, 0.7), Result(0.2, 0.15, 0.3)
    assert mover(x, y) == pytest.approx((0.3 - np.hypot(0.1, 0.1), 0.3 + np.hypot(0.2, 0.05)))
    assert mover(x, Result(0.2, 0.15, None)) == (None, pytest.approx(0.3 + np.hypot(0.2, 0.05)))
    assert mover(x, Result(None, 0.15, None)) == (None, None)


def test_weighted_curves_are_those_of_patients_repeated() -> None:
    rng = np.random.default_rng(3)
    time, event = rng.integers(1, 40, 60).astype(float), rng.random(60) < 0.7  # many ties
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=50)
    medians, landmark = (weighted_kaplan_meier(time, event, weights, at) for at in (None, 20.0))
    for row, median, rate in zip(weights, medians, landmark, strict=True):
        curve = survival.kaplan_meier(np.repeat(time, row), np.repeat(event, row))
        assert median == survival.quantile(curve).estimate
        assert rate == pytest.approx(survival.survival_at(curve, 20.0).estimate, abs=1e-12)


def medians(*runs: tuple[np.ndarray, np.ndarray]):
    return lambda part, weights: weighted_kaplan_meier(*runs[part], weights, None)


def test_a_pair_of_equal_runs_differs_by_nothing_and_an_unreached_median_has_no_interval() -> None:
    rng = np.random.default_rng(4)
    time, event = rng.exponential(100.0, 80), np.ones(80, bool)
    assert paired_bootstrap(medians((time, event), (time, event)), 80) == (0.0, 0.0)
    assert paired_bootstrap(medians((time, event), (time, ~event)), 80) == (None, None)


def test_the_paired_bootstrap_covers_the_true_difference_of_medians() -> None:
    """400 trials of 100 pairs, medians 100 ln 2 and 150 ln 2 days: coverage between 92 and 99 % (a 95 % interval fails that with
    probability below 0.01)."""
    rng, inside = np.random.default_rng(5), 0
    for _ in range(400):
        luck = rng.exponential(1.0, 100)
        x, y = 150 * luck * rng.lognormal(0, 0.3, 100), 100 * luck * rng.lognormal(0, 0.3, 100)
        low, high = paired_bootstrap(medians((x, np.ones(100, bool)), (y, np.ones(100, bool))), 100, resamples=300)
        assert low is not None and high is not None
        inside += low <= TRUTH <= high
    assert 0.92 <= inside / 400 <= 0.99


def _truth() -> float:
    """Difference of the medians of the two populations above, from ten million patients' luck."""
    rng = np.random.default_rng(6)
    return float(50 * np.median(rng.exponential(1.0, 2_000_000) * rng.lognormal(0, 0.3, 2_000_000)))


TRUTH = _truth()


def test_a_rate_of_other_patients_in_each_run_has_an_interval_around_its_own_difference() -> None:
    """Half the patients cannot be judged in one run, among them none with the event: the rates are 0.2 and 0.4."""
    event = np.arange(200) % 5 == 0
    table = pd.DataFrame({"dlt": event, "dlt_evaluable": True}, index=pd.RangeIndex(200))
    fewer = table.assign(dlt_evaluable=event | (np.cumsum(~event) <= 60))
    low, high, n, method = _paired("dlt_rate", fewer, table)
    assert low < 0.2 < high and n == 200 and "bootstrap" in method
    assert "Agresti" in _paired("dlt_rate", table, table)[3]


def test_patients_are_the_same_only_if_the_person_behind_the_number_is() -> None:
    table = pd.DataFrame({"patient_id": range(4), "age_y": [50.0, 60, 70, 80], "sex": list("FMFM")}).set_index("patient_id")
    assert same_patients(table, table)
    assert same_patients(table, table.iloc[:3])
    assert not same_patients(table, table.assign(age_y=table["age_y"] + 1))
    assert not same_patients(table, table.iloc[:1])


def test_settings_that_differ() -> None:
    one = {"seed": 1, "resume": False, "regimen": {"dose": 5, "unit": "mg"}, "compute": {"block": 1}}
    other = {"seed": 1, "resume": True, "regimen": {"dose": 10, "unit": "mg"}, "compute": {"block": 2}}
    assert differing([one, other]) == (["regimen.dose"], 0)
    many = [{"drug": {"name": name, **{f"k{i}": number for i in range(20)}}} for number, name in enumerate("ab")]
    keys, more = differing(many)
    assert keys[0] == "drug.name" and len(keys) + more == 21


def test_the_dlt_rate_of_one_dose_has_one_name() -> None:
    entry = {"estimate": 0.2, "low": 0.1, "high": 0.3, "n": 10, "unit": "fraction", "method": "m"}
    assert set(results_of({"kind": "trial", "endpoints": {"orr": entry, "dlt_rate_5mg": entry}})) == {"orr", "dlt_rate"}
    both = results_of({"kind": "trial", "endpoints": {"dlt_rate_5mg": entry, "dlt_rate_10mg": entry}})
    assert set(both) == {"dlt_rate_5mg", "dlt_rate_10mg"}
    assert set(results_of({"kind": "dose_response", "results": {"ed50": entry, "doses": [1, 2]}})) == {"ed50"}
