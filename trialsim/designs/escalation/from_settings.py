"""An escalation as the configuration asks for it. The one place that turns settings into a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialsim.designs.escalation import boin, crm, rolling_six, three_plus_three
from trialsim.designs.escalation.conduct import Backfill, Conduct
from trialsim.designs.escalation.played import Played
from trialsim.designs.escalation.queue import Queue
from trialsim.designs.escalation.tite import TimeToEvent

if TYPE_CHECKING:
    from trialsim.schema.design import EscalationSettings

Rule = three_plus_three.ThreePlusThree | rolling_six.RollingSix | crm.CRM | boin.BOIN


def play_design(design: EscalationSettings, queue: Queue, start: int) -> Played:
    """Play the design of a study on a queue.

    Args:
        start: index of the first level, that of ``regimen.dose``.
    """
    modules = {"three_plus_three": three_plus_three, "rolling_six": rolling_six, "crm": crm, "boin": boin}
    return modules[design.kind].play(queue, rule_of(design, start))


def rule_of(design: EscalationSettings, start: int) -> Rule:
    """The rule of a design; argument as in `play_design`."""
    backfill = None
    if design.backfill_cap is not None:
        backfill = Backfill(design.backfill_cap, design.backfill_max_dlt_rate)
    how = Conduct(start, design.suspend_accrual, True, backfill, design.expansion_patients)
    if design.kind == "three_plus_three":
        return three_plus_three.ThreePlusThree(design.deescalate, design.cohort_size, how)
    if design.kind == "rolling_six":
        return rolling_six.RollingSix(how)
    tite = None
    if design.time_to_event:
        tite = TimeToEvent(design.dlt.window_days, design.max_pending_fraction, design.min_judged_to_escalate)
    shared = dict(
        target=design.target_rate,
        cohort=design.cohort_size,
        max_patients=design.max_patients,
        max_at_level=design.max_at_level,
        toxic_limit=design.toxic_probability,
        tite=tite,
        how=how._replace(replace=design.replace_unevaluable),
    )
    if design.kind == "boin":
        return boin.BOIN(**shared, low=design.low_fraction, high=design.high_fraction)
    prior = design.dose_levels.index(design.prior_mtd)
    rates = crm.skeleton(
        design.skeleton_halfwidth, design.target_rate, prior, len(design.dose_levels), design.model, design.logistic_intercept
    )
    model = crm.Model(rates, design.model, design.prior_sd, design.logistic_intercept)
    return crm.CRM(**shared, model=model, skipping=design.skip_levels, confidence=design.stop_confidence)
