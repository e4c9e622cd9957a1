"""Doses above those studied are told with the study; studied ones, and ones between them, are not."""

import pytest

from trialsim.evidence import load_doses
from trialsim.evidence.doses import PER_WEEK, beyond_studied
from trialsim.evidence.schema import SCHEDULES
from trialsim.schema.regimen import LARGEST_DOSE


@pytest.mark.parametrize("row", load_doses().to_dict("records"), ids=lambda row: "-".join(str(v) for v in list(row.values())[:5]))
def test_the_highest_studied_dose_is_silent_and_one_above_it_is_told_with_its_source(row):
    asked = (row["unit"], row["schedule"], row["age_group"])
    assert beyond_studied(row["drug"], row["dose"], *asked) is None
    told = beyond_studied(row["drug"], row["dose"] * 1.01, *asked)
    assert told is not None and row["source_url"] in told and row["citation"] in told


@pytest.mark.parametrize(("asked", "told"), [
    (("everolimus", 100, "mg", "daily", "adult"), "no dose so high. The highest studied: 10 mg daily (O'Donnell 2008"),
    (("everolimus", 10, "mg", "alternate_day", "adult"), None),  # studied every day
    (("everolimus", 50, "mg", "alternate_day", "adult"), "10 mg daily"),  # weekly it was studied, not so often
    (("everolimus", 5, "mg/m2", "daily", "adult"), None),
    (("everolimus", 10, "mg/m2", "daily", "adult"), "about 18 mg in an adult of 1.8 m2"),
    (("everolimus", 10, "mg/m2", "daily", "paediatric"), "6.5 mg/m2 daily (Fouladi 2007"),
    (("temsirolimus", 25, "mg", "daily", "adult"), "no study that gave it so often. The highest studied: 250 mg weekly"),
    (("temsirolimus", 25, "mg", "weekly", "adult"), None),
    (("ridaforolimus", 40, "mg", "daily", "adult"), "40 mg five days a week"),
    (("everolimus", 0, "mg", "daily", "adult"), None),
    (("my_rapalog", 1000, "mg", "daily", "adult"), None),
])  # fmt: skip
def test_a_dose_is_held_to_those_given_as_often(asked, told):
    found = beyond_studied(*asked)
    assert found is None if told is None else told in found


def test_every_dose_that_was_studied_can_be_asked_for():
    assert all(row.dose <= LARGEST_DOSE[row.unit] for row in load_doses().itertuples())


def test_every_schedule_has_its_frequency():
    assert set(PER_WEEK) == set(SCHEDULES)
