"""Several arms against one control: Dunnett's test, and select-the-winner trials in stages, with exact familywise error.

The z statistics of K arms against a shared control are multivariate normal with correlation rho = r / (1 + r), r patients of an
arm for one of the control (Dunnett, J Am Stat Assoc 1955;50:1096-121). Given the control's deviate u they are independent:

    Z_k = m_k + sqrt(1 - rho) V_k - sqrt(rho) U
    P(max_k Z_k <= c) = int phi(u) prod_k Phi((c - m_k + sqrt(rho) u) / sqrt(1 - rho)) du

Select the winner (Thall, Simon & Ellenberg, Biometrika 1988;75:303-10; Stallard & Todd, Stat Med 2003;22:689-703): the first look
keeps the arm of largest Z and ends all others; the looks that follow compare it with the control on all data. The density of its Z
at the first look is a sum over arms of integrals as above; from there B_j = Z_j sqrt(t_j), t_j the share of the information, has
independent increments, and the looks are a recursion over its density (Armitage, McPherson & Rowe, J R Stat Soc A 1969;132:235-44).
A critical constant shaped by t (Wang & Tsiatis, Biometrics 1987;43:193-9) makes the familywise error exactly alpha where no arm
works. Arms that work only take the selection away from those that do not, so that it is at most alpha there too (strong control).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize, special

NODE, NODE_WEIGHT = np.polynomial.legendre.leggauss(64)  # of a continuation region: error below 1e-7
FAR = 8.0  # standard deviations after which a normal density is nothing


class Winner(NamedTuple):
    """A select-the-winner trial; bounds on the z scale, (looks,).

    Attributes:
    arms: experimental arms, K. information: t of each look, increasing to 1.
    futility: ends without a claim if Z <= it; -inf: never. efficacy: ends with a claim if Z > it.
    ratio: patients of an arm for one of the control.
    """

    arms: int
    information: np.ndarray
    futility: np.ndarray
    efficacy: np.ndarray
    ratio: float


class Ends(NamedTuple):
    """Probabilities of ending at each look with each arm selected, (looks, arms): with a claim, and without."""

    claim: np.ndarray
    none: np.ndarray


def dunnett_error(critical: float, arms: int, ratio: float = 1.0, shift: np.ndarray | None = None) -> float:
    """P(max_k Z_k > critical), one-sided.

    Args:
        arms: K. ratio: patients of an arm for one of the control. shift: mean of each Z, (K,); None: 0, the global null.
    """
    rho, mean = ratio / (1.0 + ratio), np.zeros(arms) if shift is None else np.asarray(shift, float)
    u, weight = _gauss(-FAR, FAR)
    inside = special.ndtr((critical - mean + np.sqrt(rho) * u[:, None]) / np.sqrt(1.0 - rho))
    return float(1.0 - (weight * _pdf(u)) @ inside.prod(axis=1))


def dunnett_critical(arms: int, alpha: float, ratio: float = 1.0) -> float:
    """Critical value of the largest of K z statistics with familywise error alpha, one-sided."""
    return float(optimize.brentq(lambda c: dunnett_error(c, arms, ratio) - alpha, 0.0, FAR, xtol=1e-10))


def winner_design(
    arms: int, information: list[float], alpha: float, shape: float = 0.0, futility: list[float] | None = None, ratio: float = 1.0
) -> Winner:
    """Efficacy bounds c t^(shape - 1/2) with familywise error alpha under the global null.

    Args:
        information: t of each look, to 1. alpha: one-sided. shape: 0: O'Brien-Fleming, 0.5: Pocock. futility: z at all looks but
            the last, binding; None: never.
    """
    t = np.asarray(information, float)
    if np.any(np.diff(t) <= 0) or t[0] <= 0 or not np.isclose(t[-1], 1.0):
        raise ValueError(f"information must increase to 1, got {t.tolist()}")
    stop = np.full(len(t), -np.inf)
    if futility is not None:
        stop[:-1] = futility

    def made(c: float) -> Winner:
        efficacy = c * t ** (shape - 0.5)
        return Winner(arms, t, np.minimum(np.where(np.arange(len(t)) + 1 < len(t), stop, efficacy), efficacy), efficacy, ratio)

    error = lambda c: arms * _ends_of(made(c), np.zeros(arms), 0)[0].sum()  # under the global null all arms are alike
    c = optimize.brentq(lambda c: error(c) - alpha, 0.5, FAR, xtol=1e-9)
    return made(float(c))


def ends(design: Winner, drift: np.ndarray) -> Ends:
    """How a trial ends.

    Args:
        drift: expected Z of each arm at full information, (K,); 0: as the control.
    """
    drift = np.asarray(drift, float)
    by_arm = [_ends_of(design, drift, k) for k in range(design.arms)]
    return Ends(*(np.stack(values, axis=1) for values in zip(*by_arm, strict=True)))


def pooled_z(responders: np.ndarray, n: np.ndarray) -> np.ndarray:
    """z of each arm's rate against that of arm 0 with the pooled variance, (replicates, arms); 0 where nothing varies."""
    x, x0, m, m0 = responders, responders[:, :1], np.maximum(n, 1), np.maximum(n[:, :1], 1)
    pooled = (x + x0) / (m + m0)
    spread = np.sqrt(pooled * (1.0 - pooled) * (1.0 / m + 1.0 / m0))
    return np.where(spread > 0, (x / m - x0 / m0) / np.where(spread > 0, spread, 1.0), 0.0)


