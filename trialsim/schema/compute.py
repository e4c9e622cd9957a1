"""How it is computed: devices, step, precision. None of these changes who the patients are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from trialsim.schema.base import Settings


class Compute(Settings):
    """Numerical settings."""

    devices: int | None = Field(
        default=None, ge=1, description="devices to share the patients; null uses all there are"
    )
    accuracy: float = Field(
        ge=1e-6, le=1e-2, description="numerical error of net growth (share of the untreated rate) and of pathway folds"
    )
    precision: Literal["float32", "float64"] = Field(description="floating-point type of the simulation")
    solver_check_patients: int = Field(
        ge=0,
        le=1000,
        description="patients integrated again with finer steps in float64 to report the numerical error",
    )
    progress: Literal["auto", "on", "off"] = Field(description="progress bars; auto shows them on a terminal only")
    block: int = Field(ge=16, le=1_048_576, description="patients between two checkpoints, from which a resumed run goes on")
    parts: int = Field(ge=1, le=100_000, description="runs that share the study; trialsim merge joins them")
    part: int = Field(ge=1, description="which of the compute.parts this run simulates, counted from 1")

    @field_validator("part")
    @classmethod
    def _one_of_the_parts(cls, part: int, info: ValidationInfo) -> int:
        if part > info.data.get("parts", part):
            raise ValueError(f"a whole number from 1 to compute.parts, {info.data['parts']}")
        return part
