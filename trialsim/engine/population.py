"""Many patients: fixed-size chunks, shared over devices, one compiled program for all of them.

A chunk is padded by repeating its last patient, so every call has the same shape and nothing is compiled twice. The result of a
patient does not depend on the neighbours: no operation mixes patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from trialsim.engine.xla import compile_loops

Tree = Any


def usable_devices(count: int | None) -> list[jax.Device]:
    """The first ``count`` devices (all if None)."""
    devices = jax.devices()
    return devices[: count or len(devices)]


def compile_for_population(function: Callable[[Tree, Tree], Tree], devices: list[jax.Device]) -> Callable[[Tree, Tree], Tree]:
    """``function(patients with a leading axis, shared)``, compiled, with the patients shared out over the devices."""
    mesh = Mesh(np.array(devices), ("patients",))
    split, whole = NamedSharding(mesh, PartitionSpec("patients")), NamedSharding(mesh, PartitionSpec())
    program = jax.jit(function, in_shardings=(split, whole), out_shardings=split)
    kept: dict[Any, Any] = {}

    def run(patients: Tree, shared: Tree) -> Tree:
        leaves, structure = jax.tree.flatten((patients, shared))
        key = structure, tuple((np.shape(leaf), np.result_type(leaf)) for leaf in leaves)
        if key not in kept:
            kept[key] = compile_loops(program, patients, shared)
        return kept[key](patients, shared)

    return run


def chunks(size: int, chunk: int) -> list[slice]:
    """Consecutive slices of at most ``chunk`` patients."""
    return [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)]


def map_population(
    compiled: Callable[[Tree, Tree], Tree], patients: Callable[[slice], Tree], shared: Tree, size: int, chunk: int
) -> Iterator[tuple[slice, Tree]]:
    """Run the compiled function over all patients, one chunk after another.

    Args:
        compiled: from `compile_for_population`.
        patients: makes the inputs of a slice of the population (leading axis = its patients).
        shared: inputs without patient axis.
        size: number of patients. chunk: patients a call.

    Yields:
        slice of the population, and its results on the host, leading axis = its patients.
    """
    for part in chunks(size, chunk):
        n = part.stop - part.start
        result = compiled(jax.tree.map(lambda leaf: _padded(np.asarray(leaf), chunk), patients(part)), shared)
        yield part, jax.tree.map(lambda leaf, n=n: np.asarray(leaf)[:n], result)


def _padded(leaf: np.ndarray, size: int) -> np.ndarray:
    """``leaf`` with its last patient repeated up to ``size`` patients."""
    return np.concatenate([leaf, np.repeat(leaf[-1:], size - len(leaf), axis=0)]) if len(leaf) < size else leaf
