"""A finished run, read back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trialsim.artefacts.files import refuse_links, unchanged
from trialsim.artefacts.netcdf import check_netcdf
from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.artefacts.status import read_status
from trialsim.artefacts.tables import read_table
from trialsim.schema import ConfigError
from trialsim.schema.plain import usable_path

SUMMARY = "summary.json"

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
        return read_table(file)

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the report's figures."""
        return tuple(sorted(file.stem for file in (self.path / "figures").glob("*.json")))

    def figure(self, name: str) -> Any:
        """A figure of the report, one of ``figures``, as a plotly Figure."""
        import plotly.graph_objects as go

        if name not in self.figures:
            raise ValueError(f"name = {name!r} is not allowed: one of {', '.join(self.figures)}")
        text = (self.path / "figures" / f"{name}.json").read_text(encoding="utf-8")
        return go.Figure(json.loads(text, object_hook=_unpacked))

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
        check_netcdf(files[of])
        return xarray.open_datatree(files[of], engine="h5netcdf")


def _unpacked(found: dict[str, Any]) -> Any:
    """Arrays as plotly packs them (base64 of little-endian numbers) made arrays again; anything else as it is."""
    if not {"bdata", "dtype"} <= set(found):
        return found
    values = np.frombuffer(base64.b64decode(found["bdata"]), np.dtype(found["dtype"]).newbyteorder("<"))
    return values.reshape([int(side) for side in str(found["shape"]).split(",")]) if "shape" in found else values


def load_run(path: Path | str) -> SavedRun:
    """Read the folder of a finished run.

    Raises:
        ConfigError: when there is no finished run in the folder, or its files are not as the run wrote them.
    """
    folder = usable_path("path", path).absolute()
    status = read_status(folder) if folder.is_dir() else None
    if not (status and status["complete"]):
        state = "there is none here" if status is None else f"this one is {status['state']}"
        raise ConfigError("path", str(path), f"the folder of a finished run; {state}")
    refuse_links(folder)
    written = {name: digest for stage in status["stages"] for name, digest in stage["files"].items()}
    missing = [name for name in written if not (folder / name).is_file()]
    if missing:
        raise ConfigError("path", str(path), f"a folder with all files of its run; missing: {', '.join(missing)}")
    if not unchanged(folder, {name: digest for name, digest in written.items() if name == SUMMARY}):
        raise ConfigError("path", str(path), f"a folder whose {SUMMARY} is as its run wrote it; this one was changed since")
    return SavedRun(
        path=folder,
        config=read_yaml(folder / "config.yaml"),
        provenance=read_json(folder / "provenance.json"),
        summary=read_json(folder / SUMMARY),
    )
