"""ADTTE: progression-free and overall survival, time on treatment, duration of response.

AVAL is the time that the run's own Kaplan-Meier estimates use: days since the first dose (of DOR: since the first response),
without the day of the start itself; add 1 for the convention that counts it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.exchange.source import Source
from trialsim.exchange.subjects import REASONS

COLUMNS = ("pfs_days", "pfs_event", "os_days", "os_event", "days_on_treatment", "off_treatment_reason")
OPTIONAL = (
    "progression_after_days", "progression_by_days", "pfs_days_central", "pfs_event_central", "responder", "response_day",
)  # fmt: skip
NONE = "NO EVENT OBSERVED"


def adtte(source: Source, patients: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Times to event, one row a subject and parameter; of DOR, responders only."""
    p, place = patients, np.arange(len(patients))
    blocks = [_progression(p, "", 1, "PFS", "Progression-Free Survival by Investigator (Days)")]
    if "pfs_days_central" in p:
        blocks.append(_progression(p, "_central", 2, "PFSIRC", "Progression-Free Survival by Central Review (Days)"))
    dead = p["os_event"].to_numpy(bool)
    ends = ["ALIVE AT LAST CONTACT", "END OF OBSERVATION"]
    blocks.append(_rows(3, "OS", "Overall Survival (Days)", place, p["os_days"], dead, np.where(dead, "DEATH", ends[0]), ends[1]))
    reason = p["off_treatment_reason"].map(lambda value: (REASONS | {"completed": "TREATMENT COMPLETED"}).get(value, value))
    stopped = (p["off_treatment_reason"] != "ongoing").to_numpy()
    why = np.where(stopped, reason, "TREATMENT ONGOING")
    label = "Time to Treatment Discontinuation (Days)"
    blocks.append(_rows(4, "TTD", label, place, p["days_on_treatment"], stopped, why, "END OF OBSERVATION"))
    if {"responder", "response_day"} <= set(p.columns):
        blocks.append(_duration(p, blocks[0]))
    frame = pd.concat(blocks).sort_values(["place", "PARAMN"], kind="stable", ignore_index=True)
    frame = frame.assign(AVALU="DAYS", ADY=frame["STARTDY"] + frame["AVAL"])
    return {name: frame[name].to_numpy() for name in frame.columns if name != "place"}, frame["place"].to_numpy()


def _rows(
    number: int, code: str, label: str, place: np.ndarray, days: Any, event: np.ndarray, what: Any, censored_at: Any
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place": place, "PARAMN": number, "PARAMCD": code, "PARAM": label, "AVAL": np.asarray(days, float),
            "CNSR": np.where(event, 0, 1), "EVNTDESC": np.asarray(what, object),
            "CNSDTDSC": np.where(event, "", np.asarray(censored_at, object)), "STARTDY": 1.0,
            "AVALLOW": np.nan, "AVALHIGH": np.nan,
        }
    )  # fmt: skip


def _progression(p: pd.DataFrame, reader: str, number: int, code: str, label: str) -> pd.DataFrame:
    days, event = p[f"pfs_days{reader}"].to_numpy(float), p[f"pfs_event{reader}"].to_numpy(bool)
    if not reader and "progression_by_days" in p:  # death is known to the day, progression to the interval between two scans
        death = (p["progression_after_days"] == p["progression_by_days"]).to_numpy()
    else:
        death = (p["os_event"] & (p["os_days"] == days)).to_numpy()
    what = np.select([event & death, event], ["DEATH", "DISEASE PROGRESSION"], NONE)
    censored_at = np.where(days > 0, "LAST READABLE TUMOUR ASSESSMENT", "FIRST DOSE: NO READABLE ASSESSMENT")
    found = _rows(number, code, label, np.arange(len(p)), days, event, what, censored_at)
    if not reader and "progression_by_days" in p:
        found = found.assign(AVALLOW=p["progression_after_days"].to_numpy(), AVALHIGH=p["progression_by_days"].to_numpy())
    return found


def _duration(p: pd.DataFrame, pfs: pd.DataFrame) -> pd.DataFrame:
    """From the first CR or PR to progression or death, in responders (best response as the study counts it)."""
    since = p["response_day"].to_numpy(float)
    who = p["responder"].to_numpy(bool) & np.isfinite(since)
    of = pfs[who]
    return of.assign(
        PARAMN=5, PARAMCD="DOR", PARAM="Duration of Response (Days)", AVAL=of["AVAL"] - since[who], STARTDY=since[who] + 1,
        AVALLOW=np.nan, AVALHIGH=np.nan,
    )  # fmt: skip
