"""A finished run, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from trialsim.artefacts.claim import read_status
from trialsim.schema import ConfigError

FITS = ("simulated", "published", "recovery", "dlt")  # of a trial


@dataclass(frozen=True)
class SavedRun:
    """A finished run, read from its folder. A table is read when it is first asked for.

    Attributes:
        path: the run folder.
        config: the resolved configuration, nested plain values.
        provenance: versions, device, seed, code state, times.
        summary: the headline numbers, as in summary.json; ``summary["tables"]`` lists the tables of an analysis.
        patients, visits, pharmacodynamics, adverse_events, doses: the tables of a trial, see README.
    """

    path: Path
    config: dict[str, Any]
    provenance: dict[str, Any]
    summary: dict[str, Any]

    @cached_property
    def patients(self) -> pd.DataFrame:
        return self.table("patients")

    @cached_property
    def visits(self) -> pd.DataFrame:
        return self.table("visits")

    @cached_property
    def pharmacodynamics(self) -> pd.DataFrame:
        return self.table("pharmacodynamics")

    @cached_property
    def adverse_events(self) -> pd.DataFrame:
        return self.table("adverse_events")

    @cached_property
    def doses(self) -> pd.DataFrame:
        return self.table("doses")

    def table(self, name: str) -> pd.DataFrame:
        """A table of the run by name."""
        file = self.path / f"{name}.parquet"
        if not file.is_file():
            if name == "doses" and (self.path / "patients.parquet").is_file():
                allowed = "a run that keeps its doses; an older version of trialsim made this one: run it again"
                raise ConfigError("path", str(file), allowed)
            there = ", ".join(sorted(other.stem for other in self.path.glob("*.parquet")))
            raise ValueError(f"name = {name!r} is not allowed: one of {there}")
        return pd.read_parquet(file, engine="pyarrow")

    def posterior(self, of: str = "simulated") -> Any:
        """A fit as ArviZ has it, an xarray DataTree with the groups posterior, sample_stats, ...

        Args:
            of: ``"simulated"``, ``"published"`` (of a drug that was published alone), ``"recovery"`` or ``"dlt"`` (phase I only).
        """
        import xarray

        files = {name: self.path / ("posterior.nc" if name == "simulated" else f"posterior_{name}.nc") for name in FITS}
        there = [name for name, file in files.items() if file.is_file()]
        if of not in there:
            raise ValueError(f"of = {of!r} is not allowed: one of {', '.join(there) or 'none, this run has no fits'}")
        return xarray.open_datatree(files[of], engine="h5netcdf")


def load_run(path: Path | str) -> SavedRun:
    """Read the folder of a finished run.

    Raises:
        ConfigError: when there is no finished run in the folder.
    """
    folder = Path(path).absolute()
    status = read_status(folder) if folder.is_dir() else None
    if not (status and status.get("complete")):
        state = "there is none here" if status is None else f"this one is {status.get('state', 'unfinished')}"
        raise ConfigError("path", str(path), f"the folder of a finished run; {state}")

    def read_json(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    return SavedRun(
        path=folder,
        config=yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")),
        provenance=read_json("provenance.json"),
        summary=read_json("summary.json"),
    )
