"""A small adult study, simulated once for all tests of this folder."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small import DAYS, SMALL, simulate

from trialsim import compose
from trialsim.conduct.inputs import make_schedule
from trialsim.conduct.tables import make_tables


@pytest.fixture(scope="session")
def config():
    return compose(overrides=SMALL)


@pytest.fixture(scope="session")
def study(config):
    """(cohort, course, schedule, tables) of 96 patients followed for 240 days."""
    cohort, course = simulate(config)
    schedule = make_schedule(config, cohort["patient_id"].to_numpy())
    return cohort, course, schedule, make_tables(config, course, schedule, cohort, np.full(len(cohort), float(DAYS)))
