"""The runs of a sweep, or any runs, read back side by side: what differs in their settings, and their main results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from trialsim.artefacts.claim import PART
from trialsim.artefacts.saved import SavedRun, load_run
from trialsim.artefacts.tables import read_table
from trialsim.schema import ConfigError
from trialsim.sweeps import record
from trialsim.sweeps.record import COMPLETE, Record

MAIN = ("orr", "dcr", "median_pfs_months", "dlt_rate")  # of a trial
TRIAL_RESULTS = (
    "orr", "dcr", "clinical_benefit_rate", "median_pfs_months", "pfs_6_months", "median_pfs_turnbull_months",
    "median_pfs_weibull_months", "progression_delay_weeks", "median_os_months", "os_12_months", "median_time_on_treatment_months",
    "median_relative_dose_intensity", "dlt_rate",
)  # fmt: skip
MOST_MAIN = 6  # results of an analysis that are shown
MOST_KEYS = 6  # settings that are shown where runs differ in more
DLT = "dlt_rate"
SEED = "seed"
NO_RESULT = ("resume", "compute", "report")  # sections of the settings that change no result beyond its numerical error
OUTCOMES = (
    "patient_id", "integration_ok", "responder", "disease_control", "clinical_benefit", "dlt", "dlt_evaluable", "pfs_days",
    "pfs_event", "os_days", "os_event", "days_on_treatment", "off_treatment_reason", "relative_dose_intensity",
)  # fmt: skip
BASELINE = ("age_y", "sex", "weight_kg", "height_cm", "tumour_type")  # enough to tell whether two patients are one


class Result(NamedTuple):
    """A number of a run with its 95 % interval; None where not reached or not known."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int | None = None
    unit: str = ""
    method: str = ""


class Run(NamedTuple):
    """One run.

    Attributes:
        name: in words, unique: the number of its job, or its folder.
        folder: of the run.
        values: key -> value, of the settings that differ between the runs.
        state, cause: see `record.Job`.
        results: name -> `Result`; empty if the run is not complete.
        saved: the run, if complete.
        units: key -> unit of its value, of the keys that have one.
        members: the runs of several seeds that this one stands for, see ``seeds``; none for a single run.
    """

    name: str
    folder: Path
    values: dict[str, Any]
    state: str
    cause: str
    results: dict[str, Result]
    saved: SavedRun | None
    units: Mapping[str, str] = MappingProxyType({})
    members: tuple[Run, ...] = ()

    @property
    def fault(self) -> str:
        """What the checks of a complete run found wrong first, and how much more its report has of it; empty if nothing."""
        found = (self.saved.summary.get("diagnostics") or {}) if self.saved is not None else {}
        if found.get("ok", True):
            return ""
        first, *more = found.get("messages") or ["its report says what"]
        return f"{first}{f' (and {len(more)} more in its report)' if more else ''}"


class Runs:
    """Runs side by side. ``keys``: settings that differ; ``more``: how many others that are not shown; ``record``: of the sweep."""

    def __init__(self, folder: Path | None, keys: Sequence[str], runs: Sequence[Run], more: int = 0, of: Record | None = None):
        self.folder, self.keys, self.runs, self.more, self.record = folder, tuple(keys), tuple(runs), more, of

    @property
    def complete(self) -> list[Run]:
        return [run for run in self.runs if run.saved is not None]

    @cached_property
    def main(self) -> list[str]:
        """Names of the main results: those of a trial, or the first of an analysis, that some run has and reached."""
        found = [(name, result) for run in self.complete for name, result in run.results.items()]
        named = list(dict.fromkeys(name for name, result in found if result.estimate is not None))
        return [name for name in MAIN if name in named] or named[:MOST_MAIN]

    def number_of(self, key: str) -> list[float] | None:
        """Values of a key by complete run if all are numbers, else None."""
        values = [run.values.get(key) for run in self.complete]
        good = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        return [float(value) for value in values] if good and values else None  # type: ignore[arg-type]


def read_sweep(folder: Path | str) -> Runs:
    """The runs of a sweep, with the state that each has now.

    Raises:
        ConfigError: no sweep there.
    """
    path = Path(folder).absolute()
    found = record.read(path)
    if found is None:
        raise ConfigError("sweep", str(folder), f"the folder of a sweep, with {record.SWEEP}; or two and more folders of runs")
    runs = []
    for job in found.jobs:
        saved = _saved(path / job.folder) if job.state == COMPLETE else None
        results = results_of(saved.summary) if saved else {}
        units = units_of(saved.config, job.values) if saved else {}
        runs.append(Run(f"{job.number}", path / job.folder, job.values, job.state, job.cause, results, saved, units))
    return Runs(path, found.swept, runs, of=found)


