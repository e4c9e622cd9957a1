"""Nulls of drug interaction: closed forms, limits, and what has no solution."""

import numpy as np
import pytest

from trialsim.combinations.surfaces import (
    SingleAgent,
    bliss,
    bliss_of_rates,
    combination_index,
    dose_for,
    effect_of,
    hsa,
    isobole,
    loewe,
)

DOSES = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 100.0])
A, B = np.meshgrid(DOSES, DOSES, indexing="ij")
PARTIAL, FULL = SingleAgent(0.4, 2.0, 1.0), SingleAgent(1.0, 5.0, 1.5)


def test_a_drug_with_itself_is_additive():
    drug = SingleAgent(0.8, 3.0, 1.7)
    found = loewe(A, B, drug, drug)
    np.testing.assert_allclose(found.effect, effect_of(A + B, drug), atol=1e-9)
    assert found.defined.all()
    np.testing.assert_allclose(combination_index(A, B, effect_of(A + B, drug), drug, drug)[1:], 1.0, rtol=1e-9)


def test_loewe_of_curves_that_differ_in_potency_alone_is_the_curve_of_the_equivalent_dose():
    weak, strong = SingleAgent(0.9, 10.0, 1.2), SingleAgent(0.9, 2.0, 1.2)
    np.testing.assert_allclose(loewe(A, B, weak, strong).effect, effect_of(A + 5.0 * B, weak), atol=1e-9)


def test_one_drug_alone_is_expected_to_do_what_it_does_alone():
    for found in (loewe(A, 0.0, PARTIAL, FULL), loewe(0.0, A, FULL, PARTIAL)):
        np.testing.assert_allclose(found.effect, effect_of(A, PARTIAL), atol=1e-9)
        assert found.defined.all()


def test_beyond_the_maximum_of_the_weaker_drug_the_other_counts_alone_and_it_is_said():
    found = loewe(A, B, PARTIAL, FULL)
    beyond = effect_of(B, FULL) > 0.4
    np.testing.assert_allclose(found.effect[beyond], effect_of(B, FULL)[beyond], atol=1e-9)
    assert not found.defined[beyond & (A > 0)].any()
    assert np.isnan(combination_index(1.0, 10.0, 0.5, PARTIAL, FULL))
    assert found.defined[1, 1] and np.all(np.diff(found.effect, axis=0) >= -1e-9) and np.all(np.diff(found.effect, axis=1) >= -1e-9)


def test_a_drug_without_effect_changes_nothing():
    idle = SingleAgent(0.0, 1.0, 1.0)
    np.testing.assert_allclose(loewe(A, B, idle, FULL).effect, effect_of(B, FULL), atol=1e-9)
    np.testing.assert_array_equal(loewe(A, B, idle, idle).effect, 0.0)


def test_independent_action_leaves_the_product():
    alone = effect_of(A, PARTIAL), effect_of(B, FULL)
    np.testing.assert_allclose(1 - bliss(*alone), (1 - alone[0]) * (1 - alone[1]))
    # rates of cells that survive both add up, whatever the time
    untreated, days = 0.3, 3.0
    left = [np.log1p(-np.clip(effect, 0, 0.99)) / days for effect in alone]
    of_rate = [-rate / untreated for rate in left]
    both = -np.log1p(-bliss(*(np.clip(effect, 0, 0.99) for effect in alone))) / days / untreated
    np.testing.assert_allclose(bliss_of_rates(*of_rate), both)


def test_the_order_of_the_nulls():
    alone = effect_of(A, PARTIAL), effect_of(B, FULL)
    assert np.all(hsa(*alone) <= bliss(*alone) + 1e-12) and np.all(hsa(*alone) <= loewe(A, B, PARTIAL, FULL).effect + 1e-9)


@pytest.mark.parametrize("effect", [0.0, 0.1, 0.39])
def test_the_dose_of_an_effect_has_that_effect(effect):
    assert effect_of(dose_for(effect, PARTIAL), PARTIAL) == pytest.approx(effect)


def test_no_dose_has_more_than_the_maximum():
    assert np.isinf(dose_for(0.4, PARTIAL)) and np.isinf(dose_for(0.1, SingleAgent(-0.2, 1.0, 1.0)))


def test_isobole_of_a_sum_is_a_line():
    doses = np.linspace(0, 4, 401)
    pairs = isobole(doses, doses, doses[:, None] + doses, 2.0)
    np.testing.assert_allclose(pairs.sum(axis=1), 2.0, atol=1e-4)
    assert pairs[0] == pytest.approx([0, 2]) and pairs[-1] == pytest.approx([2, 0])
    assert isobole(doses, doses, doses[:, None] + doses, 9.0).shape == (0, 2)
