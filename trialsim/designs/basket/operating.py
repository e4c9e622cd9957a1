"""Plain Bernoulli responses for a basket design, and the final threshold that keeps its error under the global null."""

from __future__ import annotations

from typing import Literal

import numpy as np

from trialsim.designs.basket.trial import BasketDesign, Responses, play


def plain_responses(
    rates: np.ndarray,
    sizes: np.ndarray | int,
    replicates: int,
    generator: np.random.Generator,
    shares: np.ndarray | None = None,
    per_day: float = 1.0,
    known_after: float = 0.0,
    evaluable: float = 1.0,
) -> Responses:
    """Independent Bernoulli outcomes, exponential times between arrivals.

    Args:
        rates: response rate of each basket, (baskets,).
        sizes: patients of each basket, who come in random order, (baskets,); with ``shares`` the patients of all baskets together.
        shares: prevalence of the baskets, adding up to 1, (baskets,).
        per_day: patients that arrive, per day. known_after: days to the outcome. evaluable: share that can be judged.
    """
    rates = np.asarray(rates, float)
    if shares is None:
        every = np.repeat(np.arange(rates.size), sizes)
        basket = generator.permuted(np.tile(every, (replicates, 1)), axis=1)
    else:
        basket = generator.choice(rates.size, (replicates, int(np.sum(sizes))), p=shares)
    arrival = np.cumsum(generator.exponential(1.0 / per_day, basket.shape), axis=1)
    response = generator.random(basket.shape) < rates[basket]
    return Responses(basket, arrival, response, arrival + known_after, generator.random(basket.shape) < evaluable)


def calibrate(
    design: BasketDesign, null: Responses, alpha: float, error: Literal["basket", "family"] = "basket", binding: bool = True
) -> np.ndarray:
    """Smallest final thresholds gamma that keep the error at ``alpha`` in the replicates given, (baskets,).

    Args:
        null: outcomes under the global null, p_k = null_k in all baskets.
        error: "basket": of each basket, each its own threshold. "family": of any basket, one threshold for all.
        binding: whether stopping for futility may be counted on. It must not for the predictive rule, which needs gamma itself.

    Raises:
        ValueError: efficacy at the looks alone takes more than alpha.
    """
    if binding and design.futility is not None and design.futility.kind == "predictive":
        raise ValueError("a predictive futility rule depends on gamma: calibrate with binding=False")
    baskets = len(design.null_rate)
    open_end = design._replace(gamma=np.full(baskets, 2.0), futility=design.futility if binding else None)
    played = play(open_end, null)
    may = (played.stopped_look == 0) & (played.estimate > design.least_estimate) & (played.evaluable > 0)
    statistic = np.where(played.positive, np.inf, np.where(may, played.probability, 0.0))
    if error == "family":
        statistic = np.repeat(statistic.max(axis=1, keepdims=True), baskets, axis=1)
    allowed = int(np.floor(alpha * len(statistic) + 1e-9))  # replicates that may exceed gamma
    gamma = -np.sort(-statistic, axis=0)[min(allowed, len(statistic) - 1)]
    if np.any(np.isinf(gamma)):
        raise ValueError(f"the interim threshold {design.efficacy} alone makes an error of more than {alpha}")
    return gamma
