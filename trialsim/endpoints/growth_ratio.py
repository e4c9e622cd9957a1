"""The ratio of tumour growth before and on treatment: each patient is their own control (CPCT-03).

Definition (Cirkel GA, Weeber F et al. Ann Oncol 2016;27:1638-43; AACR abstract CT113, 2016; NCT01566279): the
volumetric time to progression before treatment (TTP1) divided by that on treatment (TTP2); progression is a rise of the
target-lesion volume by 30 % or more, or a new lesion; a ratio below 0.7 is benefit. There 59 patients were treated, a
ratio could be determined in 43, and 21 were below 0.7.

What the abstracts leave open, and what is done here:

* TTP1 is extrapolated from two scans by exponential growth, TTP1 = ln 1.3 (t_1 - t_0) / ln(V_1 / V_0). A new lesion at
  the second scan is progression within the interval, so TTP1 is then at most the interval.
* A tumour that did not grow between those scans has no TTP1, so its ratio is NaN.
* TTP2 is measured from the first dose; the volume is compared with the baseline scan (not the nadir). Volume
  progression is dated by exponential growth between the scan before and the scan at which it is seen, unless
  `interpolate` is off: with dates of scans alone an untreated fast-growing tumour would have a TTP2 of one whole scan
  interval and seem to benefit.
* Death counts as progression.
* No progression by the last readable scan: TTP2 is at least that time, so TTP1 over it is an upper bound of the ratio.
  A bound below the threshold proves benefit and is given as the ratio; a bound above it proves nothing, and the ratio
  is NaN.
* Without a readable earlier scan, baseline scan, or anything on treatment, the ratio is NaN. NaN is never benefit, but
  the patient stays in the denominator, as in the published 21 of 59.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SMALLEST_VOLUME_ML = 1e-3
"""Volume taken for a tumour that is gone when growth from it is dated, ml (a sphere of 1.2 mm; assumed: below what is
seen).
"""


class TtpRatio(NamedTuple):
    """All fields (patients,).

    Attributes:
        ratio: TTP1 / TTP2, or its upper bound if that is below the threshold; NaN if not determined.
        before_days: TTP1, days; NaN if not determined.
        on_days: TTP2, or the time of censoring, days; NaN if nothing was assessed.
        progressed: TTP2 is a time of progression, not of censoring.
        benefit: the ratio is below the threshold.
    """

    ratio: np.ndarray
    before_days: np.ndarray
    on_days: np.ndarray
    progressed: np.ndarray
    benefit: np.ndarray


def time_before(
    earlier_ml: np.ndarray,
    baseline_ml: np.ndarray,
    interval_days: np.ndarray,
    new_lesion: np.ndarray | None = None,
    volume_increase: float = 0.3,
) -> np.ndarray:
    """Time to progression before treatment, TTP1.

    Args:
        earlier_ml, baseline_ml: target-lesion volume at the two scans before treatment, (patients,), ml; NaN if not
            measured.
        interval_days: time between those scans, (patients,), days, > 0.
        new_lesion: a lesion appeared between them, (patients,), bool; default: none.
        volume_increase: rise that is progression, fraction.

    Returns:
        (patients,), days; NaN if the tumour did not grow or was not measured.
    """
    earlier_ml, baseline_ml, interval_days = (np.asarray(a, float) for a in (earlier_ml, baseline_ml, interval_days))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.log(baseline_ml / earlier_ml) / interval_days
        grows = (rate > 0) & np.isfinite(rate) & (interval_days > 0)
        days = np.where(grows, np.log1p(volume_increase) / np.where(grows, rate, 1.0), np.nan)
    if new_lesion is None:
        return days
    return np.where(np.asarray(new_lesion, bool), np.fmin(days, interval_days), days)


def time_on(
    baseline_ml: np.ndarray,
    baseline_day: np.ndarray,
    day: np.ndarray,
    volume_ml: np.ndarray,
    new_lesion: np.ndarray,
    death_day: np.ndarray,
    volume_increase: float = 0.3,
    interpolate: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Time to progression on treatment, TTP2, from the first dose (day 0).

    Args:
        baseline_ml: (patients,), ml. baseline_day: (patients,), day of the baseline scan, <= 0.
        day: (patients, scans), days from first dose, > 0, ascending; NaN where there is no scan.
        volume_ml: (patients, scans), ml; NaN where not measured.
        new_lesion: (patients, scans), bool.
        death_day: (patients,), days; inf or NaN if not observed.
        volume_increase, interpolate: as in the module's text.

    Returns:
        days (patients,): of progression, or of the last readable scan if none; NaN if nothing was assessed.
        progressed (patients,), bool.
    """
    baseline_ml, day, volume_ml = (np.asarray(a, float) for a in (baseline_ml, day, volume_ml))
    new_lesion = np.asarray(new_lesion, bool)
    limit = baseline_ml * (1.0 + volume_increase)
    death = np.where(np.isnan(death_day), np.inf, death_day)
    volume_time, new_time = np.full(len(day), np.inf), np.full(len(day), np.inf)
    last_day, last_ml = np.minimum(np.asarray(baseline_day, float), 0.0), baseline_ml
    last_readable = np.full(len(day), np.nan)
    for scan in range(day.shape[1]):
        now, volume = day[:, scan], volume_ml[:, scan]
        readable = np.isfinite(now) & np.isfinite(volume)
        crossed = readable & (volume >= limit) & np.isinf(volume_time)
        dated = _crossing_day(last_day, last_ml, now, volume, limit) if interpolate else now
        volume_time = np.where(crossed, dated, volume_time)
        new_time = np.where(np.isfinite(now) & new_lesion[:, scan], np.minimum(new_time, now), new_time)
        last_readable = np.where(readable, now, last_readable)
        last_day, last_ml = np.where(readable, now, last_day), np.where(readable, volume, last_ml)
    progression = np.minimum(np.minimum(volume_time, new_time), death)
    progressed = np.isfinite(progression)
    return np.where(progressed, progression, last_readable), progressed


def ttp_ratio(before_days: np.ndarray, on_days: np.ndarray, progressed: np.ndarray, threshold: float = 0.7) -> TtpRatio:
    """Ratio and benefit from the two times; arguments (patients,), from `time_before` and `time_on`."""
    before_days, on_days = np.asarray(before_days, float), np.asarray(on_days, float)
    progressed = np.asarray(progressed, bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(on_days > 0, before_days / on_days, np.nan)
        ratio = np.where(progressed | (ratio < threshold), ratio, np.nan)
        benefit = ratio < threshold
    return TtpRatio(ratio, before_days, on_days, progressed, benefit)


def _crossing_day(
    start: np.ndarray, start_ml: np.ndarray, end: np.ndarray, end_ml: np.ndarray, limit: np.ndarray
) -> np.ndarray:
    """Day on which exponential growth from (start, start_ml) to (end, end_ml) passes `limit`; not before the first
    dose.
    """
    floor = np.minimum(SMALLEST_VOLUME_ML, limit)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.log(np.maximum(start_ml, floor))
        part = (np.log(limit) - low) / (np.log(end_ml) - low)
    # half a day at least: growth that passed the limit before the first dose still gives a positive time
    return np.clip(start + np.clip(np.nan_to_num(part, nan=1.0), 0.0, 1.0) * (end - start), np.minimum(0.5, end), end)
