"""A function taken down as equations has the function's own values and derivatives."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.equations import equations_of, evaluated, outputs, slopes


class State(NamedTuple):
    a: jax.Array
    b: jax.Array
    c: jax.Array


@jax.custom_jvp
def clipped(x):
    return jnp.maximum(x, 0.0)


clipped.defjvp(lambda x, t: (clipped(*x), 3.0 * t[0]))  # unlike that of its value, so that using it shows


def example(k, x, u):
    """With a constant that is closed over, an inner program, a derivative of its own, and an output that is an input."""
    inner = jax.jit(lambda v: (jnp.sin(v), v * k))
    s, scaled = inner(x.a)
    return State(s + jnp.where(x.b > 0, x.b, 2.0) * u, clipped(scaled) + 1.0, x.c)


X, U, K = State(jnp.float32(0.3), jnp.float32(1.7), jnp.float32(-0.4)), jnp.float32(0.9), jnp.float32(2.5)


def compare(k, x, u):
    written = equations_of(lambda x, u: example(k, x, u), x, u)
    values = evaluated(written, x, u)
    columns = [slopes(written, values, {j: 1.0}, range(3)) for j in range(4)]
    return outputs(written, values), jnp.stack([jnp.stack(column) for column in columns], axis=1)


def test_independent_values_and_derivatives_are_jaxs_own():
    of = lambda z: jnp.stack(example(K, State(*z[:3]), z[3]))
    z = jnp.stack([*X, U])
    for run in (compare, jax.jit(compare)):  # the second closes over a constant that is traced itself
        values, matrix = run(K, X, U)
        assert np.allclose(values, of(z), rtol=3e-7)
        assert np.allclose(matrix, jax.jacfwd(of)(z), rtol=3e-7)
    assert matrix[1, 0] == 3.0 * K


def test_a_column_repeats_only_what_lies_between():
    written = equations_of(lambda x, u: example(K, x, u), X, U)
    whole = len(jax.make_jaxpr(lambda x, u: example(K, x, u))(X, U).eqns)
    values = evaluated(written, X, U)
    column = jax.make_jaxpr(lambda t: slopes(written, values, {3: t}, [0, 1]))(jnp.float32(1.0))
    assert whole > 5 and len(column.eqns) <= 4  # u enters one product and one sum
    assert float(slopes(written, values, {2: 1.0}, [0])[0]) == 0.0  # c reaches no other output


def test_independent_elsewhere_than_where_it_was_taken_down():
    written = equations_of(lambda x, u: example(K, x, u), X, U)
    there, u = State(jnp.float32(-1.3), jnp.float32(-0.2), jnp.float32(4.0)), jnp.float32(0.1)
    assert outputs(written, evaluated(written, there, u)) == list(example(K, there, u))
