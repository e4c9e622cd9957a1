"""Who was at risk at each event, for many trials, or many resamples of the patients of one trial, at once.

Every statistic of two arms (`comparison.log_rank`, `hazards.cox`) is a sum over events of what stood at risk just before them, so
that counting is done once. The patients of all trials lie on one axis, by trial, stratum and rising time: whatever is at risk is
a difference of two running sums, and trials of one call never share a risk set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class RiskSets(NamedTuple):
    """One column for each event, in order of trial, stratum and time. A patient censored at t is at risk for an event at t.

    Attributes:
        at_risk: weight of the patients at risk in arm 0 and in arm 1, (2, resamples, events).
        dying: weight of those with an event at this very time, arm 0 and arm 1, (2, resamples, events).
        weight: of the event itself, (resamples, events); 1 unless the patients are resampled.
        arm: of the event, bool, (events,).
        ties: events at this time. rank: of this one among them, 0, 1, ...; (events,).
        stratum_start: column of the first event of the stratum, (events,).
        trial_start: column of each trial's first event, (trials,).
        shape: of a result: the leading axes of the arguments.
    """

    at_risk: np.ndarray
    dying: np.ndarray
    weight: np.ndarray
    arm: np.ndarray
    ties: np.ndarray
    rank: np.ndarray
    stratum_start: np.ndarray
    trial_start: np.ndarray
    shape: tuple[int, ...]

    def total(self, value: np.ndarray) -> np.ndarray:
        """Sum over the events of each trial: (resamples, events) -> (resamples, trials); 0 where a trial has none."""
        if len(self.trial_start) == 1:
            return value.sum(axis=1, keepdims=True)
        events = value.shape[1]
        some = np.diff(self.trial_start, append=events) > 0
        found = np.zeros((len(value), len(self.trial_start)))
        if some.any():
            found[:, some] = np.add.reduceat(value, self.trial_start[some], axis=1)
        return found

    def spread(self, value: np.ndarray) -> np.ndarray:
        """Each trial's value at each of its events: (resamples, trials) -> (resamples, events), or (resamples, 1) of one trial."""
        if len(self.trial_start) == 1:
            return value
        return np.repeat(value, np.diff(self.trial_start, append=len(self.arm)), axis=1)


def risk_sets(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike | None = None,
    included: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> RiskSets:
    """Risk sets of trials of two arms.

    Args:
        time, event, arm: (..., patients), broadcast; any unit of time, finite where included; event and arm bool.
        stratum: integer label, with risk sets of its own; default: one stratum.
        included: bool; a patient who is not is in no risk set, whatever the other arrays say; default: all.
        weight: how often each patient is in a resample, (resamples, patients), with the other arguments (patients,).
    """
    parts = [np.asarray(time, float), np.asarray(event, bool), np.asarray(arm, bool)]
    parts += [np.asarray(True if included is None else included, bool)]
    parts += [np.asarray(0 if stratum is None else stratum)]
    *shape, patients = np.broadcast_shapes(*(x.shape for x in parts))
    trials = int(np.prod(shape))
    t, d, z, here, s = (x.reshape(trials, patients) for x in np.broadcast_arrays(*parts))
    if weight is not None and trials != 1:
        raise ValueError(f"resamples are of the patients of one trial, got weights for {trials} trials")

    t = np.where(here, t, np.inf)
    order = np.argsort(t, axis=1)
    if stratum is not None:
        order = np.take_along_axis(order, np.argsort(np.take_along_axis(s, order, 1), axis=1, kind="stable"), 1)
        s = np.take_along_axis(s, order, 1)
    t = np.take_along_axis(t, order, 1)
    new_stratum = np.ones((trials, patients), bool)
    new_stratum[:, 1:] = np.diff(s, axis=1) != 0
    new = new_stratum.copy()
    new[:, 1:] |= t[:, 1:] != t[:, :-1]

    w = here.astype(float) if weight is None else np.asarray(weight, float) * here
    resamples = 1 if weight is None else len(w)
    w = np.take_along_axis(w, np.broadcast_to(order, w.shape), 1).reshape(resamples, -1)
    dies, side_one = (np.take_along_axis(x, order, 1).ravel() for x in (d & here, z))
    columns = np.flatnonzero(dies)
    # running number of patients' weight before each place, and the places where a time and a stratum start and end
    before = [_running(w * side) for side in (~side_one, side_one)]
    before_dying = [_running(w * (side & dies)) for side in (~side_one, side_one)]
    start, end = _bounds(new.ravel(), columns)
    first, last = _bounds(new_stratum.ravel(), columns)
    events_before = _running(dies[None].astype(int))[0]
    return RiskSets(
        at_risk=np.stack([x[:, last] - x[:, start] for x in before]),
        dying=np.stack([x[:, end] - x[:, start] for x in before_dying]),
        weight=w[:, columns],
        arm=side_one[columns],
        ties=events_before[end] - events_before[start],
        rank=np.arange(len(columns)) - events_before[start],
        stratum_start=events_before[first],
        trial_start=events_before[np.arange(trials) * patients],
        shape=(resamples,) if weight is not None else tuple(shape),
    )


def _running(value: np.ndarray) -> np.ndarray:
    """Sum of all before each place: (rows, n) -> (rows, n + 1)."""
    return np.concatenate([np.zeros((len(value), 1), value.dtype), np.cumsum(value, axis=1)], axis=1)


def _bounds(new: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places where the group of each of the columns starts, and where the next one does; `new`: starts of groups."""
    starts = np.append(np.flatnonzero(new), len(new))
    group = np.searchsorted(starts, columns, side="right") - 1
    return starts[group], starts[group + 1]
