"""Settings of the report: how much is drawn. Nothing here changes a number."""

from __future__ import annotations

from pydantic import Field

from trialsim.schema.base import Settings


class ReportSettings(Settings):
    """How many patients and parameters the figures show; tables and captions always count everybody."""

    max_patients_drawn: int = Field(600, ge=1, le=5000, description="bars of the waterfall plot (evenly spaced ranks)")
    max_patients_followed: int = Field(120, ge=1, le=500, description="patients in the spider and swimmer plots")
    max_parameters_drawn: int = Field(6, ge=1, le=40, description="rank plots: the parameters that mixed worst")
