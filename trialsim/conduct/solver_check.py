"""How large the numerical error of the run is, measured on a few of its own patients.

The patient's model (`mechanism.rapalog`) is computed twice for the first weeks of the study's own regimen at full dose: as in the
run, and in float64 with 8 times as many steps. The scheme is of second order, so the finer answer is some 60 times closer to the
exact one (a test compares it with an adaptive solver), and the difference is the run's own error: time steps and rounding together.
Partner drugs enter by the mean of their effects over these weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from trialsim.conduct import combination
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.conduct.kernel import Setting, Subject
from trialsim.engine import Plan, Regimen, simulate
from trialsim.mechanism import partners, rapalog
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import TUMOUR, steps_for
from trialsim.protocol import dosing
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

REFINEMENT = 8
DAYS = 28  # they hold the fastest changes: loading, feedback, 4E-BP1 adaptation
SHARE = 0.99  # of the patients, that stay below an error
MARKERS = ("ps6", "p4ebp1", "pakt", "perk", "autophagy")


def solver_check(config: StudyConfig, enrolled: pd.DataFrame) -> dict[str, Any]:
    """Errors of the fast scheme over the first patients of the cohort: what 99 % of them stay below.

    Returns:
        ``patients``, ``days``, ``steps`` (a day), ``refinement``, ``accuracy`` (as asked for), ``error`` (the largest of the
        following but that of pERK), ``error_net_growth`` (share of the untreated rate), ``error_ps6`` and so on (folds, largest of
        all days), and ``ok``. Empty if ``compute.solver_check_patients`` is 0.
    """
    count = min(config.compute.solver_check_patients, len(enrolled))
    if count == 0:
        return {}
    some = enrolled.iloc[:count]
    subjects, setting = make_subjects(config, some, some["dose_level"].to_numpy()), make_setting(config)
    kinetics = kinetics_of(config.drug)
    model = rapalog.model_of(setting.constants, kinetics)
    lesion = {"d0_mm": np.ones(count), "growth_per_day": subjects.growth, "resistant": subjects.resistant}
    parameters = rapalog.parameters_of(subjects.parameters, lesion) | mean_effects(subjects, setting)
    due = np.asarray(jax.vmap(lambda day: dosing.scheduled(setting.schedule, day))(np.arange(DAYS)))
    regimen = Regimen(np.outer(subjects.full_dose_mg, due), HOURS_PER_DAY)
    plan = Plan(steps_for(config.compute.accuracy, kinetics), grading=kinetics.grading, precision=config.compute.precision)
    fine = plan._replace(steps=REFINEMENT * plan.steps, precision="float64")
    ends = HOURS_PER_DAY * np.arange(1, DAYS + 1)
    found, exact = (simulate(model, parameters, regimen, ends, one) for one in (plan, fine))
    of = lambda name: np.abs(getattr(found, name) - getattr(exact, name))
    growth = np.maximum(of("I_sensitive"), of("I_resistant"))[:, -1] / DAYS
    errors = {"error_net_growth": growth} | {f"error_{name}": np.max(of(name), axis=1) for name in MARKERS}
    errors = {name: float(np.quantile(value, SHARE)) for name, value in errors.items()}
    error = float(np.max([value for name, value in errors.items() if name != "error_perk"]))  # not a number if one is not
    facts = {"patients": count, "days": DAYS, "steps": plan.steps, "refinement": REFINEMENT, "accuracy": config.compute.accuracy}
    return facts | {"error": error} | errors | {"ok": bool(error <= config.compute.accuracy)}


def mean_effects(subjects: Subject, setting: Setting) -> dict[str, np.ndarray]:
    """What partner drugs at full dose do to each node of the tumour, (patients,), on average over the days of the check; by
    parameter of `rapalog.model_of`, empty without partners."""
    if setting.partners is None:
        return {}
    due = jax.vmap(lambda day: combination.due(setting.partners, day))(np.arange(DAYS))
    patients_last = jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), subjects.parameters.partners)
    _, effects = partners.course(patients_last, due[..., None] * subjects.partner_mg.T)
    return {f"i_{node}": np.asarray(value.mean(axis=0)) for node, value in effects[TUMOUR].items()}
