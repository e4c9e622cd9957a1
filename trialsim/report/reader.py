"""The one reader of a run folder. Whatever is absent is empty here, so that the figures need not ask twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from trialsim._paths import conf_dir
from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.artefacts.tables import read_patients, read_pieces, read_table
from trialsim.report.posterior import Posterior, read_posterior
from trialsim.report.wording import words
from trialsim.schema import ConfigError
from trialsim.schema.report import ReportSettings

RESPONSES: tuple[str, ...] = ("CR", "PR", "SD", "PD", "NE")
# the columns of the patients table that the page counts or draws
DRAWN = (
    "patient_id", "replicate", "dose_level", "age_y", "sex", "weight_kg", "bsa_m2", "haematocrit", "ecog", "line",
    "hepatic_function", "cyp3a4_comedication", "tumour_type", "pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor",
    "sld_baseline_mm", "n_target_lesions", "best_response", "best_sld_change_percent", "pfs_days", "pfs_event", "os_days",
    "os_event", "days_on_treatment", "off_treatment_reason", "dlt", "dlt_evaluable", "dlt_terms", "relative_dose_intensity",
    "n_holds", "n_reductions", "cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml", "ps6_tumour_d28", "p4ebp1_tumour_d28",
    "pakt_tumour_d28", "ps6_pbmc_d28", "p4ebp1_pbmc_d28", "pakt_pbmc_d28",
)  # fmt: skip
PUBLISHED = {"mixed": "Mixed tumour types"}  # in published counts only
PARTNER_COLUMNS = ("relative_dose_intensity", "cmin_ng_ml")  # and _<name> of each partner drug


@dataclass(frozen=True)
class Run:
    """Everything one run left behind, as the report reads it. Large tables stay on disk and are read as far as they are needed.

    Attributes:
        folder: the run folder.
        config: the resolved configuration.
        provenance: versions, seed, device, code state.
        summary: the headline numbers.
        patients: one row a virtual patient, the columns `DRAWN` and those of partner drugs.
        posterior: the fit to the simulated study, or None.
        posterior_published: the same model fitted to published counts, or None.
    """

    folder: Path
    config: dict[str, Any]
    provenance: dict[str, Any]
    summary: dict[str, Any]
    patients: pd.DataFrame
    posterior: Posterior | None = None
    posterior_published: Posterior | None = None
    settings: ReportSettings = field(default_factory=ReportSettings)

    def visits_of(self, patients: Sequence[int], columns: Sequence[str]) -> pd.DataFrame:
        """Scans of some patients, one row a scan: patient_id and those of ``columns`` that were saved."""
        path = self.folder / "visits.parquet"
        return read_patients(path, patients, columns) if path.is_file() else pd.DataFrame()

    def adverse_events(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Adverse events in pieces, one row an episode; no patient in two pieces."""
        return self._pieces("adverse_events", columns)

    def pharmacodynamics(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Pharmacodynamics in pieces, one row a patient a week."""
        return self._pieces("pharmacodynamics", columns)

    def _pieces(self, name: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        path = self.folder / f"{name}.parquet"
        return read_pieces(path, columns) if path.is_file() else iter(())

    def section(self, name: str) -> dict[str, Any]:
        """A part of summary.json, empty if it is absent or null."""
        found = self.summary.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def count(self) -> int:
        """Patients who started treatment in the simulation."""
        return len(self.patients)

    @property
    def dose_unit(self) -> str:
        return str(self.section("regimen").get("unit") or self.part("regimen").get("unit") or "")

    def part(self, name: str) -> dict[str, Any]:
        """A section of the configuration, empty if absent."""
        found = self.config.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def dose_levels(self) -> list[float]:
        """Assigned dose levels that hold patients, in ascending order."""
        if "dose_level" not in self.patients:
            return []
        return sorted(float(level) for level in self.patients["dose_level"].dropna().unique())

    @property
    def escalation(self) -> bool:
        """True when the design searches for a dose."""
        return bool(self.part("design").get("dose_levels")) or len(self.dose_levels) > 1

    def tumour_name(self, key: str) -> str:
        """A tumour type as the configuration labels it, else (published ones) as that of a shipped study would, else its key."""
        found = self.part("tumour").get(key)
        name = found.get("label") if isinstance(found, dict) else None
        return str(name or PUBLISHED.get(key) or _shipped_labels().get(key) or words(key))

    @property
    def responses(self) -> pd.Series:
        """Best response of each patient; anything unknown counts as not evaluable."""
        if "best_response" not in self.patients:
            return pd.Series("NE", index=self.patients.index)
        found = self.patients["best_response"].astype("object")
        return found.where(found.isin(RESPONSES), "NE")

    def flag(self, name: str) -> pd.Series:
        """A yes/no column as bool, False where missing; a numpy-backed answer whatever parquet stored."""
        if name not in self.patients:
            return pd.Series(False, index=self.patients.index)
        return self.patients[name].map(lambda value: bool(value) if pd.notna(value) else False).astype(bool)


@cache
def _shipped_labels() -> dict[str, str]:
    files = (conf_dir() / "tumour").glob("*.yaml")
    return {file.stem: str(read_yaml(file).get("label") or words(file.stem)) for file in files}


def read_run(folder: Path) -> Run:
    """Read a run folder. Only summary.json and patients.parquet must be there."""
    folder = Path(folder)
    for name in ("summary.json", "patients.parquet"):
        if not (folder / name).is_file():
            raise ConfigError("run", str(folder), f"the folder of a finished run; this one has no {name}")
    config = _if_there(read_yaml, folder / "config.yaml")
    of_partners = [f"{column}_{name}" for name in config.get("partner") or {} for column in PARTNER_COLUMNS]
    return Run(
        folder=folder,
        config=config,
        provenance=_if_there(read_json, folder / "provenance.json"),
        summary=read_json(folder / "summary.json"),
        patients=read_table(folder / "patients.parquet", (*DRAWN, *of_partners)),
        posterior=read_posterior(folder / "posterior.nc"),
        posterior_published=read_posterior(folder / "posterior_published.nc"),
        settings=ReportSettings.model_validate(config.get("report") or {}),
    )


def _if_there(read: Callable[[Path], dict[str, Any]], path: Path) -> dict[str, Any]:
    return read(path) if path.is_file() else {}
