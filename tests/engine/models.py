"""Models with known answers, and BENCH-1."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine import Compartments, Model

BENCH1 = Path(__file__).parents[2] / "experiments" / "benchmark" / "bench1.py"


def bench1():
    spec = importlib.util.spec_from_file_location("bench1", BENCH1)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Effect(NamedTuple):
    E: jax.Array
    log_size: jax.Array


class Seen(NamedTuple):
    C: jax.Array
    E: jax.Array
    log_size: jax.Array


# one compartment, a linear effect compartment, and growth that the effect slows: all in closed form
effect = Model(
    name="effect",
    parameters={"k": "1/h", "ke": "1/h", "g": "1/h"},
    kinetics=Compartments(("central",), "central", lambda p: {("central", None): p.k}, lambda p: {"central": 1.0}),
    start=lambda p: Effect(jnp.zeros_like(p.k), jnp.zeros_like(p.k)),
    rates=lambda x, C, p: Effect(p.ke * (C - x.E), p.g * (1.0 - x.E)),
    slow=("log_size",),
    observe=lambda x, C, p: Seen(C, x.E, x.log_size),
)
