"""From the accuracy that is wanted to a plan, and the error that a plan has: measured on patients of the cohort itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trialsim.engine.model import Model, ModelError, Regimen, check_inputs
from trialsim.engine.plan import Plan
from trialsim.engine.simulate import simulate

log = logging.getLogger(__name__)
REFINEMENT = 8  # steps of the comparison, in double precision; it is closer to the exact solution by 8^2 or more
PATIENTS = 64
SHARE = 0.99  # of the patients, that stay below the error stated
SLOWEST_GROWTH = 1.05
ORDER = 2  # of the whole where a rate is stiff for the step; the scheme's own is three
STEPS = (6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


class Choice(NamedTuple):
    """Attributes: plan: for `simulate`. error: the largest over the observations of what 99 % of ``patients`` stay below, relative
    to the largest value that the patient's observation takes. errors: the same for each observation."""

    plan: Plan
    error: float
    errors: dict[str, float]
    patients: int


def choose(
    model: Model,
    parameters: Mapping[str, Any],
    regimen: Regimen,
    times: Sequence[float],
    accuracy: float = 1e-4,
    plan: Plan | None = None,
) -> Choice:
    """The coarsest plan whose error is below ``accuracy`` for 99 % of a sample of the patients, and that error.

    Args:
        model, parameters, regimen, times: see `simulate`. accuracy: relative error, see `Choice`.
        plan: what else is wanted of the plan (repeated doses, precision); its ``steps`` do not count.
    """
    if not 0.0 < accuracy < 1.0:
        raise ModelError(f"accuracy: {accuracy}; allowed: a relative error above 0 and below 1")
    plan = plan or Plan()
    some = sample(parameters, regimen, check_inputs(model, parameters, regimen, np.asarray(times, float)))
    error_of = lambda plan: check(model, *some, times, plan)
    choice = _steps(error_of, plan._replace(regular=False), accuracy)
    while plan.regular:  # the same steps, and as many sampled intervals as it takes
        choice = error_of(choice.plan._replace(regular=True, growth=plan.growth))
        if choice.error <= accuracy:
            break
        if plan.growth < SLOWEST_GROWTH:
            raise ModelError(f"accuracy: {accuracy:g} not reached with repeated doses exploited, error {choice.error:.1e}")
        plan = plan._replace(growth=1.0 + 0.6 * (plan.growth - 1.0))
    log.info("%d steps an interval: error %.1e for 99 %% of %d patients", choice.plan.steps, choice.error, choice.patients)
    return choice


def _steps(error_of: Callable[[Plan], Choice], plan: Plan, accuracy: float) -> Choice:
    """The fewest of `STEPS` that will do, and one more where a step less would leave some patient without a finite result: what a
    sample escapes narrowly, another patient does not."""
    place = STEPS.index(12)
    while not (choice := error_of(plan._replace(steps=STEPS[place]))).error <= accuracy:
        wanted = STEPS[place] * (choice.error / accuracy) ** (1.0 / ORDER)
        if place + 1 >= len(STEPS) or not np.isfinite(choice.error):
            raise ModelError(f"accuracy: {accuracy:g} not reached with {STEPS[place]} steps an interval, error {choice.error:.1e}")
        place = min(max(place + 1, int(np.searchsorted(STEPS, 0.8 * wanted))), len(STEPS) - 1)
    while place > 0:  # a coarser one may do
        coarser = error_of(plan._replace(steps=STEPS[place - 1]))
        if not np.isfinite(coarser.error):
            return error_of(plan._replace(steps=STEPS[place + 1]))
        if coarser.error > accuracy:
            break
        choice, place = coarser, place - 1
    return choice


def check(
    model: Model, parameters: Mapping[str, Any], regimen: Regimen, times: Sequence[float], plan: Plan, refinement: int = REFINEMENT
) -> Choice:
    """The error of ``plan``: the same patients again with ``refinement`` times the steps, every interval solved, in float64."""
    fine = plan._replace(steps=refinement * plan.steps, regular=False, precision="float64", kernel="xla")
    found = simulate(model, parameters, regimen, times, plan)
    exact = simulate(model, parameters, regimen, times, fine)
    errors = {}
    for name in exact._fields:
        a, b = getattr(found, name), getattr(exact, name)
        scale = np.maximum(np.max(np.abs(b), axis=1, keepdims=True), np.finfo(float).tiny)
        errors[name] = float(np.quantile(np.max(np.abs(a - b) / scale, axis=1), SHARE))
    return Choice(plan, max(errors.values()), errors, len(b))


def sample(parameters: Mapping[str, Any], regimen: Regimen, patients: int) -> tuple[dict[str, Any], Regimen]:
    """Parameters and regimen of up to `PATIENTS` patients, evenly spaced through the cohort."""
    which = np.unique(np.linspace(0, patients - 1, min(PATIENTS, patients)).astype(int))
    doses = np.asarray(regimen.doses, float)
    few = {name: value if np.ndim(value) == 0 else np.asarray(value)[which] for name, value in parameters.items()}
    return few, Regimen(doses if doses.ndim == 1 else doses[which], regimen.interval)
