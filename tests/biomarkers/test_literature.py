"""Published findings beside twins whose effects are known."""

import numpy as np
import pandas as pd
import pytest
from synthetic import MEDIAN_DAYS, twins_of

from trialsim import compose
from trialsim.biomarkers import literature
from trialsim.units import DAYS_PER_MONTH

FINDING = {
    "trial_id": "X", "gene_or_marker": "PIK3CA", "status": "mutant", "drug": "everolimus 10 mg/d", "marker": "pik3ca",
    "measure": "pfs_hr", "published": np.nan, "published_low": np.nan, "published_high": np.nan, "n_patients": 200, "n_total": 400,
    "tumour_types": "", "source_url": "https://example.org",
}  # fmt: skip


@pytest.fixture(scope="module")
def config():
    return compose("biomarkers")


def compare(monkeypatch, config, pairs, **changes):
    monkeypatch.setattr(literature, "load_biomarkers", lambda: pd.DataFrame([FINDING | changes]))
    return literature.compare(config, pairs, pairs, 0).iloc[0]


@pytest.fixture(scope="module")
def pairs():
    return twins_of(3000, 1, log_hr=np.log(0.8), interaction=np.log(0.5), censored_after=5000.0)


@pytest.mark.parametrize(
    ("measure", "truth", "tolerance"),
    [
        ("pfs_hr", 0.5, 0.05),
        ("os_hr", 0.5, 0.05),
        ("drug_hr", 0.4, 0.04),
        ("drug_hr_without", 0.8, 0.07),
        ("dcr", 0.5 ** (60 * 0.4 / MEDIAN_DAYS), 0.03),
        ("dcr_ratio", 0.5 ** (60 * 0.4 / MEDIAN_DAYS) / 0.5 ** (60 * 0.8 / MEDIAN_DAYS), 0.06),
        ("median_pfs_months", MEDIAN_DAYS / 0.4 / DAYS_PER_MONTH, 0.7),
        ("median_pfs_months_without", MEDIAN_DAYS / 0.8 / DAYS_PER_MONTH, 0.5),
    ],
)
def test_analytic_each_measure_is_what_it_says(monkeypatch, config, pairs, measure, truth, tolerance):
    found = compare(monkeypatch, config, pairs, measure=measure, published=truth)
    assert found["simulated"] == pytest.approx(truth, abs=tolerance)
    assert found["low_90"] < truth < found["high_90"] and found["verdict"] == "inside"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"published": 1.0}, "outside"),
        ({"published_high": 1.0}, "inside"),  # "better with the marker"
        ({"published_low": 1.0}, "outside"),  # "worse"
        ({"published": 0.5, "drug": "everolimus+exemestane"}, "other treatment"),
        ({"published": 0.5, "drug": "temsirolimus"}, "other treatment"),
        ({"published": 0.5, "tumour_types": "hcc"}, "too few"),
        ({"published": 0.5, "tumour_types": "breast_hr"}, "inside"),
        ({"published": 0.5, "n_total": pd.NA}, "too few"),
    ],
)
def test_a_finding_is_judged_only_where_the_setting_is_the_same(monkeypatch, config, pairs, changes, verdict):
    assert compare(monkeypatch, config, pairs, **changes)["verdict"] == verdict


def test_a_finding_in_mixed_tumours_says_nothing_of_one_type(monkeypatch, config):
    one = twins_of(300, types=("colorectal",))
    assert compare(monkeypatch, config, one, published=1.0)["verdict"] == "other tumours"


def test_a_larger_study_has_a_narrower_range(monkeypatch, config, pairs):
    wide, narrow = (compare(monkeypatch, config, pairs, published=0.5, n_total=n) for n in (50, 1000))
    assert narrow["high_90"] - narrow["low_90"] < 0.5 * (wide["high_90"] - wide["low_90"])


def test_every_published_finding_with_a_number_is_one_that_can_be_computed(config, pairs):
    found = literature.compare(config, pairs, pairs, 0)
    assert len(found) > 10 and found["verdict"].isin(["inside", "outside", "other treatment", "too few"]).all()
