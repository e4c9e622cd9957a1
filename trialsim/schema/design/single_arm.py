"""One arm, one dose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialsim.schema.design.base import KIND, DesignSettings


class SingleArmSettings(DesignSettings):
    """All patients at ``regimen.dose``, no decision before the end."""

    kind: Literal["single_arm"] = Field(description=KIND)
