"""Models as users write them: what is unusual works or is refused in words, and nothing is wrong without a word."""

import logging
import threading
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from trialsim.engine import Compartments, Model, ModelError, Plan, Regimen, choose, gradient, simulate, xla
from trialsim.engine.algebra import hill
from trialsim.engine.kinetics import exponential
from trialsim.engine.reference import solve


class Turnover(NamedTuple):
    R: jax.Array


class Seen(NamedTuple):
    C: jax.Array
    R: jax.Array


def oral(**change):
    settings = {
        "names": ("gut", "blood"),
        "dosed": "gut",
        "transfer": lambda p: {("gut", "blood"): p.ka, ("blood", None): p.CL / p.V},
        "concentration": lambda p: {"blood": 1 / p.V},
    }
    return Compartments(**settings | change)


def turnover(rates, **change):
    """Turnover of a response that the drug inhibits."""
    settings = {
        "name": "turnover",
        "parameters": {"ka": "1/h", "CL": "L/h", "V": "L", "half": "mg/L", "g": "exponent"},
        "kinetics": oral(),
        "start": lambda p: Turnover(1.0),
        "rates": rates,
        "observe": lambda x, C, p: Seen(C, x.R),
    }
    return Model(**settings | change)


PATIENTS = {"ka": 1.0, "CL": np.array([5.0, 8.0, 5.0]), "V": 40.0, "half": 0.1, "g": np.array([0.5, 1.0, 2.0])}
DOSES = Regimen(np.array([[10.0, 10, 0, 5], [10, 0, 10, 10], [0, 0, 0, 0]]))  # the last on placebo
TIMES = [0.0, 5.0, 24.0, 96.0]
slowed = turnover(lambda x, C, p: Turnover(0.3 * (1 - hill(C, p.half, p.g)) - 0.3 * x.R))


def test_independent_hill_exponents_below_one_and_placebo():
    seen, exact = simulate(slowed, PATIENTS, DOSES, TIMES, Plan(48)), solve(slowed, PATIENTS, DOSES, TIMES)
    assert np.allclose(seen.R, exact.R, rtol=2e-3) and np.allclose(seen.C, exact.C, rtol=1e-5, atol=1e-9)
    assert np.allclose(seen.R[2], 1.0, atol=1e-5)


def test_derivatives_exist_where_no_drug_has_come_yet():
    values, slopes = gradient(slowed, PATIENTS, DOSES, TIMES, Plan(24), last_of)
    assert np.isfinite(values).all() and all(np.isfinite(slope).all() for slope in slopes.values())
    assert abs(slopes["CL"][2]) < 1e-6 and slopes["CL"][0] > 0  # placebo does not care; faster loss, less inhibition


def last_of(seen):
    return seen.R[-1]


def test_constants_of_numpy_in_the_rates():
    written = turnover(lambda x, C, p: Turnover(np.log(2) * (1 - hill(C, p.half, p.g)) - np.log(2) * x.R))
    constant = turnover(lambda x, C, p: Turnover(np.float64(0.1)))
    assert np.isfinite(simulate(written, PATIENTS, DOSES, TIMES, Plan(24)).R).all()
    assert np.allclose(simulate(constant, PATIENTS, DOSES, TIMES, Plan(24)).R[:, -1], 1.0 + 9.6, rtol=1e-5)


def test_observation_of_parameters_only():
    model = turnover(slowed.rates, observe=lambda x, C, p: Seen(1.0, 10.0 / p.CL))
    seen = simulate(model, PATIENTS, DOSES, TIMES, Plan(8))
    assert seen.R.shape == (3, 4) and np.allclose(seen.R[1], 1.25) and np.all(seen.C == 1.0)


