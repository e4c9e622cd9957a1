"""The whole rapalog patient: trials with toxicity-driven doses, scans and RECIST, inputs and transfers included."""

from __future__ import annotations

from typing import Any

import numpy as np

import trialsim
from trialsim.benchmark.timing import Timing, cpu_seconds, peak_memory_gib, timed, wall_seconds
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import LESIONS, follow_up_horizon
from trialsim.conduct.simulate import simulate_courses
from trialsim.engine.population import CHUNKS_A_DEVICE, claim_cores, lanes
from trialsim.units import DAYS_PER_MONTH

PATIENTS = 512
COHORTS = (100, 1_000, 10_000, 100_000)  # a million follows by the same rate; see the README for one that was run
MONTHS = (3, 6, 12, 24)


class Trial:
    """The adult study's patients at its own settings, simulated and thrown away."""

    def __init__(self, size: int, devices: int | None = 1, months: float | None = None, lesions: int = LESIONS):
        length: dict[str, float] = {}
        if months is not None:
            length = {"design.max_follow_up_months": months, "regimen.max_treatment_days": int(months * DAYS_PER_MONTH)}
        self.config = trialsim.compose(overrides={"cohort.size": size, "compute.devices": devices} | length)
        self.days = follow_up_horizon(self.config)
        self.level = np.full(size, self.config.regimen.dose)
        self.cohort = sample_cohort(self.config.cohort, self.config.tumour, self.config.seed)
        for number in range(lesions, LESIONS):
            self.cohort[f"lesion_{number + 1}_mm"] = np.nan

    def __call__(self) -> int:
        """Patients whose integration succeeded."""
        return sum(int(course.ok.sum()) for _, course in simulate_courses(self.config, self.cohort, self.level, self.days))


def measure(repeats: int) -> Timing:
    """Speed; no reference solution of a whole trial exists, so no error is given (`solver_check` of a run states it)."""
    return timed("24 months", Trial(PATIENTS), PATIENTS, repeats, lambda _: None)


def measure_cores(repeats: int) -> dict[str, Any]:
    """Wall time on one core and on all of them, the same patients."""
    claim_cores(None)
    import jax

    cores = len(jax.local_devices())
    size = lanes() * CHUNKS_A_DEVICE * cores
    one, every = (wall_seconds(Trial(size, devices), max(repeats // 2, 1)) for devices in (1, None))
    return {
        "cores": cores, "n": size, "patients_per_s_one": size / one, "patients_per_s_all": size / every, "speed_up": one / every,
        "peak_memory_gib": peak_memory_gib(),
    }  # fmt: skip


def measure_scaling(repeats: int) -> list[dict[str, Any]]:
    """Cost on one core against cohort size, length of the trial, and number of target lesions (CPU-seconds a run)."""

    def row(what: str, value: float, trial: Trial, calls: int) -> dict[str, Any]:
        trial()
        seconds = float(np.median([cpu_seconds(trial) for _ in range(calls)]))
        size = len(trial.level)
        return {what: value, "n": size, "seconds": seconds, "patients_per_s": size / seconds, "peak_memory_gib": peak_memory_gib()}

    found = [row("months", months, Trial(PATIENTS, months=months), repeats) for months in MONTHS]
    found += [row("lesions", lesions, Trial(PATIENTS, lesions=lesions), repeats) for lesions in range(1, LESIONS + 1)]
    return found + [row("cohort", size, Trial(size), 1) for size in COHORTS]
