"""From the settings of a trial with several arms to its rules."""

from __future__ import annotations

import numpy as np

from trialsim.designs.adaptive.outcomes import Outcomes, plain_outcomes
from trialsim.designs.adaptive.posterior import Prior
from trialsim.designs.adaptive.randomised import Played, Rules, calibrate, play
from trialsim.designs.adaptive.selection import Winner, dunnett_critical, winner_design
from trialsim.designs.adaptive.winner import WinnerPlayed, play_winner
from trialsim.schema.design.adaptive import AdaptiveRandomisationSettings, SelectTheWinnerSettings
from trialsim.units import DAYS_PER_WEEK


def rules_of(design: AdaptiveRandomisationSettings, rng: np.random.Generator) -> Rules:
    """The rules that the settings ask for; a threshold that is not given is found.

    Args:
        rng: for the calibration of the threshold.
    """
    rules = Rules(
        burn_in=design.burn_in,
        block=design.block,
        power=design.power,
        low=design.lowest_share,
        high=design.highest_share,
        control_share=design.control_share,
        drop=design.drop,
        drop_below=design.drop_below,
        drop_looks=design.drop_looks,
        final=design.final,
        threshold=1.0 - design.alpha,
        success=1.0 - design.alpha,
        prior=Prior(design.prior_a, design.prior_b),
    )
    if design.threshold is not None:
        return rules._replace(threshold=design.threshold)
    arms, size = len(design.arm_doses), design.replicate_size
    if design.final == "test":
        control = design.control_share or 1.0 / arms
        ratio = (1.0 - control) / (arms - 1) / control  # planned patients of an arm for one of the control
        return rules._replace(threshold=dunnett_critical(arms - 1, design.alpha, ratio))
    rates, per_month, known = (design.null_rate,) * arms, size / design.accrual_months, design.assess_weeks * DAYS_PER_WEEK
    null = plain_outcomes(rates, design.calibration_replicates, size, per_month, rng, known, design.drift)
    return calibrate(rules, null, design.alpha, rng)


def winner_of(design: SelectTheWinnerSettings) -> Winner:
    """The select-the-winner trial that the settings ask for."""
    information = [n / design.patients_per_arm[-1] for n in design.patients_per_arm]
    futility = None if design.futility_z is None else list(design.futility_z)
    return winner_design(len(design.arm_doses) - 1, information, design.alpha, design.boundary_shape, futility)


def play_design(
    design: AdaptiveRandomisationSettings | SelectTheWinnerSettings, patients: Outcomes, rng: np.random.Generator
) -> Played | WinnerPlayed:
    """Play the design that the settings ask for on every replicate."""
    if isinstance(design, SelectTheWinnerSettings):
        return play_winner(winner_of(design), design.patients_per_arm, patients, rng)
    return play(rules_of(design, rng), patients, rng)
