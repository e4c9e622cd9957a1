"""What the designs share that decide from the number of responders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialsim.schema.design.base import DesignSettings


class ResponderSettings(DesignSettings):
    """Who counts as a responder, and when that is known."""

    outcome: Literal["response", "disease_control"] = Field(
        description="who counts as a responder: best response CR or PR, or no progression (CR, PR or SD), at assess_weeks"
    )
    eligible: Literal["all", "marker_positive"] = Field(
        description="who may enter: everyone, or patients whose tumour the analysis' assay calls positive"
    )
    assess_weeks: int = Field(ge=4, le=52, description="weeks after the first dose at which the outcome is known")
