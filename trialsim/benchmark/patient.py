"""The whole rapalog patient: 24 months of trial with toxicity-driven doses, scans and RECIST, inputs and transfers included."""

from __future__ import annotations

import numpy as np

import trialsim
from trialsim.benchmark.timing import Timing, timed
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import follow_up_horizon
from trialsim.conduct.simulate import simulate_courses

PATIENTS = 512


def measure(repeats: int) -> Timing:
    """Speed of the adult study's patients at its own settings; no reference solution exists, so no error is given."""
    config = trialsim.compose(overrides={"cohort.size": PATIENTS, "compute.devices": 1})
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    level = np.full(PATIENTS, config.regimen.dose)
    days = follow_up_horizon(config)
    run = lambda: [course.ok for _, course in simulate_courses(config, cohort, level, days)]
    return timed("24 months", run, PATIENTS, repeats, lambda _: None)
