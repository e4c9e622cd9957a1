"""Published numbers as a likelihood takes them: which outcome of which arm, over how many patients, how exactly told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trialsim.calibration.arms import Arm
from trialsim.calibration.library import HORIZON
from trialsim.evidence import named_arm, published_hazard_ratio, published_study
from trialsim.schema.design.treatments import CONTROL, DRUG

LATEST = 60.0  # months: a later median hangs on how a curve goes on beyond what is simulated
COUNTS = ("orr", "dcr", "clinical_benefit_rate")
MEDIANS = {"median_pfs_months": "pfs", "median_ttp_months": "pfs", "median_os_months": "os"}
JUDGED = ("orr", "dcr", "median_pfs", "pfs_hr")  # the endpoints that models are compared in; median_pfs: or time to progression
TRUSTED = {"good": 1.0, "low": 0.5}  # a number of low trust (second hand) counts as if of half as many patients; ours


class Number(NamedTuple):
    """One published number.

    Attributes:
        study, arm, endpoint: whose and what: orr, dcr, clinical_benefit_rate, median_pfs, median_os, pfs_<months>, pfs_hr.
        value: fraction, months, or hazard ratio. n: patients, half of them where trust is low. se: standard error of log hazard
            ratio, by as much larger, else NaN. other: name of the control arm, of a hazard ratio, else "".
    """

    study: str
    arm: str
    endpoint: str
    value: float
    n: int
    se: float
    other: str = ""

    @property
    def name(self) -> str:
        return f"{self.arm} {self.endpoint}"


def numbers_of(arms: Sequence[Arm]) -> list[Number]:
    """What was published of the arms of one trial file and can be compared with the simulation."""
    found = []
    for arm in arms:
        for one in published_study(arm.published):
            number = _number(arm, one)
            if number is not None:
                found.append(number)
    by_arm = {arm.arm: arm for arm in arms}
    if {DRUG, CONTROL} <= set(by_arm):
        ratio = published_hazard_ratio(by_arm[DRUG].published)
        if ratio is not None:
            n = max(1, round(sum(arm.patients for arm in arms) * _trusted(by_arm[DRUG])))
            exact = ratio.low is not None and ratio.high is not None
            se = np.log(ratio.high / ratio.low) / (2 * 1.96) if exact else _se_unknown(arms)
            se = float(se / np.sqrt(_trusted(by_arm[DRUG])))
            drug, control = by_arm[DRUG].name, by_arm[CONTROL].name
            found.append(Number(by_arm[DRUG].study, drug, "pfs_hr", ratio.value, n, se, control))
    return found


def _trusted(arm: Arm) -> float:
    return TRUSTED[named_arm(arm.published)["trust"]]


def _se_unknown(arms: Sequence[Arm]) -> float:
    """Of a hazard ratio printed without limits: sqrt(1/d1 + 1/d0) if three in four patients have progressed."""
    return float(np.sqrt(sum(1.0 / (0.75 * arm.patients) for arm in arms)))


def _number(arm: Arm, one) -> Number | None:
    n = max(1, round((one.n or arm.patients) * _trusted(arm)))
    if one.name in COUNTS:
        if one.name == "clinical_benefit_rate" and not arm.config.analysis.benefit_compared:
            return None
        return Number(arm.study, arm.name, one.name, one.value, n, np.nan)
    if one.name in MEDIANS:
        endpoint = "median_os" if MEDIANS[one.name] == "os" else "median_pfs"
        return Number(arm.study, arm.name, endpoint, one.value, n, np.nan) if one.value <= LATEST else None
    kind, _, months = one.name.partition("_")
    if kind in ("pfs", "efs") and months.endswith("_months"):
        at = float(months.removesuffix("_months"))
        return Number(arm.study, arm.name, f"pfs_{at:g}", one.value, n, np.nan) if at <= HORIZON else None
    return None