def test_a_patient_that_is_lost_is_never_within_the_accuracy():
    """The square root of what runs below zero: at few steps it is not a number, in the second observation."""
    model = turnover(lambda x, C, p: Turnover(-30.0 * C * jnp.sqrt(x.R) + 0.3 * (1 - x.R)))
    patients = {name: np.ravel(value)[0] for name, value in PATIENTS.items()}
    try:
        choice = choose(model, patients, Regimen.repeated(10.0, 2), [6.0, 24.0, 48.0], 1e-2)
    except ModelError as error:
        assert "not reached" in str(error) and "R" in str(error)
    else:
        assert np.isfinite(simulate(model, patients, Regimen.repeated(10.0, 2), [6.0, 24.0, 48.0], choice.plan).R).all()


def test_lost_patients_are_told(caplog):
    model = turnover(slowed.rates, observe=lambda x, C, p: Seen(jnp.log(C), x.R))
    with caplog.at_level(logging.WARNING):
        simulate(model, PATIENTS, DOSES, TIMES, Plan(8))
    assert "3 of 3 patients without a finite result" in caplog.text


class Resisting(NamedTuple):
    log_size: jax.Array
    resistance: jax.Array
    effect: jax.Array


class Size(NamedTuple):
    size: jax.Array


@pytest.mark.slow
def test_repeated_doses_with_slow_states_that_do_not_act_linearly():
    """Resistance multiplies the kill: one sweep is wrong by orders of magnitude, so `choose` must find that more are needed."""
    model = Model(
        name="resistance",
        parameters={"CL": "L/h", "V": "L"},
        kinetics=Compartments(("blood",), "blood", lambda p: {("blood", None): p.CL / p.V}, lambda p: {"blood": 1 / p.V}),
        start=lambda p: Resisting(jnp.log(100.0), 0.0, 0.0),
        rates=lambda x, C, p: Resisting(1e-3 - 0.02 * x.effect * jnp.exp(-x.resistance), 0.01 * x.effect, 0.2 * (C - x.effect)),
        slow=("log_size", "resistance"),
        observe=lambda x, C, p: Size(jnp.exp(x.log_size)),
    )
    patients, times = {"CL": np.array([5.0, 7.0]), "V": 40.0}, [24.0 * 84]
    regimen = Regimen.repeated(20.0, 84)
    daily = simulate(model, patients, regimen, times, Plan(48)).size
    choice = choose(model, patients, regimen, times, 2e-3, Plan(regular=True))
    assert choice.plan.regular and choice.plan.sweeps > 1
    assert np.allclose(simulate(model, patients, regimen, times, choice.plan).size, daily, rtol=4e-3)


def test_repeated_doses_without_slow_states_are_solved_one_by_one():
    regimen = Regimen.repeated(10.0, 30)
    a, b = (simulate(slowed, PATIENTS, regimen, [720.0], Plan(24, regular)) for regular in (True, False))
    assert np.allclose(a.R, b.R, rtol=1e-5)


@pytest.mark.parametrize("norm", [0.01, 1.0, 60.0, 1000.0, 15000.0])
def test_independent_exponential_of_fast_rates_over_long_intervals(norm):
    """Three-weekly docetaxel has rates of 7/h over 504 h. SciPy's Pade approximation is the independent answer."""
    rng = np.random.default_rng(3)
    matrix = rng.random((3, 3))
    np.fill_diagonal(matrix, 0.0)
    matrix -= np.diag(matrix.sum(axis=0) + [0.3, 0.0, 0.0])
    matrix *= norm / np.abs(matrix).sum(axis=0).max()
    with jax.enable_x64(True):
        found = np.asarray(exponential(jnp.asarray(matrix)[:, :, None]))[:, :, 0]
    assert np.allclose(found, expm(matrix), rtol=0, atol=3e-11)


def test_loss_and_data_follow_the_patients():
    """300 patients are two blocks, and each sees its own data."""
    cohort = PATIENTS | {"CL": np.linspace(4.0, 9.0, 300), "g": 1.0}
    regimen = Regimen.repeated(10.0, 3)
    target = np.linspace(0.1, 0.9, 300)
    seen = simulate(slowed, cohort, regimen, [72.0], Plan(24))
    values, slopes = gradient(slowed, cohort, regimen, [72.0], Plan(24), squares, ["CL"], data=target)
    assert np.allclose(values, (seen.R[:, 0] - target) ** 2, rtol=1e-4, atol=1e-7)
    assert slopes["CL"].shape == (300,)


