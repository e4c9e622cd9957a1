"""Where the patients of the bank come from: the mechanism, or stated probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from trialsim.bank import dose_finding, plain, treatments
from trialsim.schema.analysis.plain import PlainSettings
from trialsim.schema.design.treatments import CONTROL
from trialsim.simulation import Block

if TYPE_CHECKING:
    from trialsim.schema.analysis.compare_designs import CompareDesignsSettings
    from trialsim.schema.design import EscalationSettings
    from trialsim.schema.study import StudyConfig

Tables = dict[str, pd.DataFrame]


class Source(NamedTuple):
    """doses: a block of patients at every dose level, see `dose_finding.simulate`. patients: a block under one treatment, see
    `treatments.simulate`. covariates: of a block, without outcomes. mechanistic: whether there is something to integrate."""

    doses: Callable[[EscalationSettings, Block], Tables]
    patients: Callable[[Block, str], Tables]
    covariates: Callable[[Block], pd.DataFrame]
    mechanistic: bool


def source_of(config: StudyConfig, settings: CompareDesignsSettings) -> Source:
    """As ``analysis.outcomes`` says."""
    stated = settings.outcomes
    if isinstance(stated, PlainSettings):
        drawn = partial(plain.patients, config, stated, settings.benefit.marker)
        return Source(
            doses=partial(plain.doses, config, stated),
            patients=drawn,
            covariates=lambda block: drawn(block, CONTROL)["patients"],
            mechanistic=False,
        )
    return Source(
        doses=partial(dose_finding.simulate, config),
        patients=partial(treatments.simulate, config),
        covariates=lambda block: treatments.enrolled(config, block, CONTROL),
        mechanistic=True,
    )
