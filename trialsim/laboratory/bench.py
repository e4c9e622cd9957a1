"""Dishes: a cell line under a constant treatment for four days, beside its untreated control.

An experiment asks for the dishes that it needs; `Bench.prepare` finds out what many experiments will ask for and grows all of it as
one program, which takes seconds where dish after dish takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from trialsim.assays.culture import Medium, Seen, Well, grow
from trialsim.assays.lines import wells_of
from trialsim.laboratory.lines import Panel, grow_panel
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
        """A level of the network, or another of `Seen`'s."""
        where = self.seen.network if name in Network._fields else self.seen
        return float(getattr(where, name)[HOURS.index(hours), well])

    def fold(self, name: str, hours: float) -> float:
        """Treated over the untreated start."""
        return self.level(name, hours) / self.level(name, 0.0)

    def over_control(self, name: str, hours: float) -> float:
        """Treated over control at the same time, which for counts is what a plate reader shows."""
        return self.level(name, hours) / self.level(name, hours, CONTROL)

    def net(self, hours: float) -> float:
        """Growth rate of living cells, proliferation less death, over that of the control."""
        rate = lambda well: self.level("proliferation", hours, well) - self.level("death", hours, well)
        return rate(TREATED) / rate(CONTROL)

    def lowest(self, name: str, first: float, last: float) -> float:
        """Smallest fold between two times, both included."""
        return min(self.fold(name, hours) for hours in HOURS if first <= hours <= last)


class Request(NamedTuple):
    """One dish: changes of constants, line, dose, changes of the line, inhibition by others; what can be looked up."""

    constants: tuple[tuple[str, float], ...]
    line: str
    rapamycin_nM: float
    changes: tuple[tuple[str, float], ...]
    inhibition: tuple[tuple[str, float], ...]


class Bench:
    """What a laboratory has.

    Args:
        config: cell lines, wells, panel, network. drug: the rapalog. constants: of the network; None: those of the configuration.
    """

    def __init__(self, config: StudyConfig, drug: DrugSettings, constants: NetworkConstants | None = None):
        self.config, self.drug = config, drug
        self.constants = network_constants(config.network) if constants is None else constants
        self._dishes: dict[Request, Dish] = {}
        self._changed: tuple[tuple[str, float], ...] = ()

    def dish(self, line: str, rapamycin_nM: float = 0.0, changes: Mapping[str, float] | None = None, **inhibition: float) -> Dish:
        """A line of ``cell_line``, treated from the start.

        Args:
            changes: parameters that differ from the line's in both wells, by their name in `CellParameters` or `Well`'s parts.
            inhibition: of nodes by other drugs, fractions, see `signalling.Inhibition`.
        """
        ordered = lambda values: tuple(sorted((name, float(value)) for name, value in values.items()))
        request = Request(self._changed, line, float(rapamycin_nM), ordered(changes or {}), ordered(inhibition))
        if request not in self._dishes:
            self._fill([request])
        return self._dishes[request]

    def with_constants(self, **values: float) -> Bench:
        """The same laboratory with other cells: some constants of the network changed."""
        other = type(self)(self.config, self.drug, self.constants)
        other._dishes, other._changed = self._dishes, tuple(sorted(values.items()))
        return other

    @cached_property
    def panel(self) -> Panel:
        """Rapamycin over a dose range in virtual lines."""
        return grow_panel(self.config, self.drug, self.constants)

    def prepare(self, experiments: Iterable[Callable[[Bench], float]]) -> Bench:
        """Grow all dishes that the experiments will ask for at once."""
        rehearsal = _Rehearsal(self.config, self.drug, self.constants)
        for experiment in experiments:
            with suppress(ValueError):
                experiment(rehearsal)
        self._fill([request for request in rehearsal.asked if request not in self._dishes])
        return self

    def _fill(self, requests: list[Request]) -> None:
        c, n = self.config, len(requests)
        if not n:
            return
        wells = wells_of([c.cell_line[r.line] for r in requests for _ in (CONTROL, TREATED)], c.network, self.drug, c.culture)
        pair = lambda value: np.array([0.0, value])
        constants = [self.constants._replace(**dict(r.constants)) for r in requests]
        given = [UNTREATED._replace(**{name: pair(value) for name, value in r.inhibition}) for r in requests]
        along = lambda *values: np.concatenate([np.broadcast_to(value, (2,)) for value in values])
        medium = Medium(along(*(pair(r.rapamycin_nM) for r in requests)), HOURS[-1], jax.tree.map(along, *given))
        wells = changed(wells, [dict(r.changes) for r in requests])
        seen = grow(jax.tree.map(along, *constants), wells, [medium], HOURS)
        for i, request in enumerate(requests):
            self._dishes[request] = Dish(jax.tree.map(lambda leaf, i=i: leaf[:, 2 * i : 2 * i + 2], seen))


class _Rehearsal(Bench):
    """Writes down what is asked for; what it shows is not a number."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.asked: dict[Request, None] = {}

    @property
    def panel(self) -> Panel:  # type: ignore[override]
        raise ValueError("the panel is grown apart")

    def with_constants(self, **values: float) -> Bench:
        other = super().with_constants(**values)
        other.asked = self.asked  # type: ignore[attr-defined]
        return other

    def _fill(self, requests: list[Request]) -> None:
        nothing = np.full((len(HOURS), 2), np.nan)
        blank = Seen(Network(*[nothing] * len(Network._fields)), *[nothing] * (len(Seen._fields) - 1))
        self.asked.update(dict.fromkeys(requests))
        self._dishes.update(dict.fromkeys(requests, Dish(blank)))


def changed(wells: Well, changes: list[dict[str, float]]) -> Well:
    """Both wells of each dish with the parameters that its request changes, wherever they stand."""
    parts: dict[str, Any] = {"cell": wells.cell, "growth": wells.growth, "binding": wells.binding}
    for name in {name for one in changes for name in one}:
        home = next((part for part, tree in parts.items() if name in tree._fields), None)
        before = np.broadcast_to(getattr(wells if home is None else parts[home], name), (2 * len(changes),))
        after = np.array([one.get(name, before[2 * i]) for i, one in enumerate(changes) for _ in (CONTROL, TREATED)])
        if home is None:
            wells = wells._replace(**{name: after})
        else:
            parts[home] = parts[home]._replace(**{name: after})
    return wells._replace(**parts)


