"""Drug in the cell: mass balance, limits, retention."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.mechanism.binding import PARTS, BindingParameters, free_share, occupancy, uptake_rate, uptake_step

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


def constant(C, h, p, R, steps):
    """R after ``steps`` steps of ``h`` hours at a constant free concentration in plasma."""
    for _ in range(steps):
        R = uptake_step(R, [part * h * C for part in PARTS], h, p)
    return R


def washout_half_life_days(partition):
    """From near half saturation with no drug outside."""
    p, R, t = P._replace(partition=partition), jnp.float32(60.0), 0.0
    while R > 30.0:
        R, t = constant(0.0, 0.5, p, R, 1), t + 0.5
    return t / 24.0


def test_complex_is_retained_for_days():
    """The slow turnover that keeps S6K1 off in PBMC for a week (O'Donnell 2008)."""
    assert 1.5 < washout_half_life_days(1.0) < 4.0


def test_equilibrium_free_drug_equals_delivered_drug():
    p = P._replace(partition=0.06)
    R = constant(1.0, 6.0, p, jnp.float32(0.0), 2000)
    assert float(R * free_share(R, p)) == pytest.approx(0.06, rel=2e-3)
    assert float(uptake_rate(R, jnp.float32(1.0), p)) == pytest.approx(0.0, abs=1e-3)


def test_analytic_order_of_uptake_is_three():
    """Across the bend where FKBP12 is full, from an oracle of 20,000 steps of the same equation by the midpoint rule."""
    with jax.enable_x64(True):
        p = jax.tree.map(jnp.float64, P)
        exact, h = jnp.float64(40.0), 3.0 / 20000
        step = jax.jit(lambda R: R + h * uptake_rate(R + 0.5 * h * uptake_rate(R, 12.0, p), 12.0, p))
        exact = jax.lax.fori_loop(0, 20000, lambda _, R: step(R), exact)
        errors = [abs(float(constant(12.0, 3.0 / n, p, jnp.float64(40.0), n) - exact)) for n in (32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 2.6), (orders, errors)


@pytest.mark.parametrize("h", [0.1, 1.0, 24.0])
def test_no_step_is_too_long(h):
    """From empty to far beyond saturation and back in single steps: positive, and never more than was supplied."""
    R = uptake_step(jnp.float32(0.0), [part * h * 500.0 for part in PARTS], h, P)
    assert 0.0 < float(R) <= 7.0 * h * 500.0 * (1 + 1e-5)
    assert 0.0 <= float(uptake_step(R, [0.0, 0.0, 0.0], h, P)) < float(R)
