"""All patients through the trial: chunks of courses, from the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING

import jax
import numpy as np

from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.kernel import Course, simulate_patients
from trialsim.engine.population import Program, map_population, usable_devices
from trialsim.engine.threads import one_at_a_time
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import steps_for
from trialsim.mechanism.pharmacokinetics import DrugKinetics

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig


@one_at_a_time
@cache
def _program(
    reading, days: int, steps: int, occasion_days: int, drug: DrugKinetics, devices: int | None, precision: str
) -> Program:
    """One program per (reading error, length, mesh, kinetics, devices); kept, so that chunks and studies of a sweep share it."""

    def course(subjects, setting):
        return simulate_patients(subjects, setting, reading, days, steps, occasion_days, drug)

    return Program(course, usable_devices(devices))


def simulate_courses(
    config: StudyConfig, covariates: pd.DataFrame, dose_level: np.ndarray, days: int
) -> Iterator[tuple[slice, Course]]:
    """Courses of all patients, chunk by chunk (see ``engine.population.map_population``).

    Args:
        covariates: the cohort. dose_level: assigned dose of each patient in ``regimen.unit``. days: days simulated.
    """
    c = config.compute
    # float64 must be allowed while the program is traced and while it runs
    with jax.enable_x64(True) if c.precision == "float64" else nullcontext():
        occasion_days, drug = config.drug.pk.occasion_days, kinetics_of(config.drug)
        program = _program(config.endpoint.reading, days, steps_for(c.accuracy, drug), occasion_days, drug, c.devices, c.precision)

        def patients(part: slice):
            return make_subjects(config, covariates.iloc[part], dose_level[part])

        yield from map_population(program, patients, make_setting(config), len(covariates))
