"""The error that a run reports is the error it has."""

import jax
import numpy as np
import pytest
from small import SMALL

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.solver_check import solver_check
from trialsim.engine.reference import solve
from trialsim.mechanism import patient, pharmacokinetics


@pytest.fixture(scope="module")
def enrolled(config):
    return sample_cohort(config.cohort, config.tumour, config.seed).iloc[:4].assign(dose_level=10.0)


def test_reported_error_falls_with_the_square_of_the_step(enrolled):
    error = {}
    for steps in (6, 24):
        found = solver_check(
            compose(overrides=SMALL | {"compute.solver_check_patients": 4, "compute.steps_per_day": steps}), enrolled
        )
        error[steps] = found["max_error_net_growth"]
    assert found["ok"]
    assert error[6] > 6 * error[24]  # second order gives 16; rounding in float32 spoils a little


def test_independent_first_day_equals_the_adaptive_solver(config, enrolled):
    """One day after one dose: fast scheme at 384 steps in float64 against Kvaerno's method at tolerance 1e-8."""
    subjects = make_subjects(config, enrolled, enrolled["dose_level"].to_numpy())
    setting = make_setting(config)
    with jax.enable_x64(True):
        double = lambda tree: jax.tree.map(lambda a: a.astype(float) if a.dtype == np.float32 else a, tree)
        k = double(setting.constants)

        def both(subject):
            p = subject.parameters
            reference = patient.untreated(k, p)
            state, day = patient.advance_day(patient.initial_state(reference), subject.full_dose_mg, 0, k, p, reference, 384)
            pk = p.pk._replace(F=p.pk.F * p.iov_F[0], MAT=p.pk.MAT * p.iov_MAT[0])
            zero = jax.numpy.zeros(())

            def free_nM(hours):
                there = pharmacokinetics.plasma_concentration(
                    pk, pharmacokinetics.PKState(zero, zero, zero), subject.full_dose_mg, hours
                )
                return (there.fast + there.slow) * pk.fu * p.nM_per_ng_ml

            exact = solve(lambda x, u, relax: patient.cell_flow(x, u, relax, k, p), reference.cells, free_nM, 24.0)
            return state.cells, exact

        fast, exact = jax.jit(jax.vmap(both))(double(subjects))
    for name in patient.CellState._fields:
        a, b = np.asarray(getattr(fast, name)), np.asarray(getattr(exact, name))
        assert np.max(np.abs(a - b) / (1e-3 + np.abs(b))) < 2e-4, name
