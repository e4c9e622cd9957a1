"""Layout of plates."""

import pandas as pd
import pytest

from trialsim.assays.plate import BLANK, BLANKS, TIME_0, ids, lay_out, places, well_name
from trialsim.assays.treatments import conditions
from trialsim.schema.analysis.assay import VEHICLE


@pytest.fixture(scope="module")
def doses(settings):
    under = conditions(settings)
    return under[under["treatment"] != VEHICLE]


def laid(doses, settings, replicates=2, **changes):
    return lay_out("ca46", replicates, doses, settings.plate.model_copy(update=changes), seed=1)


def test_a_plate_has_96_wells_in_four_rings():
    assert places()["ring"].value_counts().sort_index().tolist() == [36, 28, 20, 12]
    assert (well_name(0, 0), well_name(7, 11)) == ("A01", "H12")


@pytest.mark.parametrize("edge", ["avoid", "use"])
def test_every_dose_has_its_wells_and_no_place_is_taken_twice(doses, settings, edge):
    wells = laid(doses, settings, edge=edge, copies=3, controls=8)
    assert not wells.duplicated(["plate", "well"]).any() and not wells["id"].duplicated().any()
    tested = wells[~wells["treatment"].isin([VEHICLE, TIME_0, BLANK])]
    counted = tested.groupby(["replicate", "treatment", "dose_nM"]).size()
    assert len(counted) == 2 * len(doses) and (counted == 3).all()
    per_plate = wells.groupby("plate")["treatment"].value_counts().unstack(fill_value=0)
    assert set(per_plate[VEHICLE] + per_plate[TIME_0]) == {8}
    assert set(per_plate[BLANK]) == {36 if edge == "avoid" else BLANKS}
    if edge == "avoid":
        assert set(wells.loc[wells["ring"] == 0, "treatment"]) == {BLANK}


def test_what_does_not_fit_goes_on_a_further_plate_with_controls_of_its_own(doses, settings):
    wells = laid(doses, settings, replicates=1, copies=8)
    plates = [name for name in wells["plate"].unique() if not name.endswith(TIME_0)]
    assert len(plates) == -(-8 * len(doses) // 54)
    assert (wells[wells["treatment"] == VEHICLE].groupby("plate").size() == settings.plate.controls).all()


def test_places_are_random_and_the_same_again(doses, settings):
    first, again = laid(doses, settings), laid(doses, settings)
    pd.testing.assert_frame_equal(first, again)
    tested = first[first["dose_nM"] > 0].pivot(index=["treatment", "dose_nM", "copy"], columns="replicate", values="well")
    assert (tested[1] != tested[2]).mean() > 0.8


def test_a_well_keeps_its_id_in_any_layout(doses, settings):
    """More doses, more replicates, another edge: what a well holds is what it is called by."""
    key = ["replicate", "treatment", "dose_nM", "copy"]
    small = laid(doses[doses["treatment"] == "rapamycin"], settings, replicates=1).set_index(key)["id"]
    large = laid(doses, settings, replicates=3, edge="use", copies=4).set_index(key)["id"]
    shared = small.index.intersection(large.index)
    assert len(shared) > 20 and (small[shared] == large[shared]).all()
    assert ids(["a", "a"], [1, 2]).tolist() == [int(ids(["a"], [1])[0]), int(ids(["a"], [2])[0])]