def read_runs(folders: Sequence[Path | str]) -> Runs:
    """Finished runs from anywhere; what differs between them is found in their settings.

    Raises:
        ConfigError: a folder holds no finished run.
    """
    paths = list(dict.fromkeys(Path(folder).absolute() for folder in folders))
    if len(paths) < 2:
        raise ConfigError("runs", " ".join(map(str, folders)), "a sweep, or at least two folders of finished runs")
    saved = [load_run(path) for path in paths]
    keys, more = differing([run.config for run in saved])
    names = _names(paths)
    runs = [
        Run(name, run.path, {key: _at(run.config, key) for key in keys}, COMPLETE, "", results_of(run.summary), run,
            units_of(run.config, keys))
        for name, run in zip(names, saved, strict=True)
    ]  # fmt: skip
    return Runs(None, keys, runs, more)


def _saved(path: Path) -> SavedRun | None:
    """None for a part of a study, which has no results of its own."""
    status = record.read_status(path)
    return None if status is None or status.get("state") == PART else load_run(path)


def _names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def results_of(summary: Mapping[str, Any]) -> dict[str, Result]:
    """Every result of a run with an estimate. The DLT rate of a trial with one dose has a name that trials share."""
    entries = summary.get("endpoints") if summary.get("kind", "trial") == "trial" else summary.get("results")
    found = {name: _result(entry) for name, entry in (entries or {}).items() if isinstance(entry, Mapping) and "estimate" in entry}
    rates = [name for name in found if name.startswith(f"{DLT}_")]
    if len(rates) == 1:
        found[DLT] = found.pop(rates[0])
    return found


def _result(entry: Mapping[str, Any]) -> Result:
    number = lambda value: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    n = entry.get("n")
    text = lambda name: str(entry.get(name) or "")
    value, low, high = (number(entry.get(name)) for name in ("estimate", "low", "high"))
    return Result(value, low, high, n if isinstance(n, int) else None, text("unit"), text("method"))


# ---- settings


def differing(configs: Sequence[Mapping[str, Any]]) -> tuple[list[str], int]:
    """Keys in which configurations differ, and how many more there are than can be shown.

    Names go first (a drug's constants follow from which drug it is), then the rest in order.
    """
    leaves = [dict(_leaves(config)) for config in configs]
    every = list(dict.fromkeys(key for one in leaves for key in one))
    keys = [key for key in every if len({repr(one.get(key)) for one in leaves}) > 1 and key.split(".")[0] not in NO_RESULT]
    if len(keys) <= MOST_KEYS:
        return keys, 0
    telling = lambda key: key.endswith((".name", ".kind")) or key.split(".")[0] in ("regimen", "seed")
    shown = sorted(keys, key=lambda key: not telling(key))[:MOST_KEYS]
    return shown, len(keys) - len(shown)


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        for key, item in data.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, data


def _at(data: Any, key: str) -> Any:
    for part in key.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def units_of(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """Units of doses, which stand beside them in the settings (``regimen.unit``)."""
    found = {key: _at(config, f"{key.rpartition('.')[0]}.unit") for key in keys if key.rpartition(".")[2] == "dose"}
    return {key: unit for key, unit in found.items() if isinstance(unit, str)}


# ---- patients


def is_trial(run: Run) -> bool:
    """Whether it is a finished trial, with a table of patients."""
    kind = run.saved.summary.get("kind", "trial") if run.saved is not None else None
    return kind == "trial" and (run.folder / "patients.parquet").is_file()


def outcomes(run: Run) -> pd.DataFrame | None:
    """Outcomes by patient of a trial, without patients whose integration failed, of several seeds by seed and patient; None for
    another analysis.
    """
    if run.members:
        tables = [outcomes(one) for one in run.members]
        seeds = [one.values[SEED] for one in run.members]
        return None if any(table is None for table in tables) else pd.concat(tables, keys=seeds)  # type: ignore[arg-type]
    if not is_trial(run):
        return None
    file = run.folder / "patients.parquet"
    there = set(pq.read_schema(file).names)
    table = read_table(file, [name for name in (*OUTCOMES, *BASELINE) if name in there]).set_index("patient_id")
    return table[table["integration_ok"]]


def same_patients(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether two tables are of the same patients: the same numbers, and the same person behind each."""
    both = first.index.intersection(second.index)
    if len(both) == 0 or len(both) < 0.5 * max(len(first), len(second)):
        return False
    columns = [name for name in BASELINE if name in first and name in second]
    return bool(columns) and first.loc[both, columns].equals(second.loc[both, columns])
