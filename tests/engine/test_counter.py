"""The cipher against published vectors and JAX's own; uniformity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from scipy.stats import kstest

from trialsim.engine import counter

# Random123's known answers for Threefry-2x32, 20 rounds: counter, key, result
KNOWN = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize("given, key, expected", KNOWN)
def test_published_vectors(given, key, expected):
    word = lambda pair: tuple(jnp.uint32(value) for value in pair)
    assert tuple(int(value) for value in counter.threefry(word(key), word(given))) == expected


def test_independent_of_jax():
    key = jnp.array([7, 99], jnp.uint32)
    for day in (0, 1, 730):
        expected = np.asarray(threefry_2x32(key, jnp.array([day, 3], jnp.uint32)))
        assert np.array_equal(np.array(counter.threefry((key[0], key[1]), (jnp.uint32(day), jnp.uint32(3)))), expected)


def test_uniform_over_patients_and_days():
    """Kolmogorov-Smirnov over 20,000 draws, and no correlation between neighbours (false alarm 1e-4 each)."""
    keys = jax.random.key_data(jax.random.split(jax.random.key(4), 500)).T
    draws = np.concatenate([np.asarray(counter.uniforms(keys, jnp.int32(day), 5, jnp.dtype("float32"))) for day in range(8)])
    assert draws.min() >= 0 and draws.max() < 1
    assert kstest(draws.ravel(), "uniform").pvalue > 1e-4
    for axis in (0, 1):
        a, b = np.moveaxis(draws, axis, 0)[:-1].ravel(), np.moveaxis(draws, axis, 0)[1:].ravel()
        assert abs(np.corrcoef(a, b)[0, 1]) < 3.9 / np.sqrt(len(a))
