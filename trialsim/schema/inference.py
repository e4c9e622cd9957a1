"""Settings of the inference: the priors, the sampler, and when its result may be believed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from trialsim.schema.base import Settings

Covariate = Literal["pathway_altered", "kras_mutated", "later_line", "poor_performance"]


class ResponsePriors(Settings):
    """Priors of the hierarchical response model, all on the logit scale and the same for every endpoint.

    The defaults are weak: with one tumour type and no covariates the posterior is Beta(y + 1, n - y + 1) exactly.
    """

    intercept_location: float = Field(0.0, ge=-10, le=10, description="centre of the logistic prior of the mean logit")
    intercept_scale: float = Field(1.0, gt=0, le=10, description="its scale; 0 and 1 make the rate itself uniform on 0 to 1")
    covariate_sd: float = Field(1.0, gt=0, le=10, description="SD of the normal prior of a log odds ratio")
    heterogeneity_scale: float = Field(1.0, gt=0, le=10, description="scale of the half-normal prior of the SD between types")


class DltPriors(Settings):
    """Priors of the dose-toxicity model: logit P(DLT) = alpha + slope * log(dose / reference dose), slope > 0."""

    reference_rate: float = Field(0.25, gt=0, lt=1, description="prior median of P(DLT) at the reference dose")
    intercept_sd: float = Field(2.0, gt=0, le=10, description="SD of the normal prior of alpha")
    log_slope_mean: float = Field(0.0, ge=-5, le=5, description="mean of the normal prior of log slope")
    log_slope_sd: float = Field(1.0, gt=0, le=5, description="SD of the normal prior of log slope")


class DiagnosticThresholds(Settings):
    """A fit that misses one of the first five is not to be believed; a high Pareto k only spoils the LOO estimate."""

    max_rhat: float = Field(1.01, gt=1, le=1.5, description="largest rank-normalised split R-hat")
    min_ess: float = Field(400, ge=1, description="smallest bulk or tail effective sample size, all chains together")
    max_divergences: int = Field(0, ge=0, description="divergent transitions after warm-up")
    min_bfmi: float = Field(0.3, ge=0, le=1, description="smallest energy fraction of missing information of a chain")
    min_predictive_p: float = Field(0.001, ge=0, lt=0.5, description="smallest posterior predictive p-value, two-sided")
    max_pareto_k: float = Field(0.7, gt=0, le=1, description="Pareto k above which leave-one-out is unreliable for a cell")


class InferenceSettings(Settings):
    """How the response and dose-toxicity models are fitted, and how the predictive distributions are drawn."""

    chains: int = Field(4, ge=2, le=64, description="Markov chains; R-hat needs at least two")
    warmup: int = Field(1000, ge=50, le=100_000, description="adaptation steps a chain, thrown away")
    samples: int = Field(1500, ge=50, le=1_000_000, description="posterior draws kept a chain")
    target_accept: float = Field(0.98, gt=0.5, lt=1, description="acceptance the step size is adapted to; higher is slower, safer")
    max_tree_depth: int = Field(10, ge=3, le=15, description="NUTS doubles a trajectory at most this often")
    covariates: tuple[Covariate, ...] = Field(
        ("pathway_altered", "later_line"), description="strata of the response model, made from the patients table"
    )
    later_line_from: int = Field(3, ge=2, le=10, description="line of therapy from which a patient counts as later line")
    priors: ResponsePriors = ResponsePriors()
    dlt_priors: DltPriors = DltPriors()
    predictive_draws: int = Field(4000, ge=200, le=1_000_000, description="virtual studies of the published size to draw")
    recovery_level: float = Field(0.95, gt=0.5, lt=1, description="level of the intervals in which the truth is looked for")
    seed_offset: int = Field(0, ge=0, le=2**31 - 1, description="other random numbers for the fit, same patients")
    thresholds: DiagnosticThresholds = DiagnosticThresholds()

    @field_validator("covariates")
    @classmethod
    def _named_once(cls, covariates: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(covariates)) != len(covariates):
            raise ValueError("each covariate named once")
        return covariates
