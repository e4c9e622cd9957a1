"""Decisions on rates with beta-mixture priors, and on a mean with a normal one; operating characteristics without simulation.

    two arms     success if  Pr(p_t - p_c > margin | data) > gamma;   power = sum over (y_t, y_c) of binomial x binomial x success
    one arm      success if  Pr(p > null | data) > gamma
    non-inferior success if  Pr(theta < margin | mean of n) > gamma,  mean ~ N(theta, sigma^2 / n)

(Schmidli, Biometrics 2014;70:1023-32; the last: Neuenschwander, Stat Med 2011;30:1618-27.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from trialsim.designs.basket.hyperpriors import composite
from trialsim.designs.borrowing.mixture import BetaMixture, update


class ControlledDesign(NamedTuple):
    """A treated arm against a control arm that borrows; without control patients, against the prior of the control alone.
    treated, control: priors. n_treated, n_control: patients. gamma: threshold. margin: difference to be exceeded.
    """

    treated: BetaMixture
    control: BetaMixture
    n_treated: int
    n_control: int
    gamma: float
    margin: float = 0.0


def probability_greater(first: BetaMixture, second: BetaMixture, margin: float = 0.0) -> np.ndarray:
    """Pr(p_1 - p_2 > margin), every one of ``first`` (rows) against every one of ``second`` (columns).

    Gauss-Legendre in the angle x with p = sin^2 x, in which beta densities with a, b >= 1/2 are smooth; a panel ends where the
    distribution of p_2 + margin begins or ends.
    """
    ends = np.arcsin(np.sqrt(np.clip([margin, 1.0 + margin], 0.0, 1.0)))
    edges = np.unique(np.concatenate([np.linspace(0.0, np.pi / 2.0, 121), ends]))
    x, w = composite(edges, 5)
    p, w = np.sin(x) ** 2, w * np.sin(2.0 * x)
    below = second.cdf(np.clip(p - margin, 0.0, 1.0))
    return np.clip((np.atleast_2d(first.density(p)) * w) @ np.atleast_2d(below).T, 0.0, 1.0)


def success_table(design: ControlledDesign) -> np.ndarray:
    """Whether each outcome is a success, bool, (n_treated + 1, n_control + 1)."""
    treated = update(design.treated, np.arange(design.n_treated + 1), design.n_treated)
    control = update(design.control, np.arange(design.n_control + 1), design.n_control)
    return probability_greater(treated, control, design.margin) > design.gamma


def critical_responders(success: np.ndarray) -> np.ndarray:
    """Fewest treated responders for success, given the control's, (n_control + 1,); n_treated + 1 where none are enough."""
    return np.where(success.any(axis=0), success.argmax(axis=0), success.shape[0])


def power(success: np.ndarray, p_treated: ArrayLike, p_control: ArrayLike) -> np.ndarray:
    """Probability of success at true rates, of any shape. Equal rates give the type I error."""
    p_treated, p_control = np.broadcast_arrays(np.asarray(p_treated, float), np.asarray(p_control, float))
    n_treated, n_control = success.shape[0] - 1, success.shape[1] - 1
    of_treated = stats.binom.pmf(np.arange(n_treated + 1), n_treated, p_treated[..., None])
    of_control = stats.binom.pmf(np.arange(n_control + 1), n_control, p_control[..., None])
    return np.einsum("...t,tc,...c->...", of_treated, success.astype(float), of_control)


def detectable_difference(success: np.ndarray, p_control: float, wanted: float) -> float:
    """Difference of the rates that is found with power ``wanted``; NaN where no rate reaches it."""
    excess = lambda difference: float(power(success, p_control + difference, p_control)) - wanted
    if excess(1.0 - p_control) < 0.0:
        return float("nan")
    return float(optimize.brentq(excess, 0.0, 1.0 - p_control)) if excess(0.0) < 0.0 else 0.0


def one_arm_success(prior: BetaMixture, n: int, null_rate: float, gamma: float) -> np.ndarray:
    """Whether y = 0 ... n responders are a success, bool, (n + 1,)."""
    return 1.0 - update(prior, np.arange(n + 1), n).cdf([null_rate])[:, 0] > gamma


def noninferiority_power(
    theta: ArrayLike, sigma: float, n: int, margin: float, gamma: float, prior_mean: float = 0.0, prior_sd: float = np.inf
) -> np.ndarray:
    """Probability that the mean of ``n`` values shows theta < margin, at the true ``theta``; smaller is better.

    Args:
        sigma: standard deviation of one value. gamma: threshold. prior_mean, prior_sd: normal prior of theta; flat if sd is inf.
    """
    data, prior = n / sigma**2, prior_sd**-2.0
    # posterior N((data x mean + prior x prior_mean) / (data + prior), 1 / (data + prior)): largest mean that succeeds
    largest = ((margin - special.ndtri(gamma) / np.sqrt(data + prior)) * (data + prior) - prior * prior_mean) / data
    return special.ndtr((largest - np.asarray(theta, float)) * np.sqrt(data))
