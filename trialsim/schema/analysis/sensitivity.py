"""Settings of the sensitivity analysis."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError, Name, Settings
from trialsim.schema.drug import DrugSettings
from trialsim.schema.faults import near
from trialsim.schema.partner import PartnerSettings
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

SIGNALLING = "network.signalling"
SECTIONS = ("network.spread", "network.genotype", "network.growth", "drug.binding", "drug.pk")
SHARED = {f"network.growth.{name}" for name in ("death_burden", "death_progression", "new_lesion_growth")}  # no patient's own
Outcome = Literal["orr", "dcr", "pfs_mean", "pfs_median", "best_change", "size_week_8", "ps6_week_4", "pakt_week_4"]


class RangeSettings(Settings):
    """Prior range of a parameter beyond ``network.priors``."""

    path: str = Field(description="where it stands in the configuration")
    low: float = Field(ge=0, allow_inf_nan=False)
    high: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=1)


class SensitivitySettings(AnalysisSettings):
    """Which parameters the outcomes depend on, and which of them published data inform."""

    kind: Literal["sensitivity"] = Field(description=KIND)
    parameters: Literal["all"] | tuple[str, ...] = Field(description="names from network.priors and ranges, or all of them")
    ranges: dict[Name, RangeSettings] = Field(description="prior ranges beyond network.priors, by a short name")
    weeks: int = Field(ge=12, le=96, description="weeks to which progression-free survival is averaged")
    rank_by: tuple[Outcome, ...] = Field(min_length=1, description="outcomes that choose the parameters of Sobol indices")
    trajectories: int = Field(ge=4, le=1000, description="Morris trajectories; each takes parameters + 1 cohorts")
    levels: Literal[4, 6, 8, 10] = Field(description="levels of the Morris design")
    sobol_parameters: int = Field(ge=0, le=64, description="leading parameters whose Sobol indices are computed; 0: none")
    sobol_samples: Annotated[int, Field(ge=16, le=65536)] = Field(
        description="base samples, a power of two; each takes sobol_parameters + 2 cohorts"
    )
    local_patients: int = Field(ge=0, le=4096, description="patients whose course is differentiated; 0: none")
    identifiability: bool = Field(description="whether the laboratory facts are asked what they tell")
    fact_step: float = Field(gt=0, le=1, description="of the slopes of facts: each way, in prior standard deviations")
    dish_drug: DrugSettings = Field(description="rapalog given to cells in culture")
    autophagy_inhibitor: PartnerSettings = Field(description="drug that some of the clinical facts are about")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found: list[ConfigError] = []
        priors = study.network.priors
        known = (*priors, *self.ranges)
        for name in self.parameters if self.parameters != "all" else ():
            if name not in known:
                allowed = f"all, or names of network.priors and analysis.ranges{near(name, known)}"
                found.append(ConfigError("analysis.parameters", name, allowed))
        if self.parameters != "all" and len(set(self.parameters)) < max(len(self.parameters), 2):
            found.append(ConfigError("analysis.parameters", list(self.parameters), "two different names or more"))
        for name, one in self.ranges.items():
            key = f"analysis.ranges.{name}"
            if name in priors:
                found.append(ConfigError(key, "...", "another name; network.priors has this one"))
            if not one.low < one.high:
                found.append(ConfigError(f"{key}.low", one.low, f"below high = {one.high:g}"))
            if fault := _path_fault(study, one.path):
                found.append(ConfigError(f"{key}.path", one.path, fault))
        if self.sobol_samples & (self.sobol_samples - 1):
            found.append(ConfigError("analysis.sobol_samples", self.sobol_samples, "a power of two"))
        follow_up = study.design.max_follow_up_months * DAYS_PER_MONTH
        if self.simulated_days(study) > follow_up:
            most = int(follow_up / DAYS_PER_WEEK) - study.endpoint.scan_interval_weeks - 2
            allowed = f"at most {most}, so that one more scan falls within design.max_follow_up_months"
            found.append(ConfigError("analysis.weeks", self.weeks, allowed))
        if self.identifiability:
            found += [
                ConfigError(f"mechanism.{name}", False, "true with analysis.identifiability, as facts are of cells with the route")
                for name, is_open in study.mechanism.model_dump().items()
                if not is_open
            ]
            if not study.cell_line:
                allowed = "the lines of experiment=sensitivity, or analysis.identifiability=false"
                found.append(ConfigError("cell_line", {}, allowed))
        return found

    def simulated_days(self, study: StudyConfig) -> int:
        """Days of each course: a scan later than ``weeks`` tells that a patient had not progressed by then."""
        return int((self.weeks + study.endpoint.scan_interval_weeks + 2) * DAYS_PER_WEEK)


def _path_fault(study: StudyConfig, path: str) -> str:
    """What is wrong with a path, in words; empty if nothing is."""
    section, _, field = path.rpartition(".")
    allowed = f"a number of {', '.join(SECTIONS)}"
    if section not in SECTIONS or path in SHARED:
        return allowed
    home = reduce(getattr, section.split("."), study)
    known = [name for name in type(home).model_fields if isinstance(getattr(home, name), float)]
    return "" if field in known else f"a number of {section}{near(field, tuple(known))}"
