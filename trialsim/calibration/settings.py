"""The settings that a prediction hangs on: as their files have them, and as they are in the worlds drawn from the posterior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.calibration.parameters import GENE_COLUMN, blocks_wholly
from trialsim.calibration.posterior import Posterior, World, of_laboratory, untold

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

OF_TYPE = (("growth", "rate_median_per_day", "1/day"), ("pathway", "dependence_mean", "fraction"),
           ("survival", "death_rate_median_per_day", "1/day"))  # fmt: skip
OF_COLUMN = {column: gene for gene, column in GENE_COLUMN.items()}


def drawn(config: StudyConfig, worlds: Sequence[World], posterior: Posterior) -> pd.DataFrame:
    """One row a setting: setting (its path), unit, file (its value there), median, low_90, high_90 (over the worlds, each with what
    a study adds), told: whether fitted trials tell of it, of an alteration more than hardly anything."""
    open_, rows = untold(config, posterior), []
    for path, unit, told in _paths(config, posterior, set(open_)):
        values = np.array([_at(world.config, path) for world in worlds])
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        row = {"setting": ".".join(path), "unit": unit, "file": _at(config, path), "median": middle, "low_90": low, "high_90": high}
        rows.append(row | {"told": told})
    return pd.DataFrame(rows)


def _paths(config: StudyConfig, posterior: Posterior, open_: set[str]) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Path of each setting, its unit, and whether fitted trials tell of it."""
    for kind, share in config.cohort.mix.items():
        if share > 0:
            for part, name, unit in OF_TYPE:
                yield ("tumour", kind, part, name), unit, kind in posterior.tumour_types
    yield ("drug", "binding", "partition_tumour"), "tissue over blood", f"exposure {config.drug.name}" not in open_
    for name, partner in config.partner.items():
        for node, effect in partner.inhibits.items():
            wholly = blocks_wholly(effect.max, node)
            unit = "nM" if wholly else "1/h" if node == "cytotoxic" else "fraction"
            yield ("partner", name, "inhibits", node, "IC50_nM" if wholly else "max"), unit, f"partner {name}" not in open_
    for gene in getattr(config.analysis, "selection", {}):
        if name := OF_COLUMN.get(gene):
            yield ("network", "genotype", name), "logit of dependence", not of_laboratory([gene], posterior)
    yield ("cohort", "associations", "log_growth_per_line"), "log a line", "line_growth" in posterior.names
    yield ("cohort", "associations", "logit_dependence_per_line"), "logit a line", "line_dependence" in posterior.names


def _at(config: Any, path: Sequence[str]) -> float:
    for name in path:
        config = config[name] if isinstance(config, dict) else getattr(config, name)
    return float(config)
