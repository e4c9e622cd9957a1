"""From settings to a trial that can be played, and to the plain setting in which it was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialsim.designs.randomised.bounds import Bounds, Efficacy, Futility, WangTsiatis, group_sequential
from trialsim.designs.randomised.conduct import Trial
from trialsim.designs.randomised.expected import Setting
from trialsim.designs.randomised.reestimate import Blinded, PromisingZone
from trialsim.designs.randomised.sizes import one_stratum, schoenfeld_events
from trialsim.designs.randomised.spending import Spending
from trialsim.schema.base import ConfigError
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.design.randomised import RandomisedSettings

DELTA = {"obrien_fleming": 0.0, "pocock": 0.5}  # of Wang and Tsiatis


def trial_of(settings: RandomisedSettings) -> Trial:
    """The trial that the settings describe. Events that are not given are those that have the power, rounded up."""
    bounds = bounds_of(settings)
    r = settings.ratio[1] / settings.ratio[0]
    single = float(schoenfeld_events(np.log(settings.hazard_ratio), settings.alpha / settings.sides, settings.power, r))
    last = settings.events or int(np.ceil(single * bounds.inflation - 1e-9))
    if last > settings.replicate_size:
        allowed = f"at least {last}, the events that give design.power under design.hazard_ratio"
        raise ConfigError("design.replicate_size", settings.replicate_size, allowed)
    events = np.ceil(bounds.fraction * last - 1e-9).astype(int)
    if np.any(np.diff(events, prepend=0) <= 0):
        raise ConfigError("design.look_fractions", list(settings.look_fractions), f"looks at least an event apart, of {last}")
    days = None if settings.look_months is None else np.array(settings.look_months) * DAYS_PER_MONTH
    return Trial(
        bounds=bounds,
        events=events,
        patients=settings.replicate_size,
        days=days,
        last_day=settings.cutoff_months * DAYS_PER_MONTH,
        ratio=settings.ratio,
        blocks=settings.block_sizes or None,
        stratified=settings.stratified,
        rho=settings.rho,
        gamma=settings.gamma,
        rmst_days=None if settings.rmst_months is None else settings.rmst_months * DAYS_PER_MONTH,
        reestimation=_reestimation(settings),
    )


def bounds_of(settings: RandomisedSettings) -> Bounds:
    """Bounds of the settings' looks."""
    efficacy: Efficacy
    shape = settings.efficacy
    if shape.name == "obrien_fleming" or shape.name == "pocock" or shape.name == "wang_tsiatis":
        efficacy = WangTsiatis(DELTA.get(shape.name, shape.parameter or 0.0))
    else:
        efficacy = Spending(shape.name, shape.parameter or 0.0)
    lower = settings.futility
    futility = None if lower is None else Futility(Spending(lower.name, lower.parameter or 0.0), lower.binding)
    looks = dict(sides=settings.sides, power=settings.power, futility=futility)
    try:
        return group_sequential(settings.look_fractions, settings.alpha, efficacy, **looks)
    except ValueError as error:
        key, value = ("design.efficacy", shape.name) if lower is None else ("design.futility.parameter", lower.parameter)
        raise ConfigError(key, value, f"another, or other looks: {error}") from error


def setting_of(settings: RandomisedSettings, control_median_months: float, hazard_ratio: float | None = None) -> Setting:
    """Plain exponential outcomes with the settings' accrual, drop-out and allocation, in days.

    Args:
        control_median_months: median time to the event on control, months. hazard_ratio: default: the planned one.
    """
    hr = settings.hazard_ratio if hazard_ratio is None else hazard_ratio
    duration = settings.accrual_months * DAYS_PER_MONTH
    return one_stratum(
        control=np.log(2.0) / (control_median_months * DAYS_PER_MONTH),
        hr=hr,
        rate=settings.replicate_size / duration,
        accrual_duration=duration,
        ratio=settings.ratio[1] / settings.ratio[0],
        drop_out=settings.withdrawal_rate_per_month / DAYS_PER_MONTH,
    )


def _reestimation(settings: RandomisedSettings) -> Blinded | PromisingZone | None:
    plan = settings.reestimation
    if plan is None:
        return None
    if plan.kind == "blinded":
        return Blinded(plan.look - 1, plan.month * DAYS_PER_MONTH, plan.most_patients)
    return PromisingZone(plan.look - 1, plan.lowest, plan.target, plan.most)
