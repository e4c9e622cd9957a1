"""Drug in the cell: mass balance, limits, retention."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.mechanism.binding import BindingParameters, free_share, occupancy, uptake

P = BindingParameters(FKBP12=150.0, K_FKBP12=0.2, K_FRB=12.0, PS=7.0, partition=1.0)


@pytest.mark.parametrize("R", [1e-3, 1.0, 50.0, 149.0, 150.5, 400.0, 5e3])
def test_analytic_binding_equilibrium(R):
    with jax.enable_x64(True):
        free = R * float(free_share(jnp.float64(R), P))
    bound = R - free
    assert free > 0
    assert free * (150.0 - bound) == pytest.approx(0.2 * bound, rel=1e-6)


def test_occupancy_follows_both_constants():
    half = 12.0 + 0.2 * 12.0 / (150.0 - 12.0)  # total drug at which the complex is 12 nM
    assert float(occupancy(jnp.float32(half), P)) == pytest.approx(0.5, rel=1e-3)
    mutant = P._replace(K_FRB=1e9)
    assert float(occupancy(jnp.float32(1e3), mutant)) < 1e-6


def washout_half_life_days(partition):
    """From near half saturation with no drug outside."""
    p = P._replace(partition=partition)
    R, t, h, start = jnp.float32(60.0), 0.0, 0.1, 60.0
    while R > start / 2:
        _, loss = uptake(R, jnp.float32(0.0), p)
        R, t = R / (1 + h * loss), t + h
    return t / 24.0


def test_complex_is_retained_for_days():
    """The slow turnover that keeps S6K1 off in PBMC for a week (O'Donnell 2008)."""
    assert 1.5 < washout_half_life_days(1.0) < 4.0


def test_equilibrium_free_drug_equals_delivered_drug():
    p = P._replace(partition=0.06)
    R = jnp.float32(0.0)
    for _ in range(20000):
        production, loss = uptake(R, jnp.float32(1.0), p)
        R = (R + 0.5 * production) / (1 + 0.5 * loss)
    assert float(R * free_share(R, p)) == pytest.approx(0.06, rel=2e-3)
    assert np.isfinite(R)
