"""Names of the treatments that designs compare: ``drug``, the rapalog at ``regimen.dose``; ``control``, without it; ``crossover``,
without it until progression and with it from then on; ``dose_<x>``, at another dose. Partner drugs are given in all of these;
``alone`` is the rapalog without them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trialsim.schema.design.adaptive import MultiArmSettings
from trialsim.schema.design.historical import HistoricalControlSettings
from trialsim.schema.design.randomised import RandomisedSettings

if TYPE_CHECKING:
    from trialsim.schema.design.base import DesignSettings

DRUG, CONTROL, CROSSOVER, ALONE = "drug", "control", "crossover", "alone"


def at_dose(dose: float, regimen_dose: float) -> str:
    """Name of the treatment with the rapalog at a dose."""
    return CONTROL if dose == 0 else DRUG if dose == regimen_dose else f"dose_{dose:g}"


def treatments_of(designs: Iterable[DesignSettings], regimen_dose: float) -> list[str]:
    """Names of the treatments that the designs compare."""
    names = [DRUG, CONTROL]
    for design in designs:
        if isinstance(design, MultiArmSettings):
            names += [at_dose(dose, regimen_dose) for dose in design.arm_doses]
        if isinstance(design, RandomisedSettings) and design.crossover_probability > 0:
            names.append(CROSSOVER)
        if isinstance(design, HistoricalControlSettings):
            names.append(ALONE)
    return list(dict.fromkeys(names))
