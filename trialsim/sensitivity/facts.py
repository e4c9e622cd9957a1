"""Laboratory facts at other parameter values, and their slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np

from trialsim.evidence.laboratory import LaboratoryFact, load_laboratory
from trialsim.laboratory import IN_DISHES, IN_PATIENTS, Bench, Clinic
from trialsim.laboratory.lines import grow_panel
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.sensitivity.priors import Prior, changed, constants_of
from trialsim.sensitivity.references import REFERENCES, with_references

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

LINES = 69  # of the panel: three of the published one's size
_with_references = jax.jit(with_references)


def consistent(config: StudyConfig) -> StudyConfig:
    """The configuration with the reference levels that follow from its constants."""
    spread = config.network.spread
    one = lambda value: np.full(1, value, np.float64)
    with jax.enable_x64(True):
        found = _with_references(jax.tree.map(one, constants_of(config)), one(spread.f_S6K), one(spread.f_GRB10))
    return changed(config, {f"network.signalling.{name}": float(getattr(found, name)[0]) for name in REFERENCES})


def facts_asked() -> tuple[LaboratoryFact, ...]:
    """Every fact that some experiment measures."""
    return tuple(fact for fact in load_laboratory() if fact.fact_id in IN_DISHES or fact.fact_id in IN_PATIENTS)


def fact_values(config: StudyConfig) -> np.ndarray:
    """The model's value of each fact of `facts_asked`, in order."""
    config = consistent(config)
    settings = config.analysis
    patients = config.model_copy(update={"partner": {settings.autophagy_inhibitor.name: settings.autophagy_inhibitor}})
    bench, clinic = Bench(config, settings.dish_drug, NetworkConstants(*constants_of(config))), Clinic(patients)
    bench.panel = grow_panel(config, settings.dish_drug, bench.constants, LINES)
    bench.prepare(IN_DISHES.values())
    ids = [fact.fact_id for fact in facts_asked()]
    return np.array([IN_DISHES[name](bench) if name in IN_DISHES else IN_PATIENTS[name](clinic) for name in ids], float)


def slope(config: StudyConfig, prior: Prior, step: float) -> np.ndarray:
    """d value of each fact / d parameter, per prior standard deviation of the parameter on its scale; (facts,).

    Central difference. ``step``: each way, prior standard deviations.
    """
    low, high = (prior.moved(sign * step) for sign in (-1.0, 1.0))
    apart = (prior.to_scale(high) - prior.to_scale(low)) / prior.sd
    below, above = (fact_values(changed(config, {prior.path: value})) for value in (low, high))
    return (above - below) / apart
