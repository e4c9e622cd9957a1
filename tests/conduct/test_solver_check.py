"""The error that a run reports is the error it has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SMALL

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.solver_check import solver_check
from trialsim.engine.reference import integrate
from trialsim.mechanism import binding, patient, pharmacokinetics, signalling


@pytest.fixture(scope="module")
def enrolled(config):
    return sample_cohort(config.cohort, config.tumour, config.seed).iloc[:4].assign(dose_level=10.0)


def test_reported_error_falls_with_the_square_of_the_step(enrolled):
    error = {}
    for accuracy in (8e-4, 5e-5):  # 8 and 32 steps
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


def test_independent_first_day_equals_the_adaptive_solver(config, enrolled):
    """One day after one dose: fast scheme at 192 steps in float64 against Kvaerno's method at tolerance 1e-9."""
    subjects = make_subjects(config, enrolled, enrolled["dose_level"].to_numpy())
    setting = make_setting(config)
    with jax.enable_x64(True):
        double = lambda tree: jax.tree.map(lambda a: a.astype(float) if a.dtype == np.float32 else a, tree)
        k, subject = double(setting.constants), jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), double(subjects))
        p, mesh = subject.parameters, patient.day_mesh(192)

        @jax.jit
        def both(p, dose_mg):
            reference = patient.untreated(k, p)
            kinetics = patient.occasion_kinetics(p, 0, mesh)
            state, _ = patient.advance_day(patient.initial_state(reference), dose_mg, kinetics, k, p, reference, mesh)

            def one(x, p, pk, dose_mg):
                oral = pharmacokinetics.Oral()
                start = jnp.zeros(3).at[0].set(oral.dose(pk, dose_mg))
                free_nM = lambda t: (oral.rows(pk, t)[0] @ start) * pk.fu * p.nM_per_ng_ml
                q = patient.of_cell(p, patient.TUMOUR)

                def rates(t, cell):
                    network = signalling.rates(cell.network, patient.held(cell.R, q.binding), k, q.cell)
                    return patient.CellState(binding.uptake_rate(cell.R, free_nM(t), q.binding), network)

                return integrate(rates, x, jnp.array([0.0, 24.0]))

            start = patient.initial_state(reference).tumour
            exact = jax.vmap(one, in_axes=-1)(start, p, kinetics.pk, dose_mg)
            return state.tumour, jax.tree.map(lambda leaf: leaf[:, -1], exact)

        fast, exact = both(p, subject.full_dose_mg)
    for a, b in zip(map(np.asarray, jax.tree.leaves(fast)), map(np.asarray, jax.tree.leaves(exact)), strict=True):
        assert np.max(np.abs(a - b) / (1e-3 + np.abs(b))) < 1e-4
