"""From the accuracy that is wanted to a plan, and the error that a plan has: measured on patients of the cohort itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from trialsim.engine.model import Model, ModelError, Regimen, check_inputs
from trialsim.engine.plan import Plan
from trialsim.engine.simulate import in_blocks, task_of

log = logging.getLogger(__name__)
REFINEMENT = 8  # steps of the comparison, in double precision; it is closer to the exact solution by 8^2 or more
PATIENTS = 64
SHARE = 0.99  # of the patients, that stay below the error stated
SLOWEST_GROWTH, MOST_SWEEPS = 1.05, 4
FLOOR = 1e-3  # of the median patient's largest value: what is near zero in one patient is judged by that
ORDER = 2  # of the whole where a rate is stiff for the step; the scheme's own is three
STEPS = (6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


class Choice(NamedTuple):
    """What is known of a plan.

    Attributes:
        plan: for `simulate`. error: the largest of ``errors``. patients: in the sample.
        errors: for each observation what 99 % of the patients stay below, relative to the largest value that it takes in the
            patient (or, if that is more, to a thousandth of the median patient's). Infinite where a patient has no finite result.
    """

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
    if plan.regular:
        choice = _sampled(error_of, choice.plan._replace(regular=True, sweeps=plan.sweeps), accuracy)
    log.info("%d steps an interval: error %.1e for 99 %% of %d patients", choice.plan.steps, choice.error, choice.patients)
    return choice


def _steps(error_of: Callable[[Plan], Choice], plan: Plan, accuracy: float) -> Choice:
    """The fewest of `STEPS` that will do, and one more where a step less would leave some patient without a finite result: what a
    sample escapes narrowly, another patient does not."""
    found: dict[int, Choice] = {}

    def at(place: int) -> Choice:
        if place not in found:
            found[place] = error_of(plan._replace(steps=STEPS[place]))
        return found[place]

    place, last = STEPS.index(12), len(STEPS) - 1
    while not (error := at(place).error) <= accuracy:
        if place == last:
            raise ModelError(f"accuracy: {accuracy:g} not reached with {STEPS[last]} steps an interval, errors {_said(at(last))}")
        wanted = STEPS[place] * (error / accuracy) ** (1.0 / ORDER) if np.isfinite(error) else 2 * STEPS[place]
        place = min(max(place + 1, int(np.searchsorted(STEPS, 0.8 * wanted))), last)
    while place > 0 and at(place - 1).error <= accuracy:  # a coarser one may do
        place -= 1
    if place > 0 and not np.isfinite(at(place - 1).error) and place < last and at(place + 1).error <= accuracy:
        place += 1
    return at(place)


def _sampled(error_of: Callable[[Plan], Choice], plan: Plan, accuracy: float) -> Choice:
    """The same steps, with as many sweeps and sampled intervals as it takes."""
    choice = error_of(plan)
    while not choice.error <= accuracy:
        more, closer = plan._replace(sweeps=plan.sweeps + 1), plan._replace(growth=1.0 + 0.6 * (plan.growth - 1.0))
        tried = error_of(more) if plan.sweeps < MOST_SWEEPS else choice
        if not tried.error < 0.7 * choice.error and tried.error > accuracy:  # sweeps do not help: sample more intervals
            if closer.growth < SLOWEST_GROWTH:
                raise ModelError(f"accuracy: {accuracy:g} not reached with repeated doses exploited, errors {_said(choice)}")
            more, tried = closer, error_of(closer)
        plan, choice = more, tried
    return choice


def _said(choice: Choice) -> str:
    return ", ".join(f"{name} {error:.1e}" for name, error in choice.errors.items())


def check(
    model: Model, parameters: Mapping[str, Any], regimen: Regimen, times: Sequence[float], plan: Plan, refinement: int = REFINEMENT
) -> Choice:
    """The error of ``plan``: the same patients again with ``refinement`` times the steps, every interval solved, in float64."""
    fine = plan._replace(steps=refinement * plan.steps, regular=False, precision="float64", kernel="xla")
    exact, found = _quietly(model, parameters, regimen, times, fine), _quietly(model, parameters, regimen, times, plan)
    errors = {}
    for name in exact._fields:
        a, b = getattr(found, name), getattr(exact, name)
        size = np.max(np.abs(b), axis=1)
        scale = np.maximum(size, FLOOR * np.median(size) + np.finfo(float).tiny)
        error = np.max(np.abs(a - b), axis=1) / scale
        errors[name] = float(np.quantile(np.where(np.isfinite(error), error, np.inf), SHARE, method="higher"))
    return Choice(plan, max(errors.values()), errors, len(b))


def _quietly(*arguments: Any) -> Any:
    """Observations, leaves (patients, times), without a warning of patients that a coarse plan loses."""
    return jax.tree.map(np.transpose, in_blocks(task_of(*arguments), lambda program: program, "observations"))


def sample(parameters: Mapping[str, Any], regimen: Regimen, patients: int) -> tuple[dict[str, Any], Regimen]:
    """Parameters and regimen of up to `PATIENTS` patients, evenly spaced through the cohort."""
    which = np.unique(np.linspace(0, patients - 1, min(PATIENTS, patients)).astype(int))
    doses = np.asarray(regimen.doses, float)
    few = {name: value if np.ndim(value) == 0 else np.asarray(value)[which] for name, value in parameters.items()}
    return few, Regimen(doses if doses.ndim == 1 else doses[which], regimen.interval)
