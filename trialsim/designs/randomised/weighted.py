"""Power of the (stratified, weighted) log-rank test in a group-sequential trial when hazards need not be proportional.

The statistic at each look is close to normal with mean U / sqrt(V) (`expected`), and the sequence behaves as one of independent
increments with information V (Tsiatis, J Am Stat Assoc 1982;77:855-61). Under proportional hazards and without weights the drift
is constant; with late effects it grows from look to look, which a single number of events cannot tell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize

from trialsim.designs.randomised.crossing import crossing
from trialsim.designs.randomised.expected import Setting, expected
from trialsim.designs.randomised.sizes import time_of_events


class WeightedPower(NamedTuple):
    """All (looks,). time: calendar time of the look. events, patients: expected by then. drift: mean of Z. information: V.
    rejected: probability of having rejected by then.
    """

    time: np.ndarray
    events: np.ndarray
    patients: np.ndarray
    drift: np.ndarray
    information: np.ndarray
    rejected: np.ndarray


def weighted_power(
    setting: Setting,
    time: float,
    fraction: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> WeightedPower:
    """Power of a design whose last look is at calendar time `time`.

    Args:
        fraction: at each look, of the events of the last, or with weights of its information, (looks,).
        upper, lower: bounds of Z, (looks,); no lower ones: None.
        rho, gamma: of Fleming and Harrington's weight.
    """
    fraction = np.asarray(fraction, float)
    last = expected(setting, time, rho, gamma)
    if rho or gamma:
        short = lambda t, share: expected(setting, t, rho, gamma).variance - share * last.variance
        times = [float(optimize.brentq(short, 1e-3, time, args=(share,), xtol=1e-9)) for share in fraction[:-1]]
    else:
        times = [time_of_events(setting, share * last.events.sum()) for share in fraction[:-1]]
    seen = [expected(setting, t, rho, gamma) for t in times] + [last]
    score, information = (np.array([getattr(look, name) for look in seen]) for name in ("score", "variance"))
    lower = np.full(len(fraction), -np.inf) if lower is None else lower
    rejected = _crossed_with_means(score, information, lower, upper)
    events, patients = np.array([look.events.sum() for look in seen]), np.array([look.patients for look in seen])
    return WeightedPower(np.array([*times, time]), events, patients, score / np.sqrt(information), information, rejected)


def _crossed_with_means(score: np.ndarray, information: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Probability of having crossed the upper bound by each look, for scores whose mean need not be in proportion to information.

    Z less its mean is a process without drift, whose bounds are the bounds less the mean.
    """
    mean = score / np.sqrt(information)
    return np.cumsum(crossing(information, lower - mean, upper - mean).upper)
