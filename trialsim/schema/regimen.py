"""What is given and how toxicity changes it: the regimen and the dose-modification rules."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.faults import raise_all

Schedule = Literal["daily", "alternate_day", "weekly", "five_days_a_week"]
DoseUnit = Literal["mg", "mg/m2"]
Grade = Annotated[int, Field(ge=1, le=4)]

# The highest of any rapalog, temsirolimus weekly (`trialsim evidence doses`): catches a slip of the unit. What is above
# the highest of its own drug and schedule is told as a caution.
LARGEST_DOSE: dict[str, float] = {"mg": 250.0, "mg/m2": 220.0}
FLAT_DOSE_FROM_Y = 12.0  # assumed: younger children are dosed by body surface


class Prescription(Settings):
    """Dose and days of one drug; a cycle is ``days_on`` days of the schedule and then ``days_off`` without."""

    dose: float = Field(ge=0, allow_inf_nan=False, description="dose of one administration, in regimen.unit; 0: drug-free")
    unit: DoseUnit = Field(description="mg, or mg/m2 of body surface")
    schedule: Schedule = Field(description="days on which a dose is due, counted from the start of each cycle")
    start_day: int = Field(0, ge=0, le=730, description="day of the study on which the drug starts, 0 = the first")
    stop_day: int | None = Field(None, ge=1, le=731, description="day from which it is no longer given; null: goes on")
    days_on: int | None = Field(None, ge=1, le=365, description="days of a cycle on which the schedule holds; null: all")
    days_off: int = Field(0, ge=0, le=365, description="days of a cycle without the drug")

    @model_validator(mode="after")
    def _coherent_days(self) -> Self:
        if self.stop_day is not None and self.stop_day <= self.start_day:
            raise ValueError(f"a stop_day after start_day = {self.start_day}, or null")
        if self.days_off and self.days_on is None:
            raise ValueError(f"a number of days_on, as days_off is {self.days_off}")
        return self


class Regimen(Prescription):
    """The treatment as prescribed at the start."""

    adherence: float = Field(gt=0, le=1, description="probability that a due dose is taken")
    max_treatment_days: int = Field(ge=7, le=731, description="treatment stops after this day at the latest")

    @model_validator(mode="after")
    def _plausible_dose(self) -> Self:
        largest = LARGEST_DOSE[self.unit]
        if self.dose > largest:
            raise ConfigError("regimen.dose", self.dose, f"at most {largest:g} {self.unit}; check regimen.unit")
        return self


class DoseModification(Settings):
    """Adverse events that hold, reduce or stop the study drugs.

    A term without an entry in ``hold_at`` never holds the dose; without one in ``stop_at`` it never ends treatment.
    """

    hold_at: dict[str, Grade] = Field(description="lowest CTCAE grade at which the dose is held, by term")
    reduce_at: dict[str, Grade] = Field(description="lowest grade after which dosing resumes one level lower, by term")
    stop_at: dict[str, Grade] = Field(description="lowest grade that ends treatment, by term")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        faults: list[ConfigError] = []
        for term, grade in self.reduce_at.items():
            hold = self.hold_at.get(term)
            if hold is None or grade < hold:
                allowed = "a term held at the same or a lower grade: a dose is reduced when it resumes after a hold"
                faults.append(ConfigError(f"modification.reduce_at.{term}", grade, allowed))
        for term, grade in self.stop_at.items():
            hold = self.hold_at.get(term)
            if hold is not None and grade < hold:
                faults.append(
                    ConfigError(f"modification.stop_at.{term}", grade, f"no lower than hold_at, which is {hold}")
                )
        raise_all(faults)
        return self


class Modification(DoseModification):
    """Rules that turn adverse events into dose holds, reductions and stops while the trial runs."""

    resume_at: int = Field(ge=0, le=1, description="a held dose resumes when the grade is no higher than this")
    dose_fractions: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        min_length=1, description="dose levels as fractions of the starting dose, from 1 downwards"
    )
    max_hold_days: int = Field(ge=1, le=365, description="a hold longer than this ends treatment, days")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults: list[ConfigError] = []
        fractions = list(self.dose_fractions)
        if fractions[0] != 1.0 or any(low >= high for high, low in zip(fractions[:-1], fractions[1:], strict=True)):
            faults.append(
                ConfigError("modification.dose_fractions", fractions, "1.0 first, then strictly smaller numbers")
            )
        raise_all(faults)
        return self
