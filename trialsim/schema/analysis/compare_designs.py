"""Settings of the comparison of designs on one population of virtual patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.analysis.biomarkers import CallSettings
from trialsim.schema.analysis.plain import MechanismSettings, PlainSettings
from trialsim.schema.base import ConfigError, Settings
from trialsim.schema.design.basket import BasketSettings
from trialsim.schema.design.historical import HistoricalControlSettings
from trialsim.schema.design.responders import ResponderSettings
from trialsim.schema.design.treatments import treatments_of
from trialsim.schema.faults import near
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.design import DesignSettings
    from trialsim.schema.study import StudyConfig

FEWEST_BATCHES = 5


def roomy(patients: int) -> int:
    """Patients to simulate so that ``patients`` are at hand though some may fail to be integrated."""
    return patients + patients // 20


class DoseFindingSettings(Settings):
    """What a dose-finding design should find."""

    start: float = Field(gt=0, description="dose at which every escalation starts, one of the levels, regimen.unit")
    target: float = Field(gt=0, lt=0.6, description="DLT probability that the recommended dose should have")
    tolerance: float = Field(gt=0, lt=0.3, description="distance from the target within which a dose is as good, probability")
    too_toxic: float = Field(gt=0, lt=0.9, description="DLT probability above which a dose is an overdose")


class AssaysSettings(Settings):
    """How the marker is measured."""

    ngs: CallSettings = Field(description="mutations by next-generation sequencing of a tumour sample")
    pten: CallSettings = Field(description="loss of PTEN protein by immunohistochemistry")
    turnaround_days: float = Field(ge=0, le=90, description="time from sample to result, days")


class BenefitSettings(Settings):
    """What shows that the drug works, and in whom it is asked."""

    outcome: Literal["response", "disease_control"] = Field(
        description="what a patient gains: objective response, or no progression or death, by ``weeks``"
    )
    weeks: float = Field(ge=4, le=100, description="time from the first dose by which the gain is asked, weeks")
    confirmed: bool = Field(description="a response counts only if a later scan confirms it (endpoint.confirmation_weeks)")
    reader: Literal["site", "central"] = Field(description="whose reading counts (central needs endpoint.central_review)")
    survival: Literal["pfs", "os"] = Field(
        description="time that randomised designs compare: to progression or death (pfs), or to death (os)"
    )
    marker: Literal["pik3ca", "akt1", "mtor", "tsc", "pten_loss", "pathway", "kras_wt", "pathway_kras_wt"] = Field(
        description="marker of the enriched, stratified and adaptive designs"
    )
    worthwhile: float = Field(
        gt=0, lt=1, description="gain in the probability of success over no drug from which a group should be treated, fraction"
    )
    max_type_one_error: float = Field(
        gt=0, le=1, description="probability of finding a benefit where there is none, above which a design is not recommended"
    )
    assays: AssaysSettings


class AssuranceSettings(Settings):
    """Probability of success averaged over the uncertainty of the model's constants (network.priors)."""

    draws: int = Field(ge=0, le=1000, description="sets of constants drawn from their priors; 0: not done")
    patients: int = Field(ge=100, description="virtual patients simulated with each set")
    replicates: int = Field(ge=20, description="replicates of each design with each set")

    def batches(self, settings: CompareDesignsSettings) -> int:
        """Parts of the patients that share no trial."""
        return self.patients // roomy(settings.most_screened)


