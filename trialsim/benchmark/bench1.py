"""BENCH-1 on the engine: simulations, and derivatives as a multiple of one."""

from __future__ import annotations

import importlib.util
import time
from types import ModuleType
from typing import Any

import numpy as np

from trialsim.benchmark import data
from trialsim.benchmark.timing import Timing, cpu_seconds, peak_memory_gib, timed
from trialsim.engine import Plan, gradient, sensitivities, simulate

STEPS = 24  # a day: the fewest at which 99 % of the patients are within 1e-4
PATIENTS = 1000
GRADIENT_PATIENTS = 256
GRADIENT_STEPS = (16, 24)  # the derivatives within 1e-3, and those of the very scheme that is compared with


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


def measure_gradient(repeats: int) -> dict[str, Any]:
    """Derivatives of the tumour's size on the last day in all ten parameters, in reverse, and of all observations, forward.

    Costs are multiples of the CPU time of a simulation with `STEPS` steps a day. Errors are those of d log T / d log p, largest
    over the parameters of what 99 % of the patients stay below, against 192 steps in float64.
    """
    bench, patients = user_model(), data.parameters(GRADIENT_PATIENTS)
    arguments = (bench.model, patients, bench.regimen, bench.times)
    loss = lambda seen: seen.T[-1]
    plain = lambda: simulate(*arguments, Plan(STEPS))
    plain()
    once = float(np.median([cpu_seconds(plain) for _ in range(3 * repeats)]))

    def elasticities(plan: Plan) -> np.ndarray:
        T, slopes = gradient(*arguments, plan, loss)
        return np.stack([slopes[name] * patients[name] / T for name in patients])

    exact = elasticities(Plan(8 * STEPS, precision="float64"))
    found: dict[str, Any] = {"parameters": list(patients), "n": GRADIENT_PATIENTS, "patients_per_s_plain": GRADIENT_PATIENTS / once}
    for steps in GRADIENT_STEPS:
        start = time.perf_counter()
        error = np.quantile(np.abs(elasticities(Plan(steps)) - exact), 0.99, axis=1).max()
        first = time.perf_counter() - start
        reverse = np.median([cpu_seconds(lambda steps=steps: gradient(*arguments, Plan(steps), loss)) for _ in range(repeats)])
        sensitivities(*arguments, Plan(steps))
        forward = np.median([cpu_seconds(lambda steps=steps: sensitivities(*arguments, Plan(steps))) for _ in range(repeats)])
        found[f"{steps}_steps"] = {
            "reverse_over_simulation": float(reverse / once),
            "forward_over_simulation": float(forward / once),
            "error_p99": float(error),
            "first_call_s": first,
        }
    return found | {"peak_memory_gib": peak_memory_gib()}
