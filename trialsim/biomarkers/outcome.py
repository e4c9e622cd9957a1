"""What a marker is asked to foretell, of patients who can still be asked.

A marker seen under treatment says nothing of those who progressed before it was seen; to count them as its failures, or to count
the time up to it as survival, is immortal-time bias. Hence the landmark: whoever is free of progression and under observation on
the day on which the marker is known, and what happens after that day (Anderson JR et al., J Clin Oncol 1983;1:710-9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.biomarkers import twins
from trialsim.conduct.patients import PK_DAY
from trialsim.conduct.study_drugs import INTERVAL_DAYS
from trialsim.units import DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.biomarkers.markers import When
    from trialsim.schema.study import StudyConfig

NAMES = ("response", "clinical_benefit", "progression_free", "benefit")


class Outcome(NamedTuple):
    """An outcome of the patients at risk at a landmark.

    Attributes:
        rows: of the patients with a known outcome. happened: (rows,), bool. weight: (rows,), 1 but for censoring.
    """

    rows: np.ndarray
    happened: np.ndarray
    weight: np.ndarray


def landmarks(config: StudyConfig, biopsy_week: int) -> dict[When, int]:
    """Day on which each kind of marker is known in all patients."""
    scan = int(np.ceil(config.endpoint.scan_interval_weeks * DAYS_PER_WEEK)) + config.endpoint.scan_jitter_days
    blood = max(config.regimen.start_day + PK_DAY + INTERVAL_DAYS[config.regimen.schedule] + 1, int(DAYS_PER_WEEK) * biopsy_week)
    return {"baseline": 0, "biopsy": int(DAYS_PER_WEEK) * biopsy_week, "blood": blood, "scan": scan}


def outcome(pairs: pd.DataFrame, name: str, landmark: int, horizon: float, benefit_days: float) -> Outcome:
    """One of `NAMES` in patients on the drug.

    response: objective response first seen after the landmark, of those without one yet. clinical_benefit: as the study defines it.
    progression_free: alive without progression on day ``horizon``; patients censored before count by inverse probability of
    censoring (Uno H et al., J Am Stat Assoc 2007;102:527-37). benefit: `twins.benefit`, seen in silico only.

    Args:
        pairs: as from `twins.pair`. landmark, horizon, benefit_days: days.
    """
    time, event = pairs["pfs_days_treated"].to_numpy(float), pairs["pfs_event_treated"].to_numpy(bool)
    at_risk = (time > landmark) if landmark > 0 else np.ones(len(pairs), bool)
    weight = np.ones(len(pairs))
    if name == "response":
        day = pairs["response_day_treated"].to_numpy(float)
        at_risk &= ~(day <= landmark)
        happened = np.isfinite(day)
    elif name == "clinical_benefit":
        happened = pairs["clinical_benefit_treated"].to_numpy(bool)
    elif name == "benefit":
        told = twins.benefit(pairs, benefit_days)
        at_risk &= np.isfinite(told)
        happened = told == 1.0
    else:
        happened = time > horizon
        weight = censoring_weight(time, event, at_risk, horizon)
        at_risk &= weight > 0
    rows = np.flatnonzero(at_risk)
    return Outcome(rows, happened[rows], weight[rows])


def censoring_weight(time: np.ndarray, event: np.ndarray, at_risk: np.ndarray, horizon: float) -> np.ndarray:
    """1 / G(min(time-, horizon)), G the Kaplan-Meier curve of censoring among those at risk; 0 where the status on day
    ``horizon`` is unknown or the patient is not at risk; (patients,)."""
    weight = np.zeros(len(time))
    if not at_risk.any():
        return weight
    known = at_risk & (event | (time > horizon))
    G = stats.ecdf(stats.CensoredData.right_censored(time[at_risk], event[at_risk])).sf
    # just before an event on the same day nobody of that day is censored yet
    at = np.where(time > horizon, horizon, np.nextafter(time, -np.inf))
    weight[known] = 1.0 / G.evaluate(at[known])
    return weight
