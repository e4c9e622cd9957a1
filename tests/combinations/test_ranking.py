"""Ranks with their uncertainty: what is known for certain, what is a toss-up."""

import numpy as np
import pytest

from trialsim.combinations import ranking

WEIGHT = ranking.resampled(200, 400, seed=3)


def test_every_resample_has_as_many_patients():
    assert WEIGHT.shape == (400, 200) and np.all(WEIGHT.sum(axis=1) == 200)


def test_who_is_better_in_every_patient_is_best_for_certain():
    patient = np.random.default_rng(0).normal(size=200)
    found = ranking.rank(np.column_stack([patient, patient + 1, patient - 1]), WEIGHT)
    assert found.best.tolist() == [0, 1, 0] and found.rank.tolist() == [2, 1, 3]
    assert found.rank_low.tolist() == found.rank_high.tolist() == [2, 1, 3]
    assert np.all((found.low < found.mean) & (found.mean < found.high))


def test_equals_share_the_first_place():
    patient = np.random.default_rng(1).normal(size=200)
    found = ranking.rank(np.column_stack([patient, patient]), WEIGHT)
    assert found.best.tolist() == [0.5, 0.5] and found.rank.tolist() == [1, 1]


def test_chance_alone_leaves_the_rank_open():
    found = ranking.rank(np.random.default_rng(2).normal(size=(200, 2)), WEIGHT)
    assert found.best.sum() == pytest.approx(1) and np.all(found.best > 0.005)
    assert found.rank_low.tolist() == [1, 1] and found.rank_high.tolist() == [2, 2]


def test_patients_without_a_value_do_not_count():
    values = np.r_[np.full(100, 2.0), np.full(100, np.nan)]
    np.testing.assert_allclose(ranking.means(values, WEIGHT), 2.0)
    low, high = ranking.interval(np.column_stack([np.full(9, np.nan), np.arange(9.0)]))
    assert np.isnan(low[0]) and high[1] > low[1]
