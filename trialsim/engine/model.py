"""What a model is: named states, parameters with units, linear kinetics, rates written once, observations.

See ``experiments/benchmark/bench1.py`` for a complete model of a user, and ``trialsim.mechanism.patient`` for the rapalog patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

from trialsim.engine.kinetics import Kinetics

State = Any  # a NamedTuple of arrays (..., patients)


class ModelError(ValueError):
    """A model, parameter set, regimen or accuracy that cannot be computed; says what is allowed."""


class Upstream(NamedTuple):
    """A state between the concentration and the rates that only the concentration moves, such as drug trapped in a cell.

    It has a step of its own, so that a nonlinearity upstream (a target that saturates) is never extrapolated by the linearisation
    of what lies behind it.

    Attributes:
        start: parameters -> value before the first dose. rate: (d, C, parameters) -> dd/dt.
        step: (d, areas, h, parameters) -> d a step ``h`` later; ``areas``: under C since the start of the step, exact, at the
            ``parts`` of the step, the last of which is 1. The kinetics must have `accumulated`.
        input: (d, C, parameters) -> what the rates get in place of C.
    """

    start: Callable[[Any], Any]
    rate: Callable[[Any, jax.Array, Any], Any]
    step: Callable[..., Any]
    input: Callable[[Any, jax.Array, Any], Any]
    parts: tuple[float, ...]


@dataclass(frozen=True, eq=False)  # compiled programs are kept by model
class Model:
    """A system driven by doses. ``p`` stands for the parameters, one value a patient, or for what `derive` makes of them.

    Attributes:
        name: for messages.
        parameters: name -> unit and meaning; `simulate` takes one value a patient for each.
        kinetics: the linear part, see `engine.kinetics`; its output is the input C of the rates.
        start: p -> state before the first dose, a NamedTuple.
        rates: (state, C, p) -> time derivative of each state, same NamedTuple. Elementwise in the patients.
        slow: states that change little in one dosing interval and on which no other state changes fast (sizes on a log scale,
            adaptation). They are integrated by quadrature along the others; the rest by the implicit scheme.
        observe: (state, C, p) -> what is measured, a NamedTuple.
        fixed: parameters that need not be given, with their values.
        derive: parameters -> p, once a patient: steady states, combinations. Leaves of one shape with the parameters, or numbers.
        upstream: see `Upstream`; C of the rates is then what its ``input`` says.
    """

    name: str
    parameters: Mapping[str, str]
    kinetics: Kinetics
    start: Callable[[Any], State]
    rates: Callable[[State, jax.Array, Any], State]
    observe: Callable[[State, jax.Array, Any], Any]
    slow: tuple[str, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    derive: Callable[[Any], Any] = lambda p: p
    upstream: Upstream | None = None


@dataclass(frozen=True)
class Regimen:
    """Doses at the start of equal intervals; zero where none is given (held, missed, or not due).

    Attributes:
        doses: amounts, (intervals,) for all patients or (patients, intervals).
        interval: time between the starts of two intervals, in the model's unit of time.
    """

    doses: np.ndarray
    interval: float = 24.0

    @classmethod
    def repeated(cls, dose: Any, intervals: int, interval: float = 24.0, every: int = 1) -> Regimen:
        """The same dose (a number, or one a patient) in every ``every``-th interval."""
        given = (np.arange(intervals) % every == 0).astype(float)
        return cls(np.multiply.outer(np.asarray(dose, float), given), interval)

    @property
    def intervals(self) -> int:
        return int(np.shape(self.doses)[-1])


def check_inputs(model: Model, parameters: Mapping[str, Any], regimen: Regimen, times: np.ndarray) -> int:
    """Number of patients; raises `ModelError` on what cannot be simulated."""
    up = model.upstream
    if up and (up.parts[-1:] != (1.0,) or not hasattr(model.kinetics, "accumulated")):
        allowed = "parts of a step, the last 1.0, and kinetics that have `accumulated`"
        raise ModelError(f"upstream of model {model.name}: parts {up.parts}, {type(model.kinetics).__name__}; allowed: {allowed}")
    if unknown := sorted(set(model.fixed) - set(model.parameters)):
        raise ModelError(f"fixed of model {model.name}: {', '.join(unknown)}; allowed: {', '.join(model.parameters)}")
    known = set(model.parameters) - set(model.fixed)
    if missing := sorted(known - set(parameters)):
        units = ", ".join(f"{name} ({model.parameters[name]})" for name in missing)
        raise ModelError(f"parameters: {units} missing for model {model.name}")
    if extra := sorted(set(parameters) - set(model.parameters)):
        raise ModelError(f"parameters: {', '.join(extra)} not allowed; model {model.name} has {', '.join(model.parameters)}")
    shapes = {name: np.shape(value) for name, value in parameters.items()}
    sizes = {shape[0] for shape in shapes.values() if shape}
    if len(sizes) > 1 or any(len(shape) > 1 for shape in shapes.values()):
        raise ModelError(f"parameters: shapes {shapes}; allowed: a number, or one value a patient")
    for name, value in parameters.items():
        try:
            bad = np.flatnonzero(~np.isfinite(np.atleast_1d(np.asarray(value, float))))
        except (TypeError, ValueError):
            raise ModelError(f"parameters.{name}: {value!r}; allowed: numbers") from None
        if bad.size:
            raise ModelError(f"parameters.{name}: not finite in patient {bad[0]}; allowed: finite numbers")
    doses = np.asarray(regimen.doses, float)
    patients = sizes.pop() if sizes else (doses.shape[0] if doses.ndim == 2 else 1)
    if doses.ndim not in (1, 2) or (doses.ndim == 2 and doses.shape[0] != patients) or not doses.size or not patients:
        raise ModelError(f"regimen.doses: shape {doses.shape}; allowed: (intervals,) or ({patients}, intervals)")
    if not (np.isfinite(doses).all() and (doses >= 0).all()):
        raise ModelError("regimen.doses: negative or not finite; allowed: finite amounts >= 0")
    if not (np.isfinite(regimen.interval) and regimen.interval > 0):
        raise ModelError(f"regimen.interval: {regimen.interval}; allowed: a positive length")
    longest = regimen.intervals * regimen.interval
    if times.ndim != 1 or not times.size or not np.isfinite(times).all() or times.min() < 0 or times.max() > longest * (1 + 1e-12):
        shown = np.array2string(times, threshold=5)
        raise ModelError(f"times: {shown}; allowed: a list of times from 0 to the end of the regimen, {longest:g}")
    return patients
