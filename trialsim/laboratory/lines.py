"""A panel of virtual lines over a dose range of rapamycin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from trialsim.assays.culture import Medium, grow
from trialsim.assays.lines import wells_of
from trialsim.assays.panel import draw_lines
from trialsim.mechanism.signalling import NetworkConstants

if TYPE_CHECKING:
    from trialsim.schema.drug import DrugSettings
    from trialsim.schema.study import StudyConfig

LINES = 184  # eight panels of the Pediatric Preclinical Testing Program's 23
DOSES = np.array([0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])  # nM
HOURS = (72.0, 96.0, 120.0)


class Panel(NamedTuple):
    """Attributes: log_live: ln of living over seeded cells, (hours, lines, doses)."""

    log_live: np.ndarray

    def growth(self, hours: float) -> np.ndarray:
        """Mean growth rate over that of the untreated line, (lines, doses)."""
        found = self.log_live[HOURS.index(hours)]
        return found / found[:, :1]

    def living(self, hours: float) -> np.ndarray:
        """Living cells over control, (lines, doses)."""
        found = self.log_live[HOURS.index(hours)]
        return np.exp(found - found[:, :1])


def grow_panel(config: StudyConfig, drug: DrugSettings, constants: NetworkConstants, lines: int = LINES) -> Panel:
    """Lines 0 to ``lines`` - 1 of ``config.panel``."""
    drawn = draw_lines(config.panel, config.network, config.seed, np.arange(lines))
    each = lambda leaf: np.repeat(np.broadcast_to(leaf, (lines,)), len(DOSES))
    wells = jax.tree.map(each, wells_of(drawn, config.network, drug, config.culture))
    seen = grow(constants, wells, [Medium(np.tile(DOSES, lines), HOURS[-1])], HOURS)
    return Panel(np.log(seen.live).reshape(len(HOURS), lines, len(DOSES)))


def half_effect(effect: np.ndarray) -> np.ndarray:
    """Dose, nM, of half of each line's largest effect, by interpolation in log dose; (lines, doses) -> (lines,)."""
    logs = np.log(DOSES[1:])
    relative = effect[:, 1:] / np.maximum(np.max(effect, axis=1, keepdims=True), 1e-9)
    return np.exp([np.interp(0.5, np.maximum.accumulate(row), logs) for row in relative])
