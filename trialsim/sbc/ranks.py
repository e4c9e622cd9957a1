"""Where a true value lies in its posterior: a whole number from 0 to `RANKS`, uniform if the posterior is right.

    theta ~ prior,  y ~ likelihood(theta),  theta_1 ... theta_L ~ posterior(y):   r = #{theta_l < theta}  ~  Uniform{0, ..., L}

(Cook, Gelman & Rubin, J Comput Graph Stat 2006;15:675; Talts et al., arXiv 1804.06788.) The same holds for every function of theta
and y; one that depends on the data, such as the log likelihood, also sees a posterior that does not heed them, which the parameters
themselves cannot (Modrak et al., Bayesian Anal 2025;20:461).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import arviz_stats
import numpy as np

RANKS = 39  # L: draws that a truth is ranked among; 40 ranks, of which central intervals of 50, 80 and 90 % take whole numbers
LEVELS = (50, 80, 90)  # per cent


class Repetition(NamedTuple):
    """Attributes: ranks: by quantity, 0 to `RANKS`. ess: smallest effective sample size of the quantities, infinite where nothing
    was drawn. divergences: of the sampler."""

    ranks: dict[str, int]
    ess: float = np.inf
    divergences: int = 0


Batch = Callable[[Sequence[int]], list[Repetition]]  # repetitions of these seeds


def among_draws(watched: Mapping[str, tuple[Any, np.ndarray]], rng: np.random.Generator, divergences: int = 0) -> Repetition:
    """Ranks among `RANKS` draws that lie as far apart as they can, so that they are as good as independent.

    Args:
        watched: true value and draws, (chains, draws), by quantity. Ties are broken at random.
    """
    ranks, sizes = {}, []
    for name, (truth, draws) in watched.items():
        joined = draws.reshape(-1).astype(float)
        step = len(joined) // RANKS
        thinned = joined[rng.integers(step) :: step][:RANKS]
        below, equal = np.sum(thinned < truth), np.sum(thinned == truth)
        ranks[name] = int(below + rng.integers(equal + 1))
        sizes.append(float(arviz_stats.ess(draws.astype(float), chain_axis=0, draw_axis=1)))
    return Repetition(ranks, min(sizes), divergences)


def below_truth(shares: Mapping[str, float]) -> Repetition:
    """Ranks from the posterior probability of less than the truth, which is uniform on 0 to 1 if the posterior is right."""
    return Repetition({name: int(np.clip(share, 0.0, 1.0 - 1e-12) * (RANKS + 1)) for name, share in shares.items()})


def towards_data(share: float, high: bool) -> float:
    """The same of a quantity whose sign the data choose: of theta where they are `high`, of -theta where they are not.

    As uniform as `share`, but only if the posterior has moved towards the data as far as it should.
    """
    return share if high else 1.0 - share
