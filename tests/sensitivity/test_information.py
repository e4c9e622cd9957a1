"""Linear Gaussian information against its closed forms."""

import numpy as np
import pytest

from trialsim.sensitivity.information import information, tolerance, weight


def test_one_fact_on_one_parameter_shrinks_it_as_a_normal_mean():
    for slope in (0.0, 0.3, 1.0, 10.0):
        found = information(np.array([[slope, 0.0]]))
        assert found.shrinkage == pytest.approx([1.0 / np.sqrt(1.0 + slope**2), 1.0])
        assert found.alone[0] == pytest.approx([slope**2 / (1.0 + slope**2), 0.0])


def test_repeated_facts_shrink_as_the_square_root_of_their_number():
    for n in (1, 4, 100):
        assert information(np.full((n, 1), 2.0)).shrinkage[0] == pytest.approx(1.0 / np.sqrt(1.0 + 4.0 * n))


def test_posterior_is_that_of_the_matrix_formula():
    rng = np.random.default_rng(1)
    S, w = rng.normal(size=(7, 4)), rng.uniform(0.1, 1.0, 7)
    found = information(S, w)
    covariance = np.linalg.inv(np.eye(4) + S.T @ (w[:, None] * S))
    assert found.covariance == pytest.approx(covariance)
    assert found.shrinkage == pytest.approx(np.sqrt(np.diag(covariance)))
    assert found.known == pytest.approx(4.0 - np.trace(covariance))
    assert found.directions @ np.diag(found.eigenvalues) @ found.directions.T == pytest.approx(S.T @ (w[:, None] * S))


def test_alone_and_apart_are_what_adding_and_removing_a_fact_does():
    rng = np.random.default_rng(2)
    S = rng.normal(size=(6, 3))
    found = information(S)
    for i in range(6):
        assert found.alone[i] == pytest.approx(1.0 - np.diag(np.linalg.inv(np.eye(3) + np.outer(S[i], S[i]))))
        rest = np.delete(S, i, axis=0)
        without = np.diag(np.linalg.inv(np.eye(3) + rest.T @ rest))
        assert found.apart[i] == pytest.approx(without - np.diag(found.covariance))


def test_a_sum_that_is_known_leaves_its_terms_uncertain_and_correlated():
    found = information(np.array([[100.0, 100.0]]))
    assert found.shrinkage == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert found.covariance[0, 1] / found.covariance[0, 0] == pytest.approx(-1.0, abs=1e-3)
    assert np.sum(found.eigenvalues > 1.0) == 1


def test_a_fact_without_weight_tells_nothing():
    assert information(np.array([[5.0]]), np.zeros(1)).shrinkage == pytest.approx([1.0])


def test_one_sided_facts_weigh_less_the_more_room_they_have():
    assert weight(3.0, 2.0, 4.0) == 1.0 and weight(9.0, 2.0, 4.0) == 1.0
    at = weight(1.0, 1.0, np.nan)
    assert at == pytest.approx(2.0 / np.pi) and weight(1.0, np.nan, 1.0) == pytest.approx(at)
    room = [weight(value, 1.0, np.nan) for value in (0.0, 0.8, 1.0, 1.2, 2.0, 50.0)]
    assert np.all(np.diff(room) <= 0) and 0.9 < room[0] <= 1.0 and room[-1] == pytest.approx(0.0, abs=1e-12)


def test_tolerance_is_half_the_band_or_a_quarter_of_the_limit():
    assert tolerance(1.0, 2.0) == 0.5
    assert tolerance(2.0, np.nan) == 0.5 and tolerance(np.nan, -4.0) == 1.0 and tolerance(0.0, np.nan) == pytest.approx(0.05)
