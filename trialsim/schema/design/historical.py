"""A treated arm against a control arm that borrows from earlier studies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.base import KIND
from trialsim.schema.design.responders import ResponderSettings


class BetaSettings(Settings):
    """Beta distribution of a rate."""

    a: float = Field(ge=0.5, description="responders that it is worth")
    b: float = Field(ge=0.5, description="others that it is worth")


class HistorySettings(Settings):
    """Which published arms the control rate is predicted from, and how."""

    drug: str = Field(description="drug of the arms in the evidence tables, given alone")
    tumour_types: tuple[str, ...] = Field(description="project names; empty: all")
    age_group: Literal["adult", "paediatric", "any"] = Field(description="of the arms")
    mean: float = Field(ge=-10, le=10, description="prior mean of mu, log odds")
    sd: float = Field(gt=0, le=20, description="prior standard deviation of mu, log odds")
    tau_scale: float = Field(gt=0, le=5, description="scale of the half-normal prior of the spread between studies, log odds")
    components: Annotated[int, Field(ge=1, le=4)] | None = Field(description="beta distributions of the mixture; null: by AIC")
    robust_weight: float = Field(ge=0, le=1, description="chance given beforehand that the history does not apply")
    robust_mean: float = Field(gt=0, lt=1, description="mean of the vague component, worth one patient more than none")


class HistoricalControlSettings(ResponderSettings):
    """Treated arm and controls, fewer or none, with a robust MAP prior of the control rate (Schmidli, Biometrics 2014;70:1023-32)."""

    kind: Literal["historical_control"] = Field(description=KIND)
    treated: int = Field(ge=1, le=2000, description="treated patients")
    control: int = Field(ge=0, le=2000, description="control patients; 0: a single arm against the history")
    treated_prior: BetaSettings
    history: HistorySettings
    gamma: float = Field(gt=0, lt=1, description="success if Pr(p_t - p_c > margin) exceeds this")
    margin: float = Field(gt=-1, lt=1, description="difference of the rates to be exceeded")

    def own_faults(self) -> list[ConfigError]:
        if self.replicate_size != self.treated + self.control:
            allowed = f"design.treated + design.control = {self.treated + self.control}"
            return [ConfigError("design.replicate_size", self.replicate_size, allowed)]
        return []
