"""The rapalog patient through the engine's public call: the same course as in a trial, exact, and its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.engine import Plan, Regimen, gradient, simulate
from trialsim.engine.reference import solve
from trialsim.mechanism import patient, pharmacokinetics, rapalog, routes

N, DAYS = 6, 10
DOSES = np.array([10.0, 10, 10, 0, 0, 5, 5, 0, 10, 10])  # mg; held, reduced, missed
FORM = pharmacokinetics.Oral(5)
PLAN = Plan(8, grading=FORM.grading)


@pytest.fixture(scope="module")
def cohort():
    """(model, parameters, subjects, constants) of a few adults, with different escape routes cut."""
    config = compose(overrides={"cohort.size": N})
    covariates = sample_cohort(config.cohort, config.tumour, config.seed)
    subjects, k = make_subjects(config, covariates, np.full(N, 10.0)), make_setting(config).constants
    cut = {name: np.arange(N) % 3 != i % 3 for i, name in enumerate(routes.Routes._fields)}  # each patient lacks others
    of_patients = routes.Routes(**{name: value.astype(np.float32) for name, value in cut.items()})
    subjects = subjects._replace(parameters=subjects.parameters._replace(routes=of_patients))
    lesion = {"d0_mm": subjects.lesions_mm[:, 0], "growth_per_day": subjects.growth, "resistant": subjects.resistant}
    return rapalog.model_of(k, FORM), rapalog.parameters_of(subjects.parameters, lesion), subjects, k


def test_invariant_same_course_as_in_a_trial(cohort):
    """`patient.advance_day`, which a trial lives by, day after day, from the same doses."""
    model, parameters, subjects, k = cohort
    seen = simulate(model, parameters, Regimen(DOSES), 24.0 * np.arange(1, DAYS + 1), PLAN)
    subject = jax.tree.map(lambda leaf: jnp.moveaxis(jnp.asarray(leaf), 0, -1), subjects)
    p, mesh = routes.cut(subject.parameters), patient.day_mesh(PLAN.steps, FORM)
    treated = routes.treated(k, p.routes)

    @jax.jit
    def course():
        reference = patient.untreated(k, p)
        kinetics = patient.occasion_kinetics(p, 0, mesh, FORM)

        def day(state, dose):
            state, shown = patient.advance_day(state, jnp.full(N, dose), kinetics, treated, p, reference, mesh)
            return state, (shown.ps6[patient.TUMOUR], shown.pakt[patient.TUMOUR], shown.cmin, state.I_sensitive)

        return jax.lax.scan(day, patient.initial_state(reference, FORM), jnp.asarray(DOSES, jnp.float32))[1]

    plasma = jnp.asarray(seen.C_free_nM.T) / (p.pk.fu * p.nM_per_ng_ml)
    blood = np.asarray(pharmacokinetics.whole_blood(p.pk, plasma)).T
    for found, wanted in zip((seen.ps6, seen.pakt, blood, seen.I_sensitive), course(), strict=True):
        assert np.allclose(found, np.asarray(wanted).T, rtol=2e-4, atol=2e-5)


def test_invariant_constants_of_the_network_as_parameters_change_nothing(cohort):
    model, parameters, _, k = cohort
    times = 24.0 * np.arange(1, DAYS + 1)
    closed = simulate(model, parameters, Regimen(DOSES), times, PLAN)
    constants = {name: float(value) for name, value in k._asdict().items()}
    opened = simulate(rapalog.open_model(FORM), parameters | constants, Regimen(DOSES), times, PLAN)
    for name in closed._fields:
        assert np.allclose(getattr(opened, name), getattr(closed, name), rtol=2e-4, atol=2e-5), name


@pytest.mark.slow
def test_independent_course_equals_the_adaptive_solver(cohort):
    model, parameters, *_ = cohort
    few = {name: value[:2] for name, value in parameters.items()}
    regimen, times = Regimen(DOSES[2:6]), [5.0, 24.0, 72.0, 96.0]
    fine = simulate(model, few, regimen, times, Plan(128, grading=FORM.grading, precision="float64"))
    exact = solve(model, few, regimen, times, rtol=1e-8, atol=1e-10)
    for name in exact._fields:
        a, b = getattr(fine, name), getattr(exact, name)
        assert np.max(np.abs(a - b) / (1e-3 + np.abs(b))) < 5e-5, name


@pytest.mark.slow
def test_independent_derivatives_through_holds_equal_finite_differences(cohort):
    """The lesion's diameter after ten days, in what decides it: kinetics, potency, feedback, growth."""
    model, parameters, *_ = cohort
    plan, names = PLAN._replace(precision="float64"), ("F", "alpha", "FKBP12", "f_S6K", "b", "growth_per_day")
    run = lambda p: simulate(model, p, Regimen(DOSES), [240.0], plan).diameter_mm[:, 0]
    values, slopes = gradient(model, parameters, Regimen(DOSES), [240.0], plan, lambda seen: seen.diameter_mm[0], names)
    assert np.allclose(values, run(parameters), rtol=1e-10)
    for name in names:
        step = 1e-5 * parameters[name]
        above, below = (run(parameters | {name: parameters[name] + sign * step}) for sign in (1, -1))
        expected = (above - below) / (2 * step)
        assert np.allclose(slopes[name], expected, rtol=1e-5, atol=1e-7 * np.max(np.abs(values / parameters[name]))), name