def squares(seen, data):
    return (seen.R[-1] - data) ** 2


@pytest.mark.parametrize("loss", [lambda seen: seen.R[:, -1], lambda seen: jnp.sum(seen.R), lambda seen: seen.R])
def test_loss_of_another_shape_is_refused(loss):
    with pytest.raises(ModelError, match="loss: shape .*allowed: one number a patient"):
        gradient(slowed, PATIENTS, DOSES, TIMES, Plan(8), loss)


def test_programs_compiled_in_threads_leave_no_options_behind():
    """The options of time loops make the compiler abort on some other programs."""
    from jax._src import compiler

    original = compiler.get_compile_options
    run = lambda steps: simulate(slowed, PATIENTS, DOSES, TIMES, Plan(steps))
    threads = [threading.Thread(target=run, args=(steps,)) for steps in (9, 10, 11, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert compiler.get_compile_options is original
    assert xla.BACKEND  # what would have leaked


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 24.5}, "plan.steps: 24.5; allowed"),
        ({"steps": 0}, "plan.steps: 0; allowed"),
        ({"explicit": -1}, "plan.explicit: -1; allowed"),
        ({"sweeps": 0}, "plan.sweeps: 0; allowed"),
        ({"growth": 0.5}, "plan.growth: 0.5; allowed"),
        ({"grading": 0.0}, "plan.grading: 0.0; allowed"),
        ({"precision": "float16"}, "plan.precision: float16; allowed"),
    ],
)
def test_impossible_plan_says_what_is_allowed(change, message):
    with pytest.raises(ModelError, match=message):
        simulate(slowed, PATIENTS, DOSES, TIMES, Plan()._replace(**change))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (turnover(slowed.rates, slow=("Q",)), "slow of model turnover: Q; allowed: R"),
        (turnover(slowed.rates, fixed={"Vd": 1.0}), "fixed of model turnover: Vd; allowed"),
        (turnover(slowed.rates, kinetics=oral(concentration=lambda p: {"central": 1.0})), "concentration names central; allowed"),
        (turnover(lambda x, C, p: (0.1,)), "rates of model turnover: tuple; allowed: Turnover"),
        (turnover(slowed.rates, observe=lambda x, C, p: {"R": x.R}), "observe of model turnover: dict; allowed: a NamedTuple"),
    ],
)
def test_misspelt_model_says_what_is_allowed(model, message):
    with pytest.raises(ValueError, match=message):
        simulate(model, PATIENTS, DOSES, TIMES, Plan(8))


@pytest.mark.parametrize(
    ("value", "message"), [(np.array([5.0, np.nan, 1.0]), "patient 1"), ("5 L", "allowed: numbers"), (None, "allowed")]
)
def test_impossible_parameter_says_what_is_allowed(value, message):
    with pytest.raises(ModelError, match=f"parameters.CL.*{message}"):
        simulate(slowed, PATIENTS | {"CL": value}, DOSES, TIMES, Plan(8))


def test_interval_that_is_no_round_number():
    """A third of an hour: the ends of intervals are ends, not two stops 1e-10 apart."""
    regimen = Regimen.repeated(1.0, 30, interval=1.0 / 3.0)
    seen = simulate(slowed, PATIENTS, regimen, [10.0, 20.0 / 3.0], Plan(6, precision="float64"))
    k, ka, V = PATIENTS["CL"] / 40.0, 1.0, 40.0
    since = 10.0 - np.arange(30) / 3.0
    exact = sum(ka / (ka - k) / V * (np.exp(-k * t) - np.exp(-ka * t)) for t in since)
    assert np.allclose(seen.C[:, 0], exact, rtol=1e-9)
