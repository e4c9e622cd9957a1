"""An escalation as the configuration asks for it. The one place that turns settings into a rule."""

from __future__ import annotations

from trialsim.designs.escalation import boin, crm, rolling_six, three_plus_three
from trialsim.designs.escalation.boin import BOIN
from trialsim.designs.escalation.conduct import Backfill, Conduct
from trialsim.designs.escalation.crm import CRM
from trialsim.designs.escalation.played import Played
from trialsim.designs.escalation.queue import Queue
from trialsim.designs.escalation.rolling_six import RollingSix
from trialsim.designs.escalation.three_plus_three import ThreePlusThree
from trialsim.designs.escalation.tite import TimeToEvent
from trialsim.schema.design.escalation import (
    BOINSettings,
    CRMSettings,
    EscalationSettings,
    RollingSixSettings,
    TargetSettings,
    ThreePlusThreeSettings,
)

Rule = ThreePlusThree | RollingSix | CRM | BOIN


def play_design(design: EscalationSettings, queue: Queue, start: int) -> Played:
    """Play the design of a study on a queue.

    Args:
        start: index of the first level, that of ``regimen.dose``.
    """
    match rule_of(design, start):
        case ThreePlusThree() as rule:
            return three_plus_three.play(queue, rule)
        case RollingSix() as rule:
            return rolling_six.play(queue, rule)
        case CRM() as rule:
            return crm.play(queue, rule)
        case BOIN() as rule:
            return boin.play(queue, rule)


def rule_of(design: EscalationSettings, start: int) -> Rule:
    """The rule of a design; argument as in `play_design`."""
    how = conduct_of(design, start)
    match design:
        case ThreePlusThreeSettings():
            return ThreePlusThree(design.deescalate, design.cohort_size, how)
        case RollingSixSettings():
            return RollingSix(how)
        case CRMSettings():
            return CRM(
                target=design.target_rate,
                model=model_of(design),
                cohort=design.cohort_size,
                max_patients=design.max_patients,
                max_at_level=design.max_at_level,
                skipping=design.skip_levels,
                toxic_limit=design.toxic_probability,
                confidence=design.stop_confidence,
                tite=tite_of(design),
                how=how,
            )
        case BOINSettings():
            return BOIN(
                target=design.target_rate,
                cohort=design.cohort_size,
                max_patients=design.max_patients,
                max_at_level=design.max_at_level,
                low=design.low_fraction,
                high=design.high_fraction,
                toxic_limit=design.toxic_probability,
                tite=tite_of(design),
                how=how,
            )
    raise TypeError(f"no rule for {design.kind}")


def conduct_of(design: EscalationSettings, start: int) -> Conduct:
    """Start, accrual, replacement, backfilling, expansion."""
    replace = design.replace_unevaluable if isinstance(design, TargetSettings) else True
    backfill = None if design.backfill_cap is None else Backfill(design.backfill_cap, design.backfill_max_dlt_rate)
    return Conduct(start, design.suspend_accrual, replace, backfill, design.expansion_patients)


def tite_of(design: TargetSettings) -> TimeToEvent | None:
    """Whether and how patients who are still followed count."""
    if not design.time_to_event:
        return None
    return TimeToEvent(design.dlt.window_days, design.max_pending_fraction, design.min_judged_to_escalate)


def model_of(design: CRMSettings) -> crm.Model:
    """The CRM's model, with a skeleton around the level taken for the MTD."""
    rates = crm.skeleton(
        design.skeleton_halfwidth,
        design.target_rate,
        design.dose_levels.index(design.prior_mtd),
        len(design.dose_levels),
        design.model,
        design.logistic_intercept,
    )
    return crm.Model(rates, design.model, design.prior_sd, design.logistic_intercept)
