"""What every settings model shares, and the one error that bad input raises."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ConfigError(ValueError):
    """Bad input. Names the config key, the value given and what is allowed; never a traceback for the user.

    Args:
        key: dotted config key, e.g. ``regimen.dose``.
        value: what was given.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, key: str, value: object, allowed: str):
        self.key, self.value, self.allowed = key, value, allowed
        super().__init__(f"{key} = {value!r} is not allowed: {allowed}")


class Settings(BaseModel):
    """A validated, immutable section of the configuration. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
