"""The error that a run reports is the error it has."""

import pytest
from small import SMALL

import trialsim.conduct.solver_check as module
from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.conduct.solver_check import solver_check


@pytest.fixture(scope="module")
def enrolled(config):
    return sample_cohort(config.cohort, config.tumour, config.seed).iloc[:4].assign(dose_level=10.0)


@pytest.mark.slow
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


def test_steps_are_taken_until_the_accuracy_asked_for_is_met(monkeypatch) -> None:
    """As if the error fell with the accuracy that the steps are chosen for, three times too large."""
    config = compose()
    made = lambda c, enrolled: {"error": 3.0 * c.compute.accuracy, "ok": False, "accuracy": c.compute.accuracy, "steps": 8}
    monkeypatch.setattr(module, "solver_check", made)
    finer, check = module.meet_accuracy(config, None)
    assert check["ok"] and check["accuracy"] == config.compute.accuracy
    assert check["error"] == 3.0 * finer.compute.accuracy < config.compute.accuracy
    monkeypatch.setattr(module, "solver_check", lambda c, enrolled: {"error": 1e-4, "ok": True})
    assert module.meet_accuracy(config, None)[0] is config
    monkeypatch.setattr(module, "solver_check", lambda c, enrolled: {"error": float("nan"), "ok": False})
    assert not module.meet_accuracy(config, None)[1]["ok"]
