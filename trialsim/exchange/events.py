"""A NONMEM-style event table read in: checked line by line, then doses, observations and covariates as frames.

Columns ID, TIME and AMT are needed; DV, EVID, MDV, CMT, ADDL, II, SS and RATE are understood as NM-TRAN does, in any order and
case; every other column is a covariate. `.` and an empty cell are missing; missing numbers of these columns are 0. Refused, as
nothing here could simulate them: clock times, steady-state records (SS), infusions (RATE), resets (EVID 3, 4).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from trialsim.engine.model import Regimen
from trialsim.exchange.nonmem import SEXES
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

NEEDED = ("ID", "TIME", "AMT")
UNDERSTOOD = (*NEEDED, "DV", "EVID", "MDV", "CMT", "ADDL", "II", "SS", "RATE")
LARGEST_FILE = 2**30  # bytes; a table that is larger than that was not made by hand, and takes several times as much memory
MOST_DOSES = 20_000_000  # administrations after ADDL is written out
HEADER_LINE = 1
TOLERANCE_H = 1e-6


@dataclass(frozen=True)
class EventTable:
    """What an event table says.

    Attributes:
        path: of the file. doses: one row an administration, ADDL written out: ID, TIME, AMT, CMT.
        observations: ID, TIME, DV, CMT, where DV is there.
        covariates: one row a subject, indexed by ID, its first value of each further column. varying: those that change within a
            subject.
    """

    path: Path
    doses: pd.DataFrame
    observations: pd.DataFrame
    covariates: pd.DataFrame
    varying: tuple[str, ...]


def read_events(path: str | Path) -> EventTable:
    """Read and check an event table, CSV (with a header line) or Parquet.

    Raises:
        ConfigError: names the column, the line (the header is line 1; of Parquet, the row + 1) and what is allowed.
    """
    path = Path(path)
    table = _numbers(path, _read(path))
    _check(path, table)
    evid = table["EVID"].to_numpy()
    doses = _written_out(path, table[evid == 1])
    seen = table[(evid == 0) & (table["MDV"] == 0)]
    others = [name for name in table.columns if name not in UNDERSTOOD]
    by_subject = table.groupby("ID", sort=False)
    varying = tuple(name for name in others if by_subject[name].nunique(dropna=False).gt(1).any())
    return EventTable(
        path, doses, seen[["ID", "TIME", "DV", "CMT"]].reset_index(drop=True),
        table.drop_duplicates("ID").set_index("ID")[others], varying,
    )  # fmt: skip


def doses_of(events: EventTable, interval: float = 24.0, intervals: int | None = None) -> Regimen:
    """The doses as a regimen of the engine, one row a subject in the table's order.

    Args:
        interval: hours between two times at which a dose may come; every dose must be at one of them.
        intervals: number of them; None: up to the last dose or observation.

    Raises:
        ConfigError: a dose that falls between, or after the end; or several compartments are dosed.
    """
    doses, ids = events.doses, events.covariates.index
    key = "events"
    if not interval > 0:
        raise ConfigError("interval", interval, "a positive number of hours")
    check_compartment(events)
    place = np.round(doses["TIME"].to_numpy() / interval)
    off = np.abs(place * interval - doses["TIME"].to_numpy()) > TOLERANCE_H
    if off.any():
        row = doses.iloc[int(np.argmax(off))]
        what = f"{events.path}: column TIME, ID {row['ID']:g}: dose at {row['TIME']:g} h"
        raise ConfigError(key, what, f"doses at multiples of interval = {interval:g} h; choose another interval")
    if intervals is None:
        intervals = int(max(place.max(initial=0) + 1, np.ceil(events.observations["TIME"].to_numpy() / interval).max(initial=1)))
    if len(place) and place.max() >= intervals:
        raise ConfigError("intervals", intervals, f"at least {int(place.max()) + 1}, the interval of the last dose")
    if intervals * len(ids) > MOST_DOSES:
        raise ConfigError("intervals", intervals, f"at most {MOST_DOSES // len(ids)} for {len(ids)} subjects")
    amounts = np.zeros((len(ids), intervals))
    np.add.at(amounts, (ids.get_indexer(doses["ID"]), place.astype(int)), doses["AMT"].to_numpy())
    return Regimen(amounts, interval)


def check_compartment(events: EventTable) -> None:
    """Told if doses go into several compartments."""
    compartments = events.doses["CMT"].unique()
    if len(compartments) > 1:
        found = ", ".join(f"{value:g}" for value in compartments)
        raise ConfigError("events", f"{events.path}: column CMT of doses: {found}", "doses into one compartment")


def covariates_of(events: EventTable, tumour_type: str | Mapping[int, str], sexes: Mapping[str, int] = SEXES) -> pd.DataFrame:
    """A table for ``cohort.covariates_file``: age_y, sex, weight_kg, height_cm, tumour_type, one row a subject.

    Args:
        events: with the columns AGE (years), SEX, WT (kg), HT (cm), and TUM where ``tumour_type`` is a mapping.
        tumour_type: one for all, or the type of each value of TUM. sexes: the value of SEX for M and F.

    Raises:
        ConfigError: a column or a code is missing.
    """
    wanted = ["AGE", "SEX", "WT", "HT", *([] if isinstance(tumour_type, str) else ["TUM"])]
    missing = [name for name in wanted if name not in events.covariates]
    if missing:
        raise ConfigError("events", f"{events.path}: missing column {', '.join(missing)}", f"the columns {', '.join(wanted)}")
    given = events.covariates
    letters = {float(number): letter for letter, number in sexes.items()}
    kinds = tumour_type if isinstance(tumour_type, str) else {float(number): name for number, name in tumour_type.items()}
    return pd.DataFrame(
        {
            "age_y": given["AGE"].to_numpy(), "sex": _decoded(events, "SEX", letters), "weight_kg": given["WT"].to_numpy(),
            "height_cm": given["HT"].to_numpy(), "tumour_type": kinds if isinstance(kinds, str) else _decoded(events, "TUM", kinds),
        }
    )  # fmt: skip


def _decoded(events: EventTable, name: str, names: Mapping[float, str]) -> np.ndarray:
    values = events.covariates[name]
    for subject, value in values.items():
        if value not in names:
            allowed = ", ".join(f"{number:g} ({word})" for number, word in names.items())
            raise ConfigError("events", f"{events.path}: column {name}, ID {subject:g}: {value:g}", f"one of {allowed}")
    return values.map(names).to_numpy()


# ---- reading and checking


def _fault(path: Path, what: str, allowed: str) -> ConfigError:
    return ConfigError("events", f"{path}: {what}", allowed)


def _cell(path: Path, name: str, row: int, value: object, allowed: str) -> ConfigError:
    shown = f"{value:g}" if isinstance(value, float) else value
    return _fault(path, f"column {name}, line {row + HEADER_LINE + 1}: {shown}", allowed)


def _read(path: Path) -> pd.DataFrame:
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise _fault(path, f"ending {ending or '(none)'}", "a file that ends in .csv or .parquet")
    if not path.is_file():
        raise _fault(path, "no such file", "the path of a CSV or Parquet file that exists")
    if path.stat().st_size > LARGEST_FILE:
        raise _fault(path, f"{path.stat().st_size} bytes", f"at most {LARGEST_FILE} bytes")
    try:
        if ending == ".parquet":
            rows = pq.read_metadata(path).num_rows  # before it is read: equal values take next to no room in the file
            if rows > MOST_DOSES:
                raise ValueError(f"{rows} records, more than {MOST_DOSES}")
            return pd.read_parquet(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a line with more fields than the header
            # blank lines are kept, so that the lines are those of the file
            return pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False)
    except Exception as error:  # the parsers raise a dozen types; the user needs one sentence
        raise _fault(path, f"cannot be read ({error})", "a CSV with one header line, or a Parquet table") from error


def _numbers(path: Path, raw: pd.DataFrame) -> pd.DataFrame:
    """The table as numbers, with every understood column."""
    names = [str(name).strip().upper() for name in raw.columns]
    for name in names:
        if names.count(name) > 1:
            raise _fault(path, f"column {name} occurs {names.count(name)} times", "every column once")
    for name in NEEDED:
        if name not in names:
            raise _fault(path, f"missing column {name}{near(name, names)}", f"a table with the columns {', '.join(NEEDED)}")
    if not len(raw):
        raise _fault(path, "no records", "at least one record")
    found = {}
    for name, column in zip(names, raw.columns, strict=True):
        values = raw[column]
        text = values.astype("str").str.strip()
        empty = text.isin(["", "."]).to_numpy() | values.isna().to_numpy()
        numbers = pd.to_numeric(text.where(~empty), errors="coerce").to_numpy(float, na_value=np.nan)
        wrong = ~np.isfinite(numbers) & ~empty
        if wrong.any():
            row = int(np.argmax(wrong))
            clock = "; a time of day is not: hours from the first dose" if name == "TIME" and ":" in text.iloc[row] else ""
            raise _cell(path, name, row, repr(text.iloc[row][:40]), f"a finite number, or . where there is none{clock}")
        found[name] = numbers
    table = pd.DataFrame(found)
    for name in ("ID", "TIME"):
        if table[name].isna().any():
            raise _cell(path, name, int(np.argmax(table[name].isna())), "empty", "a number in every record")
    given = table.get("EVID", pd.Series(np.nan, table.index))
    # without EVID a record with an amount is a dose, as NM-TRAN has it
    table["EVID"] = given.where(given.notna(), (table["AMT"].fillna(0) != 0).astype(float))
    if "DV" not in table:
        table["DV"] = np.nan
    mdv = table.get("MDV", pd.Series(np.nan, table.index))
    table["MDV"] = mdv.where(mdv.notna(), ((table["EVID"] != 0) | table["DV"].isna()).astype(float))
    for name, usual in (("AMT", 0.0), ("CMT", 0.0), ("ADDL", 0.0), ("II", 0.0), ("SS", 0.0), ("RATE", 0.0)):
        table[name] = table[name].fillna(usual) if name in table else usual
    return table


def _check(path: Path, t: pd.DataFrame) -> None:
    """Everything that a record can get wrong, the first one told."""
    dose = (t["EVID"] == 1).to_numpy()
    whole = lambda name: (t[name] == np.round(t[name])).to_numpy()
    started = t["ID"].ne(t["ID"].shift()).to_numpy()
    again = started & t["ID"].duplicated().to_numpy()
    earlier = ~started & (t["TIME"].diff() < 0).to_numpy()
    rules = (
        ("EVID", ~t["EVID"].isin([0, 1, 2]).to_numpy(), "0 (observation), 1 (dose) or 2 (other); no resets (3, 4)"),
        ("ID", ~(whole("ID") & (t["ID"] >= 0).to_numpy()), "a whole number of at least 0"),
        ("ID", again, "all records of a subject together: this ID has occurred above, with another between"),
        ("TIME", (t["TIME"] < 0).to_numpy(), "hours from the first dose, at least 0"),
        ("TIME", earlier, "records of a subject in order of time: not earlier than the line above"),
        ("AMT", dose & ~(t["AMT"] > 0).to_numpy(), "a positive amount in a dose record (EVID 1)"),
        ("AMT", ~dose & (t["AMT"] != 0).to_numpy(), "0 or . where the record is no dose"),
        ("MDV", ~t["MDV"].isin([0, 1]).to_numpy(), "0 or 1"),
        ("DV", ((t["EVID"] == 0) & (t["MDV"] == 0) & t["DV"].isna()).to_numpy(), "a number in an observation, or MDV = 1"),
        ("CMT", ~(whole("CMT") & (t["CMT"] >= 0).to_numpy()), "a whole number of at least 0"),
        ("SS", (t["SS"] != 0).to_numpy(), "0: steady state cannot be set; write the doses before it as records (ADDL, II)"),
        ("RATE", (t["RATE"] != 0).to_numpy(), "0: infusions cannot be simulated; doses are given at once"),
        ("ADDL", ~(whole("ADDL") & (t["ADDL"] >= 0).to_numpy()), "a whole number of at least 0"),
        ("II", dose & (t["ADDL"] > 0).to_numpy() & ~(t["II"] > 0).to_numpy(), "a positive number of hours where ADDL > 0"),
        ("II", (t["II"] < 0).to_numpy(), "hours, at least 0"),
    )
    for name, wrong, allowed in rules:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise _cell(path, name, row, float(t[name].iloc[row]), allowed)


def _written_out(path: Path, records: pd.DataFrame) -> pd.DataFrame:
    """Every administration on a row of its own, in order of time within a subject."""
    total = float(records["ADDL"].sum()) + len(records)
    if total > MOST_DOSES:
        worst = int(np.argmax(records["ADDL"]))
        what = float(records["ADDL"].iloc[worst])
        raise _cell(path, "ADDL", int(records.index[worst]), what, f"at most {MOST_DOSES} administrations in all")
    number = records["ADDL"].to_numpy().astype(int) + 1
    row = np.repeat(np.arange(len(records)), number)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    subject = pd.factorize(records["ID"])[0][row]
    out = pd.DataFrame(
        {
            "ID": records["ID"].to_numpy()[row], "TIME": records["TIME"].to_numpy()[row] + nth * records["II"].to_numpy()[row],
            "AMT": records["AMT"].to_numpy()[row], "CMT": records["CMT"].to_numpy()[row],
        }
    )  # fmt: skip
    return out.assign(subject=subject).sort_values(["subject", "TIME"], kind="stable", ignore_index=True).drop(columns="subject")
