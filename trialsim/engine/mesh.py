"""Where the steps of a dosing interval lie: dense after the dose, wide in the tail, the same for all patients."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

GRADING = 5.0


def graded_mesh(length: float, steps: int, grading: float = GRADING) -> np.ndarray:
    """Times 0 = t_0 < ... < t_N = length, t_j ~ (1 + 2 j/N)^grading - 1: the first of many steps is 3^(1-grading) of the last."""
    j = np.arange(steps + 1) / steps
    return length * ((1.0 + 2.0 * j) ** grading - 1.0) / (3.0**grading - 1.0)


def with_times(mesh: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The mesh with ``offsets`` (inside it) among its nodes; a node closer to one than a tenth of a step moves onto it."""
    nodes = set(mesh.tolist())
    for offset in offsets:
        nearest = min(nodes, key=lambda node: abs(node - offset))
        right = np.searchsorted(mesh, offset)
        width = mesh[min(right, len(mesh) - 1)] - mesh[max(right - 1, 0)]
        if abs(nearest - offset) < 0.1 * width and nearest not in (mesh[0], mesh[-1]) and nearest not in offsets:
            nodes.remove(nearest)
        nodes.add(float(offset))
    return np.array(sorted(nodes))


class Table(NamedTuple):
    """Kinetics over one interval's mesh; patients last.

    Attributes:
        weight: C at node j is weight[j] . A(start), (nodes, compartments, patients). slope: dC/dt likewise.
        end: exp(M interval), (compartments, compartments, patients).
        area: weights of the area under C since the start of each step, at parts of it, (steps, parts, compartments, patients);
            only where a `interval.Drive` asks for it. The last part must be the whole step.
    """

    weight: jax.Array
    slope: jax.Array
    end: jax.Array
    area: jax.Array | None = None
