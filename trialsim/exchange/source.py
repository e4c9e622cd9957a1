"""A finished trial as the exports see it: a few settings, and its tables in pieces of some thousand patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trialsim.artefacts import SavedRun
from trialsim.artefacts.tables import ID, read_patients, read_pieces, read_table
from trialsim.schema import ConfigError

SCHEDULE_WORDS = {"daily": "daily", "alternate_day": "every other day", "weekly": "weekly", "five_days_a_week": "five days a week"}
FAULTY = (OSError, ValueError, KeyError, pa.ArrowException)


@dataclass(frozen=True)
class Source:
    """Attributes:
        path: of the run folder. study, drug, partners: names. metabolite: concentrations are of drug and active metabolite.
        unit, schedule: of the rapalog's regimen. levels: dose levels that occur, ascending. tumour_labels: by tumour type.
        confirmed: the study asks for confirmation of responses. start: made-up date of the first patient in; None: no dates.
    """

    path: Path
    study: str
    drug: str
    partners: tuple[str, ...]
    metabolite: bool
    unit: str
    schedule: str
    levels: tuple[float, ...]
    tumour_labels: dict[str, str]
    confirmed: bool
    start: date | None

    def treatment(self, level: float) -> str:
        """What patients of a dose level got, in words."""
        beside = "".join(f" + {name.replace('_', ' ')}" for name in self.partners)
        schedule = SCHEDULE_WORDS.get(self.schedule, self.schedule)
        return f"{self.drug.capitalize()} {level:g} {self.unit} {schedule}{beside}"

    def has(self, table: str) -> bool:
        return (self.path / f"{table}.parquet").is_file()

    def patients(self, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[pd.DataFrame]:
        """The patients in pieces, ascending ids."""
        self._require("patients", columns)
        with _readable(self.path / "patients.parquet"):
            for piece in read_pieces(self.path / "patients.parquet", (*columns, *optional)):
                yield piece.sort_values(ID, ignore_index=True)

    def rows(self, table: str, ids: np.ndarray, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
        """The rows of some patients in another table, by patient, otherwise as they stand."""
        self._require(table, columns)
        with _readable(self.path / f"{table}.parquet"):
            return read_patients(self.path / f"{table}.parquet", ids.tolist(), (*columns, *optional)).sort_values(
                ID, kind="stable", ignore_index=True
            )

    def columns(self, table: str) -> list[str]:
        with _readable(self.path / f"{table}.parquet"):
            return list(pq.read_schema(self.path / f"{table}.parquet").names)

    def _require(self, table: str, columns: Sequence[str]) -> None:
        missing = [name for name in columns if name not in self.columns(table)]
        if missing:
            raise ConfigError("path", str(self.path / f"{table}.parquet"), f"a table with the columns {', '.join(missing)}")


class _readable:
    """A file that cannot be read is bad input: said in one sentence."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FAULTY) and not isinstance(error, ConfigError):
            raise ConfigError("path", str(self.path), f"a table that can be read ({error})") from error


def source_of(run: SavedRun, start: date | None = None) -> Source:
    """The trial in a run folder.

    Raises:
        ConfigError: the run is no trial, or its settings or patients cannot be read.
    """
    kind = run.summary.get("kind", "trial")
    if kind != "trial":
        raise ConfigError("path", str(run.path), f"the folder of a trial; this run is an analysis of kind {kind}")
    patients = run.path / "patients.parquet"
    with _readable(patients):
        levels = read_table(patients, ["dose_level"])["dose_level"]

    def setting(key: str, *default: Any) -> Any:
        here: Any = run.config
        for part in key.split("."):
            if isinstance(here, dict) and part in here:
                here = here[part]
            elif default:
                return default[0]
            else:
                raise ConfigError("path", str(run.path / "config.yaml"), f"the settings of a run; {key} is not in it")
        return here

    return Source(
        path=run.path,
        study=str(setting("study.name")),
        drug=str(setting("drug.name")),
        partners=tuple(str(name) for name in setting("partner", {}) or {}),
        metabolite=setting("drug.pk.kind", None) == "parent_metabolite",
        unit=str(setting("regimen.unit")),
        schedule=str(setting("regimen.schedule")),
        levels=tuple(float(level) for level in np.unique(levels.dropna())),
        tumour_labels={str(name): str(tumour.get("label", name)) for name, tumour in setting("tumour", {}).items()},
        confirmed=setting("endpoint.confirmation_days", None) is not None,
        start=start,
    )
