"""Laboratory facts that the signalling model is held to: the published value, and the band that was set before any comparison."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from math import isnan
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from trialsim.schema import ConfigError
from trialsim.schema.base import Settings

Topic = Literal[
    "binding", "mTORC1 substrates", "feedback", "mTORC2", "ERK", "autophagy", "translation", "proliferation", "apoptosis",
    "genotype", "bypass", "stroma", "combinations", "clinical PD",
]  # fmt: skip
GRADES = ("abstract", "full text", "figure legend", "data", "secondary", "memory")
Text = Annotated[str, Field(min_length=1)]


class LaboratoryFact(Settings):
    """One published observation and the band that the model's value must fall in.

    Attributes:
        fact_id: name in snake_case, unique.
        topic: part of the network.
        claim: one sentence.
        system: cells, tissue or patients.
        treatment: drug, dose, duration.
        quantity: the observable, with its unit; a fold is of untreated unless it says otherwise.
        published: what the source prints, with its n and error where given.
        low, high: limits of the band, unit of the quantity, limits included; None = one-sided.
        basis: how the band was set.
        source: authors, journal, identifier.
        seen: grade of the source (`GRADES`), with a remark after a colon.
    """

    fact_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    topic: Topic
    claim: Text
    system: Text
    treatment: Text
    quantity: Text
    published: Text
    low: Annotated[float, Field(allow_inf_nan=False)] | None
    high: Annotated[float, Field(allow_inf_nan=False)] | None
    basis: Text
    source: Text
    seen: Text

    @field_validator("low", "high", mode="before")
    @classmethod
    def _empty_is_open(cls, cell: object) -> object:
        return None if cell == "" else cell

    @field_validator("seen")
    @classmethod
    def _graded(cls, seen: str) -> str:
        if not seen.startswith(GRADES):
            raise ValueError(f"must start with one of {', '.join(GRADES)}")
        return seen

    @model_validator(mode="after")
    def _band(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("needs a low or a high limit")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a model's value lies in the band. NaN never does."""
        above = self.low is None or value >= self.low
        below = self.high is None or value <= self.high
        return above and below and not isnan(value)


@cache
def load_laboratory() -> tuple[LaboratoryFact, ...]:
    """The shipped facts, in the order of the file."""
    with (files("trialsim.evidence") / "data" / "laboratory.csv").open(encoding="utf-8", newline="") as stream:
        return check_laboratory(csv.DictReader(stream))


def check_laboratory(rows: Iterable[dict[str, str]]) -> tuple[LaboratoryFact, ...]:
    """Rows as read to facts.

    Raises:
        ConfigError: names the line (the header is line 1), the column and what is allowed.
    """
    facts: dict[str, LaboratoryFact] = {}
    for line, row in enumerate(rows, start=2):
        key = f"evidence.laboratory[line {line}]"
        try:
            fact = LaboratoryFact.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigError(".".join([key, *map(str, first["loc"])]), first["input"], first["msg"]) from None
        if fact.fact_id in facts:
            raise ConfigError(f"{key}.fact_id", fact.fact_id, "a fact named once")
        facts[fact.fact_id] = fact
    return tuple(facts.values())
