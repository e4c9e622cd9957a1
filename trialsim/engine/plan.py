"""How finely a run is computed."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from trialsim.engine.mesh import GRADING


class Plan(NamedTuple):
    """How one call is computed; `engine.choose` makes one for an accuracy.

    Attributes:
        steps: a dosing interval. grading: how much denser they are after the dose, see `engine.mesh`.
        regular: exploit repeated doses, where the times asked for are ends of intervals and the model has slow states (otherwise,
            and in the first ``explicit`` intervals of each stretch of equal doses, every interval is solved).
        precision: of the fast states.
        sweeps: passes over the sampled intervals of a stretch. One is enough only where the slow states act linearly over the
            whole stretch. growth: ratio of the gaps between sampled intervals.
        kernel: how a GPU runs the intervals: "xla" step by step, or "registers" in one launch, see `engine.registers`; the latter
            has not been run on a GPU yet.
    """

    steps: int = 24
    regular: bool = False
    precision: Literal["float32", "float64"] = "float32"
    explicit: int = 3
    sweeps: int = 1
    growth: float = 1.6
    grading: float = GRADING
    kernel: Literal["xla", "registers"] = "xla"


def faults(plan: Plan) -> list[str]:
    """What is wrong with a plan, in words that name the field, its value and what is allowed."""
    whole = lambda value, least: isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least
    allowed = {
        "steps": (whole(plan.steps, 1), "a whole number from 1"),
        "precision": (plan.precision in ("float32", "float64"), "float32, float64"),
        "explicit": (whole(plan.explicit, 0), "a whole number from 0"),
        "sweeps": (whole(plan.sweeps, 1), "a whole number from 1"),
        "growth": (np.isfinite(plan.growth) and plan.growth > 1.0, "a number above 1"),
        "grading": (np.isfinite(plan.grading) and plan.grading > 0.0, "a number above 0"),
        "kernel": (plan.kernel in ("xla", "registers"), "xla, registers"),
    }
    return [f"plan.{name}: {getattr(plan, name)}; allowed: {what}" for name, (good, what) in allowed.items() if not good]
