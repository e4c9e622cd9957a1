"""Settings of the in vitro assay: which drugs on the chosen cell lines, what is measured and when, and how well it is measured."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field

from trialsim.schema.analysis.base import KIND, AnalysisSettings
from trialsim.schema.base import ConfigError, Name, Settings, Sourced
from trialsim.schema.faults import near
from trialsim.schema.partner import EffectSettings, Node

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Band = Literal["IRS1", "T308", "S473", "S6K", "S6", "BP", "ERK", "CYCD"]
Stain = Literal["EdU", "annexin_V", "LC3_flux"]
Well = Literal["viability", "net_growth"]
Curve = Literal["IC50", "EC50", "Emax", "GR50", "GEC50", "GRmax"]

RAPALOG = "rapalog"  # the drug of the study, see config.drug
VEHICLE = "vehicle"  # no drug
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
LARGEST_nM = 1e6  # 1 mM: beyond what dissolves


class CompoundSettings(Settings):
    """A tool compound by what it inhibits."""

    fu: Fraction = Field(description="free share in medium; 1 where IC50_nM was measured in cells in serum")
    inhibits: dict[Node, EffectSettings] = Field(min_length=1)

    def faults(self, key: str) -> list[ConfigError]:
        over = [node for node, effect in self.inhibits.items() if node != "cytotoxic" and effect.max > 1.0]
        found = [ConfigError(f"{key}.inhibits.{node}.max", self.inhibits[node].max, "a fraction, at most 1") for node in over]
        if "supply" in self.inhibits:
            found.append(ConfigError(f"{key}.inhibits.supply", "...", "another node; a dish has no vessels to take away"))
        return found


Dose = Annotated[float, Field(gt=0, le=LARGEST_nM, allow_inf_nan=False)]


class TreatmentSettings(Settings):
    """A dose range of one drug, alone or beside fixed doses of others."""

    label: str = Field(min_length=1, description="how figures call the drug")
    drug: str = Field(description="rapalog: the drug of the study, or one of analysis.compounds or of the group partner")
    doses_nM: tuple[Dose, ...] = Field(min_length=2, max_length=24, description="doses on the plates, from low to high, nM")
    sampled_nM: tuple[Dose, ...] = Field(
        min_length=1, description="those of the doses at which cells are lysed, stained and followed, nM"
    )
    beside: dict[str, Dose] = Field(description="what all wells of this treatment hold in addition: drug and dose in nM")

    def faults(self, key: str, drugs: tuple[str, ...]) -> list[ConfigError]:
        found = []
        for name, where in [(self.drug, "drug"), *((other, f"beside.{other}") for other in self.beside)]:
            if name not in drugs:
                found.append(ConfigError(f"{key}.{where}", name, f"one of {', '.join(drugs)}{near(name, drugs)}"))
        if self.drug in self.beside:
            found.append(ConfigError(f"{key}.beside.{self.drug}", self.beside[self.drug], "another drug than the one varied"))
        if any(low >= high for low, high in zip(self.doses_nM[:-1], self.doses_nM[1:], strict=True)):
            found.append(ConfigError(f"{key}.doses_nM", list(self.doses_nM), "strictly increasing doses"))
        if missing := [dose for dose in self.sampled_nM if dose not in self.doses_nM]:
            found.append(ConfigError(f"{key}.sampled_nM", missing[0], "one of doses_nM"))
        return found


class PlateSettings(Settings):
    """Viability and cell counts of the whole dose range, in 96-well plates: one line and one replicate a plate."""

    hours: float = Field(gt=0, le=240, description="from drug to read-out, h")
    copies: int = Field(ge=1, le=8, description="wells of one dose on a plate")
    controls: int = Field(ge=2, le=24, description="wells with vehicle on each plate")
    edge: Literal["avoid", "use"] = Field(description="outer wells: hold medium only, or hold cells like the others")


class BlotSettings(Settings):
    """Western blots of the sampled doses."""

    bands: tuple[Band, ...] = Field(min_length=1, description="what is blotted")
    hours: tuple[Annotated[float, Field(gt=0, le=240)], ...] = Field(min_length=1, description="lysis after the drug, h")
    shown_h: float = Field(description="the one of hours whose blot is shown, h")


class StainSettings(Settings):
    """Read-outs of single cells, and of autophagy, at the sampled doses; null: not done."""

    EdU_h: float | None = Field(gt=0, le=240, description="end of the EdU pulse after the drug, h; null: no EdU")
    annexin_V_h: float | None = Field(gt=0, le=240, description="annexin V staining after the drug, h; null: none")
    LC3_h: float | None = Field(gt=0, le=240, description="lysis for LC3-II after the drug, h; null: none")
    bafilomycin_h: float = Field(gt=0, le=24, description="bafilomycin A1 before that lysis, h")

    def hours(self, stain: str) -> float | None:
        """When it is done, h after the drug."""
        return {"EdU": self.EdU_h, "annexin_V": self.annexin_V_h, "LC3_flux": self.LC3_h}[stain]


class InstrumentSettings(Sourced):
    """Errors of measuring (assays/readouts.py); all zero: what is measured is what is there."""

    seeding_cv: NonNegative  # between wells
    luminescence_cv: NonNegative  # between wells
    plate_cv: NonNegative  # between plates
    background_cells: NonNegative  # light of a well without cells, in cells
    light_per_cell: Positive  # relative light units
    edge_loss: tuple[Share, Share, Share]  # of light and cells in the first, second and third ring of wells
    count_cv: NonNegative  # segmentation
    imaged: NonNegative  # share of the well; 0: every cell is counted
    band_cv: NonNegative
    loading_cv: NonNegative  # protein in a lane
    loading_control_cv: NonNegative  # its measurement
    blot_floor: NonNegative  # signal that is there without antigen, of the untreated band
    events: Annotated[int, Field(ge=0)]  # cells gated a sample; 0: no counting error
    gate_sd: NonNegative  # logit
    annexin_V_handling: Share  # cells that handling makes positive


class Place(Settings):
    """Cells under a treatment."""

    line: str = Field(description="cell line")
    treatment: str = Field(description="one of analysis.treatments, or vehicle")
    dose_nM: float | None = Field(default=None, description="dose; null for vehicle, and for what belongs to the whole curve")


class Expectation(Settings):
    """Where a published fact of the laboratory is looked for in this experiment."""

    measure: Band | Stain | Well | Curve = Field(
        description="bands and stains as fold of vehicle (under vehicle: of the first line), the others as such"
    )
    at: Place
    over: Place | None = Field(default=None, description="the value there is divided by the value here; null: not")
    hours: float | None = Field(default=None, description="time of the blot, h; null: the one shown")


class AssaySettings(AnalysisSettings):
    """Cell lines against dose ranges. The lines are those of the group cell_line, and a panel of virtual ones."""

    kind: Literal["assay"] = Field(description=KIND)
    compounds: dict[Name, CompoundSettings] = Field(description="drugs beside the rapalog, by what they inhibit")
    treatments: dict[Name, TreatmentSettings] = Field(min_length=1, description="dose ranges by name")
    replicates: int = Field(ge=1, le=12, description="times the whole experiment is done")
    panel: int = Field(ge=0, le=1000, description="virtual lines in addition, drawn from the group panel; on plates only")
    plate: PlateSettings
    blot: BlotSettings
    stain: StainSettings
    count_hours: tuple[Annotated[float, Field(gt=0, le=240)], ...] = Field(
        min_length=1, description="cell counts of the sampled doses, h"
    )
    instrument: InstrumentSettings
    expected: dict[str, Expectation] = Field(description="published facts (trialsim/evidence/data/laboratory.csv) looked for")

    def faults(self, study: StudyConfig) -> list[ConfigError]:
        found: list[ConfigError] = []
        lines, drugs = tuple(study.cell_line), (RAPALOG, *self.compounds, *study.partner)
        if not lines:
            found.append(ConfigError("cell_line", {}, "at least one line of the group cell_line, e.g. +cell_line=[dg75]"))
        for name, compound in self.compounds.items():
            found += compound.faults(f"analysis.compounds.{name}")
        for name in sorted(set(self.compounds) & set(study.partner)):
            found.append(ConfigError(f"analysis.compounds.{name}", "...", f"another name; partner.{name} is a drug of the study"))
        for name, partner in study.partner.items():
            if partner.taken_away is not None:
                allowed = f"a drug that acts on cells; this one takes away {partner.taken_away} in the body"
                found.append(ConfigError("partner", name, allowed))
        if RAPALOG in self.compounds:
            found.append(ConfigError("analysis.compounds.rapalog", "...", "another name; rapalog is the drug of the study"))
        for name, treatment in self.treatments.items():
            key = f"analysis.treatments.{name}"
            found += treatment.faults(key, drugs)
            if name == VEHICLE:
                found.append(ConfigError(key, "...", "another name; vehicle is what the controls hold"))
        if self.blot.shown_h not in self.blot.hours:
            found.append(ConfigError("analysis.blot.shown_h", self.blot.shown_h, "one of analysis.blot.hours"))
        for key, hours in (("analysis.blot.hours", self.blot.hours), ("analysis.count_hours", self.count_hours)):
            if list(hours) != sorted(set(hours)):
                found.append(ConfigError(key, list(hours), "ascending times, each once"))
        if study.culture.pulse_h > study.culture.G2M_h:
            allowed = f"no longer than culture.G2M_h = {study.culture.G2M_h:g} h, so that no labelled cell divides in the pulse"
            found.append(ConfigError("culture.pulse_h", study.culture.pulse_h, allowed))
        return found

    def unmeasured(self, sought: Expectation, lines: Container[str]) -> str:
        """Why this experiment does not measure what is sought, in words; empty if it does."""
        for place in (sought.at, sought.over):
            if place is None:
                continue
            if place.line not in lines:
                return f"no line {place.line}"
            if place.treatment == VEHICLE and sought.measure in get_args(Band):
                continue
            if place.treatment not in self.treatments:
                return f"no treatment {place.treatment}"
            treatment = self.treatments[place.treatment]
            alone = (0.0,) if treatment.beside else ()  # what it is given beside
            given = {Well: treatment.doses_nM + alone, Curve: (place.dose_nM,)}
            doses = next((d for kind, d in given.items() if sought.measure in get_args(kind)), treatment.sampled_nM + alone)
            if place.dose_nM not in doses:
                return f"no {sought.measure} at {place.dose_nM} nM {place.treatment}"
        if sought.measure in get_args(Band) and sought.measure not in self.blot.bands:
            return f"no band {sought.measure}"
        if sought.measure in get_args(Stain) and self.stain.hours(sought.measure) is None:
            return f"no {sought.measure}"
        if sought.hours is not None and sought.hours not in self.blot.hours:
            return f"no blot at {sought.hours:g} h"
        return ""
