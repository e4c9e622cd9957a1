"""Quotients and powers whose derivative reuses their value.

The Jacobian of a step needs the slope of every saturating term. Differentiated as written, a / (K + a) costs two more divisions
and a power costs a second power, which on a vector unit cost more than all else; written with these it costs multiplications only.
Values are the same. A model may use them in its rates, and need not.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

NOTHING = 1e-12


@jax.custom_jvp
def inverse(x: jax.Array) -> jax.Array:
    """1 / x."""
    return 1.0 / x


@inverse.defjvp
def _inverse_jvp(primals, tangents):
    (x,), (slope,) = primals, tangents
    value = inverse(x)
    return value, -(value * value) * slope


def saturating(x: jax.Array, half: jax.Array) -> jax.Array:
    """x / (half + x)."""
    return x * inverse(half + x)


def hill(x: jax.Array, half: jax.Array, exponent: jax.Array) -> jax.Array:
    """x^g / (half^g + x^g), x >= 0, for any exponent g > 0, with finite slopes at x = 0, where no drug has come yet.

    Below `NOTHING` of half, x counts as that, and has no slope.
    """
    ratio = x / half
    ratio = jnp.where(ratio > NOTHING, ratio, NOTHING)
    return saturating(jnp.exp(exponent * jnp.log(ratio)), jnp.ones_like(ratio))


@jax.custom_jvp
def three_halves(x: jax.Array) -> jax.Array:
    """x^(3/2), x >= 0."""
    return x * jnp.sqrt(x)


@three_halves.defjvp
def _three_halves_jvp(primals, tangents):
    (x,), (slope,) = primals, tangents
    root = jnp.sqrt(x)
    return x * root, 1.5 * root * slope


def power(x: jax.Array, exponent: float) -> jax.Array:
    """x^exponent, x > 0, for a fixed exponent."""
    return _power(x, exponent)


@jax.custom_jvp
def _power(x, exponent):
    return jnp.exp(exponent * jnp.log(x))


@_power.defjvp
def _power_jvp(primals, tangents):
    (x, exponent), (slope, _) = primals, tangents
    value = _power(x, exponent)
    return value, exponent * value * inverse(x) * slope
