"""What the settings of every analysis share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


KIND = "the question that the run answers"  # description of every kind


class AnalysisSettings(Settings):
    """Settings of one kind of analysis. A subclass narrows ``kind`` to its own name and adds what it needs."""

    kind: str

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        """What does not fit the rest of the configuration; told before anything runs. None unless a kind says so."""
        return []


class TrialSettings(AnalysisSettings):
    """One trial: simulate, fit, compare. Its settings are those of the other sections."""

    kind: Literal["trial"] = Field(description=KIND)
