"""What a trial of two arms is expected to have seen by a day: patients, events, and mean and variance of the log-rank score.

At time s after randomisation, of the patients of stratum h and arm j with hazard l and drop-out g,

    n_j(s; T) = q_h p_j A(min(T - s, accrual)) exp(-int_0^s (l + g))          at risk by calendar time T, A(t) patients accrued by t

    events    D_j = int n_j l_j ds
    score     U   = int w n_0 n_1 / (n_0 + n_1) (l_0 - l_1) ds                 positive where the drug's hazard is the lower
    variance  V   = int w^2 n_0 n_1 / (n_0 + n_1)^2 (n_0 l_0 + n_1 l_1) ds

summed over strata (Lu K, Pharm Stat 2021;20:211-25), with Fleming and Harrington's weight w = S^rho (1 - S)^gamma of the curve S of
both arms of a stratum together. Every integrand is smooth between the breaks of the rates, where Gauss-Legendre quadrature is exact
to rounding. Any unit of time, the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import special

from trialsim.designs.randomised.piecewise import Piecewise, piecewise

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)  # of each piece
FADED = np.arange(2.0, 38.0, 2.0)  # cumulative hazards at which a long piece is cut, so that no exponential spans too much of one


class Stratum(NamedTuple):
    """share: of all patients. control, drug: hazard of the event on each arm."""

    share: float
    control: Piecewise
    drug: Piecewise


class Setting(NamedTuple):
    """A trial of two arms as planned.

    Attributes:
        accrual: patients per unit of time, while it lasts. accrual_duration: how long that is.
        strata: of the population; shares sum to 1.
        ratio: patients on the drug for one on control.
        drop_out: rate of loss of view, on control and on the drug.
        follow_up: longest of a patient; inf: to the end of the trial.
    """

    accrual: Piecewise
    accrual_duration: float
    strata: tuple[Stratum, ...]
    ratio: float = 1.0
    drop_out: tuple[Piecewise, Piecewise] = (piecewise(0.0), piecewise(0.0))
    follow_up: float = np.inf

    def patients(self, time: float) -> float:
        """Randomised by a day."""
        return float(self.accrual.cumulative(min(time, self.accrual_duration)))


class Expected(NamedTuple):
    """By a day. patients: randomised. events: on control and on the drug, (2,). score, variance: U and V, with the weights."""

    patients: float
    events: np.ndarray
    score: float
    variance: float

    @property
    def drift(self) -> float:
        """Mean of the test statistic, U / sqrt(V)."""
        return self.score / np.sqrt(self.variance)


def expected(setting: Setting, time: float, rho: float = 0.0, gamma: float = 0.0) -> Expected:
    """What is expected by calendar time `time` from the first day of accrual."""
    score = variance = 0.0
    events = np.zeros(2)
    share = np.array([[1.0], [setting.ratio]]) / (1.0 + setting.ratio)
    for stratum in setting.strata:
        edges = _edges(setting, stratum, time)
        half = 0.5 * np.diff(edges)[:, None]
        s, weight = (edges[:-1, None] + half * (1.0 + NODES)).ravel(), (half * WEIGHTS).ravel()
        accrued = setting.accrual.cumulative(np.minimum(time - s, setting.accrual_duration))
        n = stratum.share * accrued * share * np.exp(-_gone(setting, stratum, s))
        hazard, p = np.stack([stratum.control.at(s), stratum.drug.at(s)]), _on_drug(setting, stratum, s)
        w = np.ones(len(s))
        if rho or gamma:
            curve = np.exp(-_integral_to(partial(_pooled_hazard, setting, stratum), s, edges))
            w = curve**rho * (1.0 - curve) ** gamma
        events += np.sum(weight * n * hazard, axis=1)
        score += float(np.sum(weight * w * n.sum(axis=0) * p * (1.0 - p) * (hazard[0] - hazard[1])))
        variance += float(np.sum(weight * w**2 * p * (1.0 - p) * np.sum(n * hazard, axis=0)))
    return Expected(setting.patients(time), events, score, variance)


def _gone(setting: Setting, stratum: Stratum, s: np.ndarray) -> np.ndarray:
    """Cumulative hazard of the event and of drop-out on each arm, (2, ...)."""
    arms = zip((stratum.control, stratum.drug), setting.drop_out, strict=True)
    return np.stack([h.cumulative(s) + g.cumulative(s) for h, g in arms])


def _on_drug(setting: Setting, stratum: Stratum, s: np.ndarray) -> np.ndarray:
    """Share of those at risk who are on the drug: accrual is the same for both arms."""
    control, drug = _gone(setting, stratum, s)
    return special.expit(np.log(setting.ratio) + control - drug)


def _pooled_hazard(setting: Setting, stratum: Stratum, s: np.ndarray) -> np.ndarray:
    """Hazard of those at risk, both arms together."""
    p = _on_drug(setting, stratum, s)
    return (1.0 - p) * stratum.control.at(s) + p * stratum.drug.at(s)


def _edges(setting: Setting, stratum: Stratum, time: float) -> np.ndarray:
    """Times since randomisation between which every rate is constant, from 0 to the longest follow-up."""
    last = max(min(time, setting.follow_up), 0.0)
    rates = (stratum.control, stratum.drug, *setting.drop_out)
    breaks = [h.start for h in rates] + [h.inverse(FADED) for h in rates]
    breaks += [time - setting.accrual.start, np.array([time - setting.accrual_duration])]
    inside = np.unique(np.concatenate(breaks))
    return np.concatenate([[0.0], inside[(inside > 0) & (inside < last)], [last]])


def _integral_to(rate: Callable[[np.ndarray], np.ndarray], s: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Integral of a rate from 0 to each of the nodes `s` of the pieces."""
    start = np.repeat(edges[:-1], len(NODES))
    half = 0.5 * np.diff(edges)
    whole = np.sum(half[:, None] * WEIGHTS * rate(s).reshape(len(half), -1), axis=1)
    inside = 0.5 * (s - start)[:, None]
    rest = np.sum(inside * WEIGHTS * rate(start[:, None] + inside * (1.0 + NODES)), axis=1)
    return np.repeat(np.cumsum(whole) - whole, len(NODES)) + rest
