"""Group-sequential bounds: Wang-Tsiatis shapes (O'Brien-Fleming, Pocock) and error spending, for efficacy and futility.

    Wang-Tsiatis    reject where Z_k >= C (I_k / I_K)^(D - 1/2); D = 0: O'Brien & Fleming, Biometrics 1979;35:549-56;
                    D = 1/2: Pocock, Biometrika 1977;64:191-9 (Wang & Tsiatis, Biometrics 1987;43:193-9)
    spending        at each look the bound uses up what the function adds since the look before, so that neither the number of looks
                    nor their information need be known in advance
    futility        a lower bound that spends the type II error under the drift at which the power is wanted (Pampallona, Tsiatis &
                    Kim, Drug Inf J 2001;35:1113-21); binding: the efficacy bounds count on it; non-binding: they do not

Z > 0 favours the drug. Drift: theta sqrt(I_max), the mean of the final Z; a trial of one look needs z_(1-a) + z_(1-b), and the
inflation factor is the square of the ratio of the two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from trialsim.designs.randomised.crossing import Crossing, Running, advance, crossing, enough_nodes, exceed, fall_below, start
from trialsim.designs.randomised.spending import Spending

FAR = 9.0  # a bound is searched between -FAR and FAR (around the drift); an error below that of FAR has no bound
HALVINGS = 48
LEAST = 1e-9  # share of the information that counts as new


class WangTsiatis(NamedTuple):
    """Shape of a bound: ``delta`` 0 O'Brien-Fleming, 0.5 Pocock."""

    delta: float


Efficacy = WangTsiatis | Spending


class Futility(NamedTuple):
    """Lower bound that spends the type II error. ``binding``: the efficacy bounds count on its being obeyed."""

    spending: Spending
    binding: bool = False


