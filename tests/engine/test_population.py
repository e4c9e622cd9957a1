"""Chunks change nothing."""

import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.engine.population import chunks, compile_for_population, map_population, usable_devices


def test_chunks_cover_everyone_once():
    parts = chunks(1003, 64)
    assert np.array_equal(np.concatenate([np.arange(p.start, p.stop) for p in parts]), np.arange(1003))


@pytest.mark.parametrize("chunk", [16, 32, 48])
def test_padding_and_chunking_do_not_change_results(chunk):
    x = np.linspace(0.1, 3.0, 50, dtype=np.float32)
    compiled = compile_for_population(lambda x, s: jnp.exp(-x) * s, usable_devices(1))
    out = np.empty_like(x)
    for part, result in map_population(compiled, lambda part: x[part], np.float32(2.0), len(x), chunk):
        out[part] = result
    expected = np.concatenate(
        [np.asarray(compiled(x[i : i + 16] if i < 48 else np.resize(x[48:], 16), np.float32(2.0)))[:16] for i in (0, 16, 32)]
    )
    assert np.array_equal(out[:48], expected)
