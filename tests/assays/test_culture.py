"""Cells in a well: what is conserved, what is exact, and the error of the steps."""

from functools import partial

import jax
import numpy as np
import pytest

from trialsim.assays import culture
from trialsim.assays.culture import Medium, grow
from trialsim.assays.lines import wells_of
from trialsim.mechanism.growth import UNTREATED
from trialsim.mechanism.individual import network_constants

DOSES = np.array([0.0, 0.05, 0.5, 5.0])  # nM


@pytest.fixture(scope="module")
def k(config):
    return network_constants(config.network)


@pytest.fixture(scope="module")
def well(config):
    """Four wells of one line."""
    lines = [config.cell_line["ca46"]] * len(DOSES)
    return wells_of(lines, config.network, config.drug, config.culture)


def test_untreated_cells_double_in_their_doubling_time(k, well):
    live = grow(k, well, [Medium(0.0, 52.0)], (26.0, 52.0)).live
    doublings = np.array([[26.0], [52.0]]) / well.doubling_h
    np.testing.assert_allclose(np.log2(live), doublings, rtol=1e-3)


def test_rapalog_is_neither_made_nor_lost(k, well):
    """Medium and cells together hold what was added, cells that do not die, and many; R is had from the occupancy."""
    immortal = well._replace(growth=well.growth._replace(k_d=0.0), seeded=100.0 * well.seeded)
    seen, b = grow(k, immortal, [Medium(DOSES, 48.0)], (1.0, 8.0, 24.0, 48.0)), well.binding
    held = b.K_FRB * seen.occupancy / (1.0 - seen.occupancy)
    R = held + b.K_FKBP12 * held / (b.FKBP12 - held)
    in_cells = R * seen.live * immortal.seeded * well.V_cell_pL * 1e-6 / well.V_well_uL  # nM of medium
    np.testing.assert_allclose((seen.C_medium_nM + in_cells)[:, 1:], np.broadcast_to(DOSES[1:], (4, 3)), rtol=2e-3)
    assert (in_cells[-1, 1] > 0.5 * DOSES[1]) and (seen.live[-1] > seen.live[0]).all()  # the cells do take most of a low dose


def test_half_the_step_changes_what_is_seen_by_less_than_one_percent(k, well, monkeypatch):
    partner = UNTREATED._replace(PI3K=np.array([0.0, 0.0, 0.4, 0.8]))
    run = lambda: grow(k, well, [Medium(DOSES, 48.0, partner)], (1.0, 6.0, 48.0))
    coarse = run()
    halved = partial(culture.mesh, first=culture.FIRST_STEP_H / 2, largest=culture.STEP_H / 2)
    monkeypatch.setattr(culture, "mesh", halved)
    fine = run()
    for name, a, b in zip(fine._fields, coarse, fine, strict=True):
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
            np.testing.assert_allclose(x, y, rtol=0.01, atol=1e-4, err_msg=name)


def test_a_well_is_the_same_among_any_others(k, well):
    alone = jax.tree.map(lambda leaf: leaf if np.ndim(leaf) == 0 else leaf[1:2], well)
    twelve = jax.tree.map(lambda leaf: np.tile(leaf, 12) if np.ndim(leaf) else leaf, well)
    several = grow(k, twelve, [Medium(np.tile(DOSES, 12), 24.0)], (24.0,))
    one = grow(k, alone, [Medium(DOSES[1:2], 24.0)], (24.0,))
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(several), strict=True):
        np.testing.assert_array_equal(x[:, 0], y[:, 1])


def test_time_0_is_before_the_drug_and_media_follow_each_other(k, well):
    times = (0.0, 12.0, 24.0)
    one = grow(k, well, [Medium(0.0, 24.0)], times)
    two = grow(k, well, [Medium(0.0, 12.0), Medium(0.0, 12.0)], times)
    np.testing.assert_allclose(two.live, one.live, rtol=1e-4)
    washed = grow(k, well, [Medium(DOSES, 12.0), Medium(0.0, 12.0)], times)
    kept = grow(k, well, [Medium(DOSES, 24.0)], times)
    assert (kept.occupancy[0] == 0.0).all() and (kept.live[0] == 1.0).all()
    np.testing.assert_allclose(washed.occupancy[1], kept.occupancy[1], rtol=1e-5)
    assert (washed.occupancy[2, 1:] < kept.occupancy[2, 1:]).all()
