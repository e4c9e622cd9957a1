"""What is measured and how it is judged: scans, reading error, RECIST 1.1 options, clinical benefit."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.faults import raise_all
from trialsim.units import DAYS_PER_WEEK

Criteria = Literal["RECIST 1.1", "RECIST 1.0", "lymphoma", "volume"]
ScanInterval = Annotated[float, Field(ge=2, le=26)]  # weeks


class ClinicalBenefit(Settings):
    """How a study defines clinical benefit.

    ``ttp_ratio``: time to progression before treatment over time to progression on treatment below `threshold`
    (CPCT-03).
    ``disease_control``: objective response, or a visit without progression `weeks` or later after the first dose.
    """

    kind: Literal["ttp_ratio", "disease_control"] = Field(description="definition of clinical benefit")
    threshold: float = Field(gt=0, le=2, description="ratio below which a patient benefits, no unit; used by ttp_ratio")
    weeks: float | None = Field(
        gt=0, le=104, description="time without progression, weeks; used by disease_control, else null"
    )
    volume_increase: float = Field(
        gt=0, le=2, description="growth of the target-lesion volume that is progression in the ratio, fraction"
    )
    interpolate: bool = Field(
        description="date volume progression between two scans by exponential growth, not at the later scan"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.kind == "disease_control" and self.weeks is None:
            raise ConfigError(
                "endpoint.clinical_benefit.weeks",
                None,
                "a number of weeks, as clinical_benefit.kind is disease_control",
            )
        return self

    @property
    def days(self) -> float | None:
        """`weeks` in days."""
        return None if self.weeks is None else self.weeks * DAYS_PER_WEEK


class Reading(NamedTuple):
    """What a course needs to know of the endpoints, fixed in its compiled program; the rest only arranges scans and tables."""

    criteria: Criteria
    reader_cv: float
    lesion_cv: float
    lesion_error_mm: float
    reading_resolution_mm: float
    smallest_measurable_mm: float
    gone_below_mm: float
    volume_cv: float


class EndpointSettings(Settings):
    """Scans, readings and response criteria of a study."""

    criteria: Criteria = Field(description="what is read off the target lesions, and from where on it is response or progression")

    scan_interval_weeks: ScanInterval = Field(description="planned time between scans, from the first dose, weeks")
    scan_jitter_days: int = Field(
        ge=0, le=14, description="largest deviation of a scan from its planned day, either way, days"
    )
    baseline_window_days: int = Field(
        ge=1, le=28, description="the baseline scan is 1 to this many days before the first dose, days"
    )
    pre_treatment_scan_weeks: float | None = Field(
        ge=2, le=52, description="time from an earlier scan to the baseline scan, weeks; null: no earlier scan"
    )
    missed_scan_fraction: float = Field(ge=0, lt=1, description="share of scans on study that are missed or unreadable")

    confirmation_weeks: float | None = Field(
        ge=0, le=26, description="time after which CR and PR must be met again, weeks; null: no confirmation"
    )
    sd_minimum_weeks: float = Field(
        ge=0, le=52, description="shortest time from first dose to a scan that can be stable disease, weeks"
    )
    nontarget_progression_ratio: float = Field(
        gt=1, le=5, description="diameter of non-target disease over its smallest that is unequivocal progression"
    )
    maximum_gap_weeks: float | None = Field(
        gt=0,
        le=104,
        description="progression or death later than this after the last readable scan is censored there, weeks; "
        "null: never",
    )

    central_review: bool = Field(description="a central reader measures the scans again, blind to the site's reading")

    reader_cv: float = Field(ge=0, le=0.5, description="CV of the sum of target lesions, per reading, fraction")
    lesion_cv: float = Field(
        ge=0, le=0.5, description="CV of one lesion beyond what all lesions of a reading share, fraction"
    )
    lesion_error_mm: float = Field(
        ge=0, le=10, description="SD of one lesion that does not grow with its size, per reading, mm"
    )
    reading_resolution_mm: float = Field(
        ge=0, le=5, description="readings are written to the nearest multiple, mm; 0: not rounded"
    )
    smallest_measurable_mm: float = Field(
        ge=0, le=10, description="reading of a lesion seen but too small to measure, mm"
    )
    gone_below_mm: float = Field(ge=0, le=10, description="true diameter below which a lesion is no longer seen, mm")
    volume_cv: float = Field(ge=0, le=1, description="CV of the volume of one lesion, per reading, fraction")

    clinical_benefit: ClinicalBenefit

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults: list[ConfigError] = []
        if self.scan_jitter_days * 2 >= self.scan_interval_weeks * DAYS_PER_WEEK:
            allowed = f"less than half of endpoint.scan_interval_weeks = {self.scan_interval_weeks:g}, or scans swap"
            faults.append(ConfigError("endpoint.scan_jitter_days", self.scan_jitter_days, allowed))
        smallest = self._smallest_reader_cv
        if self.reader_cv < smallest:
            allowed = (
                f"at least {smallest:.3g}, which endpoint.lesion_cv = {self.lesion_cv:g} and endpoint.lesion_error_mm ="
                f" {self.lesion_error_mm:g} alone give the sum of three lesions; lower these for a better reader"
            )
            faults.append(ConfigError("endpoint.reader_cv", self.reader_cv, allowed))
        if self.clinical_benefit.kind == "ttp_ratio" and self.pre_treatment_scan_weeks is None:
            allowed = "a number of weeks: clinical_benefit.kind is ttp_ratio and needs a scan before the baseline"
            faults.append(ConfigError("endpoint.pre_treatment_scan_weeks", None, allowed))
        raise_all(faults)
        return self

    @property
    def reading(self) -> Reading:
        """Criteria and reading error."""
        return Reading(*(getattr(self, name) for name in Reading._fields))

    @property
    def _smallest_reader_cv(self) -> float:
        """CV of the sum of three 34 mm lesions when their errors share nothing (see endpoints.measurement)."""
        return ((self.lesion_cv**2 + (self.lesion_error_mm / 34.0) ** 2) / 3.0) ** 0.5

    @property
    def confirmation_days(self) -> float | None:
        """`confirmation_weeks` in days."""
        return None if self.confirmation_weeks is None else self.confirmation_weeks * DAYS_PER_WEEK

    @property
    def sd_minimum_days(self) -> float:
        """`sd_minimum_weeks` in days."""
        return self.sd_minimum_weeks * DAYS_PER_WEEK

    @property
    def maximum_gap_days(self) -> float | None:
        """`maximum_gap_weeks` in days."""
        return None if self.maximum_gap_weeks is None else self.maximum_gap_weeks * DAYS_PER_WEEK
