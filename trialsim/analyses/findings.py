"""What an analysis finds, and how it is kept."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from trialsim import beforehand
from trialsim.analyses.steps import Steps
from trialsim.schema import ConfigError
from trialsim.summary import SCHEMA_VERSION

if TYPE_CHECKING:
    from trialsim.artefacts import RunFolder
    from trialsim.schema.study import StudyConfig


class Findings(NamedTuple):
    """What an analysis found.

    Attributes:
        tables: by name, which is that of the file.
        results: headline numbers. Entries with ``estimate`` (and ``low``, ``high``, ``n``, ``unit``, ``method``, as in the
            endpoints of a trial) are shown when the run ends; anything else that JSON holds may stand beside them.
        faults: why the numbers are not to be relied upon, in words; empty where every check was passed.
    """

    tables: Mapping[str, pd.DataFrame]
    results: Mapping[str, Any]
    faults: tuple[str, ...] = ()


def simulation_faults(failed: int, check: Mapping[str, Any], what: str = "patients") -> tuple[str, ...]:
    """Of a simulation of patients.

    Args:
        failed: how many of ``what`` were not integrated. check: from `conduct.solver_check`; empty: not done.
    """
    faults = []
    if failed:
        faults.append(f"{failed} {what} could not be integrated: lower compute.accuracy or set compute.precision=float64")
    if check and not check["ok"]:
        error, accuracy = check["error"], check["accuracy"]
        faults.append(f"numerical error {error:.1e} above compute.accuracy={accuracy:g}; a lower one takes more steps")
    return tuple(faults)


def find(config: StudyConfig, steps: Steps) -> Findings:
    """Run the analysis that ``analysis.kind`` names."""
    kind = config.analysis.kind
    if kind == "trial":
        raise ConfigError("analysis.kind", kind, "an analysis; trialsim.simulate gives the tables of a trial")
    return importlib.import_module(f"trialsim.analyses.{kind}").run(config, steps)


def save(config: StudyConfig, folder: RunFolder, found: Findings) -> None:
    """Write the tables, and summary.json (schema: README)."""
    for name, table in found.tables.items():
        folder.write_table(name, table)
    summary = {
        "schema_version": SCHEMA_VERSION,
        "kind": config.analysis.kind,
        "study": config.study.name,
        "title": config.title,
        "seed": config.seed,
        "diagnostics": {"ok": not found.faults, "messages": list(found.faults)},
        "cautions": beforehand.cautions(config),
        "results": dict(found.results),
        "tables": list(found.tables),
    }
    folder.write_json("summary.json", summary)
