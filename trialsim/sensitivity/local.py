"""Elasticities d ln(outcome) / d ln(parameter) of a patient's course, by automatic differentiation.

An outcome is differentiated in reverse through the whole course and the untreated steady state from which it starts
(`engine.derivatives`), in all that the patient's equations take: constants of the network, kinetics, binding, cell, growth. What a
parameter of the configuration does to those is put before it by the chain rule:

    constants       by themselves, and through the reference levels that follow from them (`references`)
    other settings  arithmetic of the patient's parameters in numpy (`mechanism.individual`), by central differences

Doses are those of the schedule, all taken, so the derivative is of a course without decisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from trialsim.conduct.full_dose import mean_effects
from trialsim.conduct.inputs import make_setting, make_subjects
from trialsim.engine import Model, Plan, Regimen
from trialsim.engine.derivatives import gradient
from trialsim.mechanism import rapalog
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import steps_for
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.protocol import dosing
from trialsim.sensitivity.priors import Prior, changed, constants_of, is_constant
from trialsim.sensitivity.references import REFERENCES, reference_slopes, with_references
from trialsim.units import DAYS_PER_WEEK, HOURS_PER_DAY

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

WEEK = 8
OUTCOMES = ("C_free_nM", "ps6", "p4ebp1", "pakt", "perk", "autophagy", "proliferation", "diameter_mm")  # fields of `rapalog.Seen`
STEP = 1e-4  # relative, of the central differences


class Course(NamedTuple):
    """What `engine.gradient` takes. Attributes: parameters: name -> (patients,), constants of the network among them."""

    model: Model
    parameters: dict[str, np.ndarray]
    regimen: Regimen
    times: tuple[float, ...]
    plan: Plan


def course_of(config: StudyConfig, patients: pd.DataFrame) -> Course:
    """The patients at full dose for `WEEK` weeks, seen at the end, with the reference levels that go with the constants."""
    days, kinetics = int(WEEK * DAYS_PER_WEEK), kinetics_of(config.drug)
    setting = make_setting(config)
    due = np.asarray(jax.vmap(lambda day: dosing.scheduled(setting.schedule, day))(np.arange(days)))
    spread = config.network.spread
    k = _references(constants_of(config), spread.f_S6K, spread.f_GRB10)
    parameters = _individual(config, patients, days)
    n = len(patients)
    parameters |= {name: np.full(n, value) for name, value in k.items()}
    subjects = make_subjects(config, patients, np.full(n, config.regimen.dose))
    return Course(
        model=rapalog.open_model(kinetics),
        parameters=parameters,
        regimen=Regimen(np.outer(subjects.full_dose_mg, due), HOURS_PER_DAY),
        times=(HOURS_PER_DAY * days,),
        plan=Plan(steps_for(config.compute.accuracy, kinetics), grading=kinetics.grading, precision="float64"),
    )


def _individual(config: StudyConfig, patients: pd.DataFrame, days: int) -> dict[str, np.ndarray]:
    """Parameters of the patients but for the constants of the network."""
    c = config.model_copy(update={"compute": config.compute.model_copy(update={"precision": "float64"})})
    with jax.enable_x64(True):
        subjects = make_subjects(c, patients, np.full(len(patients), c.regimen.dose))
        effects = mean_effects(subjects, make_setting(c), days)
    lesion = {"d0_mm": np.ones(len(patients)), "growth_per_day": subjects.growth, "resistant": subjects.resistant}
    return rapalog.parameters_of(subjects.parameters, lesion) | {name: np.asarray(v, float) for name, v in effects.items()}


def _references(k: NetworkConstants, f_S6K: float, f_GRB10: float) -> dict[str, float]:
    one = lambda value: jnp.full(1, value, jnp.float64)
    with jax.enable_x64(True):
        found = _with_references(jax.tree.map(one, k), one(f_S6K), one(f_GRB10))
        return {name: float(leaf[0]) for name, leaf in found._asdict().items()}


_with_references, _slopes = jax.jit(with_references), jax.jit(reference_slopes)


def slopes_of_references(config: StudyConfig) -> dict[str, np.ndarray]:
    """d `REFERENCES` / d (each constant and feedback strength), name -> (references,)."""
    spread = config.network.spread
    k = _references(constants_of(config), spread.f_S6K, spread.f_GRB10)
    with jax.enable_x64(True):
        found = _slopes(NetworkConstants(**jax.tree.map(jnp.float64, k)), jnp.float64(spread.f_S6K), jnp.float64(spread.f_GRB10))
        return {name: np.asarray(value) for name, value in found.items()}


def chain(config: StudyConfig, patients: pd.DataFrame, prior: Prior, slopes: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """d (what the course takes) / d (parameter), by name, (patients,) or a number; what does not move is left out.

    Args:
        slopes: from `slopes_of_references`.
    """
    section, _, name = prior.path.rpartition(".")
    found: dict[str, Any] = {}
    if section in ("network.signalling", "network.spread") and name in slopes:
        found = dict(zip(REFERENCES, slopes[name].tolist(), strict=True))
    if is_constant(prior.path):
        return found | {name: 1.0}
    h, days = STEP * (prior.value or prior.high), int(WEEK * DAYS_PER_WEEK)
    above, below = (_individual(changed(config, {prior.path: prior.value + sign * h}), patients, days) for sign in (1.0, -1.0))
    moved = {one: (above[one] - below[one]) / (2.0 * h) for one in above}
    return found | {one: value for one, value in moved.items() if np.any(value != 0.0)}


def log_of(seen: rapalog.Seen, weights: jax.Array) -> jax.Array:
    """ln of the outcome that ``weights`` (`OUTCOMES`, patients) choose, (patients,)."""
    return sum(weights[i] * jnp.log(getattr(seen, name)[-1]) for i, name in enumerate(OUTCOMES))


def slopes_of(course: Course, outcome: str) -> dict[str, np.ndarray]:
    """d ln(outcome) / d (each of what the course takes), name -> (patients,)."""
    n = len(next(iter(course.parameters.values())))
    weights = np.zeros((len(OUTCOMES), n))
    weights[OUTCOMES.index(outcome)] = 1.0
    return gradient(course.model, course.parameters, course.regimen, course.times, course.plan, log_of, data=weights)[1]


def elasticities(
    slopes: Mapping[str, np.ndarray], links: Mapping[str, Mapping[str, Any]], priors: Sequence[Prior]
) -> np.ndarray:
    """d ln(outcome) / d ln(parameter), (parameters, patients).

    Args:
        slopes: from `slopes_of`. links: of each parameter, from `chain`.
    """
    patients = len(next(iter(slopes.values())))
    zero = np.zeros(patients)
    return np.array([prior.value * sum((slopes[one] * d for one, d in links[prior.name].items()), zero) for prior in priors])
