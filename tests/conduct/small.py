"""A small adult study."""

import jax
import numpy as np

from trialsim.cohort import sample_cohort
from trialsim.conduct.simulate import simulate_courses

DAYS = 240
SMALL = {"cohort.size": 96, "compute.solver_check_patients": 0}


def simulate(config, days=DAYS):
    """(cohort, course) with leading axis (patients,)."""
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    level = np.full(len(cohort), config.regimen.dose)
    parts = [course for _, course in simulate_courses(config, cohort, level, days)]
    return cohort, jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
