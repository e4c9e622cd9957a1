"""The basket design that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trialsim.designs.basket.hyperpriors import Exchangeable, HalfNormal, InverseGamma, TauPrior
from trialsim.designs.basket.models import Independent, Model, Pooled, berry, exnex
from trialsim.designs.basket.operating import calibrate, plain_responses
from trialsim.designs.basket.trial import BasketDesign, Futility
from trialsim.schema.base import ConfigError

if TYPE_CHECKING:
    from trialsim.schema.design.basket import BasketSettings, Spread


def basket_design(settings: BasketSettings, generator: np.random.Generator, replicates: int = 20_000) -> BasketDesign:
    """The design; gamma calibrated on plain responses with immediate outcomes where the settings leave it open.

    Args:
        replicates: of the calibration; ten times as many for the models that are quick to fit.

    Raises:
        ConfigError: success at the looks alone takes more than alpha.
    """
    baskets = list(settings.baskets.values())
    null, target = (np.array([getattr(basket, name) for basket in baskets]) for name in ("null_rate", "target_rate"))
    caps = np.array([basket.patients for basket in baskets])
    futility = Futility(settings.futility.kind, settings.futility.below, (null + target) / 2.0)
    design = BasketDesign(
        model=model(settings, null, target),
        null_rate=null,
        caps=caps,
        gamma=np.full(len(baskets), np.nan if settings.gamma is None else settings.gamma),
        least_estimate=np.full(len(baskets), settings.least_estimate),
        looks=settings.looks,
        futility=futility if settings.futility.below > 0 else None,
        efficacy=settings.efficacy_above if settings.efficacy_above < 1 else None,
        hold=settings.hold_accrual,
    )
    if settings.gamma is not None:
        return design
    if settings.model.kind in ("independent", "pooled"):  # posteriors in closed form
        replicates *= 10
    outcomes = plain_responses(null, caps, replicates, generator)
    try:
        gamma = calibrate(design, outcomes, settings.alpha, settings.error, settings.futility.binding)
    except ValueError as error:
        raise ConfigError("design.efficacy_above", settings.efficacy_above, f"higher: {error}") from error
    return design._replace(gamma=gamma)


def model(settings: BasketSettings, null: np.ndarray, target: np.ndarray) -> Model:
    """The model of the rates, for the baskets' null and target rates, (baskets,)."""
    chosen = settings.model
    if chosen.kind == "independent":
        return Independent(null * chosen.prior_patients, (1.0 - null) * chosen.prior_patients)
    if chosen.kind == "pooled":
        mean = float(null.mean())
        return Pooled(mean * chosen.prior_patients, (1.0 - mean) * chosen.prior_patients)
    if chosen.kind == "berry":
        return berry(target, chosen.mean, chosen.sd, _spread(chosen.tau))
    components = tuple(Exchangeable(float(special.logit(part.rate)), part.sd, _spread(part.tau)) for part in chosen.components)
    weights = np.array([part.weight for part in chosen.components])
    own = np.full(null.size, special.logit(chosen.own_rate))
    return exnex(components, np.append(weights, max(0.0, 1.0 - weights.sum())), own, np.full(null.size, chosen.own_sd))


def _spread(settings: Spread) -> TauPrior:
    if settings.kind == "half_normal":
        return HalfNormal(settings.scale)
    return InverseGamma(settings.shape, settings.rate)
