"""What the user says of a model: which of its names are read-outs, what the drug is, when to look. A small YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from trialsim.artefacts.reading import read_yaml
from trialsim.sbml import expression
from trialsim.schema import ConfigError
from trialsim.schema.base import Settings
from trialsim.schema.faults import near, raise_all, translate
from trialsim.schema.plain import usable_path

KEY = "EXPERIMENT"
READOUTS = {  # level of our network: what it is called
    "S473": "pAKT (S473)", "T308": "pAKT (T308)", "S6K": "pS6K (T389)", "S6": "pS6", "BP": "p4E-BP1", "ERK": "pERK",
    "ULK": "active ULK1", "flux": "autophagic flux", "IRS1": "IRS1", "GRB10": "GRB10", "PIP3": "PIP3", "mTORC2": "mTORC2",
    "RHEB": "RHEB-GTP", "CYCD": "cyclin D1",
}  # fmt: skip
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", max_length=200)]


class Block(Settings):
    """mTORC1's kinase activity cut towards every substrate: for models without a rapalog."""

    constants: tuple[Name, ...] = Field(
        min_length=1, description="rate constants of mTORC1's substrates, multiplied by what is left"
    )
    inhibition: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        min_length=1, max_length=20, description="parts of mTORC1's activity that are taken away, 0-1"
    )


class Rapamycin(Settings):
    """A species or parameter that is rapamycin."""

    name: Name = Field(description="the species or parameter")
    values: tuple[Positive, ...] = Field(min_length=1, max_length=20, description="its values, in the model's unit")
    concentration_nM: tuple[Positive, ...] = Field(description="the same as free concentration in the cell, nM")
    held: bool = Field(True, description="a species: kept at its value, as in a large volume of medium; else set once")

    @model_validator(mode="after")
    def _the_same_doses(self) -> Self:
        if len(self.values) != len(self.concentration_nM):
            allowed = f"{len(self.values)} numbers, one for each of `values`"
            raise ConfigError("concentration_nM", list(self.concentration_nM), allowed)
        return self


class Experiment(Settings):
    """One comparison."""

    title: str = Field(max_length=200, description="of the model, such as authors and year")
    source: str = Field(min_length=1, max_length=1000, description="where model and file come from, with the licence")
    minute: Positive = Field(1.0, description="a minute in the model's unit of time (60 if that is the second)")
    before_hours: Annotated[float, Field(ge=0, le=1000)] = Field(0.0, description="simulated before the drug, stimuli on, h")
    inputs: dict[Name, Number] = Field({}, max_length=1000, description="values set before the start: stimuli, other inhibitors")
    block: Block | None = Field(None, description="the drug as a block of mTORC1's kinase activity")
    rapamycin: Rapamycin | None = Field(None, description="the drug as rapamycin")
    readouts: dict[str, str] = Field(min_length=1, description="level of our network: name or expression of the model")
    hours: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = Field(
        (0.5, 2.0, 6.0, 24.0), min_length=1, max_length=100, description="when read-outs are taken, h after the drug"
    )
    cell_line: str = Field("epithelial", description="of conf/cell_line: whose cells our network stands for")
    no_change: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.05, description="folds nearer to 1 than this count as no change (assumed: less than an immunoblot tells apart)"
    )
    most_drift: Annotated[float, Field(gt=1)] = Field(
        2.0,
        description="a control that drifts by more than this factor makes a fold unusable (as in experiments/published_models)",
    )

    @field_validator("readouts")
    @classmethod
    def _known(cls, readouts: dict[str, str]) -> dict[str, str]:
        for name, text in readouts.items():
            if name not in READOUTS:
                raise ConfigError(name, text, f"a read-out of trialsim: {', '.join(READOUTS)}{near(name, READOUTS)}")
            expression.parse(text, name)
        return readouts

    @field_validator("hours")
    @classmethod
    def _ascending(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if list(hours) != sorted(set(hours)):
            raise ValueError("hours that ascend")
        return hours

    @model_validator(mode="after")
    def _one_drug(self) -> Self:
        if (self.block is None) == (self.rapamycin is None):
            raise ValueError("either `block` or `rapamycin`")
        return self

    @property
    def doses(self) -> tuple[float, ...]:
        """Inhibition (0-1) or concentration (nM) of each treated arm."""
        if self.block is not None:
            return self.block.inhibition
        assert self.rapamycin is not None
        return self.rapamycin.concentration_nM

    def dose_words(self, dose: float) -> str:
        return f"{100 * dose:g} % of mTORC1 blocked" if self.block is not None else f"{dose:g} nM rapamycin"


def read_experiment(path: Path | str) -> Experiment:
    """Read and check the file.

    Raises:
        ConfigError: every fault, with key, value and what is allowed.
    """
    data = read_yaml(usable_path(KEY, path))
    if not all(isinstance(key, str) for key in data):
        raise ConfigError(KEY, str(path), f"a mapping with the keys {', '.join(Experiment.model_fields)}")
    return experiment(data)


def experiment(data: dict[str, Any]) -> Experiment:
    """The same from nested plain values."""
    try:
        return Experiment(**data)
    except ValidationError as error:
        raise_all(translate(error, data, Experiment))
        raise
