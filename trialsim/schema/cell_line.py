"""A cell line in culture: genotype, how it depends on the pathway, how it grows. Values in conf/cell_line."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.schema.base import Settings, Sourced

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class LineGenotype(Sourced):
    """True where altered; tsc: TSC1 or TSC2 lost; pten_loss: no protein; mtor: activating; frb: the FRB domain binds no rapalog."""

    pik3ca: bool | None = None
    akt1: bool | None = None
    kras: bool | None = None
    mtor: bool | None = None
    tsc: bool | None = None
    pten_loss: bool | None = None
    frb: bool | None = None


class LinePathway(Sourced):
    """What is left null takes the median of network.spread, or 1 where that is the reference."""

    dependence: Annotated[float, Field(gt=0, lt=1)]  # before the genotype shifts it
    RTK: NonNegative | None = None  # growth-factor input, 1 = reference
    f_S6K: NonNegative | None = None
    f_GRB10: NonNegative | None = None
    r_4E: Fraction | None = None
    phi_mTORC2: Fraction | None = None
    R_4EBP: NonNegative | None = None  # 4E-BP over eIF4E, 1 = reference
    non_genomic_drive: NonNegative | None = None  # extra mTORC1 activity
    penetration: Annotated[float, Field(gt=0, le=1)] | None = None  # share of the free drug in medium that reaches the cells
    FKBP12: Positive | None = None  # nM; null: as in patients


class LineGrowth(Sourced):
    """Growth in culture."""

    doubling_h: Positive
    V_cell_pL: Positive
    k_d: Positive | None = None  # 1/h, death rate scale; null: network.growth.k_d


class CellLineSettings(Settings):
    """One cell line."""

    label: str
    genotype: LineGenotype
    pathway: LinePathway
    growth: LineGrowth


class PanelGenotype(Sourced):
    """Share of lines with each alteration."""

    pik3ca: Fraction
    akt1: Fraction
    kras: Fraction
    mtor: Fraction
    tsc: Fraction
    pten_loss: Fraction


class PanelLines(Sourced):
    """How lines depend on the pathway and grow."""

    dependence_mean: Annotated[float, Field(gt=0, lt=1)]
    dependence_concentration: Positive
    doubling_median_h: Positive
    doubling_log_sd: NonNegative
    V_cell_pL: Positive


class PanelSettings(Settings):
    """A population of cell lines; what is not said here varies as between tumours, see network.spread."""

    genotype: PanelGenotype
    lines: PanelLines


class CultureSettings(Sourced):
    """The well, the medium, and what cells in culture share."""

    seeded: Positive  # cells a well
    V_well_uL: Positive
    serum: Fraction
    basal_death: NonNegative  # of network.growth.k_d
    k_clear: Positive  # 1/h, loss of annexin V-positive cells
    S_phase_h: Positive
    G2M_h: Positive
    pulse_h: Positive  # h of EdU
    k_LC3: Positive  # 1/h, turnover of LC3-II