class CompareDesignsSettings(AnalysisSettings):
    """Designs side by side on the same virtual patients: those of ``designs``, or ``design`` alone if there are none."""

    kind: Literal["compare_designs"] = Field(description=KIND)
    replicates: int = Field(ge=100, le=1_000_000, description="trials simulated with each design, a multiple of analysis.batches")
    batches: int = Field(
        ge=FEWEST_BATCHES,
        le=200,
        description="parts of the virtual patients that share no trial, from which Monte Carlo error is told",
    )
    most_screened: int = Field(ge=20, le=5000, description="patients who may come to one trial of benefit")
    per_month: float = Field(gt=0, le=1000, description="patients who come to a trial of benefit a month")
    dose_finding_per_month: float = Field(gt=0, le=1000, description="patients who come to a dose-finding trial a month")
    outcomes: MechanismSettings | PlainSettings = Field(discriminator="kind")
    dose_finding: DoseFindingSettings
    benefit: BenefitSettings
    assurance: AssuranceSettings
    resamples: int = Field(ge=100, le=100_000, description="bootstrap resamples of the batches, for the probability of being best")

    def candidates(self, study: StudyConfig) -> dict[str, DesignSettings]:
        """The designs compared, by name."""
        return dict(study.designs) or {study.design.kind: study.design}

    @property
    def benefit_day(self) -> float:
        return self.benefit.weeks * DAYS_PER_WEEK

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found = []
        designs = self.candidates(study)
        escalations = {name: design for name, design in designs.items() if design.escalates}
        if self.replicates % self.batches:
            found.append(ConfigError("analysis.replicates", self.replicates, f"a multiple of analysis.batches = {self.batches}"))
        most = max(
            [design.replicate_size for design in escalations.values()] + [self.most_screened] * (len(designs) > len(escalations))
        )
        if study.cohort.size < roomy(most) * self.batches:
            allowed = f"at least {roomy(most) * self.batches}: {self.batches} batches of trials to which {most} patients may come"
            found.append(ConfigError("cohort.size", study.cohort.size, allowed))
        found += [
            ConfigError("designs", name, "designs that decide; single_arm does not")
            for name, d in designs.items()
            if d.kind == "single_arm"
        ]
        found += self._dose_faults(study, escalations)
        if len(designs) > len(escalations):
            found += self._benefit_faults(study)
            found += [fault for name, d in designs.items() if not d.escalates for fault in self._design_faults(study, name, d)]
        if isinstance(self.outcomes, PlainSettings):
            found += self._plain_faults(study, self.outcomes, designs)
        if self.assurance.draws and self.assurance.batches(self) < 1:
            allowed = f"at least {roomy(self.most_screened)}, as analysis.most_screened = {self.most_screened} may come to a trial"
            found.append(ConfigError("analysis.assurance.patients", self.assurance.patients, allowed))
        if self.dose_finding.too_toxic < self.dose_finding.target + self.dose_finding.tolerance:
            allowed = f"at least target + tolerance = {self.dose_finding.target + self.dose_finding.tolerance:g}"
            found.append(ConfigError("analysis.dose_finding.too_toxic", self.dose_finding.too_toxic, allowed))
        return found

    def _dose_faults(self, study: StudyConfig, escalations: dict[str, DesignSettings]) -> list[ConfigError]:
        """Escalations are compared on the same doses and the same definition of a DLT."""
        found, first = [], next(iter(escalations.values()), None)
        for name, design in escalations.items():
            assert first is not None
            for field in ("dose_levels", "dlt"):
                if getattr(design, field) != getattr(first, field):
                    allowed = f"the same in every design that escalates, as in designs.{next(iter(escalations))}"
                    found.append(ConfigError(f"designs.{name}.{field}", getattr(design, field), allowed))
        start = self.dose_finding.start
        if first is not None and start not in first.levels:
            allowed = f"one of the dose levels: {', '.join(f'{level:g}' for level in first.levels)}"
            found.append(ConfigError("analysis.dose_finding.start", start, allowed))
        return found

    def _design_faults(self, study: StudyConfig, name: str, design: DesignSettings) -> list[ConfigError]:
        """A design that asks for more than the study offers."""
        found, section = [], f"designs.{name}" if study.designs else "design"
        if design.replicate_size > self.most_screened:
            allowed = f"at most analysis.most_screened = {self.most_screened}, the patients who may come to one trial"
            found.append(ConfigError(f"{section}.replicate_size", design.replicate_size, allowed))
        weeks = study.design.max_follow_up_months * DAYS_PER_MONTH / DAYS_PER_WEEK
        if isinstance(design, ResponderSettings) and design.assess_weeks >= weeks:
            allowed = f"less than design.max_follow_up_months, {weeks:.1f} weeks"
            found.append(ConfigError(f"{section}.assess_weeks", design.assess_weeks, allowed))
        if isinstance(design, BasketSettings):
            place, types = "cohort.mix", [kind for kind, share in study.cohort.mix.items() if share > 0]
            if isinstance(self.outcomes, PlainSettings):
                place, types = "analysis.outcomes.groups", [group.tumour_type for group in self.outcomes.groups.values()]
            found += [
                ConfigError(f"{section}.baskets", kind, f"tumour types of {place}: {', '.join(types)}{near(kind, types)}")
                for kind in design.baskets
                if kind not in types
            ]
        stated = isinstance(self.outcomes, PlainSettings)
        if isinstance(design, HistoricalControlSettings) and not (study.partner or stated):
            allowed = "a design that needs no partner drug, as `partner` is empty: this one borrows patients on the rapalog alone"
            found.append(ConfigError(f"{section}.kind", design.kind, allowed))
        return found

    def _plain_faults(self, study: StudyConfig, plain: PlainSettings, designs: dict[str, DesignSettings]) -> list[ConfigError]:
        """Probabilities that are missing or do not fit each other."""
        found, key = [], "analysis.outcomes"
        total = sum(group.share for group in plain.groups.values())
        if abs(total - 1.0) > 1e-6:
            found.append(ConfigError(f"{key}.groups", round(total, 6), "shares that add up to 1"))
        for name, design in designs.items():
            if design.escalates and len(plain.dlt_rates) != len(design.levels):
                allowed = f"{len(design.levels)} probabilities, one for each dose level of designs.{name}"
                found.append(ConfigError(f"{key}.dlt_rates", list(plain.dlt_rates), allowed))
                break
        wanted = treatments_of([design for design in designs.values() if not design.escalates], study.regimen.dose)
        for name, group in plain.groups.items():
            for table, values in group.tables.items():
                if not set(wanted) <= set(values):
                    allowed = f"a value for each treatment: {', '.join(wanted)}"
                    found.append(ConfigError(f"{key}.groups.{name}.{table}", list(values), allowed))
            for treatment, months in group.median_os_months.items():
                least = group.median_pfs_months.get(treatment, 0.0)
                if months < least:
                    where = f"{key}.groups.{name}.median_os_months.{treatment}"
                    found.append(ConfigError(where, months, f"at least the median of progression-free survival, {least:g}"))
        first = {f"designs.{n}.assess_weeks": d.assess_weeks for n, d in designs.items() if isinstance(d, ResponderSettings)}
        first |= {"analysis.benefit.weeks": self.benefit.weeks} if self.benefit.outcome == "response" else {}
        late = {where: weeks for where, weeks in first.items() if weeks < plain.response_weeks}
        if late:
            where, weeks = next(iter(late.items()))
            allowed = f"at most {where} = {weeks:g}, or no response is seen in time"
            found.append(ConfigError(f"{key}.response_weeks", plain.response_weeks, allowed))
        if self.assurance.draws:
            allowed = "0, as plain outcomes have no constants to draw"
            found.append(ConfigError("analysis.assurance.draws", self.assurance.draws, allowed))
        return found

    def _benefit_faults(self, study: StudyConfig) -> list[ConfigError]:
        found, e = [], study.endpoint
        if self.benefit_day >= study.design.max_follow_up_months * DAYS_PER_MONTH:
            allowed = f"less than design.max_follow_up_months = {study.design.max_follow_up_months:g} months"
            found.append(ConfigError("analysis.benefit.weeks", self.benefit.weeks, allowed))
        if self.benefit.reader == "central" and not e.central_review:
            found.append(ConfigError("analysis.benefit.reader", "central", "site, as endpoint.central_review is false"))
        if self.benefit.confirmed and e.confirmation_weeks is None:
            found.append(ConfigError("analysis.benefit.confirmed", True, "false, as endpoint.confirmation_weeks is null"))
        return found
