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
import yaml

from trialsim.artefacts.claim import read_status
from trialsim.schema import ConfigError


@dataclass(frozen=True)
class SavedRun:
    """A finished run, read from its folder. A table is read when it is first asked for.

    Attributes:
        path: the run folder.
        config: the resolved configuration, nested plain values.
        provenance: versions, device, seed, code state, times.
        summary: the headline numbers, as in summary.json; ``summary["tables"]`` lists the tables of an analysis.
        patients, visits, pharmacodynamics, adverse_events: the tables of a trial, see README.
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

    def table(self, name: str) -> pd.DataFrame:
        """A table of the run by name."""
        file = self.path / f"{name}.parquet"
        if not file.is_file():
            there = ", ".join(sorted(other.stem for other in self.path.glob("*.parquet")))
            raise ValueError(f"name = {name!r} is not allowed: one of {there}")
        return pd.read_parquet(file, engine="pyarrow")

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
        """The fit as an xarray DataTree: ``of`` is ``"simulated"`` or ``"published"`` (of a drug that was published alone)."""
        import xarray

        names = {"simulated": "posterior.nc", "published": "posterior_published.nc"}
        if of not in names:
            raise ValueError(f"of = {of!r} is not allowed: one of {', '.join(names)}")
        return xarray.open_datatree(self.path / names[of], engine="h5netcdf")


def _unpacked(found: dict[str, Any]) -> Any:
    """Arrays as plotly packs them (base64 of little-endian numbers) made arrays again; anything else as it is."""
    if not {"bdata", "dtype"} <= set(found):
        return found
    values = np.frombuffer(base64.b64decode(found["bdata"]), np.dtype(found["dtype"]).newbyteorder("<"))
    return values.reshape([int(side) for side in str(found["shape"]).split(",")]) if "shape" in found else values


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
