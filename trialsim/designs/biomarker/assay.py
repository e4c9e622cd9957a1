"""An imperfect assay of a marker: what it reports, and what its mistakes do to a trial in those it calls positive.

    called positive   q = s p + (1 - c)(1 - p)                  of the samples with a result
    predictive values PPV = s p / q,   NPV = c (1 - p) / (1 - q)
    screened          1 / ((1 - f) q)  for each patient randomised

p: prevalence, s: sensitivity, c: specificity, f: failures (Altman & Bland, BMJ 1994;309:102). Those called positive are a mixture
of true positives (share PPV) and false ones, whose hazards differ, so that their hazard ratio is not constant. What Cox's model
then estimates in large trials is the root b of its score (Struthers & Kalbfleisch, Biometrika 1986;73:363-9)

    integral over follow-up of  f_1 (1 - x) - r^-1 f_0 x,     x = r S_1 e^b / (r S_1 e^b + S_0)

with r patients on the drug for one on control, S_z the survival of the mixture in arm z and f_z = -S_z'; close to
PPV log HR+ + (1 - PPV) log HR- where hazards without the drug are alike and effects small.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)


class Assay(NamedTuple):
    """Attributes:
    sensitivity, specificity: share of positive (negative) patients called so, 0-1. failure: share of samples without a result, 0-1.
    turnaround: days from sample to result.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    failure: float = 0.0
    turnaround: float = 0.0


def read(truth: ArrayLike, assay: Assay, rng: np.random.Generator) -> np.ndarray:
    """What the laboratory reports: 1 positive, 0 negative, NaN without a result; the shape of ``truth`` (bool)."""
    truth = np.asarray(truth, bool)
    u, v = rng.random(truth.shape), rng.random(truth.shape)
    called = np.where(truth, u < assay.sensitivity, u >= assay.specificity)
    return np.where(v < assay.failure, np.nan, called)


class PredictiveValues(NamedTuple):
    """Attributes:
    called: share of the results that are positive. positive, negative: share of them (of the negative ones) that are right, NaN
        where there are none. screened: samples taken for each patient with a positive result; inf where there are none.
    """

    called: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    screened: np.ndarray


def predictive_values(prevalence: ArrayLike, assay: Assay) -> PredictiveValues:
    """Of an assay in patients of whom the share ``prevalence`` is positive, of any shape."""
    p = np.asarray(prevalence, float)
    called = assay.sensitivity * p + (1.0 - assay.specificity) * (1.0 - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        return PredictiveValues(
            called,
            assay.sensitivity * p / called,
            assay.specificity * (1.0 - p) / (1.0 - called),
            1.0 / ((1.0 - assay.failure) * called),
        )


def diluted_log_hr(
    share: float, hazard: tuple[float, float], log_hr: tuple[float, float], follow_up: float, ratio: float = 1.0
) -> float:
    """Log hazard ratio that Cox's model estimates in a mixture of true and false positives with exponential times.

    Args:
        share: of true positives, the PPV. hazard: without the drug, of true and of false positives, per day. log_hr: theirs.
        follow_up: of every patient, days; inf is not allowed. ratio: patients on the drug for one on control.
    """
    t = 0.5 * follow_up * (NODES + 1.0)
    part, base = np.array([share, 1.0 - share])[:, None], np.array(hazard)[:, None]
    survival, density = [], []
    for effect in (0.0, np.array(log_hr)[:, None]):
        rate = base * np.exp(effect)
        alive = part * np.exp(-rate * t)
        survival.append(alive.sum(axis=0))
        density.append((rate * alive).sum(axis=0))

    def score(b: float) -> float:
        weighted = ratio * survival[1] * np.exp(b)
        x = weighted / (weighted + survival[0])
        return float(WEIGHTS @ (ratio * density[1] * (1.0 - x) - density[0] * x))

    low, high = min(log_hr) - 5.0, max(log_hr) + 5.0  # also where the marker's prognosis bends the mixture
    return float(optimize.brentq(score, low, high))
