"""ADRS and ADTR: RECIST response at each scan and over all, and the tumour sizes behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.artefacts.tables import ID
from trialsim.exchange.source import Source

BEST = ("best_response", "best_response_unconfirmed", "responder", "disease_control", "clinical_benefit")
CENTRAL = ("best_response_central", "best_response_unconfirmed_central")
SCANS = ("visit", "day", "response")
SIZES = (
    "visit", "day", "sld_mm", "sld_change_percent", "sld_nadir_mm", "target_volume_ml", "new_lesion", "nontarget_progression",
    "on_treatment",
)  # fmt: skip
CODES = {"CR": 1, "PR": 2, "SD": 3, "PD": 5, "NE": 6, "Y": 1, "N": 0}  # 4, NON-CR/NON-PD, needs a patient without target lesions
INVESTIGATOR, CENTRAL_READER = "INVESTIGATOR", "INDEPENDENT ASSESSOR"


def relative_day(day: np.ndarray) -> np.ndarray:
    """Study day: the first dose is on day 1, the day before it is -1."""
    return np.where(day >= 0, day + 1, day)


def _visits(visit: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """AVISIT and AVISITN."""
    scan = visit.str.extract(r"^scan_(\d+)$")[0].astype(float).to_numpy()
    number = np.select([visit == "baseline", visit == "screening"], [0.0, -1.0], scan)
    return visit.str.replace("_", " ").str.capitalize().to_numpy(), number


def adrs(source: Source, patients: pd.DataFrame, visits: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Responses by scan (the investigator's), then best overall response, unconfirmed and, where the study asks, confirmed."""
    scans = visits[visits["response"] != ""]
    place = np.searchsorted(patients[ID], scans[ID])
    visit, number = _visits(scans["visit"])
    progressed = (scans["response"] == "PD").astype(int)
    after = progressed.groupby(scans[ID]).cumsum() - progressed
    blocks = [
        pd.DataFrame(
            {
                "place": place, "PARAMN": 1, "PARAMCD": "OVRLRESP", "PARAM": "Overall Response by Investigator",
                "PARCAT1": INVESTIGATOR, "AVISIT": visit, "AVISITN": number, "ADY": relative_day(scans["day"].to_numpy()),
                "AVALC": scans["response"].to_numpy(), "ANL01FL": np.where(after == 0, "Y", ""),
            }
        )
    ]  # fmt: skip
    for order, code, label, category, values in _over_all(source, patients):
        one = {"place": np.arange(len(patients)), "PARAMN": order, "PARAMCD": code, "PARAM": label, "PARCAT1": category}
        one |= {"AVISIT": "", "AVISITN": np.nan, "ADY": np.nan, "AVALC": values, "ANL01FL": "Y"}
        blocks.append(pd.DataFrame(one))
    frame = pd.concat(blocks).sort_values(["place", "PARAMN", "AVISITN"], kind="stable", ignore_index=True)
    frame["AVAL"] = frame["AVALC"].map(CODES)
    return {name: frame[name].to_numpy() for name in frame.columns if name != "place"}, frame["place"].to_numpy()


def _over_all(source: Source, patients: pd.DataFrame) -> list[tuple[int, str, str, str, np.ndarray]]:
    """Parameters with one value a patient: PARAMN, PARAMCD, PARAM, reader, values."""
    best, unconfirmed = "Confirmed Best Overall Response", "Best Overall Response"
    found = [(2, "BOR", f"{unconfirmed} by Investigator", INVESTIGATOR, patients["best_response_unconfirmed"].to_numpy())]
    if source.confirmed:
        found.append((3, "CBOR", f"{best} by Investigator", INVESTIGATOR, patients["best_response"].to_numpy()))
    for number, code, label, column in (
        (4, "RSP", "Objective Response", "responder"),
        (5, "DCR", "Disease Control", "disease_control"),
        (6, "CB", "Clinical Benefit", "clinical_benefit"),
    ):
        found.append((number, code, f"{label} by Investigator", INVESTIGATOR, np.where(patients[column].to_numpy(bool), "Y", "N")))
    if set(CENTRAL) <= set(patients.columns):
        found.append((7, "BORIRC", f"{unconfirmed} by Central Review", CENTRAL_READER, patients[CENTRAL[1]].to_numpy()))
        if source.confirmed:
            found.append((8, "CBORIRC", f"{best} by Central Review", CENTRAL_READER, patients[CENTRAL[0]].to_numpy()))
    return found


def adtr(source: Source, patients: pd.DataFrame, visits: pd.DataFrame) -> tuple[dict[str, Any], np.ndarray]:
    """Sum of target-lesion diameters and their volume at each scan."""
    visit, number = _visits(visits["visit"])
    base = visits[visits["visit"] == "baseline"].drop_duplicates(ID).set_index(ID)
    yes = lambda values: np.where(values, "Y", "").astype(object)
    common = pd.DataFrame(
        {
            "place": np.searchsorted(patients[ID], visits[ID]), "AVISIT": visit, "AVISITN": number,
            "ADY": relative_day(visits["day"].to_numpy()), "ABLFL": yes(visits["visit"] == "baseline"),
            "ONTRTFL": yes(visits["on_treatment"]), "NEWLFL": np.where(visits["new_lesion"], "Y", "N"),
            "NTPRFL": np.where(visits["nontarget_progression"], "Y", "N"),
        }
    )  # fmt: skip
    blocks = []
    parameters = (
        (1, "SDIAM", "Sum of Diameters of Target Lesions (mm)", "mm", "sld_mm", visits["sld_nadir_mm"].to_numpy(float)),
        (2, "TVOL", "Volume of Target Lesions (mL)", "mL", "target_volume_ml", np.full(len(visits), np.nan)),
    )
    for n, code, label, unit, column, nadir in parameters:
        value, baseline = visits[column].to_numpy(float), visits[ID].map(base[column]).to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = 100 * (value / baseline - 1)
        blocks.append(
            common.assign(
                PARAMN=n, PARAMCD=code, PARAM=label, AVALU=unit, AVAL=value, BASE=baseline, CHG=value - baseline, PCHG=percent,
                NADIR=nadir,
            )
        )  # fmt: skip
    frame = pd.concat(blocks).sort_values(["place", "PARAMN", "AVISITN"], kind="stable", ignore_index=True)
    return {name: frame[name].to_numpy() for name in frame.columns if name != "place"}, frame["place"].to_numpy()