def _ends_of(design: Winner, drift: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that arm k is selected and the trial ends at each look, with a claim and without, (looks,)."""
    t, looks = design.information, len(design.information)
    claim, none = np.zeros(looks), np.zeros(looks)
    mean = drift * np.sqrt(t[0])
    z, weight = _pieces((mean.min() - FAR, mean.max() + FAR), design.futility[0], design.efficacy[0])
    mass = weight * _selected(z, k, mean, design.ratio)
    claim[0], none[0] = mass[z > design.efficacy[0]].sum(), mass[z <= design.futility[0]].sum()
    stays = (z > design.futility[0]) & (z <= design.efficacy[0])
    z, mass = z[stays], mass[stays]
    for j in range(1, looks):
        step = t[j] - t[j - 1]
        centre = z * np.sqrt(t[j - 1]) + drift[k] * step  # of B_j given B_{j-1}
        standard = lambda z, j=j, step=step, centre=centre: (z * np.sqrt(t[j]) - centre) / np.sqrt(step)
        claim[j] = mass @ special.ndtr(-standard(design.efficacy[j]))
        none[j] = mass @ special.ndtr(standard(design.futility[j]))
        if j + 1 < looks:
            far = drift[k] * np.sqrt(t[j]) + np.array([-FAR, FAR])
            z, weight = _gauss(*np.clip([design.futility[j], design.efficacy[j]], *far))
            mass = weight * (_pdf(standard(z[:, None])) * np.sqrt(t[j] / step) @ mass)
    return claim, none


def _selected(z: np.ndarray, k: int, mean: np.ndarray, ratio: float) -> np.ndarray:
    """Density at z of Z_k where Z_k is the largest, at the first look."""
    rho = ratio / (1.0 + ratio)
    root, (u, weight) = np.sqrt(1.0 - rho), _gauss(-FAR, FAR)
    v = (z[:, None, None] - mean + np.sqrt(rho) * u[:, None]) / root  # (z, u, arms)
    others = np.delete(special.ndtr(v), k, axis=2).prod(axis=2)
    return (others * _pdf(v[:, :, k]) / root) @ (weight * _pdf(u))


def _pdf(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def _gauss(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    half = 0.5 * (high - low)
    return low + half * (NODE + 1.0), half * NODE_WEIGHT


def _pieces(edges: tuple[float, float], low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights over the whole line, split at the bounds."""
    cuts = np.clip([edges[0], low, high, edges[1]], *edges)
    parts = [_gauss(a, b) for a, b in zip(cuts[:-1], cuts[1:], strict=True) if b > a]
    return np.concatenate([x for x, _ in parts]), np.concatenate([w for _, w in parts])
