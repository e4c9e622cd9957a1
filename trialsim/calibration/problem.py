"""The evidence of all published trials, and the problem that it sets: emulated arms, the published numbers beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from trialsim.calibration import emulator, likelihood, meta, model, posterior, predictive
from trialsim.calibration.arms import CHILDREN_BELOW_Y, Arm, arms_of
from trialsim.calibration.library import PFS_MONTHS, Cell
from trialsim.calibration.published import Number, numbers_of
from trialsim.calibration.system import System, shift_name, system

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


class Evidence(NamedTuple):
    """Arms of published trials and what was published of them. Attributes: arms, numbers; bases: of every tumour type, see
    `posterior.base_of`; children, low_grade: tumour types that are of children, of low grade."""

    arms: list[Arm]
    numbers: list[Number]
    bases: dict[str, tuple[float, float, float]]
    children: set[str]
    low_grade: set[str]


def evidence_of(trials: Sequence[StudyConfig]) -> Evidence:
    """From the settings of trials, each made of a trial's file."""
    arms, numbers, bases, children, low_grade = [], [], {}, set(), set()
    for config in trials:
        of_trial = arms_of(config)
        arms += of_trial
        numbers += numbers_of(of_trial)
        bases |= {kind: posterior.base_of(tumour) for kind, tumour in config.tumour.items()}
        low_grade |= {kind for kind, tumour in config.tumour.items() if tumour.growth.low_grade}
        if config.cohort.age.maximum_y < CHILDREN_BELOW_Y:
            children |= set(config.cohort.mix)
    return Evidence(arms, numbers, bases, children, low_grade)


def alone(found: Evidence) -> pd.DataFrame:
    """What only one study tells of, so that it must be guessed where that study is left out: study, tumour_types, partners (names
    joined by a blank; empty: none)."""
    of: dict[str, dict[str, set[str]]] = {}
    for arm in found.arms:
        own = of.setdefault(arm.study, {"tumour_types": set(), "partners": set()})
        own["tumour_types"] |= {kind for kind, share in arm.config.cohort.mix.items() if share > 0}
        own["partners"] |= set(arm.config.partner)
    rows = []
    for study, own in of.items():
        others = lambda what, study=study: set().union(*(each[what] for name, each in of.items() if name != study))
        rows.append({"study": study} | {what: " ".join(sorted(own[what] - others(what))) for what in own})
    return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class Problem:
    """What the hierarchy is fitted to. Attributes: system, hierarchy, data: see `model.model`. numbers: in the order of data."""

    system: System
    hierarchy: model.Hierarchy
    data: likelihood.Data
    numbers: list[Number]

    @cached_property
    def model(self) -> Any:
        """The same object for all fits, which thereby share a compiled program."""
        return partial(model.model, self.system, self.hierarchy)

    @property
    def shared(self) -> dict[str, Any]:
        """Arguments of the model that are the same for all fits."""
        return {"data": self.data}

    @property
    def digest(self) -> str:
        """Of all that a fit depends on."""
        return _digest(self.numbers, self.data, self.hierarchy, self.system.coefficients)

    def predicted(self, draws: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What would be published, by number."""
        return predictive.drawn(self.system, self.data, self.numbers, draws, rng)

    @property
    def kinds(self) -> dict[str, list[Number]]:
        """The numbers by the kind of their likelihood, in order."""
        ratio = [one for one in self.numbers if one.endpoint == "pfs_hr"]
        times = [one for one in self.numbers if one.endpoint.startswith("median_")]
        rate = [one for one in self.numbers if one.endpoint != "pfs_hr" and not one.endpoint.startswith("median_")]
        return {"rate": rate, "time": times, "ratio": ratio}


@dataclass(frozen=True, eq=False)
class Opponent:
    """What the meta-analysis is fitted to. Attributes: table: see `meta.model`. numbers: as in `Problem`."""

    table: meta.Table
    numbers: list[Number]

    @cached_property
    def model(self) -> Any:
        """See `Problem.model`."""
        return partial(meta.model, self.table)

    @property
    def shared(self) -> dict[str, Any]:
        """See `Problem.shared`."""
        return {}

    @property
    def digest(self) -> str:
        """See `Problem.digest`."""
        return _digest(self.numbers, self.table)

    def predicted(self, draws: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """See `Problem.predicted`."""
        return meta.drawn(self.table, self.numbers, draws, rng)

    @property
    def kinds(self) -> dict[str, list[Number]]:
        """Those that it describes, by the kind of their likelihood, in order."""
        return {
            "count": [one for one in self.numbers if one.endpoint in meta.ENDPOINTS[:3]],
            "time": [one for one in self.numbers if one.endpoint == "median_pfs"],
            "ratio": [one for one in self.numbers if one.endpoint == "pfs_hr"],
        }


def _digest(numbers: Sequence[Number], *parts: Any) -> str:
    mark = hashlib.sha256(repr(numbers).encode())
    for leaf in jax.tree.leaves(parts):
        mark.update(np.asarray(leaf).tobytes())
    return mark.hexdigest()


def problem_of(found: Evidence, cells: Sequence[tuple[Cell, pd.DataFrame]]) -> Problem:
    """Emulators of all cells and the published numbers beside them."""
    emulators = emulator.fitted([(cell.parameters, rows, cell.arm.on_drug) for cell, rows in cells])
    made = system([cell for cell, _ in cells], emulators)
    patients = {arm.name: arm.patients for arm in found.arms}
    data = likelihood.data_of(found.numbers, made, patients, {arm.name: _followed(arm) for arm in found.arms})
    priors = {shift_name(cell, name): prior for cell, _ in cells for name, prior in cell.parameters.items()}
    return Problem(made, model.hierarchy(made, found.bases, found.children, found.low_grade, priors), data, found.numbers)


def _followed(arm: Arm) -> np.ndarray:
    """Share of the arm's patients still followed in each interval of the PFS grid: accrual at a steady pace."""
    settings, edges = arm.config.analysis, np.array([0.0, *PFS_MONTHS])
    middle = (edges[1:] + edges[:-1]) / 2
    return np.clip((settings.accrual_months + settings.follow_up_months - middle) / settings.accrual_months, 0.02, 1.0)


def opponent_of(found: Evidence) -> Opponent:
    """The same evidence as the meta-analysis sees it."""
    return Opponent(meta.table(found.numbers, found.arms), found.numbers)
