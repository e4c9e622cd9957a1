"""How finely a run is computed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from trialsim.engine.mesh import GRADING


class Plan(NamedTuple):
    """Attributes: steps: a dosing interval. grading: how much denser they are after the dose, see `engine.mesh`.
    regular: exploit repeated doses. precision: of the fast states.
    explicit: intervals solved one by one at the start of a repeated stretch. sweeps: passes over its sampled intervals.
    growth: ratio of the gaps between sampled intervals.
    kernel: how a GPU runs the intervals: "xla" step by step, or "registers" in one launch, see `engine.registers`; the latter has
    not been run on a GPU yet."""

    steps: int = 24
    regular: bool = False
    precision: Literal["float32", "float64"] = "float32"
    explicit: int = 3
    sweeps: int = 1
    growth: float = 1.6
    grading: float = GRADING
    kernel: Literal["xla", "registers"] = "xla"
