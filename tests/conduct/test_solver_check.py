"""The error that a run reports is the error it has."""

import pytest
from small import SMALL

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.conduct.solver_check import solver_check


@pytest.fixture(scope="module")
def enrolled(config):
    return sample_cohort(config.cohort, config.tumour, config.seed).iloc[:4].assign(dose_level=10.0)


def test_reported_error_falls_with_the_square_of_the_step(enrolled):
    error = {}
    for accuracy in (2.6e-3, 1.63e-4):  # 8 and 32 steps
        change = {"compute.solver_check_patients": 4, "compute.accuracy": accuracy}
        found = solver_check(compose(overrides=SMALL | change), enrolled)
        error[found["steps"]] = found["error_net_growth"]
        assert found["ok"] and found["error"] <= accuracy
    assert error[8] > 6 * error[32]  # second order gives 16; rounding in float32 spoils a little


def test_calibrated_steps_keep_the_accuracy_in_children_too():
    """Other doses (mg/m2), other kinetics, a weekly schedule: what is asked for is what 99 % of the patients get."""
    for experiment, change in (("everolimus_paediatric", {}), (None, {"regimen": "everolimus_50mg_weekly"})):
        config = compose(experiment, SMALL | change | {"compute.solver_check_patients": 64, "compute.accuracy": 1e-3})
        cohort = sample_cohort(config.cohort, config.tumour, config.seed).iloc[:64]
        found = solver_check(config, cohort.assign(dose_level=config.regimen.dose))
        assert found["ok"], found
