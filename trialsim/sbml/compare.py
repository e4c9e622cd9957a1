"""Folds of a model of others beside ours: how much a read-out moves under the drug, and whether both move the same way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.sbml.document import Document, read_document
from trialsim.sbml.experiment import READOUTS, Experiment, experiment, read_experiment
from trialsim.sbml.network import cell_line, folds
from trialsim.sbml.simulate import TIME_LIMIT_S, Course, simulate
from trialsim.schema import ConfigError

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

WAYS = ("falls", "stays", "rises")
COLUMNS = (
    "readout", "label", "dose", "hours", "model", "drift", "usable", "trialsim", "ratio", "model_way", "trialsim_way", "agree"
)  # fmt: skip


class Comparison(NamedTuple):
    """Of one model and ours.

    Attributes:
        experiment, document: what was asked, of which model.
        folds: one row a read-out, dose and time. Columns: readout (level of our network), label; dose (part of mTORC1 blocked, or
            nM), hours; model (level with drug over that without at the same time), drift (that without over its level before the
            drug), usable (drift within `most_drift`); trialsim (fold of ours); model_way, trialsim_way (falls, stays, rises);
            agree (missing where not usable); ratio (trialsim over model).
        levels: one row a read-out, dose (0: none) and time (0: before the drug). Columns: readout, dose, hours, level, in the
            model's unit.
        simulator: library and version.
    """

    experiment: Experiment
    document: Document
    folds: pd.DataFrame
    levels: pd.DataFrame
    simulator: str

    @property
    def agreeing(self) -> tuple[int, int]:
        """Directions that agree, of how many that can be compared."""
        known = self.folds["agree"].dropna()
        return int(known.sum()), len(known)


def compare(
    config: StudyConfig, model: Path | str, asked: Experiment | Path | str | dict[str, Any], time_limit_s: float = TIME_LIMIT_S
) -> Comparison:
    """Run a model without and with drug, and our network under the same inhibition.

    Args:
        config: network and cell lines, ``trialsim.compose("laboratory")``, whose ``analysis.dish_drug`` is rapamycin.
        model: an SBML file. asked: the experiment, or its YAML file, or its content.

    Raises:
        ConfigError: a faulty file, a name that does not exist, a model that does not run or not in time.
    """
    drug = getattr(config.analysis, "dish_drug", None)
    if drug is None:
        raise ConfigError("analysis.kind", config.analysis.kind, 'laboratory: trialsim.compose("laboratory")')
    if not isinstance(asked, Experiment):
        asked = experiment(asked) if isinstance(asked, dict) else read_experiment(asked)
    document = read_document(model)
    cell_line(config, asked)
    course = simulate(document, asked, time_limit_s)
    ours = folds(config, asked, drug)
    return Comparison(asked, document, _folds(asked, course, ours), _levels(asked, course), course.simulator)


def _folds(asked: Experiment, course: Course, ours: np.ndarray) -> pd.DataFrame:
    control, treated = course.levels[0], course.levels[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        model, drift = treated[:, 1:] / control[1:], control[1:] / control[0]
    rows = []
    for r, readout in enumerate(asked.readouts):
        for d, dose in enumerate(asked.doses):
            for h, hours in enumerate(asked.hours):
                rows.append((readout, READOUTS[readout], dose, hours, model[d, h, r], drift[h, r], ours[d, h, r]))
    table = pd.DataFrame(rows, columns=["readout", "label", "dose", "hours", "model", "drift", "trialsim"])
    within = table["drift"].between(1.0 / asked.most_drift, asked.most_drift)
    table["usable"] = within & np.isfinite(table["model"]) & (table["model"] >= 0.0)
    for name in ("model", "trialsim"):
        way = 1 + (table[name] > 1.0 + asked.no_change).astype(int) - (table[name] < 1.0 - asked.no_change).astype(int)
        table[f"{name}_way"] = np.array(WAYS)[way]
    table["agree"] = (table["model_way"] == table["trialsim_way"]).astype("boolean").where(table["usable"])
    with np.errstate(divide="ignore", invalid="ignore"):
        table["ratio"] = table["trialsim"] / table["model"]
    return table[list(COLUMNS)]


def _levels(asked: Experiment, course: Course) -> pd.DataFrame:
    arms, times, readouts = (0.0, *asked.doses), (0.0, *asked.hours), tuple(asked.readouts)
    index = pd.MultiIndex.from_product([arms, times, readouts], names=["dose", "hours", "readout"])
    table = pd.DataFrame({"level": course.levels.reshape(-1)}, index=index).reset_index()
    return table[["readout", "dose", "hours", "level"]]
