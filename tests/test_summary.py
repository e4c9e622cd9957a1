"""The headline numbers from small tables worked by hand."""

import numpy as np
import pandas as pd
import pytest

from trialsim import summary
from trialsim.units import DAYS_PER_MONTH


def test_median_with_order_statistics():
    e = summary._median(pd.Series(np.arange(1.0, 22.0)))
    assert e.estimate == 11.0 and e.n == 21
    assert (e.low, e.high) == (6.0, 16.0)  # ranks 6 and 16 cover the median with 97.3 % (binomial(21, 1/2))


def test_toxicity_counts_each_patient_once_at_the_worst_grade():
    events = pd.DataFrame({"patient_id": [0, 0, 1, 2], "term": ["rash", "rash", "rash", "fatigue"], "grade": [1, 3, 2, 4]})
    whole = summary.toxicity(10, summary.count_worst([events]), ["rash", "fatigue", "anaemia"])
    found = summary.toxicity(10, summary.count_worst([events[:2], events[2:]]), ["rash", "fatigue", "anaemia"])
    assert found == whole
    assert found["rash"]["any_grade"]["estimate"] == pytest.approx(0.2)
    assert found["rash"]["by_grade"] == {"1": 0, "2": 1, "3": 1, "4": 0}
    assert found["fatigue"]["grade_3_4"]["estimate"] == pytest.approx(0.1)
    assert found["anaemia"]["any_grade"]["estimate"] == 0.0


def test_maximum_tolerated_dose_counts_studies():
    found = summary.maximum_tolerated_dose(np.array([5.0, 5.0, np.nan, 3.0, 0.0]), (3.0, 5.0))
    assert found == {"studies": 5, "counts": {"3": 1, "5": 2}, "none": 1, "undecided": 1}
    assert summary.maximum_tolerated_dose(None, ()) is None


def test_published_exposure_stands_beside_the_simulated(drug):
    from types import SimpleNamespace

    config = SimpleNamespace(drug=drug, regimen=SimpleNamespace(unit="mg", schedule="daily"))
    cmin = [1.0, 2.0, 3.0, np.nan]
    patients = pd.DataFrame({"dose_level": [10.0] * 4, "cmin_ng_ml": cmin, "cmax_ng_ml": 5.0, "auc24_ng_h_ml": 7.0})
    found = summary.exposure(patients, config)
    assert found["by_dose_level"]["10"]["cmin_ng_ml"]["median"] == 2.0
    assert found["published"]["cmin_ng_ml"][0]["published"] == 12.9 and found["published"]["cmin_ng_ml"][0]["source"]


def test_progression_between_scans_stands_beside_kaplan_meier():
    days = 7.0 * np.array([[0, 8], [8, 16], [8, 16], [16, 24], [16, np.inf]])  # scans every 8 weeks
    found = summary._between_scans(pd.DataFrame(days, columns=["progression_after_days", "progression_by_days"]))
    middle = found["median_pfs_turnbull_months"]
    assert middle["estimate"] == pytest.approx(7 * (8 + 8 * (0.5 - 0.2) / 0.4) / DAYS_PER_MONTH)  # at 16 weeks by Kaplan-Meier
    assert (middle["n"], middle["unit"], middle["low"]) == (5, "months", None)
    smooth = found["median_pfs_weibull_months"]
    assert smooth["low"] < middle["estimate"] < smooth["high"] and smooth["n"] == 5
    delay = found["progression_delay_weeks"]
    assert (delay["estimate"], delay["n"], delay["unit"]) == (pytest.approx(4.0), 4, "weeks")
