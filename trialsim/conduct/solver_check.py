"""How large the numerical error of the run is, measured on a few of its own patients.

The same days are computed again in float64 with 8 times as many steps. The scheme is of second order, so the finer answer is
some 60 times closer to the exact one (a test compares it with an adaptive solver), and the difference is the run's own error:
time steps and rounding together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.kernel import Subject
from trialsim.engine.xla import compile_loops
from trialsim.mechanism import patient
from trialsim.mechanism.signalling import NetworkConstants

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

REFINEMENT = 8
DAYS = 14  # the first two weeks hold the fastest changes: loading, feedback, 4E-BP1 adaptation
LIMIT = 1e-3  # error of a pathway fold (absolute) or of net growth (share of the untreated rate) that is still accepted


class Course(NamedTuple):
    """Attributes: ps6, pakt: folds of baseline after DAYS days, tumour. mean_G: mean net growth relative to untreated."""

    ps6: jax.Array
    pakt: jax.Array
    mean_G: jax.Array


def _course(subject: Subject, k: NetworkConstants, steps: int) -> Course:
    """Two weeks of full daily doses; leaves of ``subject`` (patients, ...)."""
    subject = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), subject)
    p, mesh = subject.parameters, patient.day_mesh(steps)
    reference = patient.untreated(k, p)
    kinetics = patient.occasion_kinetics(p, 0, mesh)

    def day(state, _):
        state, seen = patient.advance_day(state, subject.full_dose_mg, kinetics, k, p, reference, mesh)
        return state, jnp.stack([seen.ps6[patient.TUMOUR], seen.pakt[patient.TUMOUR]])

    state, seen = jax.lax.scan(day, patient.initial_state(reference), length=DAYS)
    return Course(seen[-1, 0], seen[-1, 1], state.I_sensitive / DAYS)


def solver_check(config: StudyConfig, enrolled: pd.DataFrame) -> dict[str, Any]:
    """Largest errors of the fast scheme over the first patients of the cohort, dosed every day for two weeks.

    Returns:
        ``patients``, ``days``, ``refinement``,
        ``max_error_ps6``, ``max_error_pakt`` (folds), ``max_error_net_growth`` (share of the untreated
        rate), ``limit`` and ``ok``. Empty if ``compute.solver_check_patients`` is 0.
    """
    count = min(config.compute.solver_check_patients, len(enrolled))
    if count == 0:
        return {}
    some = enrolled.iloc[:count]
    subjects = make_subjects(config, some, some["dose_level"].to_numpy())
    setting = make_setting(config)
    steps = config.compute.steps_per_day

    def run(subjects: Subject, k: NetworkConstants, steps: int) -> Course:
        return compile_loops(jax.jit(lambda s, k: _course(s, k, steps)), subjects, k)(subjects, k)

    fast = run(subjects, setting.constants, steps)
    with jax.enable_x64(True):
        double = lambda tree: jax.tree.map(lambda a: a.astype(float) if a.dtype == np.float32 else a, tree)
        fine = run(double(subjects), double(setting.constants), REFINEMENT * steps)
    error = [float(np.max(np.abs(np.asarray(a, float) - np.asarray(b)))) for a, b in zip(fast, fine, strict=True)]
    return {
        "patients": count,
        "days": DAYS,
        "refinement": REFINEMENT,
        "max_error_ps6": error[0],
        "max_error_pakt": error[1],
        "max_error_net_growth": error[2],
        "limit": LIMIT,
        "ok": max(error) < LIMIT,
    }
