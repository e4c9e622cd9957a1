"""The reference solver against an exact solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_integrate import Chain, chain, exact_chain

from trialsim.engine.reference import solve


@pytest.mark.parametrize("t", [0.3, 2.0])
def test_analytic_chain(t):
    with jax.enable_x64(True):
        x = solve(chain, Chain(jnp.asarray(1.0), jnp.asarray(0.0)), lambda t: jnp.zeros(()), t)
    assert np.asarray(x.a) == pytest.approx(exact_chain(t).a, abs=1e-8)
    assert np.asarray(x.b) == pytest.approx(exact_chain(t).b, abs=1e-8)
