"""Two arms compared, in many trials at once: log-rank tests, Kaplan-Meier curves and restricted means (hazard ratios: `hazards`).

Arguments are arrays (..., patients) that broadcast; results have the leading axes, one value a trial.

    log-rank   z = sum w (d_1 - d n_1 / n) / sqrt( sum w^2 d (n_1 / n) (n_0 / n) (n - d) / (n - 1) )   over event times and strata

n, d: patients at risk and events at a time, of which n_1, d_1 in arm 1; the variance is the hypergeometric one, exact with ties.
Weights w = S(t-)^rho (1 - S(t-))^gamma with S the Kaplan-Meier curve of both arms of the stratum together (Fleming & Harrington,
Counting Processes and Survival Analysis, 1991): gamma > 0 for late effects.

At the edges: no events, one arm empty, or all patients with an event at one time leave no information, and z = 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trialsim.endpoints.risk_sets import RiskSets, risk_sets
from trialsim.endpoints.survival import TIE, area_under


class LogRank(NamedTuple):
    """Log-rank test. All fields (...).

    Attributes:
        z: standard normal without a difference; positive: more events in arm 1 than expected. 0 where the variance is.
        chi_square: z^2.
        observed, expected: (weighted) events in arm 1.
        variance: of observed - expected.
        events: of both arms, (weighted), so that arm 0 has events - observed.
    """

    z: np.ndarray
    chi_square: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    events: np.ndarray


def log_rank(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike | None = None,
    included: ArrayLike | None = None,
    *,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """(Stratified, weighted) log-rank test of arm 1 against arm 0.

    Args:
        time, event, arm, stratum, included: as in `risk_sets.risk_sets`.
        rho, gamma: of Fleming and Harrington's weight; 0, 0: the log-rank test itself.
    """
    sets = risk_sets(time, event, arm, stratum, included)
    w = _weight(sets, rho, gamma)
    zero, one = sets.at_risk
    n, d = zero + one, sets.dying.sum(axis=0)
    p = one / n
    # each of the d tied events bears its share of their variance
    variance = p * (1.0 - p) * np.divide(n - d, n - 1.0, out=np.zeros_like(n), where=n > 1)
    observed, expected, v, events = (
        sets.total(x).reshape(sets.shape) for x in (w * sets.arm, w * p, w**2 * variance, w * np.ones_like(p))
    )
    z = np.divide(observed - expected, np.sqrt(v), out=np.zeros(sets.shape), where=v > 0)
    return LogRank(z, z**2, observed, expected, v, events)


def _weight(sets: RiskSets, rho: float, gamma: float) -> np.ndarray:
    """S(t-)^rho (1 - S(t-))^gamma at each event, (1, events)."""
    if rho == 0.0 and gamma == 0.0:
        return np.ones((1, len(sets.arm)))
    left = sets.at_risk.sum(axis=0)[0] - sets.rank  # tied events one after the other: the product is the same
    # who is the last of a stratum has nobody after them, so that no later curve asks for their factor of 0
    log_factor = np.log1p(-1.0 / left, out=np.zeros(len(left)), where=left > 1)
    before = np.concatenate([[0.0], np.cumsum(log_factor)])
    first_of_tie = np.arange(len(left)) - sets.rank
    s = np.exp(before[first_of_tie] - before[sets.stratum_start])
    return (s**rho * np.maximum(1.0 - s, 0.0) ** gamma)[None]


class Curves(NamedTuple):
    """Kaplan-Meier curves of one group of patients in many trials: `survival` from `time` to the next. Fields (..., patients + 1).

    Attributes:
        time: 0, then every patient's time, rising; those not included share the last of the others (0 if there is none).
        survival: events of one time count one after the other, so that the last of a time has the curve's value.
        greenwood: summed up to a time, the variance of the survival over its square; 0 where nobody is left.
    """

    time: np.ndarray
    survival: np.ndarray
    greenwood: np.ndarray

    def at(self, time: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Survival and its standard error at each time, (..., times); NaN beyond the last observation unless 0 is reached."""
        t = np.atleast_1d(np.asarray(time, float))
        step = np.stack([np.sum(self.time <= x, axis=-1) - 1 for x in t], axis=-1)
        s = np.take_along_axis(self.survival, step, -1)
        variance = np.take_along_axis(np.cumsum(self.greenwood, axis=-1), step, -1)
        known = (t <= self.time[..., -1:]) | (s <= TIE)
        return np.where(known, s, np.nan), np.where(known, s * np.sqrt(variance), np.nan)

    def median(self, level: ArrayLike = 0.5) -> np.ndarray:
        """First time at which survival is one half or less, (...); inf where that is not reached. level: in place of one half."""
        below = self.survival <= np.asarray(level)[..., None] + TIE
        time = np.take_along_axis(self.time, below.argmax(axis=-1)[..., None], -1)[..., 0]
        return np.where(below.any(axis=-1), time, np.inf)


def kaplan_meier(time: ArrayLike, event: ArrayLike, included: ArrayLike | None = None) -> Curves:
    """Kaplan-Meier curve of the included patients of each trial; arguments as in `risk_sets.risk_sets`."""
    t, d, here = np.broadcast_arrays(
        np.asarray(time, float), np.asarray(event, bool), np.asarray(True if included is None else included, bool)
    )
    last = np.max(t, axis=-1, keepdims=True, where=here, initial=0.0)
    t, d = np.where(here, t, np.inf), d & here
    order = np.lexsort((~d, t), axis=-1)  # at one time, events come before those censored
    t, d = np.minimum(np.take_along_axis(t, order, -1), last), np.take_along_axis(d, order, -1)
    n = here.sum(axis=-1, keepdims=True) - np.arange(t.shape[-1])  # at risk at each place
    factor = np.where(d, 1.0 - 1.0 / np.where(d, n, 1), 1.0)
    # 1 / (n (n - 1)) + 1 / ((n - 1) (n - 2)) + ... is d / (n (n - d)): so ties need no care here either
    step = np.divide(1.0, n * (n - 1.0), out=np.zeros(t.shape), where=d & (n > 1))
    origin = np.zeros((*t.shape[:-1], 1))
    return Curves(*(np.concatenate(x, axis=-1) for x in ((origin, t), (origin + 1.0, np.cumprod(factor, axis=-1)), (origin, step))))


class RestrictedMeans(NamedTuple):
    """Restricted mean survival times (Royston & Parmar, BMC Med Res Methodol 2013;13:152). All fields (...), days.

    NaN where the curve of an arm does not reach the horizon, or where the arm is empty.

    Attributes:
        difference: arm 1 less arm 0. se: its standard error.
        mean, mean_se: of arm 0 and of arm 1, (..., 2).
    """

    difference: np.ndarray
    se: np.ndarray
    mean: np.ndarray
    mean_se: np.ndarray


def restricted_mean_difference(
    time: ArrayLike, event: ArrayLike, arm: ArrayLike, horizon: float, included: ArrayLike | None = None
) -> RestrictedMeans:
    """Difference of the areas under the arms' Kaplan-Meier curves up to `horizon`, in the unit of `time`."""
    arm = np.asarray(arm, bool)
    here = np.asarray(True if included is None else included, bool)
    arms = [area_under(*kaplan_meier(time, event, here & side), horizon) for side in (~arm, arm)]
    mean, variance = (np.stack(x, axis=-1) for x in zip(*arms, strict=True))
    return RestrictedMeans(mean[..., 1] - mean[..., 0], np.sqrt(variance.sum(axis=-1)), mean, np.sqrt(variance))
