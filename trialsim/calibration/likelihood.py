"""How a published number follows from the shares of patients of its arm, as it was published.

    rate y of n             y n ~ Binomial(n, p)
    landmark S(t)           S(t) n ~ Binomial(n, S)
    median m                P(m - h < median <= m + h),  where the curve falls to the middle one of n uniform numbers, which is
                            Beta((n + 1) / 2, (n + 1) / 2):  P(median <= t) = Phi(2 sqrt(n + 2) (1/2 - S(t)))
                            beyond the last point of a curve its hazard goes on as in the last `TAIL` intervals of the grid
    hazard ratio            log HR ~ N(Cox estimate from the two curves, se^2)

p and S are moved by an error of their own on the logit scale (log scale: hazard ratio), which holds the emulator's error and what
arms differ by beyond the model: readers, definitions, patients (`error_sd`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, log_ndtr, xlog1py, xlogy
from jax.scipy.stats import norm

from trialsim.calibration.library import OS_MONTHS, OUTCOMES, PFS_MONTHS
from trialsim.calibration.published import Number
from trialsim.calibration.system import Outcomes, System

HALF = 0.05  # months either side of a median: half of the last digit that is printed. A quarter of a month would be up to three
#              standard errors of a large trial's short median, and simulation-based calibration sees it (`trialsim.sbc`)
TAIL = 2  # intervals of the grid at the end of a curve whose mean hazard is taken beyond it (assumed)
LEAST, MOST = 1e-4, 1.0 - 1e-4
LEAST_WIDTH = 1e-6  # standard errors between the two ends of a median: where the curve is flat there is none
NEWTON = 6
KINDS = ("rate", "time", "ratio")
# scales of the half-normal priors of what numbers differ by beyond the model, by what they tell (ours)
SPREADS = {"response": 0.3, "control": 0.4, "time": 0.3, "ratio": 0.2}


class Data(NamedTuple):
    """Published numbers as arrays.

    Attributes:
        rates: arm, weights over outcomes (numbers, outcomes) and events, n of rates and landmarks. response: whether a rate is one
            of response, not of control of the disease or of patients free of progression.
        times: arm, weights at m - h and m + h (numbers, 2, outcomes), n of medians. one: weight of S(0) = 1, (numbers, 2). late:
            how often the fall of the curve's tail comes on top, (numbers, 2); tail: weights of its first and last point.
        ratios: arm of drug and control, log HR, se, share still followed at each interval (numbers, intervals), n of both.
        *_error: emulator's standard error of the logit.
    """

    rate_arm: np.ndarray
    rate_weight: np.ndarray
    rate_one: np.ndarray
    rate_events: np.ndarray
    rate_n: np.ndarray
    rate_error: np.ndarray
    rate_response: np.ndarray
    time_arm: np.ndarray
    time_weight: np.ndarray
    time_one: np.ndarray
    time_late: np.ndarray
    time_tail: np.ndarray
    time_n: np.ndarray
    time_error: np.ndarray
    ratio_arms: np.ndarray
    ratio_value: np.ndarray
    ratio_se: np.ndarray
    ratio_n: np.ndarray
    ratio_followed: np.ndarray


def curve_weights(kind: str, months: float) -> tuple[np.ndarray, float]:
    """S(months) as weights of the outcomes plus a constant, linear between grid points."""
    grid = PFS_MONTHS if kind == "pfs" else OS_MONTHS
    weights, constant = np.zeros(len(OUTCOMES)), 0.0
    points = (0.0, *grid)
    months = float(np.clip(months, 0.0, grid[-1]))
    k = int(np.clip(np.searchsorted(points, months, side="left"), 1, len(grid)))
    share = (months - points[k - 1]) / (points[k] - points[k - 1])
    for place, weight in ((k - 1, 1.0 - share), (k, share)):
        if place == 0:
            constant += weight
        else:
            weights[OUTCOMES.index(f"{kind}_{grid[place - 1]:g}")] += weight
    return weights, constant


class Window(NamedTuple):
    """`curve_weights` at `HALF` before and after a median, and by how many tails of the curve each lies beyond its last point."""

    weights: list[np.ndarray]
    constants: list[float]
    late: list[float]


def window(kind: str, months: float) -> Window:
    ends = [months + side * HALF for side in (-1.0, 1.0)]
    weights, constants = zip(*(curve_weights(kind, at) for at in ends), strict=True)
    grid = PFS_MONTHS if kind == "pfs" else OS_MONTHS
    late = [max(at - grid[-1], 0.0) / (grid[-1] - grid[-1 - TAIL]) for at in ends]
    return Window(list(weights), list(constants), late)


def tail(kind: str) -> np.ndarray:
    """Weights of the first and the last point of a curve's tail, (2, outcomes)."""
    grid = PFS_MONTHS if kind == "pfs" else OS_MONTHS
    return np.array([curve_weights(kind, grid[place])[0] for place in (-1 - TAIL, -1)])


