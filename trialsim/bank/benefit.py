"""Designs that ask whether, and in whom, the drug works, played on the bank and told how well they did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.bank.players import Outcome, Player
from trialsim.bank.population import Population, net_benefit
from trialsim.bank.stream import Stream
from trialsim.units import DAYS_PER_MONTH


def play(player: Player, population: Population, stream: Stream, seed: Any) -> pd.DataFrame:
    """One design on a batch of replicates, and once more in a world where the drug does nothing.

    Args:
        seed: of the randomisation; the same for every design.

    Returns:
        One row a replicate: declared (some group is found to benefit), declared_without_effect (the same where the drug does
        nothing: type I error), net_benefit (see `population.net_benefit`), better_off (patients in 100 who gain), right (share
        of future patients who are given or spared what the trial found as their group's true gain asks), enrolled, screened,
        months, estimate, error (estimate less truth), covered, group_<j> (whether group j is treated).
    """
    run = lambda world: player.play(world, stream, np.random.default_rng(seed))
    found, null = run(population), run(population.without_effect(player.baseline))
    groups, worthwhile = population.groups, population.settings.worthwhile
    share, gain = groups["share"].to_numpy(), _gain(found, population)
    better_off = 100.0 * (found.treats * gain) @ share
    columns = {
        "declared": found.treats.any(axis=1),
        "declared_without_effect": null.treats.any(axis=1),
        "net_benefit": net_benefit(found.treats, share, gain, worthwhile),
        "better_off": better_off,
        "right": (found.treats == (gain > worthwhile)) @ share,
        "enrolled": found.enrolled,
        "screened": found.screened,
        "months": found.end_day / DAYS_PER_MONTH,
        "estimate": found.estimate,
        "error": found.estimate - found.truth,
        "covered": found.covered,
        **{f"group_{j}": found.treats[:, j] for j in range(len(groups))},
    }
    return pd.DataFrame(columns).astype(float)


def _gain(found: Outcome, population: Population) -> np.ndarray:
    """What each group gains by the treatment that is given after the trial, (replicates, groups) or (groups,)."""
    if found.given is None:
        return population.groups["gain"].to_numpy()
    return np.stack([population.gain(name) for name in found.treatments])[found.given]
