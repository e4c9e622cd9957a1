"""Random numbers that belong to a patient: the same for patient 17 in a cohort of 100 and of a million.

Every draw is a function of (seed, name of the quantity, patient id) alone, so neither the batch size, the order, the device
count nor the addition of another quantity changes it. Uniforms are made by integer hashing (threefry), the very bits of
``jax.random``, without a program to compile for each number of patients and each device.
"""

from __future__ import annotations

import zlib

import numpy as np
from scipy import stats

from trialsim.engine.counter import threefry

LARGEST = 2**32 - 1  # of a word
TOGETHER = 8192  # patients whose words stay in a processor's cache


def keys(seed: int, name: str, patient_ids: np.ndarray) -> np.ndarray:
    """Key of one quantity of each patient, as ``jax.random.fold_in`` makes it of seed, name and patient: uint32, (patients, 2).

    Args:
        seed: study seed.
        name: name of the quantity, e.g. ``"age"``.
    """
    quantity = _fold(np.array([[seed >> 32, seed & LARGEST]], np.uint32), zlib.crc32(name.encode()))
    return _fold(quantity, np.asarray(patient_ids, np.uint32))


def _fold(key: np.ndarray, data: np.ndarray | int) -> np.ndarray:
    return np.stack(threefry((key[:, 0], key[:, 1]), (np.zeros(1, np.uint32), np.atleast_1d(np.uint32(data)))), axis=-1)


def uniforms(seed: int, name: str, patient_ids: np.ndarray, count: int = 1) -> np.ndarray:
    """Independent uniforms in the open interval (0, 1): float64, shape (patients, count)."""
    ids, found = np.asarray(patient_ids), np.empty((len(patient_ids), count))
    number = np.arange(count, dtype=np.uint32)
    for start in range(0, len(ids), TOGETHER):
        key = keys(seed, name, ids[start : start + TOGETHER])
        bits = np.bitwise_xor(*threefry((key[:, :1], key[:, 1:]), (np.zeros(1, np.uint32), number)))
        found[start : start + TOGETHER] = (bits + 0.5) / 2.0**32
    return found


def normals(seed: int, name: str, patient_ids: np.ndarray, count: int = 1) -> np.ndarray:
    """Independent standard normals by inversion: float64, shape (patients, count)."""
    return stats.norm.ppf(uniforms(seed, name, patient_ids, count))


def derived_seed(seed: int, name: str) -> int:
    """Seed of draws that belong to the cohort as a whole (resamples, folds), one for each named use."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0])
