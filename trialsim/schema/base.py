"""What every settings model shares, and the one error that bad input raises."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
PUBLISHED = r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)?$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"
IN_WORDS = {  # patterns that people meet
    ONE_LINE: "one line of text",
    PUBLISHED: "TRIAL or TRIAL/ARM of the evidence tables, e.g. RECORD1/everolimus",
    _NAME: "a name of letters, digits and _ . + -, of which a letter or a digit is the first",
}

# of a cell line, a partner, a design: it becomes part of the names of files and steps
Name = Annotated[str, Field(pattern=_NAME, max_length=80)]


class ConfigError(ValueError):
    """Bad input. Names the config key, the value given and what is allowed; never a traceback for the user.

    Args:
        key: dotted config key, e.g. ``regimen.dose``.
        value: what was given.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, key: str, value: object, allowed: str):
        self.key, self.value, self.allowed = key, value, allowed
        super().__init__(f"{_short(str(key))} = {_short(repr(value))} is not allowed: {_short(allowed, 4000)}")


def _short(text: str, most: int = 400) -> str:
    """A long text without its middle."""
    return text if len(text) <= most else f"{text[: most // 2]}[... {len(text)} characters ...]{text[-most // 4 :]}"


class Settings(BaseModel):
    """A validated, immutable section of the configuration. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Settings):
    """A section whose every value names its source. A value that is null by default needs one only where given."""

    sources: dict[str, str]

    @field_validator("sources")
    @classmethod
    def _names_the_values(cls, sources: dict[str, str]) -> dict[str, str]:
        fields = {name: field for name, field in cls.model_fields.items() if name != "sources"}
        unknown = sorted(set(sources) - set(fields))
        missing = sorted(name for name, field in fields.items() if field.is_required() and not sources.get(name))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no value of this section; its values are {', '.join(fields)}")
        if missing:
            raise ValueError(
                f"a source for every value here; missing: {', '.join(missing)} (a citation, or 'assumed: ...')"
            )
        return sources

    @model_validator(mode="after")
    def _optional_values_have_a_source(self) -> Self:
        fields = [name for name, field in type(self).model_fields.items() if not field.is_required()]
        missing = [name for name in fields if getattr(self, name) is not None and not self.sources.get(name)]
        if missing:
            raise ValueError(
                f"a source for {', '.join(missing)} is needed in `sources` (a citation, or 'assumed: ...')"
            )
        return self
