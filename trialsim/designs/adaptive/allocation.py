"""How likely the next patient is to get each arm.

Thall & Wathen (Eur J Cancer 2007;43:859-66) give arm k a share proportional to P(arm k is best)^c with c = n / (2 N) after n of N
patients, which adapts little while little is known; c = 0 is equal randomisation, c = 1 follows the probability itself. Shares
are kept between bounds, and the control's may be held fixed, as a control that starves costs more power than adapting gains
(Korn & Freidlin, J Clin Oncol 2011;29:771-6; Thall, Fox & Wathen, Ann Oncol 2015;26:1621-8).
"""

from __future__ import annotations

import numpy as np

BISECTIONS = 60


def shares(
    best: np.ndarray, open_arms: np.ndarray, power: float, low: float, high: float, control_share: float | None
) -> np.ndarray:
    """Allocation shares, (replicates, arms), rows sum to 1; 0 for arms that are closed.

    Args:
        best: P(arm is best), (replicates, arms); with a fixed control share, of the experimental arms only. open_arms: bool, the
            control always. power: c. low, high: bounds of the share of an open arm that adapts; where they cannot hold with the
            arms that are open, they give way. control_share: fixed share of arm 0, None: it adapts as the others do.
    """
    adapts = open_arms.copy()
    rest = 1.0
    if control_share is not None:
        adapts[:, 0] = False
        rest = 1.0 - control_share
    number = adapts.sum(axis=1, keepdims=True)
    weight = np.where(adapts, np.maximum(best, 1e-12) ** power, 0.0)
    floor, ceiling = np.minimum(low, rest / np.maximum(number, 1)), np.maximum(high, rest / np.maximum(number, 1))
    share = _bounded(weight, floor * adapts, ceiling * adapts, rest)
    if control_share is not None:
        share[:, 0] = np.where(number[:, 0] > 0, control_share, 1.0)
    return share


def _bounded(weight: np.ndarray, low: np.ndarray, high: np.ndarray, total: float) -> np.ndarray:
    """clip(s weight, low, high) with the s at which a row sums to `total`."""
    smallest, largest = np.full(len(weight), -40.0), np.full(len(weight), 40.0)  # log s
    for _ in range(BISECTIONS):
        middle = 0.5 * (smallest + largest)
        over = np.clip(np.exp(middle)[:, None] * weight, low, high).sum(axis=1) > total
        smallest, largest = np.where(over, smallest, middle), np.where(over, middle, largest)
    return np.clip(np.exp(largest)[:, None] * weight, low, high)
