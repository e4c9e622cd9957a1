"""One dish at a time: a cell line under a constant treatment for four days, beside its untreated control.

A dish is cheap (two wells, one compiled program for all), so an experiment asks for as many as it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trialsim.assays.culture import Medium, Seen, Well, grow
from trialsim.assays.lines import wells_of
from trialsim.mechanism.growth import UNTREATED
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import Network, NetworkConstants

if TYPE_CHECKING:
    from trialsim.schema.drug import DrugSettings
    from trialsim.schema.study import StudyConfig

HOURS = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0, 48.0, 72.0, 96.0)
CONTROL, TREATED = 0, 1


class Dish(NamedTuple):
    """Attributes: seen: leaves (times, 2: control, treated)."""

    seen: Seen

    def level(self, name: str, hours: float, well: int = TREATED) -> float:
        """A level of the network, or ``AKT``, ``cap``, ``proliferation``, ``death``, ``live``, ``occupancy``."""
        where = self.seen.network if name in Network._fields else self.seen
        return float(getattr(where, name)[HOURS.index(hours), well])

    def fold(self, name: str, hours: float) -> float:
        """Treated over the untreated start."""
        return self.level(name, hours) / self.level(name, 0.0)

    def over_control(self, name: str, hours: float) -> float:
        """Treated over control at the same time, which for counts is what a plate reader shows."""
        return self.level(name, hours) / self.level(name, hours, CONTROL)

    def net(self, hours: float) -> float:
        """Growth of living cells, proliferation less death, over that of the control."""
        rate = lambda well: self.level("proliferation", hours, well) - self.level("death", hours, well)
        return rate(TREATED) / rate(CONTROL)

    def lowest(self, name: str, first: float, last: float) -> float:
        """Smallest fold between two times, both included."""
        return min(self.fold(name, hours) for hours in HOURS if first <= hours <= last)


class Bench:
    """What a laboratory has.

    Args:
        config: cell lines, wells, panel, network. drug: the rapalog. constants: of the network; None: those of the configuration.
    """

    def __init__(self, config: StudyConfig, drug: DrugSettings, constants: NetworkConstants | None = None):
        self.config, self.drug = config, drug
        self.constants = network_constants(config.network) if constants is None else constants
        self._dish = lru_cache(maxsize=None)(self._grown)

    def dish(self, line: str, rapamycin_nM: float = 0.0, changes: Mapping[str, float] | None = None, **inhibition: float) -> Dish:
        """A line of ``cell_line``, treated from the start.

        Args:
            changes: parameters that differ from the line's in both wells, by their name in `CellParameters` or `Well`'s parts.
            inhibition: of nodes by other drugs, fractions, see `signalling.Inhibition`.
        """
        return self._dish(line, float(rapamycin_nM), tuple(sorted((changes or {}).items())), tuple(sorted(inhibition.items())))

    def with_constants(self, **values: float) -> Bench:
        """The same laboratory with other cells: some constants of the network changed."""
        return Bench(self.config, self.drug, self.constants._replace(**values))

    def _grown(self, line: str, rapamycin_nM: float, changes: tuple, inhibition: tuple) -> Dish:
        config = self.config
        well = wells_of([config.cell_line[line]] * 2, config.network, self.drug.binding, self.drug.pk.fu, config.culture)
        well = changed(well, dict(changes))
        treated = lambda value: np.array([0.0, value])
        medium = Medium(
            treated(rapamycin_nM), HOURS[-1], UNTREATED._replace(**{name: treated(value) for name, value in inhibition})
        )
        return Dish(grow(self.constants, well, [medium], HOURS))


def changed(well: Well, changes: Mapping[str, Any]) -> Well:
    """The well with some parameters replaced, wherever they stand."""
    parts = {"cell": well.cell, "growth": well.growth, "binding": well.binding}
    for name, value in changes.items():
        home = next((part for part, tree in parts.items() if name in tree._fields), None)
        if home is None:
            well = well._replace(**{name: np.full(2, value)})
        else:
            parts[home] = parts[home]._replace(**{name: np.full(2, value)})
    return well._replace(**parts)
