"""From the settings of a single-arm trial to its looks, and to the trial played."""

from __future__ import annotations

from trialsim.designs.single_arm.binomial import Looks, single_stage
from trialsim.designs.single_arm.conduct import Played, Responses, play
from trialsim.designs.single_arm.predictive import Prior, design_of, look_sizes, responders_needed, search
from trialsim.designs.single_arm.simon import admissible, minimax, optimal, two_stage_looks
from trialsim.schema.base import ConfigError
from trialsim.schema.design.single_arm import PredictiveProbabilitySettings, ResponseRateSettings, TwoStageSettings


def looks_of(design: ResponseRateSettings) -> Looks:
    """The looks that the settings ask for.

    Raises:
        ConfigError: no trial of at most ``max_patients`` keeps both error rates.
    """
    if isinstance(design, TwoStageSettings):
        found = _two_stage(design)
    elif isinstance(design, PredictiveProbabilitySettings):
        found = _predictive(design)
    else:
        found = _single_stage(design)
    if found is None:
        wish = f"rates of {design.p0:g} and {design.p1:g} with alpha = {design.alpha:g} and beta = {design.beta:g}"
        if isinstance(design, PredictiveProbabilitySettings):
            wish += f" and theta_t = {design.theta_t:g}"
        allowed = f"more, or other error rates: no design of this size tells apart {wish}"
        raise ConfigError("design.max_patients", design.max_patients, allowed)
    return found


def play_design(design: ResponseRateSettings, patients: Responses) -> Played:
    """Play the design that the settings ask for on every replicate."""
    return play(looks_of(design), patients, design.halt_accrual, design.replace_inevaluable)


def _single_stage(design: ResponseRateSettings) -> Looks | None:
    found = single_stage(design.p0, design.p1, design.alpha, design.beta, max_patients=design.max_patients)
    return found[0].looks if found else None


def _two_stage(design: TwoStageSettings) -> Looks | None:
    if design.given is not None:
        return two_stage_looks(design.given.r1, design.given.n1, design.given.r, design.given.n)
    question = (design.p0, design.p1, design.alpha, design.beta, design.max_patients)
    if design.criterion == "admissible":
        return next((one.design.looks for one in admissible(*question) if one.low <= design.size_weight), None)
    found = optimal(*question) if design.criterion == "optimal" else minimax(*question)
    return found.looks if found else None


def _predictive(design: PredictiveProbabilitySettings) -> Looks | None:
    prior, first, every = Prior(design.prior_a, design.prior_b), design.first_look, design.look_every
    rates = (design.p0, design.p1)
    sizes = range(design.min_patients, design.max_patients + 1)
    if design.theta_t is None:
        found = search(*rates, design.alpha, design.beta, prior, sizes, first, every, [design.theta_l], design.theta_u)
        return found.looks if found else None
    for n in sizes:
        needed = responders_needed(n, design.p0, prior, design.theta_t)
        if needed <= n:
            made = design_of(look_sizes(first, every, n), needed, *rates, prior, design.theta_l, design.theta_u)
            if made.type1 <= design.alpha and made.power >= 1.0 - design.beta:
                return made.looks
    return None
