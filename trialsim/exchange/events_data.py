"""ADAE, ADPC, ADPP and ADEX: adverse events, trough concentrations, exposure on day 15, and doses as taken."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from trialsim.artefacts.tables import ID
from trialsim.exchange.metadata import read_data
from trialsim.exchange.source import Source
from trialsim.units import HOURS_PER_DAY

EPISODES = ("term", "grade", "start_day", "end_day", "action", "dlt")
TROUGHS = ("day", "dose_mg", "on_treatment", "cmin_ng_ml")
EXPOSURE = ("cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml")
STRETCHES = ("drug", "dose_mg", "start_day", "end_day", "interval_h", "n_doses")
ACTIONS = {"none": "DOSE NOT CHANGED", "hold": "DRUG INTERRUPTED", "reduce": "DOSE REDUCED", "stop": "DRUG WITHDRAWN"}
FREQUENCIES = {24.0: "QD", 12.0: "BID", 8.0: "TID", 6.0: "QID", 48.0: "QOD", 168.0: "QS"}  # CDISC FREQ; QS: every week


@cache
def preferred_terms() -> dict[str, tuple[str, str]]:
    """Term of the model -> preferred term and system organ class."""
    return {row.term: (row.preferred_term, row.body_system) for row in read_data("terms.csv").itertuples()}


def _yes(values: Any) -> np.ndarray:
    return np.where(values, "Y", "").astype(object)


def _place(patients: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    return np.searchsorted(patients[ID], rows[ID])


def adae(source: Source, patients: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Episodes in order of their start."""
    e = rows.sort_values([ID, "start_day", "term"], kind="stable", ignore_index=True)
    known = preferred_terms()
    coded = {term: known.get(term, (term.replace("_", " ").capitalize(), "NOT CODED")) for term in e["term"].unique()}
    ended = np.isfinite(e["end_day"].to_numpy(float))
    worst = e["grade"] == e.groupby([ID, "term"])["grade"].transform("max")
    columns = {
        "AESEQ": e.groupby(ID).cumcount().to_numpy() + 1,
        "AETERM": e["term"].str.replace("_", " ").str.capitalize().to_numpy(),
        "AEDECOD": e["term"].map({term: names[0] for term, names in coded.items()}).to_numpy(),
        "AEBODSYS": e["term"].map({term: names[1] for term, names in coded.items()}).to_numpy(),
        "AETOXGR": e["grade"].astype(int).astype(str).to_numpy(),
        "AETOXGRN": e["grade"].to_numpy(),
        "ASTDY": e["start_day"].to_numpy(float) + 1,
        "AENDY": e["end_day"].to_numpy(float),  # the day after the last one, counted from 0, is the last one counted from 1
        "ADURN": (e["end_day"] - e["start_day"]).to_numpy(float),
        "ADURU": np.where(ended, "DAYS", "").astype(object),
        "TRTEMFL": np.full(len(e), "Y", dtype=object),
        "AEACN": e["action"].map(lambda action: ACTIONS.get(action, action)).to_numpy(),
        "AEOUT": np.where(ended, "RECOVERED/RESOLVED", "NOT RECOVERED/NOT RESOLVED").astype(object),
        "DLTFL": np.where(e["dlt"], "Y", "N").astype(object),
        "AOCCPFL": _yes(~e.duplicated([ID, "term"])),
        "AOCPIFL": _yes(worst & ~e.assign(worst=worst).duplicated([ID, "term", "worst"])),
    }
    return columns, _place(patients, e)


def partner_troughs(source: Source) -> tuple[str, ...]:
    return tuple(f"{column}_{name}" for name in source.partners for column in ("cmin_ng_ml", "dose_mg"))


def code_of(drug: str) -> str:
    """PARAMCD of a drug: letters and digits, at most 8."""
    return "".join(letter for letter in drug.upper() if letter.isascii() and letter.isalnum())[:8]


