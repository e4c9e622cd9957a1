"""Decision curves: the net benefit of acting on each design's findings, whatever gain is thought worth the treatment.

    NB(w) = 100 sum over groups of P(treated) share (gain - w)

(Vickers & Elkin, Med Decis Making 2006;26:565-74). What a design decides does not depend on w, so that in each replicate NB falls
along a line: its intercept is what 100 future patients gain, its slope how many of them are treated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from trialsim.designs import operating
from trialsim.endpoints.estimate import Estimate

STEP = 0.001  # of thresholds


class Curve(NamedTuple):
    """A design's decisions. (replicates,) in the order of their batches.

    Attributes:
        gain: future patients in 100 who are better off. treated: share of them who are given the drug.
        batch: number of the batch.
    """

    gain: np.ndarray
    treated: np.ndarray
    batch: np.ndarray

    def at(self, worthwhile: float) -> np.ndarray:
        """Net benefit in each replicate."""
        return self.gain - 100.0 * self.treated * worthwhile


class Stretch(NamedTuple):
    """Thresholds at which one strategy is the best: a design's name, or None where nobody should be treated."""

    best: str | None
    low: float
    high: float


def curves(trials: pd.DataFrame, groups: pd.DataFrame, designs: Sequence[str]) -> dict[str, Curve]:
    """Of every design whose decisions by group were saved.

    Args:
        trials: replicates of the question of benefit. groups: share and gain of each.
    """
    columns = [f"group_{j}" for j in range(len(groups))]
    if not set(columns) <= set(trials.columns):
        return {}
    share = groups["share"].to_numpy(float)
    found = {}
    for name in designs:
        part = trials[trials["design"] == name].sort_values("batch", kind="stable")
        if len(part):
            treats = part[columns].to_numpy(float)
            gained = part["better_off"].to_numpy(float)
            found[name] = Curve(gained, treats @ share, part["batch"].to_numpy(int))
    return found


def attainable(groups: pd.DataFrame, worthwhile: np.ndarray) -> np.ndarray:
    """Net benefit of knowing each group's true gain, (thresholds,)."""
    share, gain = groups["share"].to_numpy(float), groups["gain"].to_numpy(float)
    return 100.0 * np.maximum(gain - worthwhile[:, None], 0.0) @ share


def everybody(groups: pd.DataFrame, worthwhile: np.ndarray) -> np.ndarray:
    """Net benefit of treating everybody without a trial, (thresholds,)."""
    return 100.0 * (float(groups["share"] @ groups["gain"]) - worthwhile)


def net_benefit(curve: Curve, worthwhile: float) -> Estimate:
    """With the interval that Monte Carlo error leaves."""
    return operating.expected(curve.at(worthwhile), curve.batch)


def best_by_threshold(found: Mapping[str, Curve], highest: float) -> list[Stretch]:
    """Which design has the highest net benefit from threshold to threshold, up to ``highest``."""
    names, (at, nets) = list(found), _means(found, highest)
    winner = np.where(nets.max(axis=0) > 0, nets.argmax(axis=0), -1)
    starts = np.flatnonzero(np.diff(winner, prepend=winner[0] - 1))
    ends = [*(at[starts[1:]]), highest]
    best = [names[winner[i]] if winner[i] >= 0 else None for i in starts]
    return [Stretch(*row) for row in zip(best, at[starts].tolist(), map(float, ends), strict=True)]


def everybody_better_below(found: Mapping[str, Curve], groups: pd.DataFrame, highest: float) -> float:
    """Threshold up to which treating everybody without a trial is better than every design; 0 if it never is."""
    at, nets = _means(found, highest)
    better = everybody(groups, at) > nets.max(axis=0)
    return float(at[better].max(initial=0.0))


def _means(found: Mapping[str, Curve], highest: float) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds, and mean net benefit of each design, (designs, thresholds)."""
    at = np.arange(0.0, highest + STEP / 2, STEP)
    return at, np.stack([np.mean(curve.gain) - 100.0 * np.mean(curve.treated) * at for curve in found.values()])


def not_told_apart(first: Curve, second: Curve | None, highest: float) -> tuple[float, float] | None:
    """Thresholds at which the difference of two designs (or of one and nobody) may be 0 within Monte Carlo error."""
    at, within = np.arange(0.0, highest + STEP / 2, STEP), []
    for worthwhile in at:
        other = 0.0 if second is None else second.at(worthwhile)
        found = operating.expected(first.at(worthwhile) - other, first.batch)
        if found.low <= 0.0 <= found.high:
            within.append(float(worthwhile))
    return (within[0], within[-1]) if within else None
