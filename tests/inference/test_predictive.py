"""What a study of the published size would publish, against exact distributions."""

import numpy as np
import pandas as pd
import pytest
from arviz_base import from_dict
from scipy import stats

from trialsim.evidence import PublishedEndpoint, published_endpoints
from trialsim.inference import predictive
from trialsim.inference.recovery import recovery
from trialsim.inference.response import fit_response
from trialsim.inference.tables import cells_of, count_patients


def beta_tree(a, b, endpoints=("orr",), draws=4000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(a, b, (4, draws // 4, len(endpoints)))
    return from_dict(
        {"posterior": {"cohort_probability": p}}, coords={"endpoint": list(endpoints)}, dims={"cohort_probability": ["endpoint"]}
    )


def test_analytic_predictive_rate_is_beta_binomial():
    """Mean and spread of the beta-binomial; tolerance 4.5 standard errors (false alarm 7e-6)."""
    made = predictive.rate(beta_tree(3, 57), "orr", 59, 4000, np.random.default_rng(1)) * 59
    exact = stats.betabinom(59, 3, 57)
    assert abs(made.mean() - exact.mean()) < 4.5 * exact.std() * np.sqrt(2 / 4000)
    assert made.std() == pytest.approx(exact.std(), rel=0.1) and set(np.unique(made)) <= set(np.arange(60))


def test_coverage_of_the_predictive_interval():
    """A study drawn from the truth lies inside the 90 % interval in at least 90 % of cases (discreteness adds). 400 studies;
    four standard errors below 0.90 is 0.84 (false alarm 3e-5)."""
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(400):
        p = rng.uniform(0.1, 0.9)
        seen = rng.binomial(500, p)
        published = PublishedEndpoint("orr", rng.binomial(59, p) / 59, None, None, 59, "as defined", "a source")
        posterior = beta_tree(1 + seen, 501 - seen, draws=400, seed=seen)
        found, _ = predictive.compare([published], phase_one(), posterior, None, "mg", 59, 1000, rng)
        inside += found["orr"]["inside_90"]
    assert 0.84 < inside / 400 < 0.99


def test_predictive_median_has_the_spread_of_studies_of_that_size():
    """Exponential times: the median of n patients has standard error 1 / (hazard sqrt(n))."""
    rng = np.random.default_rng(2)
    patients = pd.DataFrame({"pfs_days": rng.exponential(100.0, 5000), "pfs_event": True})
    made = predictive.median_months(patients, "pfs", 59, 400, rng) * 30.4375
    assert np.median(made) == pytest.approx(100 * np.log(2), rel=0.06)
    assert made.std() == pytest.approx(100 / np.sqrt(59), rel=0.2)


def test_a_median_that_is_not_reached_is_null():
    patients = pd.DataFrame({"os_days": np.full(50, 700.0), "os_event": False, "dose_level": 10.0})
    item = PublishedEndpoint("median_os_months", 20.0, None, None, 50, "", "somewhere")
    found, _ = predictive.compare([item], patients, beta_tree(1, 1), None, "mg", 50, 500, np.random.default_rng(0))
    assert found["median_os_months"]["predicted"] is None and found["median_os_months"]["high_90"] is None


def phase_one():
    """Three virtual studies: DLTs at 6.5 are 1 and 3, the third never got there."""
    rows = [
        (0, 5.0, 0),
        (0, 5.0, 1),
        (0, 6.5, 1),
        (0, 6.5, 0),
        (1, 5.0, 0),
        (1, 6.5, 1),
        (1, 6.5, 1),
        (1, 6.5, 1),
        (2, 5.0, 1),
        (2, 5.0, 1),
    ]
    frame = pd.DataFrame(rows, columns=["replicate", "dose_level", "dlt"]).astype({"dlt": bool})
    return frame.assign(dlt_evaluable=True, pfs_days=10.0, pfs_event=True, os_days=20.0, os_event=True)


def test_dlts_only_of_studies_that_reached_the_level():
    patients = phase_one()
    assert predictive.dlt_counts(patients, 6.5).tolist() == [1, 3] and predictive.dlt_counts(patients, 5.0).tolist() == [1, 0, 2]
    patients.loc[3, "dlt_evaluable"] = False
    patients.loc[2, "dlt_evaluable"] = False
    assert predictive.dlt_counts(patients, 6.5).tolist() == [3], "nobody evaluable: the level says nothing"


def test_compare_phase_one_with_the_published_study():
    mtd = np.array([5.0, 5.0, np.nan])
    found, missing = predictive.compare(
        published_endpoints("FOULADI07"), phase_one(), beta_tree(1, 30), mtd, "mg/m2", 26, 1000, np.random.default_rng(0)
    )
    assert set(found) == {"orr", "mtd", "dlt_count_5mg/m2", "dlt_count_6.5mg/m2"}, "levels that were not simulated are left out"
    dlt = found["dlt_count_6.5mg/m2"]
    assert dlt["published"] == 3 and dlt["predicted"] == 2 and (dlt["low_90"], dlt["high_90"]) == (1, 3) and dlt["inside_90"]
    assert dlt["published_low"] is None and found["mtd"]["predicted"] == 5 and found["orr"]["n"] == 18
    assert {"dcr", "clinical_benefit_rate", "median_pfs_months", "median_os_months"} <= set(missing) and "orr" not in missing


@pytest.mark.parametrize(("a", "b", "inside"), [(36, 23, True), (5, 500, False)])
def test_inside_90_says_whether_the_published_value_is_predicted(a, b, inside):
    item = next(endpoint for endpoint in published_endpoints("CPCT03") if endpoint.name == "dcr")
    patients = phase_one().assign(dose_level=10.0)
    found, _ = predictive.compare([item], patients, beta_tree(a, b, ("dcr",)), None, "mg", 59, 2000, np.random.default_rng(0))
    assert found["dcr"]["inside_90"] is inside and found["dcr"]["source"] == item.source


def test_recovery_from_one_study_of_the_published_size(make_patients, quick):
    """Twelve cohorts of 590; one study of 59 from each: at least 6 of 12 intervals of 90 % hold the truth (false alarm 5e-4) for
    each endpoint."""
    inside = []
    for seed in range(12):
        patients = make_patients(590, seed=seed)
        study = patients[patients["replicate"] == 0]
        tree = fit_response(count_patients(study, quick), quick, seed, population=cells_of(patients, quick))
        found = recovery(tree, patients, 0.9)
        inside.append([found[name]["inside"] for name in ("orr", "dcr", "clinical_benefit_rate")])
        for entry in found.values():
            assert entry["low"] < entry["estimate"] < entry["high"] and entry["level"] == 0.9
    assert stats.binom.cdf(5, 12, 0.9) < 1e-3 and (np.sum(inside, axis=0) >= 6).all(), np.mean(inside, axis=0)
