"""A trial as a NONMEM event table: doses as taken, weekly troughs, covariates; numbers only, `.` where there is none.

One row a stretch of equal doses (ADDL, II) or one a dose. A trough at the time of a dose stands before it. Patients whose course
could not be computed are left out. Columns and codes: `data/nonmem.csv`, written beside the table.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trialsim.artefacts import SavedRun, load_run
from trialsim.artefacts.tables import ID
from trialsim.exchange.events_data import STRETCHES
from trialsim.exchange.metadata import read_data, significant
from trialsim.exchange.source import Source, source_of
from trialsim.schema import ConfigError
from trialsim.units import HOURS_PER_DAY

SEXES = {"M": 0, "F": 1}
CODES = {
    "hepatic_function": {"normal": 0, "child_pugh_a": 1, "child_pugh_b": 2, "child_pugh_c": 3},
    "cyp3a4_comedication": {"none": 0, "inhibitor": 1, "inducer": 2},
    "sex": SEXES,
}
COVARIATES = {
    "AGE": "age_y", "SEX": "sex", "WT": "weight_kg", "HT": "height_cm", "BSA": "bsa_m2", "HCT": "haematocrit", "ECOG": "ecog",
    "HEP": "hepatic_function", "CYP": "cyp3a4_comedication", "TUM": "tumour_type", "LEVEL": "dose_level", "REPL": "replicate",
}  # fmt: skip
WHOLE = ("ID", "EVID", "MDV", "CMT", "ADDL", "SEX", "ECOG", "HEP", "CYP", "TUM", "REPL")
INFUSED = ("temsirolimus",)  # into the blood; everything else is taken by mouth


def columns() -> pd.DataFrame:
    """What each column means: name, label, unit, codes, origin."""
    return read_data("nonmem.csv")


def tumour_codes(source: Source) -> dict[str, int]:
    """TUM of each tumour type of the run's settings, from 1, in alphabetical order."""
    return {name: number for number, name in enumerate(sorted(source.tumour_labels), 1)}


def check(source: Source, drug: str | None) -> str:
    """The drug whose events are wanted, the rapalog if None; told if the run does not have them."""
    known = (source.drug, *source.partners)
    if drug is not None and drug not in known:
        raise ConfigError("drug", drug, f"one of {', '.join(known)}")
    if not source.has("doses"):
        allowed = "a run that keeps its doses (doses.parquet); an older version of trialsim made this one: run it again"
        raise ConfigError("path", str(source.path), allowed)
    return drug or source.drug


def pieces(source: Source, drug: str, every_dose: bool = False) -> Iterator[pd.DataFrame]:
    """The event table in pieces of some thousand patients, see `event_table`."""
    suffix = "" if drug == source.drug else f"_{drug}"
    codes = CODES | {"tumour_type": tumour_codes(source)}
    for patients in source.patients((*COVARIATES.values(), "integration_ok")):
        patients = patients[patients["integration_ok"]]
        ids = patients[ID].to_numpy()
        doses = source.rows("doses", ids, STRETCHES)
        troughs = source.rows("pharmacodynamics", ids, ("day", f"cmin_ng_ml{suffix}"))
        events = pd.concat(
            [_observations(troughs, f"cmin_ng_ml{suffix}", drug), _doses(doses[doses["drug"] == drug], every_dose)]
        ).sort_values(["ID", "TIME", "EVID"], kind="stable", ignore_index=True)
        of = np.searchsorted(ids, events["ID"] - 1)
        for name, column in COVARIATES.items():
            values = patients[column].map(codes[column]) if column in codes else patients[column]
            events[name] = values.to_numpy(float)[of]
        yield events.assign(**{name: events[name].astype("int64") for name in WHOLE if events[name].notna().all()})


def _doses(doses: pd.DataFrame, every_dose: bool) -> pd.DataFrame:
    start, number = doses["start_day"].to_numpy(float) * HOURS_PER_DAY, doses["n_doses"].to_numpy(int)
    interval, more = doses["interval_h"].to_numpy(float), number - 1
    row = np.arange(len(doses))
    if every_dose:
        row = np.repeat(row, number)
        start = start[row] + interval[row] * (np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number))
        interval, more = np.zeros(len(row)), np.zeros(len(row))
    return pd.DataFrame(
        {
            "ID": doses[ID].to_numpy(int)[row] + 1, "TIME": start, "AMT": significant(doses["dose_mg"].to_numpy(float)[row]),
            "DV": np.nan, "EVID": 1, "MDV": 1, "CMT": 1, "ADDL": more, "II": np.where(more > 0, interval, 0.0),
        }
    )  # fmt: skip


def _observations(troughs: pd.DataFrame, column: str, drug: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ID": troughs[ID].to_numpy(int) + 1, "TIME": (troughs["day"].to_numpy(float) + 1) * HOURS_PER_DAY, "AMT": 0.0,
            "DV": significant(troughs[column].to_numpy(float)), "EVID": 0, "MDV": troughs[column].isna().to_numpy(int),
            "CMT": 1 if drug in INFUSED else 2, "ADDL": 0, "II": 0.0,
        }
    )  # fmt: skip


def event_table(run: SavedRun | str, drug: str | None = None, every_dose: bool = False) -> pd.DataFrame:
    """A finished trial as a NONMEM event table; columns: `columns`.

    Args:
        run: from ``load_run``, or its folder. drug: whose doses and concentrations; None: the rapalog's.
        every_dose: a row for each dose rather than one a stretch, with ADDL and II.

    Raises:
        ConfigError: the run has no such drug, or no doses.
    """
    source = source_of(load_run(run) if not isinstance(run, SavedRun) else run)
    return pd.concat(list(pieces(source, check(source, drug), every_dose)), ignore_index=True)
