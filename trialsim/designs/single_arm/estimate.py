"""What a trial with looks tells of the response rate: unbiased estimate, p-value and confidence interval that know of the looks.

The estimate x / n is biased, as a trial that looked good by chance went on. With M the look at which a trial ended and X its
responders, (M, X) is sufficient and complete, so that the best unbiased estimate is (Girshick, Mosteller & Savage, Ann Math Stat
1946;17:13-23; Jung & Kim, Stat Med 2004;23:881-96)

    UMVUE(m, x) = E[X_1 / n_1 | M = m, X = x]

X_1: responders at the first look. p-values order the outcomes by look (Jung & Kim; Koyama & Chen, Stat Med 2008;27:3145-54):
a trial that passed more looks, or stopped earlier for efficacy, says more against p0; at one look, more responders do:

    p(m, x) = P(stopped for efficacy before look m) + P(look m reached and X_m >= x)

The limits of the 1 - 2 a interval are the rates at which P(at least this) = a and P(at most this) = a (Jung & Kim).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize

from trialsim.designs.single_arm.binomial import Looks, reached


class Inference(NamedTuple):
    """After a trial. mle: x / n. umvue. p_value: one-sided, against p0. low, high: confidence limits."""

    mle: float
    umvue: float
    p_value: float
    low: float
    high: float


def umvue(design: Looks) -> np.ndarray:
    """UMVUE of each outcome, (looks, n_K + 1): [m, x]; NaN where a trial cannot end with x responders at look m."""
    out = np.full((len(design.n), design.n[-1] + 1), np.nan)
    chance = [here.copy() for here in reached(design, 0.5)]  # given (m, x) nothing depends on the rate; 0.5 keeps all x possible
    first = chance[0] * np.arange(design.n[0] + 1) / design.n[0]
    for m, (here, weighted) in enumerate(zip(chance, reached(design, 0.5, first), strict=True)):
        x = np.arange(design.n[m] + 1)
        ends = (m + 1 == len(design.n)) | (x <= design.futility[m]) | (x >= design.efficacy[m])
        possible = ends & (here > 0)
        out[m, x[possible]] = weighted[possible] / here[possible]
    return out


def at_least(design: Looks, look: int, x: int, rate: float) -> float:
    """Probability of an outcome at least as favourable as x responders at the end, at `look` (0: the first)."""
    total = 0.0
    for m, here in enumerate(reached(design, rate)):
        if m == look:
            return float(total + here[x:].sum())
        total += here[design.efficacy[m] :].sum()
    raise ValueError(f"look = {look} is not one of the {len(design.n)} of the design")


def rate_at(design: Looks, look: int, x: int, probability: float) -> float:
    """The rate at which an outcome at least as favourable as x at `look` has this probability; 0 or 1 where no rate gives it."""
    f = lambda rate: at_least(design, look, x, rate) - probability
    if f(0.0) >= 0:
        return 0.0
    return 1.0 if f(1.0) <= 0 else float(optimize.brentq(f, 0.0, 1.0, xtol=1e-10))


def interval(design: Looks, look: int, x: int, level: float) -> tuple[float, float]:
    """Confidence limits after x responders at `look`."""
    tail = (1.0 - level) / 2.0
    return rate_at(design, look, x, tail), rate_at(design, look, x + 1, 1.0 - tail)  # x + 1: the next better outcome


def intervals(design: Looks, level: float) -> np.ndarray:
    """Confidence limits of each outcome, (2, looks, n_K + 1): [limit, m, x]; NaN where a trial cannot end so."""
    possible = np.argwhere(np.isfinite(umvue(design)))
    out = np.full((2, len(design.n), design.n[-1] + 1), np.nan)
    for m, x in possible:
        out[:, m, x] = interval(design, int(m), int(x), level)
    return out


def infer(design: Looks, look: int, x: int, p0: float, level: float = 0.90) -> Inference:
    """Inference after a trial that ended at `look` (0: the first) with x responders.

    The interval covers the true rate at least as often as `level` says. Koyama & Chen's upper limit, ``rate_at(design, look, x,
    1 - tail)``, is shorter: it inverts the p-value from above too, and leaves out the outcome observed.

    Args:
        p0: rate of the null hypothesis. level: coverage of the interval; 1 - 2 alpha matches a one-sided test at alpha.
    """
    estimate = umvue(design)[look, x]
    if np.isnan(estimate):
        raise ValueError(f"a trial of this design cannot end at look {look + 1} with {x} responders")
    low, high = interval(design, look, x, level)
    return Inference(float(x / design.n[look]), float(estimate), at_least(design, look, x, p0), low, high)
