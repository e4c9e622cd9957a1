"""Settings of the combination analysis: one pair of drugs in a dish and in a cohort, its schedules, and partners by genotype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trialsim.schema.analysis.assay import RAPALOG, AssaySettings, Dose, TreatmentSettings
from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError, Name, Settings
from trialsim.schema.faults import near
from trialsim.schema.regimen import LARGEST_DOSE, Schedule
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Genotype = Literal["wild_type", "pik3ca", "pten_loss", "akt1", "tsc", "mtor", "kras"]
Share = Annotated[float, Field(gt=0, le=4, allow_inf_nan=False)]
FEWEST = 20


class InVitroSettings(AssaySettings):
    """Plates of the pair: every dose of the one with every dose of the other. Of an assay, what plates need: no blots, no
    stains."""

    treatments: dict[Name, TreatmentSettings] = Field(max_length=0, description="none: they are made from the doses below")
    rapalog_nM: tuple[Dose, ...] = Field(min_length=4, max_length=12, description="doses of the rapalog, from low to high, nM")
    partner_nM: tuple[Dose, ...] = Field(min_length=4, max_length=12, description="doses of the partner, from low to high, nM")


class Given(Settings):
    """How one drug is given; what is null is as prescribed in ``regimen`` or ``partner.NAME.regimen``."""

    dose_factor: float = Field(1.0, gt=0, le=20, allow_inf_nan=False, description="dose over that prescribed")
    schedule: Schedule | None = Field(None, description="days on which a dose is due")
    start_day: int | None = Field(None, ge=0, le=730, description="day of the study on which the drug starts")
    stop_day: int | None = Field(None, ge=1, le=731, description="day from which it is no longer given")
    days_on: int | None = Field(None, ge=1, le=365, description="days of a cycle on which the schedule holds")
    days_off: int | None = Field(None, ge=0, le=365, description="days of a cycle without the drug")


class ScheduleSettings(Settings):
    """One way to give the pair over time."""

    label: str = Field(min_length=1, max_length=60, description="how figures call it")
    rapalog: Given | None = Field(description="null: not given")
    partner: Given | None = Field(description="null: not given")


class CombinationSettings(AnalysisSettings):
    """A pair in vitro and in the cohort, its schedules, and the best partner of each genotype."""

    kind: Literal["combination"] = Field(description=KIND)
    pair: str = Field(description="partner drug of the pair, one of the group partner; the others are ranked beside it")
    in_vitro: InVitroSettings
    rapalog_factors: tuple[Share, ...] = Field(min_length=1, max_length=6, description="dose levels over regimen.dose, rising")
    partner_factors: tuple[Share, ...] = Field(
        min_length=1, max_length=6, description="dose levels over the partner's prescribed dose, rising"
    )
    week: int = Field(ge=4, le=52, description="week at whose end tumour volumes are compared")
    schedules: dict[Name, ScheduleSettings] = Field(min_length=1, max_length=12, description="ways to give the pair, by name")
    reference: str = Field(description="the schedule that the others are compared with")
    genotypes: tuple[Genotype, ...] = Field(min_length=1, description="genotype classes in which partners are ranked")
    genotype_patients: int = Field(ge=FEWEST, le=10_000, description="patients of the cohort who bear each genotype in turn")
    bootstrap: int = Field(ge=100, le=20_000, description="resamples of the patients")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found, partners = [], tuple(study.partner)
        if not study.cell_line:
            found.append(ConfigError("cell_line", {}, "at least one line of the group cell_line, e.g. cell_line=[mcf7]"))
        if self.pair not in partners:
            allowed = f"one of the study's partners: {', '.join(partners) or 'none chosen'}{near(self.pair, partners)}"
            found.append(ConfigError("analysis.pair", self.pair, allowed))
        elif study.partner[self.pair].taken_away is not None:
            found.append(ConfigError("analysis.pair", self.pair, "a drug that acts on cells, as it goes into a dish"))
        for name in sorted({RAPALOG, *self.in_vitro.compounds} & set(partners)):
            found.append(ConfigError("partner", name, "another name than a compound of the assay"))
        rising = {
            "in_vitro.rapalog_nM": self.in_vitro.rapalog_nM, "in_vitro.partner_nM": self.in_vitro.partner_nM,
            "rapalog_factors": self.rapalog_factors, "partner_factors": self.partner_factors,
        }  # fmt: skip
        for key, doses in rising.items():
            if any(low >= high for low, high in zip(doses[:-1], doses[1:], strict=True)):
                found.append(ConfigError(f"analysis.{key}", list(doses), "strictly increasing doses"))
        if self.in_vitro.replicates < 2:
            found.append(ConfigError("analysis.in_vitro.replicates", self.in_vitro.replicates, "2 or more, for an interval"))
        return [*found, *self._schedule_faults(study), *self._study_faults(study)]

    def _schedule_faults(self, study: StudyConfig) -> list[ConfigError]:
        found, names = [], tuple(self.schedules)
        if self.reference not in names:
            allowed = f"one of analysis.schedules: {', '.join(names)}{near(self.reference, names)}"
            found.append(ConfigError("analysis.reference", self.reference, allowed))
        for name, schedule in self.schedules.items():
            key = f"analysis.schedules.{name}"
            if schedule.rapalog is None and schedule.partner is None:
                found.append(ConfigError(key, "null", "at least one of the two drugs"))
            for drug, given in (("rapalog", schedule.rapalog), ("partner", schedule.partner)):
                if given is None:
                    continue
                if given.stop_day is not None and given.stop_day <= (given.start_day or 0):
                    found.append(ConfigError(f"{key}.{drug}.stop_day", given.stop_day, "a day after start_day"))
                if given.days_off and given.days_on is None:
                    found.append(ConfigError(f"{key}.{drug}.days_on", None, "a number of days, as days_off is given"))
            factor = schedule.rapalog.dose_factor if schedule.rapalog else 0.0
            largest = LARGEST_DOSE[study.regimen.unit]
            if factor * study.regimen.dose > largest:
                allowed = f"at most {largest:g} {study.regimen.unit} a dose"
                found.append(ConfigError(f"{key}.rapalog.dose_factor", factor, allowed))
        return found

    def _study_faults(self, study: StudyConfig) -> list[ConfigError]:
        found = []
        if study.design.kind != "single_arm":
            found.append(ConfigError("design.kind", study.design.kind, "single_arm: every patient is simulated in every arm"))
        if study.regimen.dose <= 0:
            found.append(ConfigError("regimen.dose", study.regimen.dose, "above 0: the dose that factors multiply"))
        if study.cohort.size < FEWEST:
            found.append(ConfigError("cohort.size", study.cohort.size, f"at least {FEWEST} patients"))
        if self.genotype_patients > study.cohort.size:
            allowed = f"at most cohort.size, {study.cohort.size}"
            found.append(ConfigError("analysis.genotype_patients", self.genotype_patients, allowed))
        if len(set(self.genotypes)) < len(self.genotypes):
            found.append(ConfigError("analysis.genotypes", list(self.genotypes), "each class once"))
        longest = study.design.max_follow_up_months * DAYS_PER_MONTH / DAYS_PER_WEEK - study.endpoint.scan_interval_weeks
        if self.week > longest:
            allowed = f"at most {longest:.0f}: one scan interval before design.max_follow_up_months"
            found.append(ConfigError("analysis.week", self.week, allowed))
        return found
