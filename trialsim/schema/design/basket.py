"""Basket trials: one dose, several tumour types, a response rate in each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.base import KIND
from trialsim.schema.design.responders import ResponderSettings

Rate = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
MODEL = "how the rates of the baskets inform each other"


class Basket(Settings):
    """One tumour type of the trial."""

    null_rate: Rate = Field(description="response rate of no interest, p0, 0 to 1")
    target_rate: Rate = Field(description="response rate hoped for, p1, above null_rate")
    patients: int = Field(ge=1, le=500, description="evaluable patients at most")


class HalfNormalSettings(Settings):
    """Half-normal prior of the spread tau."""

    kind: Literal["half_normal"] = Field(description="prior of the spread between baskets")
    scale: Positive = Field(description="of tau, log odds")


class InverseGammaSettings(Settings):
    """Inverse gamma prior of the variance tau^2."""

    kind: Literal["inverse_gamma"] = Field(description="prior of the spread between baskets")
    shape: Positive = Field(description="shape")
    rate: Positive = Field(description="rate, squared log odds")


Spread = Annotated[HalfNormalSettings | InverseGammaSettings, Field(discriminator="kind")]


class IndependentSettings(Settings):
    """Every basket by itself: beta prior with mean null_rate."""

    kind: Literal["independent"] = Field(description=MODEL)
    prior_patients: Positive = Field(description="patients that the beta prior is worth, a + b")


class PooledSettings(Settings):
    """One rate in all baskets: beta prior with the mean of the null rates."""

    kind: Literal["pooled"] = Field(description=MODEL)
    prior_patients: Positive = Field(description="patients that the beta prior is worth, a + b")


class BerrySettings(Settings):
    """Hierarchical: logit p_k - logit target_rate_k ~ N(mu, tau^2)."""

    kind: Literal["berry"] = Field(description=MODEL)
    mean: float = Field(ge=-10, le=10, description="prior mean of mu, log odds relative to target_rate")
    sd: float = Field(gt=0, le=20, description="prior standard deviation of mu, log odds")
    tau: Spread


class ComponentSettings(Settings):
    """One exchangeable distribution."""

    weight: float = Field(ge=0, le=1, description="chance that a basket belongs to it")
    rate: Rate = Field(description="rate whose log odds are the prior mean of mu")
    sd: float = Field(gt=0, le=20, description="prior standard deviation of mu, log odds")
    tau: Spread


class ExnexSettings(Settings):
    """Exchangeable or not: with the rest of the weight a basket stands by itself, logit p_k ~ N(logit own_rate, own_sd^2)."""

    kind: Literal["exnex"] = Field(description=MODEL)
    components: tuple[ComponentSettings, ...] = Field(min_length=1, max_length=2, description="exchangeable distributions")
    own_rate: Rate = Field(description="rate whose log odds are the mean of a basket that stands by itself")
    own_sd: float = Field(gt=0, le=20, description="standard deviation of such a basket, log odds")


class FutilitySettings(Settings):
    """Stopping a basket at an interim look."""

    kind: Literal["posterior", "predictive"] = Field(
        description="posterior: probability that the rate exceeds the middle of null_rate and target_rate; predictive: of success"
    )
    below: float = Field(ge=0, le=1, description="stops under this probability; 0 never")
    binding: bool = Field(description="whether gamma counts on it; if not, the error is kept even where a trial goes on")


class BasketSettings(ResponderSettings):
    """Baskets at one dose with interim looks (Berry, Clin Trials 2013;10:720-34; Neuenschwander, Pharm Stat 2016;15:123-34)."""

    kind: Literal["basket"] = Field(description=KIND)
    baskets: dict[str, Basket] = Field(min_length=1, description="tumour types and their rates and sizes")
    model: IndependentSettings | PooledSettings | BerrySettings | ExnexSettings = Field(discriminator="kind")
    looks: tuple[Annotated[int, Field(ge=1)], ...] = Field(description="known outcomes of a basket at its interim looks")
    hold_accrual: bool = Field(description="whether a basket's accrual waits for the outcomes of a look")
    futility: FutilitySettings
    efficacy_above: float = Field(gt=0, le=1, description="probability of p > null_rate that ends a basket with success; 1 never")
    least_estimate: float = Field(ge=0, lt=1, description="posterior mean that success needs besides, 0 to 1; 0 asks nothing")
    gamma: float | None = Field(ge=0, le=1, description="final threshold of Pr(p > null_rate); null: calibrated to the error")
    error: Literal["basket", "family"] = Field(description="type I error that gamma keeps: of each basket, or of any")
    alpha: float = Field(gt=0, lt=1, description="that error under the global null")

    def own_faults(self) -> list[ConfigError]:
        faults = []
        for name, basket in self.baskets.items():
            if basket.target_rate <= basket.null_rate:
                key = f"design.baskets.{name}.target_rate"
                faults.append(ConfigError(key, basket.target_rate, f"more than null_rate = {basket.null_rate:g}"))
        total = sum(basket.patients for basket in self.baskets.values())
        if self.replicate_size < total:
            allowed = f"at least {total}, the patients of all baskets together"
            faults.append(ConfigError("design.replicate_size", self.replicate_size, allowed))
        looks = list(self.looks)
        if any(low >= high for low, high in zip(looks[:-1], looks[1:], strict=True)):
            faults.append(ConfigError("design.looks", looks, "strictly increasing numbers of patients"))
        if self.futility.kind == "predictive" and self.futility.binding:
            allowed = "false, as the predictive probability of success depends on gamma"
            faults.append(ConfigError("design.futility.binding", True, allowed))
        if isinstance(self.model, ExnexSettings):
            weight = sum(component.weight for component in self.model.components)
            if weight > 1.0 + 1e-9:
                faults.append(ConfigError("design.model.components", weight, "weights that add up to at most 1"))
            if len(self.model.components) == 2 and len(self.baskets) > 8:
                allowed = "one exchangeable distribution, as there are more than 8 baskets"
                faults.append(ConfigError("design.model.components", 2, allowed))
        return faults
