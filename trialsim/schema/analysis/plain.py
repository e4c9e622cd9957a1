"""Outcomes of stated probabilities, in place of those of the mechanism: what textbooks and tables of designs assume."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import Settings

Probability = Annotated[float, Field(ge=0, le=1)]
Median = Annotated[float, Field(gt=0, le=1200)]
KIND = "where the outcomes of the patients come from"


class MechanismSettings(Settings):
    """The simulated course of every patient."""

    kind: Literal["mechanism"] = Field(description=KIND)


class PlainGroupSettings(Settings):
    """Patients who share their probabilities. Treatments: drug, control; crossover, alone, dose_<x> where a design has them."""

    tumour_type: str = Field(pattern=r"^[a-z0-9_]+$", max_length=60, description="name; baskets are told apart by it")
    marker: bool = Field(description="whether the marker is truly present; the assay may err")
    share: Probability = Field(description="of the patients; the shares add up to 1")
    response: dict[str, Probability] = Field(description="probability of an objective response, by treatment")
    median_pfs_months: dict[str, Median] = Field(description="median of the exponential time to progression or death, by treatment")
    median_os_months: dict[str, Median] = Field(description="median of the exponential time to death, by treatment; not below PFS")

    @property
    def tables(self) -> dict[str, dict[str, float]]:
        return {name: getattr(self, name) for name in ("response", "median_pfs_months", "median_os_months")}


class PlainSettings(Settings):
    """Bernoulli toxicities and responses, exponential times."""

    kind: Literal["plain"] = Field(description=KIND)
    dlt_rates: tuple[Probability, ...] = Field(description="probability of a DLT at each dose level of the designs that escalate")
    response_weeks: float = Field(ge=1, le=52, description="weeks from the first dose at which every response is first seen")
    groups: dict[str, PlainGroupSettings] = Field(min_length=1, description="groups of patients, by name")
