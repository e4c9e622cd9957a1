"""The design with a historical control that the settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from trialsim.designs.basket.hyperpriors import Exchangeable, HalfNormal
from trialsim.designs.borrowing.decision import ControlledDesign
from trialsim.designs.borrowing.map_prior import fit_mixture, map_prior
from trialsim.designs.borrowing.mixture import beta_mixture, robustify

if TYPE_CHECKING:
    from trialsim.schema.design.historical import HistoricalControlSettings


def historical_design(settings: HistoricalControlSettings, events: ArrayLike, n: ArrayLike) -> ControlledDesign:
    """Args:
    events, n: patients with the outcome and patients of the historical arms that the settings name, (studies,).
    """
    history = settings.history
    predicted = map_prior(events, n, Exchangeable(history.mean, history.sd, HalfNormal(history.tau_scale)))
    control = robustify(fit_mixture(predicted, history.components), history.robust_weight, history.robust_mean)
    treated = beta_mixture((1.0, settings.treated_prior.a, settings.treated_prior.b))
    return ControlledDesign(treated, control, settings.treated, settings.control, settings.gamma, settings.margin)
