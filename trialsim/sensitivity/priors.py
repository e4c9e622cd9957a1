"""The uncertain parameters: where they stand in the configuration, their prior ranges, and a configuration with other values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from trialsim.mechanism.signalling import NetworkConstants
from trialsim.schema.analysis.sensitivity import SIGNALLING, SensitivitySettings

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

Scale = Literal["log", "logit", "linear"]
IN_DISHES = ("K_FKBP12", "K_FRB", "FKBP12", "PS")  # of the cell and not of the rapalog: shared by the drug of the dishes


class Prior(NamedTuple):
    """One uncertain parameter, uniform over its range on its own scale.

    Attributes:
        name: short and unique. path: in the configuration. low, high: range. value: at present.
        scale: log; logit for fractions; linear for a range that begins at 0. source: of the value.
    """

    name: str
    path: str
    low: float
    high: float
    value: float
    scale: Scale
    source: str

    def to_scale(self, value: Any) -> Any:
        if self.scale == "log":
            return np.log(value)
        return np.log(value) - np.log1p(-np.asarray(value)) if self.scale == "logit" else np.asarray(value, float)

    def from_scale(self, z: Any) -> Any:
        if self.scale == "log":
            return np.exp(z)
        return 1.0 / (1.0 + np.exp(-np.asarray(z))) if self.scale == "logit" else np.maximum(z, 0.0)

    @property
    def ends(self) -> tuple[float, float]:
        """Of the range, on the scale."""
        return float(self.to_scale(self.low)), float(self.to_scale(self.high))

    @property
    def sd(self) -> float:
        """Standard deviation of the uniform prior, on the scale."""
        low, high = self.ends
        return (high - low) / float(np.sqrt(12.0))

    def quantile(self, u: Any) -> Any:
        """Value below which a share ``u`` of the prior lies; any shape."""
        low, high = self.ends
        return self.from_scale(low + np.asarray(u) * (high - low))

    def moved(self, sds: float) -> float:
        """The present value moved by so many prior standard deviations on the scale."""
        return float(self.from_scale(self.to_scale(self.value) + sds * self.sd))


def scale_of(low: float, fraction: bool) -> Scale:
    """Scale of a range: ``fraction`` says that the parameter cannot leave 0 to 1."""
    if low <= 0.0:
        return "linear"
    return "logit" if fraction else "log"


def priors_of(config: StudyConfig) -> tuple[Prior, ...]:
    """The parameters that ``analysis.parameters`` names, those of the network first."""
    settings = config.analysis
    assert isinstance(settings, SensitivitySettings)
    ranges = _of_network(config)
    ranges |= {name: (one.path, one.low, one.high, one.source) for name, one in settings.ranges.items()}
    wanted = ranges if settings.parameters == "all" else settings.parameters
    return tuple(_prior(config, name, *ranges[name]) for name in ranges if name in wanted)


def network_priors(config: StudyConfig) -> tuple[Prior, ...]:
    """The uncertain constants of the network."""
    return tuple(_prior(config, name, *given) for name, given in _of_network(config).items())


def _of_network(config: StudyConfig) -> dict[str, tuple[str, float, float, str]]:
    """Path, range and source by name."""
    network = config.network
    sources = network.signalling.sources
    return {name: (f"{SIGNALLING}.{name}", *ends, sources.get(name, "")) for name, ends in network.priors.items()}


def _prior(config: StudyConfig, name: str, path: str, low: float, high: float, source: str) -> Prior:
    section, field = _section(config, path)
    bounds = [limit.le for limit in type(section).model_fields[field].metadata if hasattr(limit, "le")]
    scale = scale_of(low, bool(bounds) and bounds[0] == 1.0)
    return Prior(name, path, low, high, float(getattr(section, field)), scale, source)


def _section(config: Any, path: str) -> tuple[Any, str]:
    *parents, field = path.split(".")
    return reduce(getattr, parents, config), field


def changed(config: StudyConfig, values: Mapping[str, float]) -> StudyConfig:
    """The configuration with other values, by path."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *parents, field = path.split(".")
        reduce(lambda node, part: node.setdefault(part, {}), parents, tree)[field] = value
        if parents == ["drug", "binding"] and field in IN_DISHES:
            reduce(lambda node, part: node.setdefault(part, {}), ("analysis", "dish_drug", "binding"), tree)[field] = value
    return _updated(config, tree)


def _updated(section: Any, tree: Mapping[str, Any]) -> Any:
    new = {name: _updated(getattr(section, name), value) if isinstance(value, dict) else value for name, value in tree.items()}
    return section.model_copy(update=new)


def is_constant(path: str) -> bool:
    """Whether the parameter is a constant of the network."""
    return path.rpartition(".")[0] == SIGNALLING


def constants_of(config: StudyConfig) -> NetworkConstants:
    """Constants of the network as they stand."""
    return NetworkConstants(*(float(getattr(config.network.signalling, name)) for name in NetworkConstants._fields))