def data_of(numbers: Sequence[Number], made: System, patients: Mapping[str, int], followed: Mapping[str, np.ndarray]) -> Data:
    """Args: patients: of each arm. followed: of each arm, share of patients still followed within each interval of the PFS grid."""
    arm = lambda name: made.arms.index(name)
    rates, times, ratios = ([] for _ in range(3))
    for one in numbers:
        a = arm(one.arm)
        if one.endpoint == "pfs_hr":
            b = arm(one.other)
            ratios.append(((a, b), np.log(one.value), one.se, (patients[one.arm], patients[one.other]), followed[one.arm]))
        elif one.endpoint.startswith("median_"):
            kind = one.endpoint.removeprefix("median_")
            at, middle = window(kind, one.value), curve_weights(kind, one.value)[0]
            error = made.error[a] @ middle / max(middle.sum(), 1e-9)
            times.append((a, at.weights, at.constants, at.late, tail(kind), one.n, error))
        else:
            if one.endpoint in OUTCOMES:
                weight, constant = (np.array(OUTCOMES) == one.endpoint).astype(float), 0.0
            else:
                weight, constant = curve_weights("pfs", float(one.endpoint.removeprefix("pfs_")))
            events = float(np.round(one.value * one.n))
            rates.append((a, weight, constant, events, one.n, made.error[a] @ weight, one.endpoint == "orr"))
    K, T = len(OUTCOMES), len(PFS_MONTHS)
    table = lambda rows, *shapes: [np.array([row[k] for row in rows], float).reshape(len(rows), *s) for k, s in enumerate(shapes)]
    of_rates, of_times = table(rates, (), (K,), (), (), (), (), ()), table(times, (), (2, K), (2,), (2,), (2, K), (), ())
    of_ratios = table(ratios, (2,), (), (), (2,), (T,))
    for columns in (of_rates, of_times, of_ratios):
        columns[0] = columns[0].astype(int)
    return Data(*of_rates, *of_times, *of_ratios)


def moved(p: Any, by: Any) -> Any:
    """A share moved on the logit scale, kept off 0 and 1."""
    p = jnp.clip(p, LEAST, MOST)
    return jnp.clip(jax.nn.sigmoid(jnp.log(p) - jnp.log1p(-p) + by), LEAST, MOST)


def log_likelihood(data: Data, found: Outcomes, errors: Mapping[str, Any]) -> dict[str, Any]:
    """Of each number, by kind. errors: what moves the numbers, by kind: logit, logit, log."""
    shares = found.shares
    p = rate_shares(data, shares, errors["rate"])
    choose = gammaln(data.rate_n + 1) - gammaln(data.rate_events + 1) - gammaln(data.rate_n - data.rate_events + 1)
    rate = choose + xlogy(data.rate_events, p) + xlog1py(data.rate_n - data.rate_events, -p)
    ends = median_score(data, shares, errors["time"])
    time = log_between(ends[:, 0], ends[:, 1])
    ratio = norm.logpdf(data.ratio_value, log_ratio(data, found) + errors["ratio"], data.ratio_se)
    return {"rate": rate, "time": time, "ratio": ratio}


def error_sd(data: Data, spread: Mapping[str, Any]) -> dict[str, Any]:
    """SD of what moves each number, by kind. spread: of each of `SPREADS`, broadcast against the numbers."""
    of_rate = jnp.where(data.rate_response > 0, spread["response"], spread["control"])
    return {
        "rate": jnp.sqrt(of_rate**2 + data.rate_error**2),
        "time": jnp.sqrt(spread["time"] ** 2 + data.time_error**2),
        "ratio": spread["ratio"],
    }


def rate_shares(data: Data, shares: Any, error: Any) -> Any:
    return moved(jnp.einsum("nk,nk->n", shares[data.rate_arm], data.rate_weight) + data.rate_one, error)


def median_score(data: Data, shares: Any, error: Any) -> Any:
    """(1/2 - S)/se at m - h and m + h, (numbers, 2). The curve's points are moved, and joined then, as in `predictive`."""
    curves = moved(shares[data.time_arm], error[:, None])
    S = jnp.einsum("nk,nek->ne", curves, data.time_weight) + data.time_one
    first, last = jnp.moveaxis(jnp.einsum("nk,nek->ne", curves, data.time_tail), 1, 0)
    S = S * (last / first)[:, None] ** data.time_late
    return (0.5 - S) * 2.0 * jnp.sqrt(data.time_n[:, None] + 2.0)


def log_between(low: Any, high: Any) -> Any:
    """log(Phi(high) - Phi(low)), far out too: with a floor a chain would stay where it takes a median for an outlier."""
    right = low > 0.0
    low, high = jnp.where(right, -high, low), jnp.where(right, -low, high)
    high = jnp.maximum(high, low + LEAST_WIDTH)
    return log_ndtr(high) + jnp.log(-jnp.expm1(log_ndtr(low) - log_ndtr(high)))


def log_ratio(data: Data, found: Outcomes) -> Any:
    """Log hazard ratio that Cox regression finds in the two arms' curves, one step of the grid at a time; ties as Breslow."""
    S = jnp.clip(found.pfs, LEAST, 1.0)
    before = jnp.concatenate([jnp.ones_like(S[:, :1]), S[:, :-1]], axis=1)
    fallen = (before - S)[data.ratio_arms] * data.ratio_n[..., None] * data.ratio_followed[:, None]
    middle = (0.5 * (before + S))[data.ratio_arms] * data.ratio_n[..., None] * data.ratio_followed[:, None]
    drug, control = fallen[:, 0], fallen[:, 1]
    both = drug + control
    beta = jnp.log(drug.sum(1) + 0.5) - jnp.log(middle[:, 0].sum(1)) - jnp.log(control.sum(1) + 0.5) + jnp.log(middle[:, 1].sum(1))
    for _ in range(NEWTON):
        share = jax.nn.sigmoid(beta[:, None] + jnp.log(middle[:, 0]) - jnp.log(middle[:, 1]))
        score = jnp.sum(drug - both * share, axis=1)
        beta = beta + score / jnp.maximum(jnp.sum(both * share * (1.0 - share), axis=1), 1e-6)
    return beta
