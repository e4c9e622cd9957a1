"""How a trial decides. One class a kind; ``Design`` lists them, and ``kind`` in the configuration chooses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.schema.design.adaptive import AdaptiveRandomisationSettings, SelectTheWinnerSettings
from trialsim.schema.design.base import DesignSettings as DesignSettings
from trialsim.schema.design.basket import BasketSettings as BasketSettings
from trialsim.schema.design.biomarker import BiomarkerDesign
from trialsim.schema.design.escalation import BOINSettings, CRMSettings, RollingSixSettings, ThreePlusThreeSettings
from trialsim.schema.design.escalation import EscalationSettings as EscalationSettings
from trialsim.schema.design.historical import HistoricalControlSettings as HistoricalControlSettings
from trialsim.schema.design.randomised import RandomisedSettings as RandomisedSettings
from trialsim.schema.design.single_arm import (
    PredictiveProbabilitySettings,
    SingleArmSettings,
    SingleStageSettings,
    TwoStageSettings,
)
from trialsim.schema.design.single_arm import ResponseRateSettings as ResponseRateSettings

Design = Annotated[
    SingleArmSettings
    | ThreePlusThreeSettings
    | RollingSixSettings
    | CRMSettings
    | BOINSettings
    | SingleStageSettings
    | TwoStageSettings
    | PredictiveProbabilitySettings
    | AdaptiveRandomisationSettings
    | SelectTheWinnerSettings
    | RandomisedSettings
    | BiomarkerDesign
    | BasketSettings
    | HistoricalControlSettings,
    Field(discriminator="kind"),
]
