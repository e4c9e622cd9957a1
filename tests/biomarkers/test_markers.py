"""Markers as tables, and as a laboratory reports them."""

import numpy as np
import pandas as pd
import pytest
from synthetic import twins_of

from trialsim import compose
from trialsim.biomarkers.assay import measured
from trialsim.biomarkers.markers import BY_NAME, MARKERS, all_of, any_of, marker_table, positive

NAN = np.nan


def test_combinations_are_known_where_one_flag_decides():
    flags = pd.DataFrame({"a": [1, 0, 1, 0, NAN], "b": [0, 0, NAN, NAN, NAN]}, dtype=float)
    assert np.array_equal(any_of(flags), [1, 0, 1, NAN, NAN], equal_nan=True)
    assert np.array_equal(all_of(flags), [0, 0, NAN, 0, NAN], equal_nan=True)


def test_every_marker_is_higher_on_the_side_thought_to_benefit():
    pairs = twins_of(200)
    better = pairs.assign(
        pik3ca=True, kras=False, pten_loss=True, ecog=0, line=1, tumour_type="breast_hr",
        ps6_tumour_basal=9.0, pakt_tumour_basal=9.0,
        baseline_sld_mm=1.0, cmin_ng_ml=1e3, ps6_tumour_fold=0.01, pakt_tumour_fold=0.01, ps6_pbmc_fold=0.01, akt1=True, mtor=True,
        tsc=True, sld_change_first_scan=-99.0,
    )  # fmt: skip
    before, after = (marker_table(table, ("breast_hr",)) for table in (pairs, better))
    assert list(before.columns) == [marker.name for marker in MARKERS]
    assert (after >= before).all().all() and (after > before).any().all()


def test_a_level_is_cut_where_the_share_asked_for_is_positive():
    level = pd.Series([5.0, 1.0, NAN, 3.0, 4.0, 2.0])
    told = positive(level, BY_NAME["ps6"], 0.4)
    assert np.array_equal(told, [1, 0, NAN, 0, 1, 0], equal_nan=True)
    assert positive(pd.Series([1.0, 1.0, 1.0, 2.0]), BY_NAME["line"], 0.5).tolist() == [0, 0, 0, 1]  # ties stay together
    flag = pd.Series([1.0, 0.0, NAN])
    assert np.array_equal(positive(flag, BY_NAME["tsc"], 0.1), flag, equal_nan=True)


@pytest.fixture(scope="module")
def assays():
    return compose("biomarkers").analysis.assays


def faultless(assays):
    exact = {
        name: getattr(assays, name).model_copy(update={"sensitivity": 1.0, "specificity": 1.0, "failure": 0.0})
        for name in ("ngs", "pten")
    }
    exact |= {
        name: getattr(assays, name).model_copy(update={"cv": 0.0, "failure": 0.0}) for name in ("tissue", "blood", "concentration")
    }
    return assays.model_copy(update=exact)


def test_a_faultless_laboratory_reports_the_truth(assays):
    pairs = twins_of(300)
    told = measured(pairs, faultless(assays), 1)
    registered = ("breast_hr",)
    pd.testing.assert_frame_equal(marker_table(told, registered), marker_table(pairs, registered))


def test_errors_are_as_frequent_and_as_large_as_the_settings_say(assays):
    """20,000 patients: each share is within 5 standard errors (false alarm 6e-7)."""
    pairs = twins_of(20_000)
    told = measured(pairs, assays, 1)
    within = lambda values, share: abs(np.mean(values) - share) < 5 * np.sqrt(share * (1 - share) / len(values))
    assert within(told["pten_loss"].isna(), assays.pten.failure)
    assert told["kras"].isna().equals(told["tsc"].isna())  # one sample
    known = told["pten_loss"].notna()
    lost = pairs["pten_loss"] & known
    assert within(told.loc[lost, "pten_loss"], assays.pten.sensitivity)
    assert within(told.loc[known & ~lost, "pten_loss"], 1 - assays.pten.specificity)
    log_sd = np.sqrt(np.log1p(assays.tissue.cv**2))
    error = np.log(told["ps6_tumour_basal"] / pairs["ps6_tumour_basal"]).dropna()
    assert error.std() == pytest.approx(log_sd, rel=0.03) and abs(error.mean()) < 0.02
    fold = np.log(told["ps6_tumour_fold"] / pairs["ps6_tumour_fold"]).dropna()
    assert fold.std() == pytest.approx(np.sqrt(2) * log_sd, rel=0.03)  # two biopsies
    assert within(told["ps6_tumour_fold"].isna(), 1 - (1 - assays.tissue.failure) ** 2)


def test_a_patient_is_measured_alike_in_any_cohort(assays):
    pairs = twins_of(300)
    pd.testing.assert_frame_equal(measured(pairs, assays, 1).iloc[100:], measured(pairs.iloc[100:], assays, 1))