class Bounds(NamedTuple):
    """A group-sequential design.

    Attributes:
        fraction: information of each look over that of the last, (looks,).
        upper: reject for the drug where Z is at or above, (looks,).
        lower: stop for futility, or in two-sided designs reject for control, where Z is at or below; -inf where never, (looks,).
        alpha: of all sides together. sides: 1 or 2. efficacy, futility, wanted_power: as asked for.
        drift: mean of the final Z with which the wanted power is had; NaN if none was asked for.
        inflation: information of the last look over that of a trial of one look; NaN if no power was asked for.
    """

    fraction: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    alpha: float
    sides: int
    efficacy: Efficacy
    futility: Futility | None
    wanted_power: float | None
    drift: float
    inflation: float

    def crossing(self, drift: ArrayLike) -> Crossing:
        """Crossing probabilities under drifts theta sqrt(I_max), (..., looks)."""
        return crossing(self.fraction, self.lower, self.upper, drift)

    def power(self, drift: ArrayLike) -> np.ndarray:
        """Probability to reject for the drug, (...)."""
        return self.crossing(drift).upper.sum(axis=-1)

    def expected_fraction(self, drift: ArrayLike) -> np.ndarray:
        """Mean information at the end of the trial, as a share of that of the last look, (...)."""
        found = self.crossing(drift)
        stop = (found.upper + found.lower)[..., :-1]
        return 1.0 - np.sum(stop * (1.0 - self.fraction[:-1]), axis=-1)

    def at(
        self, information: ArrayLike, spending_time: ArrayLike | None = None, nodes: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds where the looks came at other shares of the planned information, (..., looks).

        A spending design spends at each look what its information allows, and all that is left at the last. A Wang-Tsiatis design
        keeps the bounds that were planned. Arguments as in `spending_bounds`.
        """
        t = np.asarray(information, float)
        if isinstance(self.efficacy, WangTsiatis):
            return np.broadcast_to(self.lower, t.shape), np.broadcast_to(self.upper, t.shape)
        beta, drift = (0.0, 0.0) if self.futility is None else (1.0 - (self.wanted_power or 0.0), self.drift)
        lower, upper = spending_bounds(
            t,
            self.alpha,
            self.efficacy,
            sides=self.sides,
            futility=self.futility,
            beta=beta,
            drift=drift,
            spending_time=spending_time,
            nodes=nodes,
        )
        if self.futility is not None:
            lower[..., -1] = np.where(np.isfinite(upper[..., -1]), upper[..., -1], -np.inf)
        return lower, upper


def group_sequential(
    fraction: ArrayLike,
    alpha: float,
    efficacy: Efficacy,
    *,
    sides: int = 1,
    power: float | None = None,
    futility: Futility | None = None,
) -> Bounds:
    """Bounds of a design, and the drift that gives it its power.

    Args:
        fraction: information of each look over that of the last, rising to 1, (looks,).
        alpha: type I error, of both sides together in a two-sided design (each side has half of it).
        efficacy: shape or spending function (of a side's error). sides: 1 or 2 (symmetric).
        power: wanted; needed with futility, whose spending uses up 1 - power. futility: of one-sided designs.
    """
    t = np.asarray(fraction, float)
    if t.ndim != 1 or np.any(np.diff(t, prepend=0.0) <= 0) or not np.isclose(t[-1], 1.0):
        raise ValueError(f"fractions of information rise from above 0 to 1, got {t.tolist()}")
    if futility is not None and (sides == 2 or power is None):
        raise ValueError("a futility bound needs a one-sided design and its power")
    if futility is not None and futility.binding and isinstance(efficacy, WangTsiatis):
        raise ValueError("a binding futility bound needs an efficacy bound that spends its error")

    shape = efficacy if isinstance(efficacy, Spending) else _wang_tsiatis(t, alpha, efficacy.delta, sides)

    def bounds(drift: float) -> tuple[np.ndarray, np.ndarray]:
        return spending_bounds(t, alpha, shape, sides=sides, futility=futility, beta=1.0 - (power or 0.0), drift=drift)

    single = stats.norm.isf(alpha / sides) + stats.norm.ppf(power) if power is not None else np.nan
    drift = np.nan
    if power is not None:
        if futility is None:
            fixed = bounds(0.0)
            shortfall = lambda d: crossing(t, *fixed, d).upper.sum() - power
        else:
            shortfall = lambda d: crossing(t, *bounds(d), d).upper.sum() - power
        low, high = 0.9 * single, 1.8 * single
        if shortfall(high) < 0:
            raise ValueError(f"no trial of up to {(high / single) ** 2:.3g} times the size of one look has the power")
        drift = float(optimize.brentq(shortfall, low, high, xtol=1e-11))
    lower, upper = bounds(0.0 if np.isnan(drift) else drift)
    if futility is not None:
        lower[-1] = upper[-1]  # the last look decides
    return Bounds(t, upper, lower, alpha, sides, efficacy, futility, power, drift, float((drift / single) ** 2))


def spending_bounds(
    information: ArrayLike,
    alpha: float,
    efficacy: Spending | np.ndarray,
    *,
    sides: int = 1,
    futility: Futility | None = None,
    beta: float = 0.0,
    drift: ArrayLike = 0.0,
    spending_time: ArrayLike | None = None,
    nodes: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds at the looks as they happened, (..., looks): the use of a spending design in a trial.

    A look without new information has no bounds, and spends nothing. Earlier bounds do not depend on later looks.

    Args:
        information: of each look over the planned maximum, not falling, (..., looks).
        alpha, sides, futility: as in `group_sequential`. efficacy: spending function, or the upper bounds, (..., looks).
        beta: type II error that futility spends.
        drift: under which it does, theta sqrt(I_max), (...).
        spending_time: share of the errors spent by each look, (..., looks); default: the information, and 1 at the last look.
        nodes: of the quadrature; default: as many as the steps take.
    """
    t = np.asarray(information, float)
    if spending_time is None:
        spending_time = np.concatenate([t[..., :-1], np.ones_like(t[..., -1:])], axis=-1)
    share = np.maximum.accumulate(np.asarray(spending_time, float), axis=-1)
    given = None if isinstance(efficacy, Spending) else efficacy
    use = efficacy.spent(share, alpha / sides) if isinstance(efficacy, Spending) else share
    lose = futility.spending.spent(share, beta) if futility is not None else None
    theta = np.asarray(drift, float)
    nodes = nodes or enough_nodes(t)
    null = alternative = start(t.shape[:-1], nodes)
    lower, upper = np.full(t.shape, -np.inf), np.full(t.shape, np.inf)
    used = lost = np.zeros(t.shape[:-1])
    for k in range(t.shape[-1]):
        new = t[..., k] - null.information > LEAST
        i = np.where(new, t[..., k], null.information + 1.0)  # any information will do where there is none
        if given is not None:
            high = np.broadcast_to(given[..., k], new.shape)
        else:
            high = _solve(lambda b, i=i, null=null: exceed(null, i, 0.0, b), use[..., k] - used, falling=True)
            used = np.where(new, use[..., k], used)
        low = -high if sides == 2 else np.full(new.shape, -np.inf)
        if lose is not None:
            below = lambda b, i=i, alternative=alternative: fall_below(alternative, i, theta, b)
            low = np.minimum(_solve(below, lose[..., k] - lost, falling=False), high)
            lost = np.where(new, lose[..., k], lost)
        lower[..., k], upper[..., k] = np.where(new, low, -np.inf), np.where(new, high, np.inf)
        if k < t.shape[-1] - 1:
            obeyed = sides == 2 or (futility is not None and futility.binding)
            null = _where(new, advance(null, i, 0.0, low if obeyed else -np.inf, high, nodes), null)
            if lose is not None:
                alternative = _where(new, advance(alternative, i, theta, low, high, nodes), alternative)
    return lower, upper


def _where(new: np.ndarray, after: Running, before: Running) -> Running:
    """Moved on where there is new information, as before elsewhere."""
    deep = new[..., None]
    information = np.where(new, after.information, before.information)
    return Running(information, np.where(deep, after.z, before.z), np.where(deep, after.mass, before.mass))


def _solve(probability, wanted: np.ndarray, falling: bool) -> np.ndarray:
    """Bounds whose crossing has the wanted probability, by halving; infinite where nothing is to be spent, (...)."""
    low, high = np.full(wanted.shape, -FAR), np.full(wanted.shape, FAR)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        right = (probability(middle) > wanted) == falling  # the bound lies to the right of the middle
        low, high = np.where(right, middle, low), np.where(right, high, middle)
    return np.where(wanted > 1e-16, 0.5 * (low + high), np.inf if falling else -np.inf)


def _wang_tsiatis(t: np.ndarray, alpha: float, delta: float, sides: int) -> np.ndarray:
    """Upper bounds C t^(D - 1/2), (looks,)."""
    shape = t ** (delta - 0.5)

    def excess(c: float) -> float:
        lower = -c * shape if sides == 2 else np.full(len(t), -np.inf)
        return float(crossing(t, lower, c * shape).upper.sum()) - alpha / sides

    single = stats.norm.isf(alpha / sides)
    return optimize.brentq(excess, 0.5 * single, 3.0 * single + 1.0, xtol=1e-12) * shape
