"""Random numbers by a counter cipher written as plain vector operations, of JAX inside the time loop and of NumPy elsewhere.

Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: SC'11, doi 10.1145/2063384.2063405), the generator behind ``jax.random``.
JAX compiles it to a loop on the CPU, one patient at a time; unrolled it runs over all patients of a block. The key is the patient,
the counter the day and the number of the draw, so a draw depends on nothing else.
"""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
Words = TypeVar("Words", jax.Array, np.ndarray)


def threefry(key: tuple[Words, Words], counter: tuple[Words, Words]) -> tuple[Words, Words]:
    """Two random words, uint32, for each key and counter (uint32 arrays that broadcast; of NumPy with one axis at least, as its
    numbers warn where they overflow)."""
    schedule = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(PARITY))
    a, b = counter[0] + schedule[0], counter[1] + schedule[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            a = a + b
            b = (b << np.uint32(rotation)) | (b >> np.uint32(32 - rotation))
            b = a ^ b
        a = a + schedule[(group + 1) % 3]
        b = b + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def uniforms(key: jax.Array, day: jax.Array, count: int, dtype: jnp.dtype) -> jax.Array:
    """``count`` uniforms in [0, 1) for one day, multiples of 2^-24, (count, ...).

    Args:
        key: uint32, (2, ...): two words a patient. day: non-negative integer, scalar.
    """
    pairs = [threefry((key[0], key[1]), (day.astype(jnp.uint32), jnp.uint32(j))) for j in range(-(-count // 2))]
    words = jnp.stack([word for pair in pairs for word in pair][:count])
    return (words >> jnp.uint32(8)).astype(dtype) * dtype.type(2.0**-24)
