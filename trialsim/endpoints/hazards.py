"""Hazard ratio of two arms by Cox's partial likelihood, for many trials or many resamples of the patients at once.

    l(b) = sum over events i, l = 0 ... k-1 of their ties:  b z_i - log( R_1 e^b + R_0 - f (E_1 e^b + E_0) )

R_z, E_z: weight of the patients of arm z at risk, and of those with an event at that time. f = l/k (Efron B, J Am Stat Assoc
1977;72:557-65) or 0 (Breslow N, Biometrics 1974;30:89-99), for ties. Strata have risk sets of their own. A resample is a weight
for each patient, so that a bootstrap needs no loop.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trialsim.endpoints.risk_sets import RiskSets, risk_sets

STEPS = 30  # of Newton's method; five do
LARGEST = 10.0  # |log hazard ratio| at which an arm without events is left


class Cox(NamedTuple):
    """Cox's model with the arm as its one covariate. All fields (...): the leading axes of the data.

    Attributes:
        log_hr: log hazard ratio of arm 1 over arm 0. NaN where it has no finite estimate: an arm without an event, or without
            anyone at risk at the other's events.
        se: standard error, from the information at the estimate; NaN with it.
        log_likelihood, null_log_likelihood: at the estimate (NaN with it) and at a ratio of 1.
    """

    log_hr: np.ndarray
    se: np.ndarray
    log_likelihood: np.ndarray
    null_log_likelihood: np.ndarray


def cox(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike | None = None,
    included: ArrayLike | None = None,
    ties: Literal["efron", "breslow"] = "efron",
) -> Cox:
    """Hazard ratio of each trial; arguments as in `risk_sets.risk_sets`, results (...)."""
    sets = risk_sets(time, event, arm, stratum, included)
    terms = _terms(sets, ties)
    b, se = _newton(sets, terms)
    found = (b, se, _log_likelihood(sets, terms, b), _log_likelihood(sets, terms, np.zeros_like(b)))
    return Cox(*(value.reshape(sets.shape) for value in found))


def log_hazard_ratio(
    time: np.ndarray, event: np.ndarray, arm: np.ndarray, weight: np.ndarray, stratum: np.ndarray | None = None
) -> np.ndarray:
    """Log hazard ratio of arm 1 over arm 0 in each resample, Efron's ties, (resamples,); NaN where an arm has no event.

    Args:
        time: (patients,), any unit. event, arm: (patients,), bool.
        weight: (resamples, patients), how often each patient is in a resample.
        stratum: (patients,), label; default: one stratum.
    """
    stratum = None if stratum is None else np.unique(stratum, return_inverse=True)[1]
    sets = risk_sets(time, event, arm, stratum, weight=np.atleast_2d(weight))
    return _newton(sets, _terms(sets, "efron"))[0][:, 0]


class _Terms(NamedTuple):
    """Of the sum over events, (resamples, events). weight: of the term; up, down: what multiplies e^b, and the rest.

    deaths: weight of the events of arm 0 and of arm 1, (resamples, trials).
    """

    weight: np.ndarray
    up: np.ndarray
    down: np.ndarray
    deaths: tuple[np.ndarray, np.ndarray]


def _terms(sets: RiskSets, ties: str) -> _Terms:
    efron = {"efron": True, "breslow": False}[ties]
    share = sets.rank / sets.ties if efron else np.zeros(len(sets.rank))
    down, up = sets.at_risk - share * sets.dying
    mean = sets.dying.sum(axis=0) / sets.ties  # tied events share their mean weight
    return _Terms(mean, up, down, (sets.total(sets.weight * ~sets.arm), sets.total(sets.weight * sets.arm)))


def _newton(sets: RiskSets, terms: _Terms) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and standard error of all trials and resamples together, (resamples, trials)."""
    can = (terms.deaths[0] > 0) & (terms.deaths[1] > 0)
    b, information = np.zeros(can.shape), np.zeros(can.shape)
    for _ in range(STEPS):
        risk = terms.up * sets.spread(np.exp(b))
        p = np.divide(risk, risk + terms.down, out=np.zeros_like(risk), where=risk > 0)
        expected = terms.weight * p
        score, information = terms.deaths[1] - sets.total(expected), sets.total(expected * (1.0 - p))
        step = np.divide(score, information, out=np.zeros_like(b), where=can & (information > 0))
        last, b = b, np.clip(b + np.clip(step, -2.0, 2.0), -LARGEST, LARGEST)
        if np.max(np.abs(b - last), initial=0.0) < 1e-9:
            break
    b = np.where(can & (np.abs(b) < LARGEST), b, np.nan)
    return b, np.divide(1.0, np.sqrt(information), out=np.full_like(b, np.nan), where=np.isfinite(b))


def _log_likelihood(sets: RiskSets, terms: _Terms, b: np.ndarray) -> np.ndarray:
    risk = terms.up * sets.spread(np.exp(b)) + terms.down
    return terms.deaths[1] * b - sets.total(terms.weight * np.log(risk, out=np.zeros_like(risk), where=terms.weight > 0))
