"""How a trial decides. One class a kind; ``Design`` lists them, and ``kind`` in the configuration chooses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.schema.design.base import DesignSettings as DesignSettings
from trialsim.schema.design.basket import BasketSettings as BasketSettings
from trialsim.schema.design.escalation import EscalationSettings as EscalationSettings
from trialsim.schema.design.escalation import ThreePlusThreeSettings
from trialsim.schema.design.historical import HistoricalControlSettings as HistoricalControlSettings
from trialsim.schema.design.single_arm import SingleArmSettings

Design = Annotated[
    SingleArmSettings | ThreePlusThreeSettings | BasketSettings | HistoricalControlSettings, Field(discriminator="kind")
]
