"""Random numbers that belong to a patient: the same for patient 17 in a cohort of 100 and of a million.

Every draw is a function of (seed, name of the quantity, patient id) alone, so neither the batch size, the order, the device
count nor the addition of another quantity changes it. Uniforms are made by integer hashing (threefry) and are therefore
bit-identical on every backend.
"""

from __future__ import annotations

import zlib
from functools import partial

import jax
import numpy as np
from scipy import stats


def patient_key(seed: int, name: str, patient_id: jax.Array) -> jax.Array:
    """PRNG key of one quantity of one patient.

    Args:
        seed: study seed.
        name: name of the quantity, e.g. ``"age"``.
        patient_id: int, scalar.
    """
    return jax.random.fold_in(_quantity_key(seed, name), patient_id)


def _quantity_key(seed: int, name: str) -> jax.Array:
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.encode()))


@partial(jax.jit, static_argnums=2)
def _bits(key: jax.Array, patient_ids: jax.Array, count: int) -> jax.Array:
    return jax.vmap(lambda patient_id: jax.random.bits(jax.random.fold_in(key, patient_id), (count,), "uint32"))(patient_ids)


def uniforms(seed: int, name: str, patient_ids: np.ndarray, count: int = 1) -> np.ndarray:
    """Independent uniforms in the open interval (0, 1): float64, shape (patients, count)."""
    ids = np.asarray(patient_ids, np.uint32)
    padded = np.zeros(max(256, 1 << (len(ids) - 1).bit_length() if len(ids) else 1), np.uint32)  # few shapes, few compilations
    padded[: len(ids)] = ids
    bits = np.asarray(_bits(_quantity_key(seed, name), padded, count))[: len(ids)]
    return (bits.astype(np.float64) + 0.5) / 2.0**32


def normals(seed: int, name: str, patient_ids: np.ndarray, count: int = 1) -> np.ndarray:
    """Independent standard normals by inversion: float64, shape (patients, count)."""
    return stats.norm.ppf(uniforms(seed, name, patient_ids, count))


def derived_seed(seed: int, name: str) -> int:
    """Seed of draws that belong to the cohort as a whole (resamples, folds), one for each named use."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0])
