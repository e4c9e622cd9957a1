"""Sparse elimination and sparsity against dense linear algebra."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.engine.elimination import factorise, plan_elimination, solve
from trialsim.engine.equations import equations_of, evaluated
from trialsim.engine.kinetics import exponential
from trialsim.engine.rosenbrock import jacobian, structure_of
from trialsim.engine.structure import dependencies


@pytest.mark.parametrize("seed", range(5))
def test_independent_solution_of_random_sparse_systems(seed):
    rng = np.random.default_rng(seed)
    n = 12
    dense = np.where(rng.random((n, n)) < 0.25, rng.normal(size=(n, n)), 0.0) + 4.0 * np.eye(n)
    rows = [frozenset(np.flatnonzero(row)) for row in dense]
    entries = {(i, j): jnp.float32(dense[i, j]) for i in range(n) for j in rows[i]}
    pivots, b = plan_elimination(rows), rng.normal(size=n)
    x = solve(pivots, factorise(pivots, entries), [jnp.float32(v) for v in b])
    assert np.allclose(np.array(x), np.linalg.solve(dense, b), atol=1e-4)


class Pair(NamedTuple):
    a: jax.Array
    b: jax.Array
    c: jax.Array


def rates(x, u):
    return Pair(-x.a + u, jnp.minimum(x.a, 2.0) * x.b, jnp.sqrt(x.b) - x.c**3)


def test_structure_is_read_through_inner_functions():
    scalar = jax.ShapeDtypeStruct((), jnp.float32)
    found = dependencies(rates, Pair(scalar, scalar, scalar), scalar)
    assert found == [{0, 3}, {0, 1}, {1, 2}]


def test_jacobian_is_exact():
    x, u = Pair(jnp.float32(1.5), jnp.float32(0.7), jnp.float32(0.2)), jnp.float32(0.3)
    written = equations_of(rates, x, u)
    entries = jacobian(written, evaluated(written, x, u), structure_of(rates, x, u).rows)
    dense = jax.jacfwd(lambda v: jnp.stack(rates(Pair(*v), u)))(jnp.stack(x))
    assert len(entries) == 5
    for i in range(3):
        for j in range(3):
            assert float(entries.get((i, j), 0.0)) == pytest.approx(float(dense[i, j]), rel=1e-5)


def test_independent_matrix_exponential():
    from scipy.linalg import expm

    rng = np.random.default_rng(3)
    with jax.enable_x64(True):
        for scale in (0.01, 1.0, 30.0):
            m = rng.random((4, 4, 5)) * scale / 4
            m[np.arange(4), np.arange(4)] -= m.sum(axis=0) + 0.1
            got = np.asarray(exponential(jnp.asarray(m)))
            for patient in range(5):
                assert np.allclose(got[..., patient], expm(m[..., patient]), rtol=1e-9, atol=1e-12)
