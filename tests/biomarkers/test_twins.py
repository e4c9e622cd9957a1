"""What twins reveal, and what censoring hides of it."""

import numpy as np
import pandas as pd
import pytest
from synthetic import twins_of

from trialsim.biomarkers import twins


def one(treated, treated_event, control, control_event):
    return pd.DataFrame(
        {"pfs_days_treated": [treated], "pfs_event_treated": [treated_event], "pfs_days_control": [control],
         "pfs_event_control": [control_event]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "gained", "benefits"),
    [
        ((160, True, 60, True), 100, 1.0),
        ((100, True, 60, True), 40, 0.0),
        ((60, True, 100, True), -40, 0.0),
        ((160, False, 60, True), 100, 1.0),  # censored, but already 100 days longer
        ((80, False, 60, True), 20, np.nan),  # it may yet become 56
        ((60, True, 80, False), -20, 0.0),  # the control outlived it, by how much is unknown
        ((60, True, 40, False), 0, 0.0),  # at most 20 days longer
        ((120, True, 40, False), 0, np.nan),  # between none and 80
        ((80, False, 80, False), 0, np.nan),
    ],
)
def test_benefit_is_told_only_where_it_is_known(days, gained, benefits):
    pairs = one(*days)
    assert twins.gain(pairs)[0] == gained
    assert np.array_equal(twins.benefit(pairs, 56.0), [benefits], equal_nan=True)


def test_nobody_gains_from_a_drug_without_effect():
    pairs = twins_of(300)
    assert (twins.gain(pairs) == 0).all() and np.nanmax(twins.benefit(pairs, 1.0)) == 0


def test_pairs_are_matched_by_patient_and_failed_ones_left_out():
    columns = [*twins.OUTCOMES, "baseline_sld_mm", *twins.ON_TREATMENT]
    arm = pd.DataFrame(
        {"patient_id": [3, 1, 2], "integration_ok": [True, True, False], "tumour_type": "x"} | dict.fromkeys(columns, 1.0)
    )
    control = arm.iloc[[1, 2, 0]].assign(pfs_days=[10.0, 20.0, 30.0], integration_ok=[True, True, True])
    found = twins.pair(arm, control)
    assert found["patient_id"].tolist() == [3, 1] and found["pfs_days_control"].tolist() == [30.0, 10.0]
    assert "pfs_days_treated" in found and "integration_ok_treated" not in found
