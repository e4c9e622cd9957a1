"""One formula for two array libraries: jax inside a compiled simulation, numpy float64 on the host."""

from __future__ import annotations

from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np


def array_namespace(*arrays: object) -> ModuleType:
    """``jax.numpy`` if any argument is a jax array or tracer, else ``numpy`` (which keeps float64)."""
    return jnp if any(isinstance(array, jax.Array) for array in arrays) else np