def adpc(source: Source, patients: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Weekly troughs, the rapalog's in whole blood, those of partner drugs in plasma."""
    day = rows["day"].to_numpy(float)
    with_metabolite = " and Active Metabolite" if source.metabolite else ""
    drugs = [(source.drug, "", f"{source.drug.capitalize()}{with_metabolite}, Whole Blood (ng/mL)", "BLOOD")]
    drugs += [(name, f"_{name}", f"{name.replace('_', ' ').capitalize()}, Plasma (ng/mL)", "PLASMA") for name in source.partners]
    place, visit = _place(patients, rows), np.array([f"Day {d:.0f}" for d in range(int(day.max(initial=0)) + 3)], dtype=object)
    count, n = len(rows), len(drugs)
    each = lambda values: np.repeat(np.asarray(values), n)  # every drug of a sample, sample by sample
    by_drug = lambda values: np.tile(np.array(values, dtype=object), count)
    columns = {
        "PARAMCD": by_drug([code_of(name) for name, *_ in drugs]),
        "PARAM": by_drug([label for _, _, label, _ in drugs]),
        "PARAMN": np.tile(np.arange(1, n + 1), count),
        "AVISIT": each(visit[day.astype(int) + 2]),
        "ATPT": np.full(count * n, "PREDOSE", dtype=object),
        "ADY": each(day + 2),
        "AFRLT": each((day + 1) * HOURS_PER_DAY),
        "AVAL": np.stack([rows[f"cmin_ng_ml{suffix}"].to_numpy(float) for _, suffix, *_ in drugs], axis=1).reshape(-1),
        "AVALU": np.full(count * n, "ng/mL", dtype=object),
        "MATRIX": by_drug([matrix for *_, matrix in drugs]),
        "DOSEDAY": np.stack([rows[f"dose_mg{suffix}"].to_numpy(float) for _, suffix, *_ in drugs], axis=1).reshape(-1),
        "ONTRTFL": each(_yes(rows["on_treatment"])),
    }
    return columns, np.repeat(place, n)


def adpp(source: Source, patients: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Exposure over the dosing interval from day 15, in those who had the full dose up to then."""
    parameters = (
        ("CTROUGH", "Trough Concentration (ng/mL)", "ng/mL", "cmin_ng_ml"),
        ("CMAX", "Maximum Concentration (ng/mL)", "ng/mL", "cmax_ng_ml"),
        ("AUC24", "Mean AUC of 24 Hours (h*ng/mL)", "h*ng/mL", "auc24_ng_h_ml"),
    )
    values = patients[[column for *_, column in parameters]].to_numpy(float)
    place, which = np.nonzero(np.isfinite(values))
    of = lambda index: np.array([parameter[index] for parameter in parameters], dtype=object)[which]
    columns = {
        "PARAMCD": of(0), "PARAM": of(1), "PARAMN": which + 1, "AVISIT": np.full(len(which), "Day 15", dtype=object),
        "ADY": np.full(len(which), 15.0), "AVAL": values[place, which], "AVALU": of(2),
    }  # fmt: skip
    return columns, place


def adex(source: Source, patients: pd.DataFrame, rows: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Stretches of equal doses."""
    hours, dose, number = (rows[name].to_numpy(float) for name in ("interval_h", "dose_mg", "n_doses"))
    often = {value: FREQUENCIES.get(value, f"Q{value:g}H") for value in np.unique(hours)}
    columns = {
        "EXSEQ": rows.groupby(ID).cumcount().to_numpy() + 1,
        "EXTRT": rows["drug"].str.upper().to_numpy(),
        "EXDOSE": dose,
        "EXDOSU": np.full(len(rows), "mg", dtype=object),
        "EXDOSFRQ": np.array([often[value] for value in hours], dtype=object),
        "NDOSE": number,
        "AVAL": dose * number,
        "ASTDY": rows["start_day"].to_numpy(float) + 1,
        "AENDY": rows["end_day"].to_numpy(float) + 1,
    }
    return columns, _place(patients, rows)
