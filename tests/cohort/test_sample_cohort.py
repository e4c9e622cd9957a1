"""A patient is a function of the seed and the patient's own id alone."""

import numpy as np
import pandas as pd
import pytest

from trialsim.cohort import sample_cohort
from trialsim.cohort.plausibility import COLUMNS, Category, Flag
from trialsim.cohort.sample import COHORT_COLUMNS
from trialsim.schema import ConfigError


def same(left, right):
    pd.testing.assert_frame_equal(left.reset_index(drop=True), right.reset_index(drop=True), check_exact=True)


@pytest.mark.parametrize("who", ["adults", "children"])
def test_first_hundred_of_a_thousand(who, request):
    people = request.getfixturevalue(who)
    thousand = people.sample(1000, seed=7)
    same(people.sample(100, seed=7), thousand.head(100))


@pytest.mark.parametrize("who", ["adults", "children"])
def test_order_and_chunks_are_of_no_effect(who, request):
    people = request.getfixturevalue(who)
    whole = people.sample(300, seed=7)
    shuffled = np.random.default_rng(0).permutation(300)
    parts = [sample_cohort(people.population, people.tumours, 7, ids) for ids in np.array_split(shuffled, [1, 40, 173])]
    same(pd.concat(parts).sort_values("patient_id"), whole)


def test_order_of_the_mix_is_of_no_effect(adults):
    turned = dict(reversed(adults.population.mix.items()))
    same(adults.sample(50, mix=turned), adults.sample(50))


def test_another_seed_gives_other_patients(adults):
    assert not (adults.sample(50, seed=1).age_y == adults.sample(50, seed=2).age_y).any()


def test_columns_are_complete_and_of_their_kind(many_adults):
    assert tuple(many_adults.columns) == COHORT_COLUMNS
    for name, column in COLUMNS.items():
        if isinstance(column, Flag):
            assert many_adults[name].dtype == bool
        if isinstance(column, Category):
            assert set(many_adults[name]) <= set(column.choices)
    assert not many_adults.drop(columns=["lesion_2_mm", "lesion_3_mm", "lesion_4_mm", "lesion_5_mm"]).isna().any().any()


def test_undescribed_tumour_type(adults):
    with pytest.raises(ConfigError, match="cohort.mix.*glioblastoma.*colorectal"):
        adults.sample(5, mix={"glioblastoma": 1.0})


def test_settings_that_lead_to_impossible_patients(adults):
    giants = adults.population.body_size.adult.model_copy(update={"height_male_cm": 260.0})
    sizes = adults.population.body_size.model_copy(update={"adult": giants})
    with pytest.raises(ConfigError, match="height_cm.*65 to 230 cm"):
        adults.sample(50, body_size=sizes)


def test_ages_that_exclude_a_tumour(children):
    old = children.population.age.model_copy(update={"minimum_y": 30.0, "maximum_y": 40.0})
    with pytest.raises(ConfigError, match="cohort.age.*30 to 40 years"):
        children.sample(5, age=old)


def test_no_patients(adults):
    with pytest.raises(ConfigError, match="cohort.size"):
        sample_cohort(adults.population, adults.tumours, 1, np.array([], int))
