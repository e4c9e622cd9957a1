"""Every inference model of the package, and how often it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from trialsim.calibration import meta
from trialsim.sbc import designs, hierarchies, trial_models
from trialsim.sbc.ranks import Batch


class Model(NamedTuple):
    """Attributes: group: heading on the page. code: module with the model. data: what one data set is. computed: how the posterior
    is found. repetitions: data sets. batch: makes the function that repeats it."""

    group: str
    code: str
    data: str
    computed: str
    repetitions: int
    batch: Callable[[], Batch]


@cache
def _evidence() -> Any:
    return hierarchies.evidence()


def _nuts(chains: int, warmup: int, samples: int) -> str:
    return f"NUTS, {chains} chain{'s' if chains > 1 else ''} of {samples} draws after {warmup}"


_TRIAL = _nuts(trial_models.SETTINGS.chains, trial_models.SETTINGS.warmup, trial_models.SETTINGS.samples)
_HIERARCHY = _nuts(hierarchies.SAMPLER.chains, hierarchies.SAMPLER.warmup, hierarchies.SAMPLER.samples)
SAMPLED, EXACT = 200, 2000  # repetitions of a model that is sampled in a second, of one that is computed in milliseconds
QUADRATURE, HIERARCHIES = 200, 100  # of one whose quadrature takes tenths of a second, of one that is sampled in many


def _of_trials(data: str, batch: Callable[[], Batch], code: str = "inference.response") -> Model:
    return Model("Models of every trial", f"trialsim.{code}", data, _TRIAL, SAMPLED, batch)


def _calibration(data: str, batch: Callable[[], Batch], code: str) -> Model:
    return Model("Models of the calibration", f"trialsim.calibration.{code}", data, _HIERARCHY, HIERARCHIES, batch)


def _design(data: str, batch: Callable[[], Batch], code: str, computed: str = "closed form", repetitions: int = EXACT) -> Model:
    return Model("Models of designs", f"trialsim.designs.{code}", data, computed, repetitions, batch)


_BASKETS = "baskets of 24, 16, 10 and 5 patients"
_DOSES = "24 patients on five dose levels"
MODELS: dict[str, Model] = {
    "response, one type": _of_trials("17 patients, one endpoint", lambda: trial_models.response_model(1)),
    "response, types": _of_trials("49 patients of five tumour types, one endpoint", lambda: trial_models.response_model(5)),
    "response, covariates": _of_trials("the same, two binary covariates", lambda: trial_models.response_model(5, covariates=2)),
    "response, endpoints": _of_trials(
        "the same, one covariate, three endpoints", lambda: trial_models.response_model(5, covariates=1, endpoints=3)
    ),
    "DLT, one stratum": _of_trials("24 patients on four dose levels", lambda: trial_models.dlt_model(["one"]), "inference.dlt"),
    "DLT, two strata": _of_trials("24 and 27 patients", lambda: trial_models.dlt_model(["one", "two"]), "inference.dlt"),
    "mechanistic hierarchy": _calibration(
        "45 numbers of ten trials", lambda: hierarchies.mechanistic(hierarchies.made_up_problem(_evidence())), "model"
    ),
    "meta-analysis": _calibration(
        "the same", lambda: hierarchies.statistical(meta.table(_evidence().numbers, _evidence().arms)), "meta"
    ),
    "CRM, empiric": _design(_DOSES, lambda: designs.crm("empiric"), "escalation.crm_model", "sum over nodes"),
    "CRM, logistic": _design(_DOSES, lambda: designs.crm("logistic"), "escalation.crm_model", "sum over nodes"),
    "TITE-CRM": _design(f"{_DOSES}, half of them followed to the end", designs.tite_crm, "escalation.crm_model", "sum over nodes"),
    "BOIN, rate of a level": _design("nine patients", designs.boin_level, "escalation.boin"),
    "predictive probability": _design("17 of 40 patients", designs.predictive, "single_arm.predictive"),
    "best of several arms": _design("four arms of 10 to 30 patients", designs.arms, "adaptive.posterior", "sum over nodes"),
    "baskets, independent": _design(_BASKETS, designs.independent_baskets, "basket.models"),
    "baskets, pooled": _design(_BASKETS, designs.pooled_baskets, "basket.models"),
    "baskets, Berry": _design(
        f"{_BASKETS}, half-normal spread", lambda: designs.berry_baskets(False), "basket.models", "quadrature", QUADRATURE
    ),
    "baskets, Berry, inverse gamma": _design(
        f"{_BASKETS}, inverse gamma spread", lambda: designs.berry_baskets(True), "basket.models", "quadrature", QUADRATURE
    ),
    "baskets, EXNEX": _design(
        f"{_BASKETS}, one distribution", lambda: designs.exnex_baskets(1), "basket.models", "quadrature", QUADRATURE
    ),
    "baskets, EXNEX of two": _design(
        f"{_BASKETS}, two distributions", lambda: designs.exnex_baskets(2), "basket.models", "quadrature", QUADRATURE
    ),
    "historical control": _design(
        "five past arms, two new ones of 20", designs.historical_control, "borrowing", "quadrature, beta mixture", QUADRATURE
    ),
}
