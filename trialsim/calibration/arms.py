"""The arms of published trials, each as the settings that simulate it, and what was published of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trialsim.bank.treatments import arm_of
from trialsim.schema.design.treatments import CONTROL, DRUG

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


CHILDREN_BELOW_Y = 30.0  # a population with nobody older is one of children


class Arm(NamedTuple):
    """Attributes: trial: its file's name. study: trial_id of the evidence tables, shared by the files of one study. arm: DRUG or
    CONTROL. config: of the trial, with the arm's partner drugs. published: TRIAL/ARM. patients: in the arm."""

    trial: str
    study: str
    arm: str
    config: StudyConfig
    published: str
    patients: int

    @property
    def on_drug(self) -> bool:
        return self.arm == DRUG

    @property
    def name(self) -> str:
        return f"{self.trial}/{self.arm}"


def arms_of(config: StudyConfig) -> list[Arm]:
    """The arms of a trial of which something was published."""
    settings, found = config.analysis, []
    for arm, name, patients in (
        (DRUG, config.study.published, settings.patients),
        (CONTROL, settings.published_control, settings.patients_control),
    ):
        if name is not None and patients > 0:
            study = name.partition("/")[0]
            found.append(Arm(config.study.name, study, arm, arm_of(config, arm), name, patients))
    return found
