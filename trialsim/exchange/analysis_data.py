"""ADaM-like data sets of a trial: subjects, response, tumour sizes, times to event, adverse events, concentrations, exposure.

Structure and names follow CDISC ADaMIG 1.3, its time-to-event and occurrence classes (BDS for TTE 1.0, OCCDS 1.1), and for RECIST
the parameters that oncology uses (OVRLRESP, BOR, CBOR). They are made of virtual patients: there is no dictionary version, no site,
no race. Days count from the first dose, which is day 1; the day before it is -1. Dates are made up from a start date and left out
without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.artefacts import SavedRun, load_run
from trialsim.artefacts.tables import ID
from trialsim.exchange import events_data, responses, subjects, times
from trialsim.exchange.metadata import conform, datasets
from trialsim.exchange.source import Source, source_of
from trialsim.schema import ConfigError

Columns = dict[str, Any]


class Builder(NamedTuple):
    """How a data set is made.

    Attributes:
        build: (source, patients, rows of the table) -> columns, and for each row its place among the patients.
        patients, table: columns that it needs. patients_optional, table_optional: those that it uses where they are.
    """

    build: Callable[[Source, pd.DataFrame, pd.DataFrame], tuple[Columns, np.ndarray]]
    patients: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    patients_optional: tuple[str, ...] = ()
    table_optional: Callable[[Source], tuple[str, ...]] = lambda source: ()


BUILDERS = {
    "ADSL": Builder(subjects.adsl, subjects.COLUMNS, patients_optional=subjects.OPTIONAL),
    "ADRS": Builder(responses.adrs, responses.BEST, responses.SCANS, responses.CENTRAL),
    "ADTR": Builder(responses.adtr, (), responses.SIZES),
    "ADTTE": Builder(times.adtte, times.COLUMNS, patients_optional=times.OPTIONAL),
    "ADAE": Builder(events_data.adae, (), events_data.EPISODES),
    "ADPC": Builder(events_data.adpc, (), events_data.TROUGHS, table_optional=events_data.partner_troughs),
    "ADPP": Builder(events_data.adpp, events_data.EXPOSURE),
    "ADEX": Builder(events_data.adex, (), events_data.STRETCHES),
}


def available(source: Source) -> list[str]:
    """Data sets that can be made of a run: those whose tables it has. Runs of older versions have no doses."""
    return [name for name, dataset in datasets().items() if dataset.table is None or source.has(dataset.table)]


def chosen(source: Source, names: Sequence[str]) -> list[str]:
    """Those data sets, all that there are if none is named; told if one cannot be made."""
    there = available(source)
    for name in names:
        if name not in there:
            raise ConfigError("name", name, f"one of {', '.join(there)}")
    return list(dict.fromkeys(names)) or there


def pieces(source: Source, name: str) -> Iterator[pd.DataFrame]:
    """One data set, in pieces of some thousand subjects. At least one piece, perhaps without rows."""
    builder, dataset = BUILDERS[name], datasets()[name]
    core = (*subjects.CORE, *(("enrolment_day",) if source.start else ()))
    for patients in source.patients((*core, *builder.patients), builder.patients_optional):
        if name != "ADSL":  # who could not be computed has no outcome
            patients = patients[patients["integration_ok"]].reset_index(drop=True)
        rows = pd.DataFrame()
        if dataset.table is not None:
            ids = patients[ID].to_numpy()
            rows = source.rows(dataset.table, ids, builder.table, builder.table_optional(source))
        columns, place = builder.build(source, patients, rows)
        columns = {name: values[place] for name, values in subjects.core(source, patients).items()} | columns
        if source.start is not None:
            columns |= _dates(source.start, patients["enrolment_day"].to_numpy(float)[place], columns)
        yield conform(dataset, columns)


def adam(run: SavedRun | str, name: str, start_date: date | None = None) -> pd.DataFrame:
    """One ADaM-like data set of a finished trial.

    Args:
        run: from ``load_run``, or its folder. name: ADSL, ADRS, ADTR, ADTTE, ADAE, ADPC, ADPP or ADEX.
        start_date: made-up date of the first patient in; None: days only, no dates.

    Raises:
        ConfigError: no such data set, or the run has not what it takes.
    """
    source = source_of(load_run(run) if not isinstance(run, SavedRun) else run, start_date)
    (name,) = chosen(source, [name])
    return pd.concat(list(pieces(source, name)), ignore_index=True)


def _dates(start: date, enrolled: np.ndarray, columns: Columns) -> Columns:
    """Dates beside the days that a data set has: TRTSDT from the day of enrolment, the others from it."""
    first = np.datetime64(start, "D") + enrolled.astype(int)
    found: Columns = {"TRTSDT": first.astype("datetime64[s]")}
    for day in ("TRTEDY", "DTHDY", "LSTALVDY", "ADY", "STARTDY", "ASTDY", "AENDY"):
        if day in columns:
            days = np.asarray(columns[day], float)
            since = np.where(days > 0, days - 1, days)
            dates = first + np.nan_to_num(since).astype(int)
            found[f"{day[:-2]}DT"] = np.where(np.isfinite(days), dates, np.datetime64("NaT")).astype("datetime64[s]")
    return found
