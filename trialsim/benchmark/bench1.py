"""BENCH-1 on the engine."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np

from trialsim.benchmark import data
from trialsim.benchmark.timing import Timing, timed
from trialsim.engine import Plan, simulate

STEPS = 24  # a day: the fewest at which 99 % of the patients are within 1e-4
PATIENTS = 1000


def user_model() -> ModuleType:
    """The model file, as a user would write it."""
    spec = importlib.util.spec_from_file_location("bench1", data.folder() / "bench1.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"bench1.py not found in {data.folder()}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(regular: bool, repeats: int) -> Timing:
    """Speed and error with every day solved, or with repeated doses exploited."""
    bench, patients, plan = user_model(), data.parameters(PATIENTS), Plan(STEPS, regular)
    exact = data.reference().tumour_mm[:PATIENTS, -1]
    run = lambda: simulate(bench.model, patients, bench.regimen, bench.times, plan).T
    error = lambda T: float(np.quantile(np.abs(T[:, -1] / exact - 1.0), 0.99))
    return timed("regular dosing" if regular else "every day", run, PATIENTS, repeats, error)
