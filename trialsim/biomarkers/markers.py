"""What is looked at before and early under treatment, and which way each is thought to point."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

When = Literal["baseline", "biopsy", "blood", "scan"]
GENES = ("pik3ca", "akt1", "mtor", "tsc", "kras")
PATHWAY = ("pik3ca", "akt1", "mtor", "tsc", "pten_loss")  # any of them switches the pathway on


class Marker(NamedTuple):
    """One marker.

    Attributes:
        name: column of the measured markers; their values are turned so that higher is the side thought to benefit.
        label: that side in words.
        kind: ``flag`` (0 or 1) or ``level``.
        when: ``baseline``, or what shows it under treatment: ``biopsy`` and ``blood`` in the week of the biopsy, ``scan`` the
        first.
        assay: how it is measured: a field of ``AssaySettings``, or "" where it is known without error.
        reason: why it is thought to point that way.
    """

    name: str
    label: str
    kind: Literal["flag", "level"]
    when: When
    assay: str
    reason: str


MARKERS = (
    Marker("pik3ca", "PIK3CA mutated", "flag", "baseline", "ngs", "PI3K drives mTORC1"),
    Marker("akt1", "AKT1 mutated", "flag", "baseline", "ngs", "AKT drives mTORC1"),
    Marker("mtor", "MTOR activated", "flag", "baseline", "ngs", "exceptional responders (Wagle 2014)"),
    Marker("tsc", "TSC1 or TSC2 lost", "flag", "baseline", "ngs", "nothing restrains mTORC1; exceptional responders"),
    Marker("pten_loss", "PTEN protein lost", "flag", "baseline", "pten", "PI3K signal unopposed (Voss 2018, André 2016)"),
    Marker("pathway", "PI3K-mTOR pathway altered", "flag", "baseline", "ngs", "any of the five above"),
    Marker("kras_wt", "KRAS wild type", "flag", "baseline", "ngs", "mutants bypass mTORC1 through ERK (Ng 2013)"),
    Marker("pathway_kras_wt", "Pathway altered, KRAS wild type", "flag", "baseline", "ngs", "both together"),
    Marker("registered", "Tumour type with a registered rapalog", "flag", "baseline", "", "phase III trials were positive there"),
    Marker("ps6", "pS6 high before treatment", "level", "baseline", "tissue", "mTORC1 at work (Li 2014)"),
    Marker("pakt", "pAKT high before treatment", "level", "baseline", "tissue", "pathway at work"),
    Marker("ecog", "ECOG 0", "flag", "baseline", "", "prognosis"),
    Marker("line", "Few earlier lines of therapy", "level", "baseline", "", "prognosis"),
    Marker("sld", "Small tumour burden (SLD)", "level", "baseline", "", "prognosis"),
    Marker("cmin", "Trough concentration high", "level", "blood", "concentration", "more drug, more inhibition"),
    Marker("ps6_drop", "pS6 falls in the tumour", "level", "biopsy", "tissue", "the target is hit"),
    Marker("pakt_rise", "pAKT does not rise", "level", "biopsy", "tissue", "no feedback through AKT (O'Reilly 2006)"),
    Marker("ps6_drop_pbmc", "pS6 falls in blood cells", "level", "blood", "blood", "the target is hit, elsewhere"),
    Marker("sld_drop", "SLD falls by the first scan", "level", "scan", "", "the tumour responds (Oudard 2012)"),
)
BY_NAME = {marker.name: marker for marker in MARKERS}
BASELINE = tuple(marker for marker in MARKERS if marker.when == "baseline")
EARLY = tuple(marker for marker in MARKERS if marker.when != "baseline")


def any_of(flags: pd.DataFrame) -> np.ndarray:
    """1 if one flag is, 0 if none is, NaN if an unknown one decides; (patients,)."""
    known = flags.max(axis=1, skipna=True).to_numpy(float)
    return np.where((known == 1) | flags.notna().all(axis=1).to_numpy(), known, np.nan)


def all_of(flags: pd.DataFrame) -> np.ndarray:
    """The same for all of them together."""
    return 1.0 - any_of(1.0 - flags)


def genetic(read: pd.DataFrame) -> pd.DataFrame:
    """The markers made of genes and PTEN: 1, 0, or NaN where not known, one column each; index of ``read``.

    Args:
        read: genes and pten_loss, true or as called.
    """
    found = {name: read[name].astype(float) for name in (*GENES, "pten_loss")}
    found["pathway"] = pd.Series(any_of(read[list(PATHWAY)].astype(float)), read.index)
    found["kras_wt"] = 1.0 - found.pop("kras")
    both = pd.DataFrame({name: found[name] for name in ("pathway", "kras_wt")})
    found["pathway_kras_wt"] = pd.Series(all_of(both), read.index)
    return pd.DataFrame(found)


def marker_table(read: pd.DataFrame, registered: tuple[str, ...]) -> pd.DataFrame:
    """All markers, one column each in the order of `MARKERS`, higher = the side thought to benefit; index of ``read``.

    Args:
        read: genes and pten_loss (0, 1, NaN), ps6_tumour_basal, pakt_tumour_basal, ps6_tumour_fold, pakt_tumour_fold,
            ps6_pbmc_fold, cmin_ng_ml, baseline_sld_mm, sld_change_first_scan, tumour_type, ecog, line: true or as measured.
        registered: tumour types in which a rapalog is registered.
    """
    found = dict(genetic(read).items())
    found["registered"] = read["tumour_type"].isin(registered).astype(float)
    found["ecog"] = (read["ecog"] == 0).astype(float)
    found["line"] = -read["line"].astype(float)
    logs = {
        "ps6": ("ps6_tumour_basal", 1.0), "pakt": ("pakt_tumour_basal", 1.0), "sld": ("baseline_sld_mm", -1.0),
        "cmin": ("cmin_ng_ml", 1.0), "ps6_drop": ("ps6_tumour_fold", -1.0), "pakt_rise": ("pakt_tumour_fold", -1.0),
        "ps6_drop_pbmc": ("ps6_pbmc_fold", -1.0),
    }  # fmt: skip
    for name, (column, sign) in logs.items():
        found[name] = sign * np.log(read[column].astype(float))
    found["sld_drop"] = -read["sld_change_first_scan"].astype(float)
    return pd.DataFrame({marker.name: found[marker.name] for marker in MARKERS})


def positive(values: pd.Series, marker: Marker, kept: float = 0.5) -> np.ndarray:
    """1 where the marker is positive, 0 where not, NaN where not measured; (patients,).

    Args:
        kept: share of the patients measured that counts as positive where the marker is a level.
    """
    x = values.to_numpy(float)
    if marker.kind == "flag":
        return x
    measured = np.isfinite(x)
    if not measured.any():
        return x
    cut = np.quantile(x[measured], 1.0 - kept, method="inverted_cdf")
    return np.where(measured, (x > cut).astype(float), np.nan)
